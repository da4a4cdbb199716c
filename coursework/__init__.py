"""Coursework: release, collect, grade and give feedback, with nbgrader and without a network."""
