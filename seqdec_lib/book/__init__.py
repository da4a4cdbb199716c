"""What a chapter itself needs: seeds, numbers for the prose, a row on the leaderboard, figures.

`records` starts a chapter and keeps what it found; `seeds` measures a chapter with several seeds;
`plotting` draws, and `interactive` makes figures with a slider.
"""

from seqdec_lib.book.records import (
    CPU_SECONDS,
    claim,
    LAP_TIMES,
    LEADERBOARD,
    add_lap_time,
    add_to_leaderboard,
    lap_times,
    leaderboard,
    record,
    recorded,
    rows,
    start,
    stopwatch,
)

__all__ = [
    "CPU_SECONDS",
    "LAP_TIMES",
    "LEADERBOARD",
    "add_lap_time",
    "add_to_leaderboard",
    "lap_times",
    "leaderboard",
    "record",
    "recorded",
    "rows",
    "start",
    "stopwatch",
]
