"""Typed reading of nodes: what a field must be, and the sentence and hint where it is not."""

import difflib
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Final, TypeVar

from kabao.adjudication.model import Literal, Problem, Text, Unreadable
from kabao.adjudication.yamlread import ListNode, MapNode, Node, TextNode

T = TypeVar("T")

RESERVED: Final = frozenset(["no", "all", "yes", "on", "off", "true", "false", "null", "none"])
_ID = re.compile("[a-z][a-z0-9_]{0,47}")
_INT = re.compile("-?(?:0|[1-9][0-9]{0,11})")
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNCLEAR = re.compile(r"(?i:yes|no|on|off|true|false|null|y|n)|~|[-+.]?[0-9][0-9_.,:eE+-]*")
_LITERAL = re.compile("(no )?([a-z][a-z0-9_]{0,47})")
MAX_TEXT: Final = 4000


def nearest(word: str, known: Iterable[str]) -> str:
    """Hint at the closest known word, or name them all where they are few."""
    words = list(known)
    close = difflib.get_close_matches(word, words, 1)
    if close:
        return f"did you mean {close[0]}?"
    return "one of " + ", ".join(words) if 0 < len(words) <= 14 else ""  # noqa: PLR2004 - what fits a line


def text(node: Node) -> str:
    """Read text that means the same to everyone, without blanks around it."""
    if not isinstance(node, TextNode):
        raise node.problem("text is expected here")
    words = node.text.strip()
    if not words:
        raise node.problem("this is empty")
    if len(words) > MAX_TEXT:
        raise node.problem(f"longer than {MAX_TEXT} characters")
    if node.plain and _UNCLEAR.fullmatch(words):
        raise node.problem(f"{words} is ambiguous as text", f'write "{words}" in quotes')
    return words


def word(node: Node, known: Collection[str]) -> str:
    """Read one of the known words."""
    if not isinstance(node, TextNode):
        raise node.problem("one word is expected here", nearest("", known))
    if node.text not in known:
        raise node.problem(f"{node.text or 'nothing'} is not known here", nearest(node.text, known))
    return node.text


def whole(node: Node, low: int = 0, high: int = 1_000_000_000) -> int:
    """Read a whole number in a range."""
    if not isinstance(node, TextNode) or not node.plain or not _INT.fullmatch(node.text):
        raise node.problem("a whole number is expected here")
    number = int(node.text)
    if not low <= number <= high:
        raise node.problem(f"{number} is not between {low} and {high}")
    return number


def flag(node: Node) -> bool:
    """Read true or false."""
    if not isinstance(node, TextNode) or not node.plain or node.text not in {"true", "false"}:
        raise node.problem("true or false is expected here")
    return node.text == "true"


def day(node: Node) -> date:
    """Read a date."""
    words = node.text if isinstance(node, TextNode) else ""
    if not _DATE.fullmatch(words):
        raise node.problem("a date is expected here", "for example 2026-11-01")
    try:
        return date.fromisoformat(words)
    except ValueError:
        raise node.problem(f"{words} is not in the calendar") from None


def identifier(node: Node) -> str:
    """Read a new id."""
    words = node.text if isinstance(node, TextNode) else ""
    if not _ID.fullmatch(words):
        raise node.problem("an id is expected here", "small letters, digits and _, beginning with a letter")
    if words in RESERVED:
        raise node.problem(f"{words} cannot be an id")
    return words


def literal(node: Node, known: Collection[str]) -> Literal:
    """Read ``fact`` or ``no fact``."""
    words = node.text if isinstance(node, TextNode) else ""
    match = _LITERAL.fullmatch(words)
    if match is None:
        raise node.problem("a fact, or “no ” and a fact, is expected here")
    if match[2] not in known:
        raise node.problem(f"the fact {match[2]} is not declared", nearest(match[2], known))
    return Literal(match[2], match[1] is None)


def literals(node: Node, known: Collection[str], *, at_least: int = 1) -> tuple[Literal, ...]:
    """Read a list of literals on different facts."""
    found: list[Literal] = []
    for item in items(node, at_least=at_least):
        one = literal(item, known)
        if any(one.fact == other.fact for other in found):
            raise item.problem(f"{one.fact} stands in this list twice")
        found.append(one)
    return tuple(found)


def items(node: Node, *, at_least: int = 0, at_most: int = 1000) -> tuple[Node, ...]:
    """Read a list."""
    if not isinstance(node, ListNode):
        raise node.problem("a list is expected here", "for example [one, two]")
    if len(node.items) < at_least:
        raise node.problem("this list is empty" if at_least == 1 else f"at least {at_least} entries are needed")
    if len(node.items) > at_most:
        raise node.problem(f"more than {at_most} entries")
    return node.items


def mapping(node: Node) -> MapNode:
    """Read a mapping."""
    if not isinstance(node, MapNode):
        raise node.problem("a mapping is expected here", "lines of “key: value”")
    return node


class Fields:
    """The entries of one mapping; every key is known, required ones are there."""

    def __init__(self, node: Node, required: str, optional: str = "") -> None:
        self.node = mapping(node)
        must, may = required.split(), optional.split()
        for name, (key, _) in self.node.entries.items():
            if name not in must and name not in may:
                hint = "text with a comma inside {…} needs quotes" if " " in name else nearest(name, must + may)
                raise key.problem(f"the key {name[:60]} is not known here", hint)
        for name in must:
            if name not in self.node.entries:
                raise self.node.problem(f"the key {name} is missing")

    def __contains__(self, name: str) -> bool:
        """Tell whether the key is there."""
        return name in self.node.entries

    def __getitem__(self, name: str) -> Node:
        """Return the value of a key that is there."""
        return self.node.entries[name][1]

    def get(self, name: str, read: Callable[[Node], T]) -> T:
        """Read a required key."""
        return read(self[name])

    def maybe(self, name: str, read: Callable[[Node], T], default: T) -> T:
        """Read an optional key."""
        return read(self[name]) if name in self else default

    def label(self) -> Text:
        """Read ``zh`` and ``en`` of this mapping."""
        return Text(text(self["zh"]), text(self["en"]))


def both(node: Node) -> Text:
    """Read ``{zh, en}``."""
    return Fields(node, "zh en").label()


class Collector:
    """Gathers the problems of independent parts, so that one run shows them all."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    @contextmanager
    def part(self) -> Iterator[None]:
        """Keep the problem of this part and go on."""
        try:
            yield
        except Unreadable as error:
            self.problems.extend(error.problems)

    def stop(self) -> None:
        """Raise what was gathered."""
        if self.problems:
            raise Unreadable(self.problems)
