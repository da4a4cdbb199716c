"""Find decimals, percentages and counts that stand in MyST markdown as plain text; open fences."""

import re
from collections.abc import Iterator

FENCE = re.compile(r"\s*(?P<marks>`{3,}|~{3,})\s*(?P<info>[^`]*)$")

ANY_FENCE = re.compile(r" {0,3}(?P<marks>`{3,}|~{3,}|:{3,})\s*(?P<info>[^`]*)$")

# Where a decimal in a markdown cell is not a result: replaced by a space before the search.
NOT_PROSE = re.compile(
    r"""
    ^[ ]*:(?:name|label|width|height|scale|class|figclass|figwidth|enumerated):.*?$
    | ^\([a-z][^()\s]*\)=                                        # target
    | \{(?:glue|cite|ref|numref|eq|doc|prf:ref|term|download)(?::\w+)*\}`[^`]*`
    | (?<=\$\$)[ ]*\([a-z][^()\s]*\)                             # label of an equation
    | \\(?:label|tag|eqref|ref)\{[^}]*\}
    | \]\((?!\d)[^()\s]*\)                                       # link
    | <!--.*?--> | </?[a-z][\w-]*(?:\s+[\w-]+=(?:"[^"]*"|'[^']*'))*\s*/?>
    | (?:https?://|doi:|arXiv:)\S+
    """,
    re.VERBOSE | re.MULTILINE | re.DOTALL | re.IGNORECASE,
)
DECIMAL = re.compile(
    r"""
    (?<![\w.])
    (?:
        (?:\d{1,3}(?:,\d{3})+|\d+)? \.\d+ (?:e[-+]?\d+)?
        | \d+ e-\d+
        | \d+ (?=\s?\\?%|\s?per\s?cent)
    )
    (?! \.?\d )
    (?P<percent>\s?\\?%|\s?per\s?cent)?
    """,
    re.VERBOSE | re.IGNORECASE,
)

# A whole number on its own: not in code, a name, a date or an exponent.
COUNT = re.compile(
    r"(?<![\w.,^_{/-]) (?:\d{1,3}(?:,\d{3})+|\d+) (?! \w | [.,/-]\d | \s?\\?% | \} )", re.VERBOSE
)
YEAR = re.compile(r"(?:19|20)\d\d")
SMALLEST_COUNT = 13  # smaller ones are everywhere, and are written in words besides


def counts(text: str) -> set[str]:
    """Return the whole numbers from 13 on, years apart, that stand in `text`, as "1,000"."""
    found = {match[0] for match in COUNT.finditer(re.sub(r"`[^`]*`", " ", prose(text)))}
    return {n for n in found if count_value(n) >= SMALLEST_COUNT and not YEAR.fullmatch(n)}


def count_value(number: str) -> int:
    """Return the value of a count."""
    return int(number.replace(",", ""))


def decimals(text: str) -> set[str]:
    """Return the decimals and percentages that stand in `text` as plain text, as "0.5" or "5%"."""
    return {normal_form(found[0]) for found in DECIMAL.finditer(prose(text))}


def prose(text: str) -> str:
    """Return `text` without code blocks, references, labels, links and glued values."""
    return NOT_PROSE.sub(" ", "\n".join(_outside_code(text.splitlines())))


def _outside_code(lines: list[str]) -> Iterator[str]:
    """Yield the lines outside code blocks; a directive's text, in backticks too, is prose."""
    open_fences = []  # (marks, whether what follows is code), innermost last
    for line in lines:
        marks, in_code = open_fences[-1] if open_fences else ("", False)
        fence = FENCE.match(line)
        if fence and open_fences and not fence["info"] and fence["marks"].startswith(marks):
            open_fences.pop()
        elif fence and not in_code:
            open_fences.append((fence["marks"], not re.match(r"\{(?!code)", fence["info"])))
        elif not in_code:
            yield line


def normal_form(number: str) -> str:
    """Write a percentage in one way: no space, no backslash, the sign for the word."""
    return re.sub(r"\s?\\?(?:%|per\s?cent)$", "%", number.strip(), flags=re.IGNORECASE)


def fence_faults(text: str) -> list[str]:
    """Return what is wrong with the fences of a cell or a page, which MyST accepts in silence.

    A fence is closed by as many marks as opened it, and one inside it has fewer.
    """
    faults, open_fences = [], []  # (number of the line, marks, info), innermost last
    for number, line in enumerate(text.splitlines(), 1):
        fence = ANY_FENCE.match(line)
        if not fence:
            continue
        marks, info = fence["marks"], fence["info"].strip()
        outer, outer_marks, outer_info = open_fences[-1] if open_fences else (0, "", "{}")
        if outer_marks and marks.startswith(outer_marks):
            if not info:
                open_fences.pop()
                continue
            faults.append(
                f"line {number} opens {marks}{info} inside {outer_marks}{outer_info} of line "
                f"{outer}, which must have more marks if it encloses it: was that closed?"
            )
        if outer_info.startswith("{") and "{code" not in outer_info:
            open_fences.append((number, marks, info))
    faults += [
        f"line {number} opens {marks}{info} and never closes it"
        for number, marks, info in open_fences
    ]
    return faults
