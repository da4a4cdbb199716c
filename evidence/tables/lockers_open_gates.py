"""Chapter 5: the diary of lockers, read by an LSTM whose forget gates start nearly open.

The table `diary_of_lockers` says what is trained and how it is measured; its forget bias is 1."""

from evidence.tables.diary_of_lockers import STEPS, DiaryReader, measured, new_reader

SEEDS = (0, 1, 2, 3, 4)
NOTES = (1, 2, 4, 8, 65)
LONGER = 3 * STEPS
CASES = (
    *(f"LSTM, {notes}, {STEPS}" for notes in NOTES),
    *(f"LSTM, {notes}, {LONGER}" for notes in (1, 8)),
)
AGREEMENT = 0.2  # trained by floating-point sums, whose order may change
FORGET_BIAS = 4.0


def run(case: str, seed: int) -> dict[str, float]:
    """Held-out losses along the way, and recall at each distance; a case ends with its steps."""
    kind, notes, steps = case.split(", ")
    return measured(opened(new_reader(kind, seed)), int(notes), seed, int(steps))


def opened(reader: DiaryReader) -> DiaryReader:
    """The same start, but for the bias of the forget gates (the second quarter in torch)."""
    lstm, width = reader.body.lstm, reader.body.width
    lstm.bias_ih_l0.data[width : 2 * width] = FORGET_BIAS
    return reader
