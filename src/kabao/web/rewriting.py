"""What the terms checker says of a listing in the editor, at its words, and the words that one click puts there."""

import hashlib
from collections.abc import Sequence
from typing import Final, NamedTuple

from kabao.shops import ListingDraft, TermsFault
from kabao.terms import FindingClass
from kabao.terms.commands import label_of
from kabao.web.terms import MOODS

WATCHED: Final = {
    "title": "标题",
    "description": "商品说明",
    "validity_text": "有效期",
    "region_text": "区服、地区",
    "free_text": "补充说明",
}
"""The texts that the list of prohibited goods and the terms checker are held against, and their labels."""
AROUND: Final = 30
"""Characters of a line shown before and after the words a fault is about."""
KEY_LENGTH: Final = 16


class Told(NamedTuple):
    """A fault as the editor shows it; ``key`` names it in the form that is sent back."""

    fault: TermsFault
    key: str
    label: str
    kind: str
    mood: str
    before: str
    after: str


class Rewritten(NamedTuple):
    """A field with the words of a fault replaced."""

    fault: TermsFault
    text: str


def told(draft: ListingDraft, faults: Sequence[TermsFault]) -> list[Told]:
    """Put each fault beside the words around it, within its line."""
    texts = draft.texts
    return [_told(fault, texts[fault.field]) for fault in faults]


def rewritten(draft: ListingDraft, faults: Sequence[TermsFault], key: str) -> Rewritten | None:
    """Replace the words of the fault that a key names, wherever they stand by now; None where they are gone."""
    fault = next((fault for fault in faults if fault.rewrite is not None and _key(fault) == key), None)
    if fault is None:
        return None
    text, words = draft.texts[fault.field], fault.rewrite or ""
    end = fault.end
    if not words and text[end : end + 1] in tuple("。，；！"):
        # A sentence that is left out takes its full stop along.
        end += 1
    return Rewritten(fault, text[: fault.start] + words + text[end:])


def _told(fault: TermsFault, text: str) -> Told:
    kind = FindingClass(fault.kind)
    line_from = text.rfind("\n", 0, fault.start) + 1
    line_to = text.find("\n", fault.end)
    line_to = len(text) if line_to < 0 else line_to
    start, end = max(line_from, fault.start - AROUND), min(line_to, fault.end + AROUND)
    before = ("…" if start > line_from else "") + text[start : fault.start]
    after = text[fault.end : end] + ("…" if end < line_to else "")
    return Told(
        fault,
        _key(fault),
        WATCHED[fault.field],
        label_of(kind, is_sure=kind is not FindingClass.VOID or fault.blocks),
        MOODS[kind],
        before,
        after,
    )


def _key(fault: TermsFault) -> str:
    named = f"{fault.field}|{fault.id}|{fault.against}|{fault.words}"
    return hashlib.sha256(named.encode()).hexdigest()[:KEY_LENGTH]
