"""Which texts suit a case, how one is filled, what of it still has to be filled in. Pure."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from kabao.cases.model import Side
from kabao.cases.texts.model import FIELDS, PLATFORM, Text, TextKind

_FIELD: Final = re.compile(r"\{([^{}]*)\}")
_BLANK: Final = re.compile(r"（[^（）]*）")
BLANKS: Final = frozenset(blank for text in PLATFORM for blank in _BLANK.findall(text.body)) - {"（附证据几）"} | {
    f"（填{name}）" for name in FIELDS
}
"""What has to be filled in before a text is sent; that files are attached may stay said."""


def suiting(texts: Iterable[Text], side: Side, kinds: frozenset[TextKind], claim: str) -> list[Text]:
    """Pick the texts for one side, a use and a claim; those for this very claim first, then as they stand."""
    fit = [
        text for text in texts if text.side is side and text.kind in kinds and (not text.claims or claim in text.claims)
    ]
    return sorted(fit, key=lambda text: not text.claims)


def fill(body: str, values: Mapping[str, str]) -> str:
    """Put what the case knows in the place of each ``{name}``; what it does not know becomes a blank.

    A time brings the space before its digits along, which no comma is followed by.
    """
    return _FIELD.sub(lambda found: values.get(found[1], f"（填{found[1]}）"), body).replace("， ", "，")


def unknown_fields(body: str) -> list[str]:
    """Name what a text asks for that no case has, in order."""
    return [name for name in _FIELD.findall(body) if name not in FIELDS]


def unfilled(text: str) -> list[str]:
    """Name the blanks that were left in what somebody wants to send."""
    return sorted(blank for blank in BLANKS if blank in text)
