"""Make a style sheet small: what no page needs is left out, and so is white space.

A rule stays if every class, name and element of one of its selectors occurs in the pages or in a
script; a variable or an animation stays if something that stays mentions it.
"""

import re
from collections.abc import Iterator

import tinycss2
from tinycss2.ast import Node

RULES_INSIDE = {"media", "supports", "layer", "container"}
NAMES = re.compile(r"--[\w-]+")


def trimmed(css: str, names: set[str]) -> str:
    """A style sheet without what nobody needs.

    Parameters
    ----------
    css : the style sheet.
    names : the classes, identifiers and elements of all pages.
    """
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    text = "".join(kept_rules(rules, names))
    before = ""
    while text != before:  # a variable may be needed by one that is not
        before, text = text, without_unused_variables(text)
    return without_unused_animations(text)


def kept_rules(rules: list[Node], names: set[str]) -> Iterator[str]:
    """Yield the rules that something on the pages may need."""
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [s for s in comma_separated(rule.prelude) if is_needed(s, names)]
            if selectors:
                heads = ",".join(squeezed(selector) for selector in selectors)
                yield f"{heads}{{{declarations(rule.content)}}}"
        elif rule.type == "at-rule":
            yield from kept_at_rule(rule, names)


def kept_at_rule(rule: Node, names: set[str]) -> Iterator[str]:
    """Yield an at-rule with what is needed of its content."""
    head = f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude).rstrip()}"
    if rule.content is None:
        if rule.lower_at_keyword != "charset":
            yield f"{head};"
    elif rule.lower_at_keyword in RULES_INSIDE:
        inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
        if text := "".join(kept_rules(inner, names)):
            yield f"{head}{{{text}}}"
    elif rule.lower_at_keyword == "keyframes":
        inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
        steps = (f"{squeezed(s.prelude)}{{{declarations(s.content)}}}" for s in inner)
        yield f"{head}{{{''.join(steps)}}}"
    else:
        yield f"{head}{{{declarations(rule.content)}}}"


def comma_separated(tokens: list[Node]) -> list[list[Node]]:
    """The selectors of a rule; commas inside of parentheses separate nothing here."""
    parts: list[list[Node]] = [[]]
    for token in tokens:
        if token == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def is_needed(selector: list[Node], names: set[str]) -> bool:
    """Whether something on the pages can match a selector; what is in parentheses is not asked."""
    before = None
    for token in selector:
        if token.type == "hash" and token.value not in names:
            return False
        # `.name` is a class, `name` an element, `:name` a state.
        if token.type == "ident" and before not in (":", "|") and token.value not in names:
            return False
        before = token.value if token.type == "literal" else None
    return True


def squeezed(tokens: list[Node]) -> str:
    """Tokens as text, with as little white space as the meaning allows."""
    text = re.sub(r"\s+", " ", tinycss2.serialize(tokens)).strip()
    return re.sub(r"\s*([>~,])\s*", r"\1", text)


def declarations(content: list[Node]) -> str:
    """The inside of a rule; nested rules, which the theme does not have, stay as they are."""
    parts = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    texts = []
    for part in parts:
        if part.type == "declaration":
            value = re.sub(r"\s+", " ", tinycss2.serialize(part.value)).strip()
            texts.append(f"{part.name}:{value}{'!important' if part.important else ''}")
        elif part.type != "error":
            texts.append(part.serialize())
    return ";".join(texts)


def without_unused_variables(css: str) -> str:
    """Leave out the variables of which no value is asked."""
    asked = set(re.findall(r"var\(\s*(--[\w-]+)", css))

    def kept(match: re.Match) -> str:
        parts = split_declarations(match[1])
        found = [p for p in parts if not p.startswith("--") or NAMES.match(p)[0] in asked]
        return f"{{{';'.join(found)}}}"

    css = re.sub(r"\{([^{}]*)\}", kept, css)
    return re.sub(r"(?<=[{}])[^{}@;]*\{\}", "", css)


def split_declarations(text: str) -> list[str]:
    """The declarations of a rule; a semicolon in quotes or parentheses ends none."""
    return re.findall(
        r"""(?:[^;"'()]|"[^"]*"|'[^']*'|\((?:[^()"']|"[^"]*"|'[^']*'|\([^()]*\))*\))+""", text
    )


def without_unused_animations(css: str) -> str:
    """Leave out the animations that nothing starts."""
    started = " ".join(re.findall(r"animation(?:-name)?:([^;}]*)", css)).split()

    def kept(match: re.Match) -> str:
        return match[0] if match[1] in started else ""

    return re.sub(r"@(?:-webkit-)?keyframes\s+([\w-]+)\{(?:[^{}]*\{[^{}]*\})*\}", kept, css)
