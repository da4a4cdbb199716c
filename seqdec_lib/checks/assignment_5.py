"""The problems of assignment 5, *Postcards*."""

from __future__ import annotations

from seqdec_lib.checks.recorded import recorded

EXERCISES = recorded(
    "assignment_5",
    {
        "next_word": "the order matters: forbid the used words, divide by the temperature, and "
        "compare each word with the likeliest that is left, not with a fixed probability. What "
        "is kept adds up to 1.",
        "bits_per_word": "the logits at a place are about the next one, so the last place of a "
        "card predicts nothing. How many words of a card were predicted? With two equally likely "
        "words each is worth one bit.",
        "best_sentence": "with one word left only its own log-probability counts; with two, the "
        "best that can follow it is added. Work back from the last word, then walk forward.",
        "beam": "compare whole beginnings by their totals. With width 1 it is greedy; how many "
        "beginnings are there after the first round?",
        "preference_loss": "where the pen has not moved from the old one, the loss is log 2. "
        "Which way must the preferred card's log-probability go for it to fall?",
        "on_leash": "for a huge beta the new pen is the old one, and the KL is 0. Exponentials of "
        "10,000 overflow: only differences of scores matter.",
    },
)
