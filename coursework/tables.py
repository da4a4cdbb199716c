"""Tables in CSV, as spreadsheets and learning platforms read them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from seqdec_lib.files import written_whole


def write(rows: list[dict[str, object]], path: Path) -> None:
    """Write rows that have the same columns, all of them or nothing."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    with written_whole(path) as file:
        file.write(text.getvalue().encode())
