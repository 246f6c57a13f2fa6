"""The bodies of records: canonical JSON written from rows, the same today and at any later audit.

Every body is ``{"v":1,"kind":…,"order":…,"at":…,"by":…,"content":{…}}`` (docs/evidence-pack.md). Nothing is left out
for being empty: a reader sees null and need not guess. No key, phone number or account number stands in any of them.
"""

from datetime import UTC, datetime
from typing import Any, Final, assert_never

from kabao.cases.ladder.model import Grounds
from kabao.dossier.model import (
    CaseStep,
    Erasure,
    Handed,
    Masked,
    OrderStep,
    PlacedFacts,
    Row,
    RulingFacts,
    SaidFact,
    Speech,
)
from kabao.kernel import canonical_bytes, digest_of

VERSION: Final = 1


def instant(at: datetime) -> str:
    """Write an instant as records do: UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


KINDS: Final[dict[type[Row], str]] = {
    OrderStep: "order_event",
    CaseStep: "case_event",
    Speech: "message",
    Handed: "item",
    Masked: "mask",
    SaidFact: "fact",
    Erasure: "erasure",
}
"""What kind of record each row becomes."""


def kind_of(row: Row) -> str:
    """Name the kind of record a row becomes."""
    return KINDS[type(row)]


def body_of(row: Row) -> bytes:
    """Write the body of a row's record."""
    by = "support" if isinstance(row, Erasure) else row.by
    return canonical_bytes(
        {
            "v": VERSION,
            "kind": kind_of(row),
            "order": row.order_ref,
            "at": instant(row.at),
            "by": by,
            "content": _content(row),
        }
    )


def ruling_document(ruling: RulingFacts) -> dict[str, Any]:
    """Write a ruling as its document; its digest stands in the record."""
    document: dict[str, Any] = {
        "outcome": ruling.outcome,
        "refund_minor": ruling.refund_minor,
        "facts": ruling.facts,
        "reasons": ruling.reasons,
        "rulebook": ruling.rulebook,
        "made_at": instant(ruling.made_at),
    }
    if ruling.shares is not None:
        buyer, merchant, platform = ruling.shares
        document |= {
            "stage": ruling.stage,
            "responsible": {"buyer": buyer, "merchant": merchant, "platform": platform},
            "dissent": ruling.dissent,
        }
    # What gives no damages, and what was made before grounds were kept, reads as it did before there were any.
    document |= {"damages_minor": ruling.damages_minor} if ruling.damages_minor else {}
    return document | ({} if ruling.grounds is None else {"grounds": grounds_document(ruling.grounds)})


def grounds_document(grounds: Grounds) -> dict[str, Any]:
    """Write what a ruling rests on: answers to the parties' points by key, and what it names by id."""
    return {
        "answers": [{"point": one.point, "take": one.take.value, "why": one.why} for one in grounds.answers],
        "articles": list(grounds.articles),
        "laws": list(grounds.laws),
        "unanswered": grounds.unanswered,
    } | ({} if grounds.unread is None else {"unread": list(grounds.unread)})


def _content(row: Row) -> dict[str, Any]:
    match row:
        case OrderStep():
            content = _order_step(row)
        case CaseStep():
            content = _case_step(row)
        case Speech():
            content = {"text": row.text}
        case Handed():
            content = _handed(row)
        case Masked():
            content = {
                "item": row.item_no,
                "mask": row.mask_no,
                "sha256": row.digest.hex(),
                "preview_sha256": row.preview_digest.hex(),
                "marks": row.marks,
            }
        case SaidFact():
            content = {
                "case": row.case_ref,
                "fact": row.fact,
                "shows": row.shows,
                "evidence": row.kind,
                "confidence": row.confidence,
                "item": row.item_no,
                "note": row.note,
            }
        case Erasure():
            content = {"record": row.record_id, "reason": row.reason}
        case _:
            assert_never(row)
    return content


def _order_step(step: OrderStep) -> dict[str, Any]:
    content: dict[str, Any] = {
        "event": step.kind,
        "from": step.from_state,
        "to": step.to_state,
        "reason": step.reason,
        "amount_minor": step.amount_minor,
        "due_at": None if step.due_at is None else instant(step.due_at),
    }
    if step.placed is not None:
        content["seen"] = _placed(step.placed)
    if step.payment is not None:
        content["payment"] = {
            "provider": step.payment.provider,
            "id": step.payment.payment_id,
            "amount_minor": step.payment.amount_minor,
            "currency": step.payment.currency,
        }
    if step.delivery is not None:
        content["delivery"] = {
            "promise_seconds": step.delivery.promise_seconds,
            "keys": step.delivery.keys,
            "sealed": True,
        }
    if step.reveals:
        content["reveals"] = [
            {"pos": reveal.pos, "device": reveal.device, "network": reveal.network, "receipt_sha256": reveal.digest}
            for reveal in step.reveals
        ]
    return content


def _placed(seen: PlacedFacts) -> dict[str, Any]:
    return {
        "listing": seen.listing_ref,
        "snapshot": seen.snapshot_no,
        "snapshot_sha256": seen.snapshot_digest.hex(),
        "terms_sha256": digest_of(seen.terms).hex(),
        "quantity": seen.quantity,
        "unit_minor": seen.unit_minor,
        "amount_minor": seen.amount_minor,
        "currency": seen.currency,
        "notices": seen.notices,
    }


def _case_step(step: CaseStep) -> dict[str, Any]:
    content: dict[str, Any] = {
        "case": step.case_ref,
        "event": step.kind,
        "from": step.from_stage,
        "to": step.to_stage,
        "said": step.body,
        "due_at": None if step.due_at is None else instant(step.due_at),
    }
    if step.claim is not None:
        content["claim"] = {
            "claim": step.claim.claim,
            "demand": step.claim.demand,
            "demand_minor": step.claim.demand_minor,
        }
    if step.offer is not None:
        content["offer"] = {
            "by": step.offer.by,
            "kind": step.offer.kind,
            "refund_minor": step.offer.refund_minor,
            "note": step.offer.note,
        }
    if step.ruling is not None:
        document = ruling_document(step.ruling)
        content["ruling"] = document | {"sha256": digest_of(document).hex()}
    return content


def _handed(item: Handed) -> dict[str, Any]:
    return {
        "no": item.item_no,
        "case": item.case_ref,
        "how": item.kind,
        "name": item.file_name,
        "media_type": item.media_type,
        "size": item.byte_size,
        "sha256": item.digest.hex(),
        "preview_sha256": None if item.preview_digest is None else item.preview_digest.hex(),
        "link": item.link,
        "hints_sha256": digest_of(item.hints).hex(),
        "facts": item.facts,
        "recording": item.recording,
        "arrived_sha256": None if item.arrived is None else item.arrived.hex(),
    }
