"""Make a style sheet small: what no page needs is left out, and so is white space.

A rule stays if every class, name and element of one of its selectors occurs in the pages or in a
script; a variable or an animation stays if something that stays mentions it.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import tinycss2
from tinycss2.ast import Node

WITH_RULES_INSIDE = {"media", "supports", "layer", "container"}


@dataclass(frozen=True)
class Block:
    """A rule. head : what stands in front of its brace; a rule without one has no `lines`."""

    head: str
    lines: tuple[str, ...] = ()
    inner: tuple["Block", ...] = field(default=())

    def __str__(self) -> str:
        if not self.lines and not self.inner:
            return f"{self.head};" if self.head.startswith("@import") else ""
        lines = ";".join(self.lines) + ";" * bool(self.lines and self.inner)
        return f"{self.head}{{{lines}{''.join(map(str, self.inner))}}}"


def trimmed(css: str, names: set[str]) -> str:
    """A style sheet without what nobody needs.

    Parameters
    ----------
    css : the style sheet.
    names : the classes, identifiers and elements of all pages.
    """
    rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
    blocks, before = list(needed(rules, names)), None
    while blocks != before:  # a variable may be asked for by one that nobody asks for
        asked = {name for line in lines(blocks) for name in re.findall(r"var\(\s*(--[\w-]+)", line)}
        before, blocks = blocks, [without_unused_variables(block, asked) for block in blocks]
    started = {word for line in lines(blocks) if "animation" in line for word in line_words(line)}
    return "".join(
        str(b) for b in blocks if "keyframes" not in b.head or b.head.split()[1] in started
    )


def needed(rules: list[Node], names: set[str]) -> Iterator[Block]:
    """Yield the rules that something on the pages may need."""
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [s for s in comma_separated(rule.prelude) if can_match(s, names)]
            if selectors:
                yield Block(",".join(map(squeezed, selectors)), declarations(rule.content))
        elif rule.type == "at-rule" and rule.lower_at_keyword != "charset":
            yield at_rule(rule, names)


def at_rule(rule: Node, names: set[str]) -> Block:
    """An at-rule with what is needed of its content."""
    head = f"@{rule.at_keyword} {squeezed(rule.prelude)}".strip()
    if rule.content is None:
        return Block(head)
    if rule.lower_at_keyword not in WITH_RULES_INSIDE and "keyframes" not in head:
        parts = tinycss2.parse_blocks_contents(rule.content, skip_whitespace=True)
        margins = (at_rule(part, names) for part in parts if part.type == "at-rule")
        return Block(head, declarations(rule.content), tuple(margins))
    inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
    if "keyframes" in head:
        steps = (Block(squeezed(step.prelude), declarations(step.content)) for step in inner)
        return Block(head, inner=tuple(steps))
    return Block(head, inner=tuple(needed(inner, names)))


def comma_separated(tokens: list[Node]) -> list[list[Node]]:
    """The selectors of a rule; commas inside of parentheses separate nothing here."""
    parts: list[list[Node]] = [[]]
    for token in tokens:
        if token == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def can_match(selector: list[Node], names: set[str]) -> bool:
    """Whether something on the pages can match a selector; what is in parentheses is not asked."""
    before = None
    for token in selector:
        # `.name` is a class, `#name` an identifier, `name` an element, but `:name` is a state.
        if token.type in ("hash", "ident") and before != ":" and token.value not in names:
            return False
        before = token.value if token.type == "literal" else None
    return True


def squeezed(tokens: list[Node]) -> str:
    """Tokens as text, with as little white space as the meaning allows."""
    kept = [token for token in tokens if token.type != "comment"]
    parts = [" " if token.type == "whitespace" else token.serialize() for token in kept]
    return re.sub(r" ?([>~]) ?", r"\1", "".join(parts).strip())


def declarations(content: list[Node]) -> tuple[str, ...]:
    """What a rule says, a line each; rules inside of it, which the theme has none of, are lost."""
    found = tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True)
    said = [part for part in found if part.type == "declaration"]
    return tuple(
        f"{part.name}:{squeezed(part.value)}{'!important' * part.important}" for part in said
    )


def lines(blocks: list[Block] | tuple[Block, ...]) -> Iterator[str]:
    """Yield all declarations of some rules."""
    for block in blocks:
        yield from block.lines
        yield from lines(block.inner)


def line_words(line: str) -> list[str]:
    """The words of a declaration."""
    return re.findall(r"[\w-]+", line)


def without_unused_variables(block: Block, asked: set[str]) -> Block:
    """A rule without the variables of which no value is asked; without anything if none is left."""
    kept = tuple(li for li in block.lines if li[:2] != "--" or li.partition(":")[0] in asked)
    inner = (without_unused_variables(rule, asked) for rule in block.inner)
    return replace(block, lines=kept, inner=tuple(rule for rule in inner if str(rule)))
