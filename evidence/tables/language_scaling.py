"""Chapter 9: how the loss falls with the width of the network and with the number of texts.

The texts are plain sentences in both languages. Their entropy is known, so what a network needs
above it is measured exactly, over all sentences, and no constant has to be fitted. In the cases of
width the network draws its batches from all sentences; in those of texts it has only so many, drawn
once, and keeps the weights that were best on 500 more. Every run has as many steps."""

import numpy as np
import torch

from seqdec_lib.language import WORDS, Corpus, Tokenizer, training_batch
from seqdec_lib.sequences import Batch, Transformer, fit, log_probabilities, minibatches

SEEDS = (0, 1, 2, 3, 4)
WIDTHS, TEXTS = (16, 32, 64), (500, 2000, 8000)
CASES = tuple(f"width {n}" for n in WIDTHS) + tuple(f"texts {n}" for n in TEXTS)
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
STEPS, ROWS, RATE, WATCHED = 240, 48, 5e-3, 500


def run(case: str, seed: int) -> dict[str, float]:
    """Bits per sentence above the entropy; how many weights there are."""
    kind, number = case.split()
    corpus = Corpus.of(instructions=("repeat",))
    tokenizer = Tokenizer.of((text.answer for text in corpus.texts), WORDS)
    everything = training_batch(tokenizer, [("", text.answer) for text in corpus.texts])
    width = int(number) if kind == "width" else max(WIDTHS)
    torch.manual_seed(seed)
    model = Transformer(len(tokenizer), 16, width, heads=4, init_std=0.5 / width**0.5)
    options = {"learning_rate": RATE, "seed": seed}
    if kind == "width":
        draw = minibatches(everything, ROWS, corpus.probabilities)
    else:
        rng = np.random.default_rng(seed)
        chance = corpus.probabilities / corpus.probabilities.sum()
        rows = rng.choice(len(chance), int(number) + WATCHED, p=chance)
        draw = minibatches(part(everything, rows[WATCHED:]), ROWS)
        options |= {"held_out": part(everything, rows[:WATCHED]), "evaluate_every": 25}
    fit(model, draw, STEPS, **options)
    pieces = np.array_split(np.arange(len(corpus.texts)), 8)
    with torch.no_grad():
        bits = [-log_probabilities(model, part(everything, rows)).double() for rows in pieces]
    bits = torch.cat(bits).numpy() / np.log(2)
    above = corpus.probabilities @ (bits + np.log2(corpus.probabilities))
    return {"above": above, "weights": sum(weight.numel() for weight in model.parameters())}


def part(batch: Batch, rows: np.ndarray) -> Batch:
    return Batch(batch.tokens[rows], batch.targets[rows], at=batch.at[rows])
