"""The quick questions: ten a chapter, with a reason for each choice.

`NN.toml`, beside this file, holds the questions of chapter NN in Markdown. While the site is built
this module, an extension of Sphinx, appends them all to the page `quiz.md`, and gives each chapter
a link to its own; `save` writes them in the format GIFT, which learning platforms import. It needs
nothing else of `coursework/`, so the book can be handed out with this folder alone.
"""

import html
import json
import re
import textwrap
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from seqdec_lib.files import written_whole

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
PAGE = "quiz"
FOLDER = "coursework/quiz"
LINK = "The book's page of {{ref}}`quick questions <quick-{}>` has ten about this chapter."
SOLUTIONS = re.compile(r"^(\([\w-]+\)=\n)?## Solutions$", re.MULTILINE)
LETTERS = "ABCD"
MEANING = {str: "words", bool: "true or false", list: "a list that isn't empty"}


@dataclass(frozen=True)
class Choice:
    """An answer to choose, and why it is right or wrong."""

    text: str
    why: str
    right: bool


@dataclass(frozen=True)
class Question:
    """A question with three or four choices, of which one is right."""

    id: str
    text: str
    choices: tuple[Choice, ...]


class Quiz(NamedTuple):
    """The questions of a chapter, which is a notebook."""

    chapter: Path
    questions: list[Question]

    @property
    def number(self) -> str:
        """The number of the chapter, in two digits."""
        return self.chapter.name[:2]

    @property
    def title(self) -> str:
        """The first heading of the chapter."""
        notebook = json.loads(self.chapter.read_text(encoding="utf-8"))
        return re.search(r"^# (.+)$", "".join(notebook["cells"][0]["source"]), re.MULTILINE)[1]


# -- reading


def quizzes(root: Path = ROOT) -> list[Quiz]:
    """The quizzes of the book in `root`, in reading order; ValueError says what is wrong in one."""
    chapters = {path.name[:2]: path for path in root.glob("chapters/*.ipynb")}
    found = []
    for path in sorted(root.glob(f"{FOLDER}/*.toml")):
        if path.stem not in chapters:
            raise ValueError(f"{path.name} must be called after a chapter, like 01.toml")
        found.append(Quiz(chapters[path.stem], read(path)))
    return found


def read(path: Path) -> list[Question]:
    """The questions in a file; ValueError says what is wrong in it."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is not TOML: {error}") from None
    (tables,) = values(table, path.name, {"question": list})
    found = [question(one, f"{path.name}, question {n}") for n, one in enumerate(tables, start=1)]
    ids = [one.id for one in found]
    if twice := {name for name in ids if ids.count(name) > 1}:
        raise ValueError(f"{path.name}: more than one question has the id {min(twice)!r}")
    return found


def question(table: object, where: str) -> Question:
    """The question that a table of TOML holds."""
    name, text, tables = values(table, where, {"id": str, "text": str, "choice": list})
    if not re.fullmatch(r"[a-z0-9-]+", name):
        raise ValueError(f"{where}: the id {name!r} may have a to z, 0 to 9 and - in it")
    kinds = {"text": str, "why": str, "right": bool}
    choices = tuple(
        Choice(*values(one, f"{where}, choice {n}", kinds, right=False))
        for n, one in enumerate(tables, start=1)
    )
    right = sum(choice.right for choice in choices)
    if not 3 <= len(choices) <= len(LETTERS) or right != 1:
        raise ValueError(
            f"{where} must have three or four choices, of which one has right = true, and not "
            f"{right} of {len(choices)}"
        )
    return Question(name, text, choices)


def values(table: object, where: str, kinds: dict[str, type], **otherwise: object) -> Iterator:
    """The values of a table under the names in `kinds`, each of its kind; words are stripped."""
    has = otherwise | table if isinstance(table, dict) else {}
    if has.keys() != kinds.keys():
        told = ", ".join(has) or "nothing of it"
        raise ValueError(f"{where} must have {', '.join(kinds)}, and it has {told}")
    for name, kind in kinds.items():
        value = has[name].strip() if isinstance(has[name], str) else has[name]
        if not isinstance(value, kind) or value in ("", []):
            raise ValueError(f"{where}: {name} must be {MEANING[kind]}, and it is {value!r}")
        yield value


# -- the page


def page(root: Path) -> str:
    """The Markdown that lists all questions, each with its answer folded, chapter by chapter."""
    parts = []
    for quiz in quizzes(root):
        link = f"[{quiz.title}]({quiz.chapter.relative_to(root).as_posix()})"
        parts.append(f"(quick-{quiz.number})=\n## Chapter {int(quiz.number)}: {quiz.title}")
        parts.append(f"The chapter is {link}.")
        parts += [shown(n, one) for n, one in enumerate(quiz.questions, start=1)]
    return "\n\n".join(parts) + "\n"


def shown(number: int, question: Question) -> str:
    """A question as an item of a numbered list."""
    choices, reasons = [], []
    for letter, choice in zip(LETTERS, question.choices, strict=False):
        choices.append(item("-", f"**{letter}.** {choice.text}"))
        verdict = f"**{letter} is right.**" if choice.right else f"**{letter}.**"
        reasons.append(item("-", f"{verdict} {choice.why}"))
    folded = [f":::{{dropdown}} Answer to question {number}", *reasons, ":::"]
    return item(f"{number}.", "\n\n".join([question.text, "\n".join(choices), "\n".join(folded)]))


def item(mark: str, text: str) -> str:
    """An item of a list in Markdown."""
    return f"{mark:<4}{textwrap.indent(text, ' ' * 4)[4:]}"


def linked(notebook: str, number: str) -> str:
    """The notebook of a chapter with a link to its questions, before the solutions."""
    parts = json.loads(notebook)
    for cell in parts["cells"]:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            cell["source"] = SOLUTIONS.sub(rf"{LINK.format(number)}\n\n\g<0>", text)
    return json.dumps(parts)


def append(app: "Sphinx", docname: str, source: list[str]) -> None:
    """Append the questions to what Sphinx has just read of their page, or a link of a chapter."""
    root, chapter = Path(app.srcdir), re.match(r"chapters/(\d\d)_", docname)
    if chapter and (root / FOLDER / f"{chapter[1]}.toml").is_file():
        app.env.note_dependency(__file__)
        source[0] = linked(source[0], chapter[1])
    if docname == PAGE:
        app.env.note_dependency(__file__)
        for chapter in root.glob("chapters/*.ipynb"):  # with its questions, which may come later
            app.env.note_dependency(str(chapter))
            app.env.note_dependency(str(root / FOLDER / f"{chapter.name[:2]}.toml"))
        source[0] += f"\n{page(root)}"


def setup(app: "Sphinx") -> dict[str, bool]:
    """Register the extension of Sphinx."""
    app.connect("source-read", append)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


# -- files for a learning platform


def save(folder: Path, root: Path = ROOT) -> list[Path]:
    """Write a file in the format GIFT for each chapter into `folder`, and return the files."""
    return publish({folder / f"{quiz.number}.gift": gift(quiz) for quiz in quizzes(root)})


def publish(texts: dict[Path, str]) -> list[Path]:
    """Write texts into files, each whole or not at all, for others to open too."""
    for path, text in texts.items():
        with written_whole(path) as file:
            file.write(text.encode())
        path.chmod(0o644)  # what is written whole is its writer's alone
    return list(texts)


def gift(quiz: Quiz) -> str:
    """A quiz in the format GIFT, in which an empty line ends each question."""
    parts = [f"$CATEGORY: $course$/top/Quick questions/{quiz.number} {quiz.title}"]
    for one in quiz.questions:
        lines = [f"::{quiz.number}-{one.id}::[html]{escaped(one.text)} {{"]
        for choice in one.choices:
            mark = "=" if choice.right else "~"
            lines.append(f"{mark}{escaped(choice.text)}#{escaped(choice.why)}")
        parts.append("\n".join([*lines, "}"]))
    return "\n\n".join(parts) + "\n"


def escaped(text: str) -> str:
    r"""Markdown as HTML on one line, with a backslash before what means something in GIFT.

    HTML, because a platform's own Markdown would take the backslash from the \( of a formula.
    """
    line = MARKDOWN.render(text).strip().replace("\n", "&#10;")
    return re.sub(r"([\\~=#{}:])", r"\\\1", line)


def formula(before: str, after: str) -> Callable[..., str]:
    """A rule for Markdown that writes a formula between two marks."""
    return lambda _, tokens, at, *__: f"{before}{html.escape(tokens[at].content)}{after}"


MARKDOWN = MarkdownIt("commonmark").use(dollarmath_plugin)
MARKDOWN.add_render_rule("math_inline", formula(r"\(", r"\)"))
MARKDOWN.add_render_rule("math_block", formula(r"<p>\[", r"\]</p>"))
