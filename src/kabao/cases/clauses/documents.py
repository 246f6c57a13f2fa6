"""A listing's words as documents for the terms checker: each free text by itself, and its structured terms."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from kabao.shops import ChangedMind, ListingDraft, Terms
from kabao.terms import Document, Kind

FIELDS: Final = ("title", "description", "validity_text", "region_text", "free_text")
"""The free texts in the order of the documents; the structured terms follow them."""
LABELS: Final = {"validity_text": "有效期：", "region_text": "区服、地区："}
"""A field's label is part of what its words mean: "30 天" alone could be any time."""
DAY, HOUR, MINUTE = 86_400, 3_600, 60


def documents_of(texts: Mapping[str, str], terms: Terms | None) -> list[Document]:
    """Return the documents of a listing; one without structured terms has its texts alone."""
    found = [
        Document(LABELS.get(field, "") + texts[field] if texts[field] else "", Kind.PAGE, field) for field in FIELDS
    ]
    return found if terms is None else [*found, Document(structured(terms), Kind.PAGE, "terms")]


def frozen(snapshot: Mapping[str, Any]) -> list[Document]:
    """Return the documents of a snapshot as an order keeps it; what it lacks is empty."""
    stated = {name: value for name, value in snapshot.get("terms", {}).items() if value is not None}
    draft = ListingDraft(
        title=str(snapshot.get("title", "")),
        description=str(snapshot.get("description", "")),
        category="",
        price_minor=0,
        terms=msgspec.convert(stated, Terms),
    )
    return documents_of(draft.texts, draft.terms if stated else None)


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
