"""What a chapter itself needs.

`opening` starts a chapter; `records` keeps what it found and holds its sentences against the truth;
`boards` has one table for all methods and one for all drivers; `measurements` shows `evidence` from
outside the chapter. `plotting` draws, and `interactive` makes figures that a reader moves.
"""

from seqdec_lib.book.boards import (
    CPU_SECONDS,
    LAP_TIMES,
    LEADERBOARD,
    add_lap_time,
    add_to_leaderboard,
    lap_times,
    leaderboard,
    rows,
    stopwatch,
)
from seqdec_lib.book.measurements import evidence
from seqdec_lib.book.opening import start
from seqdec_lib.book.records import claim, record, recorded
from seqdec_lib.watching import someone_watches
