"""Reads a listing's words with the terms checker, beside what its structured terms say; the shops know of neither."""

import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from kabao.shops import ChangedMind, ListingDraft, Terms, TermsFault
from kabao.terms import Document, Finding, FindingClass, Kind, Spot, check

FIELDS: Final = ("title", "description", "validity_text", "region_text", "free_text")
SURE: Final = 0.8
"""From this confidence on a clause that by law should be void keeps a listing off sale; below it is told only."""
MOST: Final = 20
"""Faults that are told at once: a text that repeats itself a thousand times needs no thousand sentences."""
LABELS: Final = {"validity_text": "有效期：", "region_text": "区服、地区："}
"""A field's label is part of what its words mean: "30 天" alone could be any time."""
NOTE: Final = re.compile(r"^（[^）]*）")
"""What a rewrite tells the shop beside the words it gives."""
TO_DO: Final = ("写明", "写清", "只写", "只保留")
"""How a rewrite begins that gives no words of its own."""
PAUSES: Final = tuple("。，；！？、,;!?")
"""After the words that are replaced, any of these ends the sentence already."""
BLANK: Final = re.compile(r"_{3,}|(?<![A-Za-z0-9])X(?:个工作日|分钟|小时|日|天|元|%)")
DAY, HOUR, MINUTE = 86_400, 3_600, 60


def faults_in(draft: ListingDraft) -> Sequence[TermsFault]:
    """Say what is wrong in the free texts, each by itself and against the structured terms, what blocks first."""
    texts = draft.texts
    documents = [
        Document(LABELS.get(field, "") + text if text else "", Kind.PAGE, field) for field, text in texts.items()
    ]
    documents.append(Document(structured(draft.terms), Kind.PAGE, "terms"))
    found = check(documents, clause=True, waivers=False).findings
    faults: dict[tuple[str, str], TermsFault] = {}
    for fault in chain((fault for finding in found if (fault := _fault(finding, texts))), _blanks(texts)):
        faults.setdefault((fault.field, fault.sentence), fault)
    return sorted(faults.values(), key=lambda fault: (not fault.blocks, FIELDS.index(fault.field)))[:MOST]


def structured(terms: Terms) -> str:
    """Write the structured terms as sentences; what only speeds a claim up says nothing of rights and is left out."""
    mind = "不支持无理由退款"
    if terms.changed_mind_after_open is ChangedMind.PARTIAL:
        mind = f"不想要了，扣{terms.partial_fee_percent}%，退其余"
    lines = [
        f"付款后{_span(terms.delivery_promise_seconds)}内送达。",
        "卡密没有拆封的，放款前可以随时全额退款。",
        f"发货{_span(terms.escrow_hours * HOUR)}后自动确认收货。",
        "卡密无效的，可以换新，也可以退款。" if terms.replacement_offered else "卡密无效的，可以退款。",
        f"卡密有效，拆封后{mind}。",
    ]
    if terms.warranty_days:
        lines.append(f"质保{terms.warranty_days}天。")
    return "\n".join(lines)


def _span(seconds: int) -> str:
    for size, unit in ((DAY, "天"), (HOUR, "小时"), (MINUTE, "分钟")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}秒"


def _fault(finding: Finding, texts: dict[str, str]) -> TermsFault | None:
    """Tell a finding of its field; None where it stands in the structured terms alone."""
    first = Spot(finding.words, finding.line, finding.start, finding.end, finding.document)
    free = [spot for spot in (first, *finding.other) if spot.document < len(FIELDS)]
    if not free:
        return None
    spot = free[0]
    field = FIELDS[spot.document]
    if finding.kind is FindingClass.CONFLICT:
        beside = [other.words for other in finding.other if other.document == len(FIELDS)]
        beside += [] if first.document < len(FIELDS) else [first.words]
        against = f"上面填的退款条件「{beside[0]}」" if beside else f"「{free[-1].words}」"
        sentence, blocks = f"「{spot.words}」和{against}对不上，改成一样的。", bool(beside)
    else:
        is_void, against = finding.kind is FindingClass.VOID, ""
        said = "依法应属无效：" if is_void else "："
        sentence = f"「{spot.words}」{said}{finding.why}可以改成：{finding.rewrite}"
        blocks = is_void and finding.confidence >= SURE
    shift = len(LABELS.get(field, ""))
    start, end = max(0, spot.start - shift), max(0, spot.end - shift)
    return TermsFault(
        field=field,
        sentence=sentence,
        blocks=blocks,
        kind=finding.kind.value,
        id=finding.id,
        title=finding.title,
        why=finding.why,
        law=finding.law,
        line=spot.line,
        start=start,
        end=end,
        words=texts[field][start:end],
        against=against,
        advice=finding.rewrite,
        rewrite=None
        if finding.kind is FindingClass.CONFLICT
        else _in_place(finding.rewrite, texts[field][end : end + 1]),
    )


def _in_place(rewrite: str, after: str) -> str | None:
    """Return the words that may take the place of others; None where the rewrite only says what to write."""
    note, words = NOTE.match(rewrite), NOTE.sub("", rewrite)
    if words.startswith(TO_DO):
        return "" if note and "删去" in note[0] else None
    return words.rstrip("。") if after in PAUSES else words


def _blanks(texts: dict[str, str]) -> Iterator[TermsFault]:
    """Find what a rewrite leaves for the shop to fill in; a buyer can make nothing of it."""
    for field, text in texts.items():
        for found in BLANK.finditer(text):
            yield TermsFault(
                field=field,
                sentence=f"「{found[0]}」是还没填的空，换成你的数字或内容。",
                blocks=False,
                kind=FindingClass.VAGUE.value,
                id="BLANK",
                title="还有空没填",
                why="换成你的数字或内容，买家才知道是多少。",
                law=(),
                line=text.count("\n", 0, found.start()) + 1,
                start=found.start(),
                end=found.end(),
                words=found[0],
                against="",
                advice="",
                rewrite=None,
            )
