"""Reads a listing's words with the terms checker, beside what its structured terms say; the shops know of neither."""

from collections.abc import Sequence
from typing import Final

from kabao.shops import ChangedMind, ListingDraft, Terms, TermsFault
from kabao.terms import Document, Finding, FindingClass, Kind, check

FIELDS: Final = ("title", "description", "validity_text", "region_text", "free_text")
SURE: Final = 0.8
"""From this confidence on a clause that by law should be void keeps a listing off sale; below it is told only."""
MOST: Final = 20
"""Faults that are told at once: a text that repeats itself a thousand times needs no thousand sentences."""
DAY, HOUR, MINUTE = 86_400, 3_600, 60


def faults_in(draft: ListingDraft) -> Sequence[TermsFault]:
    """Say what is wrong in the free texts, each by itself and against the structured terms, what blocks first."""
    terms = draft.terms
    # A field's label is part of what its words mean: "30 天" alone could be any time.
    validity = f"有效期：{terms.validity_text}" if terms.validity_text else ""
    region = f"区服、地区：{terms.region_text}" if terms.region_text else ""
    texts = (draft.title, draft.description, validity, region, terms.free_text)
    documents = [Document(text, Kind.PAGE, field) for field, text in zip(FIELDS, texts, strict=True)]
    documents.append(Document(structured(terms), Kind.PAGE, "terms"))
    found = check(documents, clause=True, waivers=False).findings
    faults = dict.fromkeys(fault for finding in found if (fault := _fault(finding)) is not None)
    return sorted(faults, key=lambda fault: (not fault.blocks, FIELDS.index(fault.field)))[:MOST]


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


def _fault(finding: Finding) -> TermsFault | None:
    """Tell a finding of its field; None where it stands in the structured terms alone."""
    places = [(finding.document, finding.words), *((spot.document, spot.words) for spot in finding.other)]
    free = [(FIELDS[document], words) for document, words in places if document < len(FIELDS)]
    if not free:
        return None
    field, words = free[0]
    if finding.kind is FindingClass.CONFLICT:
        beside = [other for document, other in places if document == len(FIELDS)]
        against = f"上面填的退款条件「{beside[0]}」" if beside else f"「{free[-1][1]}」"
        return TermsFault(field, f"「{words}」和{against}对不上，改成一样的。", blocks=bool(beside))
    is_void = finding.kind is FindingClass.VOID
    said = "依法应属无效：" if is_void else "："
    return TermsFault(
        field,
        f"「{words}」{said}{finding.why}可以改成：{finding.rewrite}",
        blocks=is_void and finding.confidence >= SURE,
    )
