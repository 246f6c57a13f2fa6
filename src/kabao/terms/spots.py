"""A document as it was read, and the way from plain text back to the words as they stand."""

import re
from bisect import bisect_right
from functools import cached_property
from typing import Final

from kabao.terms.model import Kind, Sentence, Spot, Text

EDGES: Final = " \t\r\n,;:。!?、()|[]"
UNSEEN: Final = {0x00: None, 0x0B: " ", 0x1C: " "}
LONGEST_SHOWN: Final = 400
BREAK: Final = re.compile(r"\n|\r(?!\n)|\x1c")


def shown(words: str) -> str:
    """Return words as they read, without what stands for markup."""
    return words[:LONGEST_SHOWN].translate(UNSEEN)


class Reading:
    """A document's text with its sentences."""

    def __init__(self, number: int, kind: Kind, name: str, text: Text) -> None:
        self.number = number
        self.kind = kind
        self.name = name
        self.text = text
        self.sentences: list[Sentence] = []

    @cached_property
    def line_starts(self) -> list[int]:
        """Where the lines of the source begin."""
        return [0, *(found.end() for found in BREAK.finditer(self.text.source))]

    def line(self, position: int) -> int:
        """Return the number of the source's line that holds a character."""
        return bisect_right(self.line_starts, position)

    def trimmed(self, start: int, end: int) -> tuple[int, int]:
        """Leave out the marks around a stretch of plain text."""
        plain = self.text.plain
        while start < end and plain[start] in EDGES:
            start += 1
        while end > start and plain[end - 1] in EDGES:
            end -= 1
        return start, end

    def spot(self, start: int, end: int) -> Spot:
        """Return the words of the source for a stretch of plain text."""
        at = self.text.at
        first = at[start]
        last = at[end - 1] + 1 if end > start else first
        words = shown(self.text.source[first:last])
        return Spot(words, self.line(first), first, last, self.number)

    def source_spot(self, first: int, last: int) -> Spot:
        """Return the words between two places of the source."""
        return Spot(shown(self.text.source[first:last]), self.line(first), first, last, self.number)

    def tricks_within(self, first: int, last: int) -> tuple[str, ...]:
        """Return what kinds of hiding characters stand between two places of the source."""
        begin = bisect_right(self.text.tricks, first - 1, key=lambda trick: trick[1])
        kinds: set[str] = set()
        for kind, start, _ in self.text.tricks[begin:]:
            if start >= last:
                break
            kinds.add(kind)
        return tuple(sorted(kinds))
