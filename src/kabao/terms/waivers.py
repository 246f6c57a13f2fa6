"""Waivers an author writes into a document: ``# kabao: allow K05 because ...``, or the same in an HTML comment.

A waiver holds for its own line and the next line that holds text; one without a reason holds for nothing.
"""

import re
from typing import Final

WAIVER: Final = re.compile(
    r"(?:#|//|<!--)[ \t]*kabao:[ \t]*allow[ \t]+(?P<id>[A-Za-z][A-Za-z0-9-]{1,24})[ \t]+"
    r"(?P<reason>[^\n]{2,300}?)[ \t]*(?:-->|$)",
    re.MULTILINE,
)
NEXT: Final = re.compile(r"\n[ \t]*(?=\S)")

Waivers = dict[tuple[str, int], str]


def waivers_of(source: str) -> Waivers:
    """Return what is allowed by id and line, with the reason given."""
    source = source.replace("\x1c", "\n")
    allowed: Waivers = {}
    for found in WAIVER.finditer(source):
        line = source.count("\n", 0, found.start()) + 1
        following = NEXT.search(source, found.end())
        reached = line + source.count("\n", found.start(), following.end()) if following else line
        for each in (line, reached):
            allowed[(found["id"].upper(), each)] = found["reason"].strip()
    return allowed


def reason_for(allowed: Waivers, finding: str, line: int) -> str:
    """Return the reason for which a finding is allowed, or nothing."""
    return allowed.get((finding.upper(), line), "")
