"""Appendices are chapters with letters for numbers."""

from pathlib import Path

import pytest

from tests.reading import article

ROOT = Path(__file__).resolve().parent.parent
APPENDICES = sorted((ROOT / "chapters").glob("[A-Z]_*.ipynb"))


@pytest.mark.parametrize("path", APPENDICES, ids=lambda path: path.name)
def test_an_appendix_is_numbered_by_its_letter(path: Path, site: Path) -> None:
    """Its title, its equations, figures and exercises, as the name of its file says."""
    page = article((site / "chapters" / path.name).with_suffix(".html"))
    shown = page.select("h1 .section-number, .eqno, figcaption .caption-number")
    numbers = [tag.get_text().strip(" ().¶#").removeprefix("Figure ") for tag in shown]
    assert len(numbers) > 3 and {number[0] for number in numbers} == {path.name[0]}
