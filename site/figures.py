"""Copy the landing page's figure out of the chapter that draws it: run after `make notebooks`.

    python site/figures.py

A Markdown page can't run code. The copy keeps its figure the chapter's, and a test compares both.
"""

from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
LANDING = ROOT / "site" / "figures" / "best_trip.svg"


def figure(notebook: Path, name: str, kind: str) -> str:
    """Return what a chapter's committed cell shows under the name of its figure.

    kind : "image/svg+xml", or "image/png" in base64.

    Raises:
        ValueError: no cell of the notebook shows a figure of that name.
    """
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.metadata.get("mystnb", {}).get("figure", {}).get("name") == name:
            for output in cell.outputs:
                if kind in output.get("data", {}):
                    return output.data[kind]
    raise ValueError(f"{notebook.name} shows no figure {name!r}: run it, or correct the name")


def landing_figure(kind: str = "image/svg+xml") -> str:
    return figure(ROOT / "chapters" / "01_the_tree_problem.ipynb", "fig-best", kind)


if __name__ == "__main__":
    LANDING.parent.mkdir(exist_ok=True)
    LANDING.write_text(landing_figure(), encoding="utf-8")
