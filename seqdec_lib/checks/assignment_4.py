"""The problems of assignment 4, *The logbook and the wish*."""

from __future__ import annotations

from seqdec_lib.checks.recorded import recorded

EXERCISES = recorded(
    "assignment_4",
    {
        "goals": "sum each trip from its last real day backward, with one step of the recursion "
        "for all trips at once. What does a day after the end pay?",
        "reading": "with a context of 1 only today is read. Which of today's three numbers may "
        "not be?",
        "clone_of_mixture": "a state collects steps from each guide: how many, and which actions? "
        "Add them up for all guides before you divide.",
        "wish_policy": "for each node, find the chance that a trip through it reaches the target "
        "when dice choose from there on; a level at a time, from the leaves. An action's chance "
        "mixes where it leads with where staying leads.",
        "wish_regret": "sort the leaves, count from the best, build the policy for that target, "
        "and measure it on the tree with the same risk of cancellation.",
    },
)
