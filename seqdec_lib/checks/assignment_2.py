"""The problems of assignment 2, *The diary*."""

from __future__ import annotations

from seqdec_lib.checks.recorded import recorded

EXERCISES = recorded(
    "assignment_2",
    {
        "replay": "follow the table by hand, line by line: which entry moves, toward what, and "
        "how far? The next line sees the table as this one left it, and nothing follows an end.",
        "plan_in_diary": "keep the old table until the sweep is over. An entry becomes a mean over "
        "the lines of its pair; a pair without lines has nothing to average.",
        "values_by_mean": "walk each trip from its end. A state that was met twice on a trip has "
        "two returns.",
        "values_by_model": "what does a state's value consist of, today and later, if the diary's "
        "shares were the truth? Write it down for each visited state: so many equations, so many "
        "unknowns. After some visits the trip was over, and those add nothing later.",
        "diary_regret": "the diary of that seed, that method's settings, the greedy policy, and "
        "then the exact regret of the policy, not what the table believes.",
    },
)
