"""The built site: which of its files are pages."""

from pathlib import Path


def pages_in(site: Path) -> list[Path]:
    """The pages of a site by their names, without the fragments that themes ship."""
    files = sorted(site.rglob("*.html"))
    return [path for path in files if "_static" not in path.relative_to(site).parts]
