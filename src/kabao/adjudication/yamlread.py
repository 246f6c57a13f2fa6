"""Strict YAML: text to nodes that remember line and column. No tags, anchors, duplicate keys or second document."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml import events as ev
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from kabao.adjudication.model import Problem, Unreadable

try:
    from _ruamel_yaml import CParser
except ImportError:  # pragma: no cover - where the C library has no wheel the same events come slower
    CParser = None

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 12

_ODD: Final = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_ODD_QUOTE: Final = re.compile(r'(?:[^"]*"[^"]*")*[^"]*"[^"]*$|[^\']*[\[{:,-] ?\'[^\']*$')


@dataclass(frozen=True, slots=True)
class Node:
    """A value with the place where it starts, counted from 1."""

    line: int
    column: int

    def problem(self, message: str, hint: str = "") -> Unreadable:
        """Build the error that points here."""
        return Unreadable([Problem(self.line, self.column, message, hint)])


@dataclass(frozen=True, slots=True)
class TextNode(Node):
    """A scalar; ``plain`` when it is not quoted and not a block."""

    text: str
    plain: bool


@dataclass(frozen=True, slots=True)
class ListNode(Node):
    """A sequence."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class MapNode(Node):
    """A mapping, in the order of the file."""

    entries: dict[str, tuple[TextNode, Node]]


def read_bytes(path: Path) -> bytes:
    """Read a file of at most MAX_BYTES. Raises Unreadable for a missing, larger or unreadable one."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable([Problem(1, 1, f"cannot be read: {error.strerror}")], path.name) from None
    return raw


def parse(raw: bytes | str, name: str = "") -> Node:
    """Parse one document. Raises Unreadable with the line for anything that is not strict YAML."""
    try:
        return _compose(_decode(raw))
    except Unreadable as error:
        raise Unreadable(error.problems, name) from None


def _decode(raw: bytes | str) -> str:
    if len(raw) > MAX_BYTES:
        raise Unreadable([Problem(1, 1, f"larger than {MAX_BYTES:,} bytes")])
    if isinstance(raw, bytes):
        try:
            text = raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise Unreadable([Problem(line, 1, "not UTF-8 text")]) from None
    else:
        text = raw
    text = text.replace("\r\n", "\n")
    odd = _ODD.search(text)
    if odd:
        start = odd.start()
        line = text.count("\n", 0, start) + 1
        column = start - text.rfind("\n", 0, start)
        raise Unreadable([Problem(line, column, f"the character U+{ord(odd[0]):04X} is not allowed")])
    return text


def _events(text: str) -> Iterator[Any]:
    if CParser is None:  # pragma: no cover - see the import
        yield from YAML(typ="safe", pure=True).parse(text)
        return
    parser = CParser(text)
    while True:
        event = parser.get_event()
        yield event
        if isinstance(event, ev.StreamEndEvent):
            return


def _compose(text: str) -> Node:
    stream = _events(text)
    try:
        root = _document(stream)
        for event in stream:
            if isinstance(event, ev.DocumentStartEvent):
                raise _at(event, "a second document starts here", "one file holds one document")
    except MarkedYAMLError as error:
        if "end of stream" in str(error.problem) and "quoted scalar" in str(error.context):
            raise Unreadable([_open_quote(text, error.context_mark)]) from None
        # A key without its colon is noticed a line later; it stands where its reading began.
        marks = [error.problem_mark, error.context_mark]
        mark = next(filter(None, reversed(marks) if "simple key" in str(error.context) else marks), None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        context = f"{error.context}: " if error.context else ""
        last = text.count("\n") + 1
        hint = "text with a colon inside […] or {…} needs quotes" if "':'" in str(error.problem) else ""
        raise Unreadable([Problem(min(line, last), column, f"{context}{error.problem}", hint)]) from None
    except (YAMLError, RecursionError) as error:  # pragma: no cover - what the reader would find is refused before
        raise Unreadable([Problem(1, 1, str(error).split("\n")[0])]) from None
    return root


def _open_quote(text: str, mark: Any) -> Problem:
    """Find the line whose quote does not close; the reader only notices at the end of the file.

    A quote left out or put in turns every later pair inside out, so the first line with an odd one is the place.
    """
    line = next((n for n, words in enumerate(text.split("\n"), 1) if _ODD_QUOTE.match(words)), mark.line + 1)
    return Problem(line, 1, "a quote opens here and does not close", "a quoted text begins and ends on one line")


def _document(stream: Iterator[Any]) -> Node:
    for event in stream:
        if isinstance(event, ev.DocumentStartEvent):
            if event.version or event.tags:
                raise _at(event, "directives are not allowed")
        elif isinstance(event, ev.StreamEndEvent):
            raise Unreadable([Problem(1, 1, "the file is empty")])
        elif not isinstance(event, ev.StreamStartEvent):
            return _node(event, stream, 1)
    raise AssertionError("a stream ends with its end")  # pragma: no cover


def _at(event: Any, message: str, hint: str = "") -> Unreadable:
    mark = event.start_mark
    return Unreadable([Problem(mark.line + 1, mark.column + 1, message, hint)])


def _node(event: Any, stream: Iterator[Any], depth: int) -> Node:  # noqa: C901 - one branch per kind of event
    if isinstance(event, ev.AliasEvent) or event.anchor is not None:
        raise _at(event, "anchors and aliases (& and *) are not allowed", "write the value out, or quote the text")
    if event.tag is not None:
        raise _at(event, "tags (!) are not allowed", "quote the text if it begins with !")
    if depth > MAX_DEPTH:
        raise _at(event, f"nested deeper than {MAX_DEPTH} levels")
    line, column = event.start_mark.line + 1, event.start_mark.column + 1
    if isinstance(event, ev.ScalarEvent):
        return TextNode(line, column, event.value, not event.style)
    if isinstance(event, ev.SequenceStartEvent):
        items = []
        for inner in stream:
            if isinstance(inner, ev.SequenceEndEvent):
                break
            items.append(_node(inner, stream, depth + 1))
        return ListNode(line, column, tuple(items))
    entries: dict[str, tuple[TextNode, Node]] = {}
    for inner in stream:
        if isinstance(inner, ev.MappingEndEvent):
            break
        key = _node(inner, stream, depth + 1)
        if not isinstance(key, TextNode):
            raise key.problem("a key is a plain word")
        if key.text in entries:
            raise key.problem(f"the key {key.text} stands here twice", f"first on line {entries[key.text][0].line}")
        if key.plain and key.text == "<<":
            raise key.problem("merge keys (<<) are not allowed")
        entries[key.text] = (key, _node(next(stream), stream, depth + 1))
    return MapNode(line, column, entries)
