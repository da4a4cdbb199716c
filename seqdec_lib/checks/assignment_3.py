"""The problems of assignment 3, *The wavering compass*."""

from __future__ import annotations

from seqdec_lib.checks.recorded import recorded

EXERCISES = recorded(
    "assignment_3",
    {
        "order_probability": "a product with a factor for each way of the order. By what is each "
        "factor divided, once the ways before it are gone? And exp(1000) is infinite: only "
        "differences of logits matter.",
        "attend": "write the weights of one traveler and one day first: which days have one? They "
        "add up to 1 over the days looked at, and D is the number of entries of a query. Then "
        "look at what you return on a day that nobody wrote.",
        "score_gradient": "one sample at a time: which way did the needle choose, what was paid, "
        "what did the others get on average? The entries of each sample's slope add up to 0.",
        "relaxed_gradient": "take one row of noise and nudge one logit: which shares grow, which "
        "shrink, and by how much together? Then: how far does a logit move what the softmax sees, "
        "when the temperature is 2?",
        "climb_regret": "draw the noise in the shape and at the moments that the text says; for "
        "one step both ways of drawing agree. The regret is that of the whole policy, not of its "
        "best way.",
    },
)
