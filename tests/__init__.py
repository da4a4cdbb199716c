"""Tests of the book: what a notebook cannot test, and the harness that tests the notebooks."""
