"""The tests; they import the modules of `site/` by their names, as Sphinx does."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1] / "site"))
