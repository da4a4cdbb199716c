"""What is done to the pages of the site while it is built, piece by piece."""

import base64
import hashlib
from pathlib import Path

import bundle
import formulas
import pages
import pytest
from docutils import nodes
from PIL import Image
from stylesheet import trimmed


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        ("p { color: red; }", "p{color:red}"),
        (".used , .gone { margin : 0 auto }", ".used{margin:0 auto}"),
        ("#gone { margin: 0 } p > .used:hover{a:b}", "p>.used:hover{a:b}"),
        ("p:not(.gone) { a: b }", "p:not(.gone){a:b}"),
        ("table { a: b }", ""),
        ("@media print { .gone { a: b } p { c: d !important } }", "@media print{p{c:d!important}}"),
        ("@media print { .gone { a: b } }", ""),
        ("p { --b: 1; --c: 2; --d: var(--c); a: var(--b) }", "p{--b:1;a:var(--b)}"),
        (":root { --c: 2 }", ""),
        (
            "@page { margin: 1cm; @top-left { content: none } }",
            "@page{margin:1cm;@top-left{content:none}}",
        ),
        ("@keyframes gone { from { a: b } to { a: c } }", ""),
        ("@keyframes in{to{a:c}}p{animation:in 1s}", "@keyframes in{to{a:c}}p{animation:in 1s}"),
        ('p::before { a: "; }  x"; b: url(x;y) }', 'p::before{a:"; }  x";b:url(x;y)}'),
        ("@font-face { src: url(a.woff) }", "@font-face{src:url(a.woff)}"),
        ("/* a comment */ p{}", ""),
    ],
)  # fmt: skip
def test_what_no_page_needs_is_left_out_of_the_style_sheet(css: str, kept: str) -> None:
    assert trimmed(css, {"p", "used", "root"}) == kept


def test_a_style_sheet_brings_what_it_imports_and_its_addresses_still_hold(tmp_path: Path) -> None:
    folder = tmp_path / "_static" / "styles"
    folder.mkdir(parents=True)
    folder.joinpath("a.css").write_text('@import "../b.css";\np { a: url("../c.png") url(data:x) }')
    folder.parent.joinpath("b.css").write_text("b { a: url(d/e.png) }")
    text = bundle.sheet(tmp_path, "_static/styles/a.css")
    assert text == 'b { a: url(d/e.png) }\np { a: url("c.png") url(data:x) }'


def test_what_is_neither_named_nor_a_license_is_removed(tmp_path: Path) -> None:
    for name in ("page.css", "page.js", "a.svg", "b.svg", "c.svg", "deep/LICENSE", "deep/d.js"):
        place = tmp_path / name
        place.parent.mkdir(exist_ok=True)
        place.write_text("p { a: url(b.svg) }")
    bundle.remove_what_nobody_asks_for(tmp_path, '<img src="../_static/a.svg?v=1">')
    left = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert left == {"page.css", "page.js", "a.svg", "b.svg", "deep/LICENSE"}


def test_the_policy_names_the_scripts_of_a_page_and_no_others() -> None:
    body = (
        '<script>one()</script><script src="two.js"></script>'
        '<script type="application/ld+json">{}</script><script type="module">three()</script>'
    )
    policy = pages.security_policy(body)
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src")).split()
    texts = (pages.FIRST_SCRIPT, "one()", "three()")
    hashes = [base64.b64encode(hashlib.sha256(t.encode()).digest()).decode() for t in texts]
    assert scripts == ["script-src", "'self'", *(f"'sha256-{h}'" for h in hashes)]


def test_an_image_says_its_size_and_waits(tmp_path: Path) -> None:
    place = tmp_path / "a.png"
    Image.new("RGB", (30, 20)).save(place)
    images = {"x.png": str(place)}
    seen = pages.with_sizes('<p><img alt="a" src="../_images/x.png" /></p>', images)
    assert '<img alt="a" src="../_images/x.png" width="30" height="20" loading="lazy"' in seen
    lines = tmp_path / "a.svg"
    lines.write_text('<svg xmlns="http://www.w3.org/2000/svg" width="72.2pt" height="36pt"></svg>')
    drawn = pages.with_sizes('<img src="_images/y.svg"/>', {"y.svg": str(lines)})
    assert 'width="144" height="72"' in drawn  # as large as the PNG beside it
    told = pages.with_sizes('<img src="_images/x.png" style="width: 4px;" />', images)
    assert 'style="width: 4px;" width="30" height="20" loading="lazy"' in told  # for its shape
    assert pages.with_sizes('<img src="_static/x.png">', images) == '<img src="_static/x.png">'


def test_an_empty_corner_is_no_header() -> None:
    text = '<tr><th class="head"><p></p></th><th><p>a</p></th></tr>'
    assert pages.without_empty_headers(text) == '<tr><td class="head"></td><th><p>a</p></th></tr>'


def test_a_negative_number_of_the_text_has_a_minus_sign() -> None:
    text = '<span class="pasted-text">-3.87</span> <code>-3.87</code>'
    seen = '<span class="pasted-text">−3.87</span> <code>-3.87</code>'
    assert pages.with_minus_signs(text) == seen


def test_no_line_breaks_before_a_percent_sign() -> None:
    recorded = nodes.inline("", "7")
    text = nodes.paragraph("", "", nodes.Text("below 5 % or "), recorded, nodes.Text(" % of it"))
    code = nodes.literal_block("", "5 % 3")
    page = nodes.section("", text, code)
    pages.keep_percent_signs(None, page, "")
    assert text.astext() == "below 5\N{NO-BREAK SPACE}% or 7\N{NO-BREAK SPACE}% of it"
    assert code.astext() == "5 % 3"


def test_captions_name_colors_as_they_are_seen() -> None:
    text = '<p>black</p><figcaption>the <em class="dark">black</em> line</figcaption>'
    seen = pages.with_words_for_the_dark(text)
    assert seen == (
        '<p>black</p><figcaption>the <em class="dark"><span class="in-the-light">black</span>'
        '<span class="in-the-dark">white</span></em> line</figcaption>'
    )


def test_headings_and_exercises_read_well() -> None:
    heading = '<h1><span class="section-number">8. </span>A</h1>'
    assert pages.with_an_opening(heading).startswith('<h1><span class="section-number">Chapter 8 ')
    title = '<span class="caption-number">Exercise 8.1 </span> (★ A (5))</p>'
    assert pages.with_plain_titles(title).endswith("</span> ★ A (5)</p>")
    solution = '<p>Solution to<a href="#a"> Exercise 8.1 (★ A (5))</a></p>'
    seen = '<p>Solution to <a href="#a">Exercise 8.1 ★ A (5)</a></p>'
    assert pages.with_plain_titles(solution) == seen


def test_a_formula_is_typeset_and_one_that_is_none_ends_the_build() -> None:
    text = formulas.mathml(r"\tfrac{1}{2} \sum_t \gamma^t r_t", display=True)
    assert text.startswith("<math") and "<mfrac>" in text and "∑" in text
    assert formulas.in_lines(r"a \\ b") == r"\begin{aligned}a \\ b\end{aligned}"
    with pytest.raises(ValueError, match=r"\\frac"):
        formulas.mathml(r"\frac{1}", display=False)
