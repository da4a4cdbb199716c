"""The quick questions: sound files, the page, and GIFT that says the same when it is read again."""

import html
import json
import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from markdown_it import MarkdownIt

from coursework import quiz
from coursework.__main__ import main
from coursework.quiz import Quiz
from tests import house

ROOT = Path(__file__).resolve().parent.parent
QUIZZES = quiz.quizzes(ROOT)
FORMULA = re.compile(r"\$[^$]+\$")

SOUND = """
[[question]]
id = "signs"
text = '''
Which of `{a: 1}`, *two* and $x = \\{1 \\ne 2 : \\nu < 3\\}$ is it? # 50%

    ~a = b

    c \\\\ d
'''
[[question.choice]]
text = "No: a = {b} ~ #1"
why = "An `e` is no $\\\\epsilon$."
[[question.choice]]
text = '%50% of \\n & [all] // a < b'
why = "Yes -> $e^{i\\\\pi} = -1$."
right = true
[[question.choice]]
text = "$a$"
why = "..."
"""


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """The folder of a book with one chapter and a quiz."""
    (tmp_path / "chapters").mkdir()
    cell = r'{"cells": [{"source": ["# A *title*\n", "Words."]}]}'
    (tmp_path / "chapters" / "01_first.ipynb").write_text(cell)
    (tmp_path / quiz.FOLDER).mkdir(parents=True)
    (tmp_path / quiz.FOLDER / "01.toml").write_text(SOUND)
    return tmp_path


# -- the questions


def test_every_chapter_has_a_quiz() -> None:
    chapters = {path.name[:2] for path in ROOT.glob("chapters/[0-9]*.ipynb")}
    assert {one.number for one in QUIZZES} == chapters


@pytest.mark.parametrize("one", QUIZZES, ids=lambda one: one.number)
def test_a_chapter_has_ten_questions(one: Quiz) -> None:
    assert len(one.questions) == 10


@pytest.mark.parametrize("one", QUIZZES, ids=lambda one: one.number)
def test_the_right_choice_is_known_neither_by_its_place_nor_by_its_length(one: Quiz) -> None:
    places, longest = [], 0
    for question in one.questions:
        right = [choice.right for choice in question.choices].index(True)
        lengths = [len(choice.text) for choice in question.choices]
        places.append(right)
        longest += lengths[right] > max(lengths[:right] + lengths[right + 1 :])
    assert len(set(places)) >= 3, "the right choice stands in three places or more"
    assert max(map(places.count, places)) <= 5, "and in none of them in more than half of all"
    assert longest <= 5, "the right choice is the longest in more than half of the questions"


@pytest.mark.parametrize("one", QUIZZES, ids=lambda one: one.number)
def test_questions_can_be_read_without_the_book_around_them(one: Quiz) -> None:
    """A link, a role or a formula that was not closed means nothing in an LMS."""
    for question in one.questions:
        choices = [(choice.text, choice.why) for choice in question.choices]
        for text in (question.text, *sum(choices, ())):
            assert not re.search(r"\]\(|\{[a-z:]+\}`|^:::|^```\{", text, re.MULTILINE), text
            assert "$" not in FORMULA.sub("", text), text


@pytest.mark.parametrize("one", QUIZZES, ids=lambda one: one.number)
def test_what_is_wrong_names_a_section_of_the_chapter(one: Quiz) -> None:
    cells = nbformat.read(one.chapter, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    headings = [f"*{heading}*" for heading in re.findall(r"^##+ (.+)$", text, re.MULTILINE)]
    for question in one.questions:
        for choice in question.choices:
            named = re.findall(r"\((\*[^*]+\*)\)", choice.why)
            assert set(named) <= set(headings), choice.why
            assert choice.right or any(heading in choice.why for heading in headings), choice.why


# -- what is wrong is said


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("[[question]]", "[[question", "01.toml is not TOML"),
        ("[[question]]", "[[questions]]", "01.toml must have question, and it has questions"),
        ('id = "signs"', 'id = "Signs"', "question 1: the id 'Signs'"),
        ('id = "signs"', "", "question 1 must have id, text, choice, and it has text, choice"),
        ('"..."', '" "', "question 1, choice 3: why must be words"),
        ('"..."', "3", "choice 3: why must be words, and it is 3"),
        ("right = true", 'right = "yes"', "choice 2: right must be true or false"),
        ("right = true", "", "and not 0 of 3"),
        ('"..."', '"..."\nright = true', "and not 2 of 3"),
        ('"..."', '"..."\nwhen = 1', "choice 3 must have text, why, right"),
        ('[[question.choice]]\ntext = "$a$"\nwhy = "..."', "", "and not 1 of 2"),
        (SOUND, SOUND + SOUND, "more than one question has the id 'signs'"),
        (SOUND, "question = []", "question must be a list that isn't empty"),
        (SOUND, "question = [1]", "question 1 must have id, text, choice, and it has nothing"),
    ],
)
def test_a_faulty_file_is_named_with_its_fault(book: Path, old: str, new: str, match: str) -> None:
    text = SOUND.replace(old, new, 1)
    assert text != SOUND
    (book / quiz.FOLDER / "01.toml").write_text(text)
    with pytest.raises(ValueError, match=re.escape(match)):
        quiz.save(book / "lms", book)
    assert not (book / "lms").exists()


def test_a_file_that_is_called_after_no_chapter_is_refused(book: Path) -> None:
    (book / quiz.FOLDER / "1.toml").write_text(SOUND)
    with pytest.raises(ValueError, match="1.toml must be called after a chapter, like 01.toml"):
        quiz.quizzes(book)


# -- the page


def test_the_page_shows_each_question_with_its_answer_folded(book: Path) -> None:
    text = quiz.page(book)
    assert text.startswith(
        "(quick-01)=\n## Chapter 1: A *title*\n\n"
        "The chapter is [A *title*](chapters/01_first.ipynb).\n\n1.  "
    )
    open_part, _, folded = text.partition("    :::{dropdown} Answer to question 1\n")
    assert "    -   **B.** %50% of" in open_part and "right" not in open_part
    assert "    -   **A.** An `e` is" in folded and "    -   **B is right.** Yes" in folded
    assert folded.endswith("    :::\n")


def test_questions_that_come_later_renew_the_page(book: Path) -> None:
    (book / "chapters" / "02_second.ipynb").write_text("{}")
    seen: list[str] = []
    env = SimpleNamespace(note_dependency=seen.append)
    app, source = SimpleNamespace(srcdir=str(book), env=env), ["# Before\n"]
    quiz.append(app, "index", source)
    assert (source, seen) == (["# Before\n"], [])
    quiz.append(app, quiz.PAGE, source)
    assert source == [f"# Before\n\n{quiz.page(book)}"]
    assert {f"{quiz.FOLDER}/{n}.toml" for n in ("01", "02")} <= {
        Path(path).relative_to(book).as_posix() for path in seen if path != quiz.__file__
    }


def test_a_chapter_leads_to_its_questions_before_its_solutions(book: Path) -> None:
    cell = {"cell_type": "markdown", "source": ["Words.\n", "\n", "(x)=\n", "## Solutions\n", "."]}
    text = json.dumps({"cells": [{"cell_type": "code", "source": "## Solutions"}, cell]})
    app = SimpleNamespace(srcdir=str(book), env=SimpleNamespace(note_dependency=str))
    source = [text]
    quiz.append(app, "chapters/02_second", source)
    assert source == [text], "it has no questions"
    quiz.append(app, "chapters/01_first", source)
    code, after = (cell["source"] for cell in json.loads(source[0])["cells"])
    line = "The book's page of {ref}`quick questions <quick-01>` has ten about this chapter."
    assert code == "## Solutions" and after == f"Words.\n\n{line}\n\n(x)=\n## Solutions\n."


@pytest.mark.slow
@pytest.mark.parametrize("one", QUIZZES, ids=lambda one: one.number)
def test_each_chapter_of_the_site_links_to_its_questions(one: Quiz, site: Path) -> None:
    text = (site / "chapters" / f"{one.chapter.stem}.html").read_text(encoding="utf-8")
    assert text.count(f'href="../quiz.html#quick-{one.number}"') == 1


@pytest.mark.slow
def test_the_answers_in_the_site_open_without_a_script(site: Path) -> None:
    """Each is a <details> element, closed."""
    text = (site / "quiz.html").read_text(encoding="utf-8")
    folds = re.findall(r"<details[^>]*>", text)
    answers = [fold for fold in folds if "sd-dropdown" in fold]
    assert len(answers) == sum(len(one.questions) for one in QUIZZES)
    assert not any(re.search(r"\bopen\b", fold) for fold in answers)
    for one in QUIZZES:
        assert f'href="chapters/{one.chapter.stem}.html"' in text


# -- GIFT


def parsed(text: str) -> tuple[str, list[tuple[str, str, list[tuple[bool, str, str]]]]]:
    """Read GIFT as a platform does: a category, and questions with (right, answer, feedback)."""
    category, *blocks = text.strip().split("\n\n")
    questions = []
    for block in blocks:
        tokens = re.findall(r"\\.|[~=#{}]|::|\[html\]|[^\\~=#{}:\[]+|.", block, re.DOTALL)
        parts: list[list[str]] = [["", ""]]
        for token in tokens:
            if token in ("::", "~", "=", "#", "{", "}"):
                parts.append([token, ""])
            else:
                assert token != ":", block
                parts[-1][1] += token[1] if token[0] == "\\" else token
        marks = "".join(mark for mark, _ in parts)
        assert re.fullmatch(r"::::\{([~=]#){3,4}\}", marks), marks
        words = [text.strip() for _, text in parts]
        assert words[0] == words[3] == words[-1] == "" and words[2].startswith("[html]")
        answers = list(zip(marks[5:-1:2], words[4:-1:2], words[5:-1:2], strict=True))
        questions.append((words[1], words[2].removeprefix("[html]"), answers))
    return category, questions


def plain(text: str) -> str:
    """What somebody sees of HTML in which MathJax will set the formulas."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())


def expected(text: str) -> str:
    """The same of Markdown, by way of a formula's TeX between its marks."""
    kept: list[str] = []

    def away(match: re.Match) -> str:
        kept.append(rf"\({match[0][1:-1]}\)")
        return f"FORMULA{len(kept) - 1}."

    seen = plain(MarkdownIt("commonmark").render(FORMULA.sub(away, text.strip())))
    return " ".join(re.sub(r"FORMULA(\d+)\.", lambda m: kept[int(m[1])], seen).split())


def assert_same(text: str, one: Quiz) -> None:
    """Compare GIFT with the quiz from which it came."""
    category, questions = parsed(text)
    assert category == f"$CATEGORY: $course$/top/Quick questions/{one.number} {one.title}"
    for (name, words, answers), question in zip(questions, one.questions, strict=True):
        assert name == f"{one.number}-{question.id}"
        assert plain(words) == expected(question.text)
        for (mark, answer, why), choice in zip(answers, question.choices, strict=True):
            assert (mark == "=") == choice.right
            assert (plain(answer), plain(why)) == (expected(choice.text), expected(choice.why))
            assert answer.startswith("<p>"), "no weight in % and no [format] can begin it"


@pytest.mark.parametrize("one", QUIZZES, ids=lambda one: one.number)
def test_gift_says_the_same_when_it_is_read_again(one: Quiz) -> None:
    assert_same(quiz.gift(one), one)


def test_whatever_means_something_in_gift_is_escaped(book: Path) -> None:
    (path,) = quiz.save(book / "lms", book)
    text, (one,) = path.read_text(encoding="utf-8"), quiz.quizzes(book)
    assert path.name == "01.gift" and [p.name for p in path.parent.iterdir()] == ["01.gift"]
    assert_same(text, one)
    assert r"\\(x \= \\\{1 \\ne 2 \: \\nu &lt; 3\\\}\\)" in text
    assert len(text.strip().split("\n\n")) == 2, "the empty line in the code ends no question"


def test_a_file_for_others_is_whole_and_they_can_open_it(tmp_path: Path) -> None:
    (path,) = quiz.publish({tmp_path / "lms" / "01.gift": "naïve\n"})
    with pytest.raises(UnicodeEncodeError):
        quiz.publish({path: "half \ud800"})
    assert path.read_bytes() == "naïve\n".encode() and list(path.parent.iterdir()) == [path]
    assert path.stat().st_mode & 0o444 == 0o444


# -- the command


def test_the_command_writes_the_files(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("coursework.__main__.HERE", tmp_path)
    assert main(["quiz"]) == 0
    files = {path.stem for path in (tmp_path / "lms").iterdir()}
    assert files == {one.number for one in QUIZZES}
    assert f"{len(files)} chapters" in capsys.readouterr().out


def test_the_command_says_what_is_wrong(monkeypatch, capsys) -> None:
    def refuse(folder: Path) -> list[Path]:
        raise ValueError("01.toml is not TOML")

    monkeypatch.setattr("coursework.quiz.save", refuse)
    assert main(["quiz"]) == 1
    assert capsys.readouterr().err == "01.toml is not TOML\n"


def test_the_page_needs_nothing_else_of_the_coursework() -> None:
    module = house.modules()["coursework.quiz"]
    assert house.imported(module) == {"seqdec_lib.files"}, "which whoever has the book has"
