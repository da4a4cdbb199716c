"""Chapter 5: the same sixteen diaries a step, with 4 questions about each and with 32.

The table `diary_of_lockers` says what is trained and how it is measured."""

from evidence.tables.diary_of_lockers import measured, new_reader

SEEDS = (0, 1, 2, 3, 4)
QUESTIONS = (4, 32)
CASES = tuple(f"LSTM, 1, {questions}" for questions in QUESTIONS)
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
ROWS = 16


def run(case: str, seed: int) -> dict[str, float]:
    """Held-out losses along the way, and recall at each distance."""
    kind, notes, questions = case.split(", ")
    reader = new_reader(kind, seed, int(questions))
    return measured(reader, int(notes), seed, rows=ROWS, questions=int(questions))
