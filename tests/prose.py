"""Find the decimals and percentages that stand in MyST markdown as plain text."""

import re

# Where a decimal in a markdown cell is not a result: replaced by a space before the search.
NOT_PROSE = re.compile(
    r"""
    ^[ ]*(?P<fence>`{3,}|~{3,})(?!\{).*?^[ ]*(?P=fence)`*[ ]*$   # code block, not a directive
    | ^[ ]*(?P<code>`{3,})\{code.*?^[ ]*(?P=code)`*[ ]*$         # directive that shows code
    | ^[ ]*:(?:name|label|width|height|scale|class|figclass|figwidth|enumerated):.*?$
    | ^\([^()\s]+\)=                                             # target
    | \{(?:glue|cite|ref|numref|eq|doc|prf:ref|term|download)(?::\w+)*\}`[^`]*`
    | (?<=\$\$)[ ]*\([^()\s]+\) | \\(?:label|tag|eqref|ref)\{[^}]*\}   # equation labels
    | \]\([^()\s]*\) | <!--.*?--> | </?[a-zA-Z][^>]*>                  # links, HTML
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


def decimals(text: str) -> set[str]:
    """Return the decimals and percentages that stand in `text` as plain text, as "0.5" or "5%"."""
    return {normal_form(found[0]) for found in DECIMAL.finditer(NOT_PROSE.sub(" ", text))}


def normal_form(number: str) -> str:
    """Write a percentage in one way: no space, no backslash, the sign for the word."""
    return re.sub(r"\s?\\?(?:%|per\s?cent)$", "%", number.strip(), flags=re.IGNORECASE)
