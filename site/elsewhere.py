"""Reader's notebooks outside the book's environment: Colab, Binder, a Python of one's own.

All of it follows from one line of `_config.yml`:

    repository: {url: https://github.com/owner/name}

Colab and Binder open notebooks from a branch of a repository. The reader's notebooks are not kept
beside their sources, so publishing the book puts them on a branch of their own.
"""

import re
from typing import Any
from urllib.parse import quote

import nbformat
from nbformat import NotebookNode
from sphinx.application import Sphinx

BRANCH = "notebooks"
COLAB = "https://colab.research.google.com/github/{repository}/blob/{branch}/{name}"
BINDER = "https://mybinder.org/v2/gh/{repository}/{branch}?urlpath=lab/tree/{name}"
SILENT = """\
# Inside the book's own environment this cell does nothing. Elsewhere, in Colab
# for example, it says what the chapter needs.
from importlib.util import find_spec

if find_spec("seqdec_lib") is None:
"""
ASK = """\
    library = "seqdec-lib @ git+https://github.com/{repository}"
    print(f'This chapter needs the library of the book: %pip install "{{library}}"')
    if input("Install it now? [y/n] ").strip().lower().startswith("y"):
        %pip install --quiet "{{library}}"
"""
TELL = """\
    print("This chapter needs the library of the book: %pip install FOLDER-OF-THE-BOOK")
"""


def repository(app: Sphinx) -> str:
    """`owner/name` of the book's repository on GitHub, "" while `_config.yml` names none."""
    url = (app.config.html_theme_options or {}).get("repository_url", "")
    match = re.fullmatch(r"https://github\.com/([\w.-]+/[\w.-]+?)(\.git)?/?", url)
    if url and not match:
        raise ValueError(
            "the repository's url in _config.yml must look like https://github.com/owner/name, "
            f"but {url!r} came."
        )
    return match[1] if match else ""


def install_cell(app: Sphinx) -> NotebookNode:
    """The first code cell of a notebook: it offers the library where that is missing."""
    name = repository(app)
    source = SILENT + (ASK.format(repository=name) if name else TELL)
    cell = nbformat.v4.new_code_cell(source.rstrip(), id="install")
    cell.metadata["jupyter"] = {"source_hidden": True}
    return cell


def add_launch_buttons(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    """Offer Colab and Binder on the page of a chapter."""
    folder, _, stem = pagename.rpartition("/")
    name = repository(app)
    if not name or folder != "chapters" or doctree is None:
        return
    values = {"repository": name, "branch": BRANCH, "name": quote(f"{stem}.ipynb")}
    services = {"Colab": (COLAB, "logo_colab.png"), "Binder": (BINDER, "logo_binder.svg")}
    buttons = [
        {
            "type": "link",
            "text": service,
            "tooltip": f"Run this chapter on {service}",
            "url": form.format(**values),
            "icon": f"_static/images/{icon}",
        }
        for service, (form, icon) in services.items()
    ]
    group = {"type": "group", "label": "launch-buttons", "buttons": buttons}
    context["header_buttons"].append(
        group | {"tooltip": "Run this chapter elsewhere", "icon": "fas fa-rocket"}
    )
