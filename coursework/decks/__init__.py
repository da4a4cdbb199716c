"""A deck of slides for each week of the guide, made from what its chapters say and show.

For each chapter a deck has the prediction, the figures with their captions, the sentences that hold
a claim, the summary and the quick questions; of the exercises it has nothing. A deck is one file
that needs no network.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import NamedTuple

import nbformat
from nbformat import NotebookNode

from coursework.grading import mathematics
from coursework.quiz import MARKDOWN, Question, publish, quizzes

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "site"))  # how the site reads a chapter

from desk import notebooks_of  # noqa: E402
from sentences import Claim, blocks, claims  # noqa: E402

GUIDE = "coursework/README.md"
WEEK = re.compile(r"^\| (\d+) \| chapters? ([\d, and]+) \| (.+?) \| (.+?) \|$", re.MULTILINE)
HEADING = re.compile(r"^#{1,3} (.+)$", re.MULTILINE)
ITEM = re.compile(r"^(?=(?:\d+\.|-) )", re.MULTILINE)
# A sentence ends here, unless what it has opened is closed later; "al." is that of "et al."
END = re.compile(r"((?<!\bal)[.?!][*)”\"\x02]*) (?=[\x01*(“\"]*[A-Z0-9$])")
WORDS, WORDS_OF_PROSE = 70, 110  # on a slide, if what has more can be divided
PREDICTION = re.compile("(A|Two) (prediction|guess)")
SUMMARY, HOMEWORK = "Summary", "Exercises"  # and the solutions, which are nothing for the room


class Week(NamedTuple):
    """A row of the guide's table of weeks; what is read in the room and at home is Markdown."""

    number: int
    chapters: list[int]
    room: str
    assignment: str


@dataclass(frozen=True)
class Slide:
    """A title and what stands below it, both in HTML; `kind` is a class of the style sheet."""

    title: str
    body: str
    kind: str = ""


class Section(NamedTuple):
    """A section of a reader's notebook: its cells, from which the heading is taken out."""

    title: str
    cells: list[NotebookNode]

    @property
    def text(self) -> str:
        """What its cells of Markdown say."""
        return "\n\n".join(cell.source for cell in self.cells if cell.cell_type == "markdown")


def save(folder: Path, root: Path = ROOT) -> list[Path]:
    """Write the deck of each week of the book in `root` into `folder`, and return the files.

    Raises
    ------
    ValueError
        The guide has no weeks or a chapter that isn't there, a figure has no alternative text, or
        a claim no place in its chapter.
    """
    readable = notebooks_of(root, root / "desk")
    sources = {int(path.name[:2]): path for path in sorted(root.glob("chapters/[0-9]*.ipynb"))}
    questions = {int(quiz.number): quiz.questions for quiz in quizzes(root)}
    texts = {}
    for week in weeks((root / GUIDE).read_text(encoding="utf-8")):
        parts = []
        for number in week.chapters:
            if number not in sources:
                raise ValueError(
                    f"{GUIDE} has chapter {number} in week {week.number}: there is none"
                )
            source = nbformat.read(sources[number], as_version=4)
            reader = nbformat.read(readable / sources[number].name, as_version=4)
            parts.append(chapter(source, reader, questions.get(number, [])))
        texts[folder / f"week{week.number}.html"] = page(week, opening(week, parts))
    return publish(texts)


def weeks(guide: str) -> list[Week]:
    """The weeks that the guide's table lists."""
    found = [
        Week(int(number), [int(n) for n in re.findall(r"\d+", chapters)], room, assignment)
        for number, chapters, room, assignment in WEEK.findall(guide)
    ]
    if not found:
        raise ValueError(f"{GUIDE} has no row like `| 1 | chapters 1 and 2 | ... | ... |`")
    return found


def opening(week: Week, chapters: list[list[Slide]]) -> Iterator[Slide]:
    """All slides of a week: its title, what it is about, and the chapters."""
    titles = "".join(f"<p>{slides[0].title}</p>" for slides in chapters)
    yield Slide(f"Week {week.number}", titles, "title")
    plan = f"**In the room.** {week.room}\n\n**At home.** {week.assignment}"
    yield Slide("This week", shown(plan))
    for slides in chapters:
        yield from slides


# -- a chapter


def chapter(source: NotebookNode, reader: NotebookNode, questions: list[Question]) -> list[Slide]:
    """The slides of a chapter, from its source and its reader's notebook."""
    figures = {cell.id: cell for cell in source.cells if pictures(cell)}
    waiting = [(source.cells[c.cell].id, c) for c in claims(source) if c.cell is not None]
    found, slides, at_home = sections(reader), [], False
    for section in found:
        said, waiting = held(section, waiting)
        at_home |= section.title == HOMEWORK
        if not at_home or section.title == SUMMARY:
            slides += lesson(section, said, figures)
    if waiting:
        raise ValueError(f"{found[0].title}: no sentence has the claim {waiting[0][1].words!r}")
    asked = [slide for n, one in enumerate(questions, start=1) for slide in question(n, one)]
    return [Slide(inline(found[0].title), "", "chapter"), *slides, *asked]


def lesson(section: Section, said: list[str], figures: dict[str, NotebookNode]) -> Iterator[Slide]:
    """The slides of a section: its figures, and then what it says.

    Parameters
    ----------
    said : its sentences that hold a claim.
    figures : the cells of the chapter that show one, by id.
    """
    title = inline(section.title)
    for cell in section.cells:
        if cell.id in figures:
            yield from figure(title, figures[cell.id], section.cells)
    if PREDICTION.match(section.title):
        yield from (Slide(title, shown(text)) for text in prose(section.text))
    elif section.title == SUMMARY:
        items = [piece if ITEM.match(piece) else f"- {piece}" for piece in told(section.text)]
        yield from (Slide(title, shown(text)) for text in packed(items, "\n"))
    else:
        items = [f"<li>{sentence}</li>" for sentence in said]
        yield from (Slide(title, f"<ul>{text}</ul>") for text in packed(items, ""))


def sections(reader: NotebookNode) -> list[Section]:
    """The sections of a reader's notebook; the first is called after the chapter."""
    found = [Section("", [])]
    for cell in reader.cells:
        if cell.cell_type == "code":
            found[-1].cells.append(cell)
            continue
        before, *pairs = HEADING.split(cell.source)
        found[-1].cells.append(nbformat.v4.new_markdown_cell(before, id=cell.id))
        for title, text in zip(pairs[::2], pairs[1::2], strict=True):
            found.append(Section(title, [nbformat.v4.new_markdown_cell(text, id=cell.id)]))
    return found[1:]


def pictures(cell: NotebookNode) -> list[str]:
    """The PNGs that a cell has shown."""
    data = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [each["image/png"] for each in data if "image/png" in each]


def figure(title: str, cell: NotebookNode, around: list[NotebookNode]) -> Iterator[Slide]:
    """A slide for each picture of a cell, with the caption that a reader's notebook has for it."""
    words = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
    if not words:
        raise ValueError(f"the figure of cell {cell.id} has no alternative text")
    captions = [near.source for near in around if near.id == f"{cell.id}-caption"]
    caption = shown("".join(captions).partition("<details>")[0])
    for picture in pictures(cell):
        image = f"data:image/png;base64,{''.join(picture.split())}"
        body = f'<img alt="{html.escape(words)}" src="{image}"><figcaption>{caption}</figcaption>'
        yield Slide(title, f"<figure>{body}</figure>", "figure")


def held(
    section: Section, waiting: list[tuple[str, Claim]]
) -> tuple[list[str], list[tuple[str, Claim]]]:
    """The sentences of a section that hold claims, as HTML with the claims marked, and what waits.

    Parameters
    ----------
    waiting : claims that were not found yet, each with the id of the cell that says it.
    """
    found, left = [], waiting
    for cell in section.cells:
        for _, text in blocks(cell.source, {}) if cell.cell_type == "markdown" else ():
            here = [each for each in left if each[0] == cell.id and each[1].words in text]
            left = [each for each in left if each not in here]
            if here:
                marked = mark(text, [claim.words for _, claim in here])
                found += [as_html(s) for s in split(marked) if "\x01" in s]
    return found, left


def mark(text: str, words: Iterable[str]) -> str:
    r"""The text with \x01 and \x02 around the words, wherever some of them stand."""
    inside = [False] * len(text)
    for each in words:
        start = text.index(each)
        inside[start : start + len(each)] = [True] * len(each)
    marked, before = [], False
    for character, now in zip(text, inside, strict=True):
        marked.append(("", "\x01")[now and not before] + ("", "\x02")[before and not now])
        marked.append(character)
        before = now
    return "".join(marked) + ("\x02" if before else "")


def as_html(sentence: str) -> str:
    """A sentence with marks as HTML."""
    return html.escape(sentence).replace("\x01", "<mark>").replace("\x02", "</mark>")


def question(number: int, one: Question) -> Iterator[Slide]:
    """A question, and its answer on the next slide."""
    choices = "".join(f"<li>{inline(choice.text)}</li>" for choice in one.choices)
    yield Slide(f"Question {number}", f'{shown(one.text)}<ol type="A">{choices}</ol>', "question")
    reasons = "".join(
        f'<li class="right"><strong>{inline(choice.text)}</strong> {inline(choice.why)}</li>'
        if choice.right
        else f"<li>{inline(choice.why)}</li>"
        for choice in one.choices
    )
    yield Slide(f"Answer to question {number}", f'<ol type="A">{reasons}</ol>', "answer")


# -- text


def shown(markdown: str) -> str:
    """Markdown as HTML without links."""
    return unlinked(MARKDOWN.render(markdown))


def inline(markdown: str) -> str:
    """Markdown without blocks as HTML without links."""
    return unlinked(MARKDOWN.renderInline(markdown))


def unlinked(text: str) -> str:
    """HTML with the words of links emphasized instead: what they lead to is not in the deck."""
    text = re.sub(r"<a href[^>]*>(.*?)</a>", r"<em>\1</em>", text, flags=re.DOTALL)
    return re.sub(r"</?a\b[^>]*>", "", text)


def pieces(markdown: str) -> Iterator[str]:
    """The paragraphs and items of lists in some Markdown."""
    for block in re.split(r"\n\s*\n", markdown):
        yield from (" ".join(part.split()) for part in ITEM.split(block) if part.strip())


def told(markdown: str) -> Iterator[str]:
    """The sentences of paragraphs, and the items of lists as they are."""
    for piece in pieces(markdown):
        yield from [piece] if ITEM.match(piece) else split(piece)


def prose(markdown: str) -> list[str]:
    """Markdown in parts that fit on slides."""
    parts = []
    for piece in pieces(markdown):
        parts += [piece] if ITEM.match(piece) else packed(split(piece), " ", WORDS_OF_PROSE)
    return packed(parts, "\n\n", WORDS_OF_PROSE)


def split(text: str) -> list[str]:
    """The sentences of a text on one line; formulas, parentheses and marks stay whole."""
    found = [""]
    for part in END.sub("\\1\n", text).split("\n"):
        found[-1] = f"{found[-1]} {part}".strip()
        whole = found[-1]
        pairs = (("(", ")"), ("\x01", "\x02"))
        even = whole.count("**") % 2 == whole.replace(r"\$", "").count("$") % 2 == 0
        if even and all(whole.count(a) == whole.count(b) for a, b in pairs):
            found.append("")
    return [sentence for sentence in found if sentence]


def packed(parts: Iterable[str], glue: str, words: int = WORDS) -> list[str]:
    """The parts in a row, joined as long as they have no more than so many words together."""
    found: list[str] = []
    for part in parts:
        together = f"{found[-1]}{glue}{part}" if found else ""
        if found and len(re.sub(r"<[^>]+>", " ", together).split()) <= words:
            found[-1] = together
        else:
            found.append(part)
    return found


# -- the page


def page(week: Week, slides: Iterable[Slide]) -> str:
    """A deck as a page that needs nothing else."""
    parts = [
        f'<section id="slide-{n}" class="{slide.kind}">\n<h2>{slide.title}</h2>\n{slide.body}\n'
        "</section>"
        for n, slide in enumerate(slides, start=1)
    ]
    template = Template(Path(__file__).with_name("deck.html").read_text(encoding="utf-8"))
    return template.substitute(
        week=week.number,
        slides="\n".join(parts),
        count=len(parts),
        mathematics=mathematics.script(),
    )
