"""Waivers an author writes into a document: ``# kabao: allow K05 because ...``, or the same in an HTML comment.

A waiver holds for its own line and the next line that holds text; one without a reason holds for nothing. It is no part
of what the document says.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

WAIVER: Final = re.compile(
    r"(?:#|//|<!--)[ \t]*kabao:[ \t]*allow[ \t]+(?P<id>[A-Za-z][A-Za-z0-9-]{1,24})[ \t]+"
    r"(?P<reason>[^\n]{2,300}?)[ \t]*(?:-->|$)",
    re.MULTILINE,
)
NEXT: Final = re.compile(r"\n[ \t]*(?=\S)")
ALONE: Final = re.compile(rf"^[ \t]*{WAIVER.pattern}[ \t]*(?:\n|\Z)", re.MULTILINE)
BLANK: Final = "\x00"
"""What stands for what is not read: see ``markup``."""


class Waiver(NamedTuple):
    """What is allowed at two lines, and why; ``id`` in capitals."""

    id: str
    line: int
    next_line: int
    reason: str


def waivers_of(source: str) -> list[Waiver]:
    """Return what a document allows itself, in the order of its lines."""
    source = source.replace("\x1c", "\n")
    allowed: list[Waiver] = []
    line, counted = 1, 0
    for found in WAIVER.finditer(source):
        line += source.count("\n", counted, found.start())
        counted = found.start()
        following = NEXT.search(source, found.end())
        reached = line + source.count("\n", counted, following.end()) if following else line
        allowed.append(Waiver(found["id"].upper(), line, reached, found["reason"].strip()))
    return allowed


def without_waivers(source: str) -> str:
    """Return a text of the same length in which nothing is left of a waiver, nor of a line that held one alone."""
    if "kabao:" not in source:
        return source
    for pattern in (ALONE, WAIVER):
        source = pattern.sub(lambda found: BLANK * len(found[0]), source)
    return source


def waiver_for(allowed: Sequence[Waiver], finding: str, line: int) -> Waiver | None:
    """Return the waiver by which a finding is allowed; the last of several."""
    return next(
        (one for one in reversed(allowed) if one.id == finding.upper() and line in {one.line, one.next_line}), None
    )
