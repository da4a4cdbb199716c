"""The problems of assignment 1, *The ticket office*."""

from __future__ import annotations

from seqdec_lib.checks.recorded import recorded

EXERCISES = recorded(
    "assignment_1",
    {
        "value_with_cancellations": "what a train is worth is a mixture: it runs, or it doesn't "
        "and you are where action 0 leads. Mix on every morning, before you choose, and only then "
        "take the best.",
        "plan": "the row of `days` days left is made of the row of one day less, and the last row "
        "is what you were given. transitions[s, a] is a row of probabilities over where you "
        "arrive; how much of that later worth counts today?",
        "spread": "square what is paid today plus what comes later, term by term: there are three "
        "terms. How often is the discount in each? And what of the second moment is not variance?",
        "look_ahead": "below a child of level t, the nodes that are `days` levels below level t "
        "stand side by side. How many are there, and where do they end when the tree does?",
        "mean_regret": "a policy of the tree has an entry for every node, the leaves included; "
        "average regrets over the trees, not returns.",
    },
    {"spread": 1e-5},
)
