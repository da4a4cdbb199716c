"""site/plain_markdown.py: what it writes is read again as what was meant."""

import re

import pytest
from docutils import nodes
from hypothesis import given
from hypothesis import strategies as st
from plain_markdown import Writer, slug
from sphinx import addnodes

from tests.reading import rendered, texts

# Everything that means something in Markdown, HTML or TeX, and a few letters to stand between.
NASTY = st.text(st.sampled_from(list("ab1 .,:;!?#>+-=_*`~<>&$|[](){}\\/'\"é서")), min_size=1)
TEXT = NASTY.map(lambda text: " ".join(text.split())).filter(bool)


class Page:
    """A page without numbers; its links lead where they say."""

    def is_own(self, reference: nodes.Element) -> bool:
        return reference["reftarget"] == "own.ipynb"

    def target(self, reference: nodes.Element) -> str:
        return reference.get("refuri", "")

    def number(self, node: nodes.Element) -> str:
        return node.get("number", "")

    def anchor(self, node: nodes.Element) -> str:
        return "".join(f'<a id="{name}"></a>' for name in node["ids"])


def written(node: nodes.Node) -> str:
    return Writer(Page())(node)


@pytest.mark.parametrize(("name", "text"), [("own.ipynb", ""), ("x.ipynb", "Take x.")])
def test_a_paragraph_that_offers_the_notebook_itself_is_left_out(name: str, text: str) -> None:
    offer = addnodes.download_reference("", "", nodes.literal("", "x"), reftarget=name)
    assert written(nodes.paragraph("", "", nodes.Text("Take "), offer, nodes.Text("."))) == text


def paragraph(*children: nodes.Node) -> nodes.paragraph:
    return nodes.paragraph("", "", *children)


def table(*rows: list[nodes.Node]) -> nodes.table:
    """A table, whose first row is its head."""
    entries = [nodes.row("", *(nodes.entry("", paragraph(cell)) for cell in row)) for row in rows]
    body = [nodes.thead("", entries[0]), nodes.tbody("", *entries[1:])]
    return nodes.table("", nodes.tgroup("", *body))


@given(TEXT)
def test_text_means_itself(text: str) -> None:
    soup = rendered(written(paragraph(nodes.Text(text))))
    assert " ".join(soup.get_text().split()) == text
    assert [tag.name for tag in soup.find_all()] == ["p"]


@given(TEXT)
def test_text_in_a_cell_of_a_table_means_itself(text: str) -> None:
    soup = rendered(written(table([nodes.Text("head")], [nodes.Text(text)])))
    assert " ".join(soup.select_one("td").get_text().split()) == text
    assert not soup.select("td *")


@given(TEXT)
def test_code_in_a_line_means_itself(text: str) -> None:
    soup = rendered(written(paragraph(nodes.Text("a "), nodes.literal(text, text))))
    assert soup.select_one("code").get_text() == text


@given(st.lists(NASTY, min_size=1).map("\n".join))
def test_a_block_of_code_means_itself(code: str) -> None:
    block = nodes.literal_block(code, code, language="ipython3")
    soup = rendered(written(block))
    assert soup.select_one("pre > code.language-python").get_text().rstrip("\n") == code.rstrip(
        "\n"
    )
    assert len(soup.contents) == 2 and not soup.contents[1].strip()


@given(TEXT, st.integers(1, 3))
def test_what_is_in_a_quote_stays_in_it(text: str, depth: int) -> None:
    node: nodes.Element = paragraph(nodes.Text(text))
    for _ in range(depth):
        node = nodes.block_quote("", node, paragraph(nodes.Text("end")))
    quote = rendered(written(node)).select("blockquote")
    assert len(quote) == depth
    assert " ".join(quote[-1].select_one("p").get_text().split()) == text


def formula(number: str = "", ids: tuple[str, ...] = ()) -> nodes.math_block:
    tex = "\na &= b \\\\\n\n  &= c\n"
    return nodes.math_block(tex, tex, number=number, ids=list(ids))


def test_a_formula_keeps_its_tex_and_shows_its_number() -> None:
    assert written(formula("1.2")) == "$$\na &= b \\\\\n  &= c \\tag{1.2}\n$$"
    assert written(formula()) == "$$\na &= b \\\\\n  &= c\n$$"


def test_a_formula_in_a_box_is_one_line() -> None:
    """Its other lines would begin with the mark of the quote."""
    box = nodes.note("", formula("1.2"))
    assert written(box).splitlines()[-1] == r"> $$ a &= b \\ &= c \tag{1.2} $$"


def test_a_bar_in_a_formula_does_not_end_the_cell_of_a_table() -> None:
    cell = nodes.math("", r"\pi(a | s) \| x")
    row = written(table([nodes.Text("head")], [cell])).splitlines()[-1]
    assert row == r"| $\pi(a \vert  s) \Vert  x$ |"


def test_marks_for_links_stand_where_the_links_lead() -> None:
    assert written(formula(ids=("eq-x",))).startswith('<div id="eq-x"></div>\n\n$$')
    heading = Writer(Page()).heading(nodes.section(ids=["x"]), nodes.title("", "Title"), 2)
    assert heading == '## <a id="x"></a>Title'


def test_a_link_leads_where_the_page_says_and_is_text_where_that_is_nowhere() -> None:
    address = "02_x.ipynb#What-(exactly)-is-it?"
    link = nodes.reference("", "see there", refuri=address)
    anchor = rendered(written(paragraph(link))).select_one("a")
    assert (anchor["href"], anchor.get_text()) == (address, "see there")
    assert written(paragraph(nodes.reference("", "see there"))) == "see there"


def test_html_of_the_source_stays_html_and_what_is_for_other_formats_goes() -> None:
    key = nodes.raw("", "<kbd>Shift</kbd>", format="html")
    assert rendered(written(paragraph(key))).select_one("p > kbd").get_text() == "Shift"
    assert written(nodes.raw("", r"\newpage", format="latex")) == ""


@pytest.mark.parametrize("folded", [False, True])
def test_a_box_shows_its_title_and_one_of_the_class_dropdown_is_opened_by_a_click(
    folded: bool,
) -> None:
    box = nodes.admonition("", nodes.title("", "A <hint>"), paragraph(nodes.Text("Look *up*.")))
    box["classes"] = ["dropdown"] if folded else ["tip"]
    soup = rendered(written(box))
    assert texts(soup) == ["A <hint>", "Look *up*."]
    assert bool(soup.select("details > summary")) == folded
    assert bool(soup.select("blockquote > p > strong")) == (not folded)


def test_a_box_without_a_title_is_called_what_it_is() -> None:
    assert (
        texts(rendered(written(nodes.warning("", paragraph(nodes.Text("Ice."))))))[0] == "Warning"
    )


def test_lists_keep_their_blocks_and_their_numbers() -> None:
    code = nodes.literal_block("a\n\nb", "a\n\nb", language="python")
    items = [nodes.list_item("", paragraph(nodes.Text("one")), code), nodes.list_item("", code)]
    soup = rendered(written(nodes.enumerated_list("", *items, start=9)))
    assert soup.select_one("ol")["start"] == "9"
    assert [li.select_one("pre").get_text() for li in soup.select("ol > li")] == ["a\n\nb\n"] * 2


def test_what_has_no_form_in_markdown_is_an_error_that_names_it() -> None:
    image = nodes.image(uri="x.png")
    image.source, image.line = "chapters/x.ipynb", 12
    with pytest.raises(ValueError, match=re.escape("chapters/x.ipynb:12 holds a <image>")):
        written(paragraph(image))


@given(TEXT)
def test_the_address_of_a_heading_is_one_that_a_browser_leaves_alone(text: str) -> None:
    address = slug(text)
    if address:
        assert re.fullmatch(r"[\x21\x23-\x3b\x3d\x3f-\x5f\x61-\x7e]+", address)  # URL standard
        assert address == text.replace(" ", "-")


def test_most_headings_have_an_address() -> None:
    assert slug("What’s left, and why?") == "What's-left,-and-why?"
    assert slug("Exercise 1.2 (A silent bug)") == "Exercise-1.2-(A-silent-bug)"
    assert slug("은 or 는") == ""
