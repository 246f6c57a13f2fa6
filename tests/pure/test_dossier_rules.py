"""Bodies of records: canonical, complete, in UTC to the microsecond, and the same for the same row."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest

from kabao.dossier.model import (
    CaseStep,
    ClaimFacts,
    DeliveryFacts,
    Erasure,
    Handed,
    Masked,
    OfferFacts,
    OrderStep,
    PaymentFacts,
    PlacedFacts,
    RevealFacts,
    Row,
    RulingFacts,
    SaidFact,
    Speech,
)
from kabao.dossier.rules import body_of, instant, kind_of, ruling_document
from kabao.kernel import canonical_bytes, digest_of

AT = datetime(2026, 11, 24, 21, 0, 0, 123456, tzinfo=UTC)
RULING = RulingFacts(
    outcome="full_refund", refund_minor=9650, facts="查明", reasons="理由", rulebook="2026-11", made_at=AT
)


def order_step(kind: str = "placed", **more: Any) -> OrderStep:
    return OrderStep(
        order_ref="7-1",
        kind=kind,
        from_state="none",
        to_state="placed",
        by="buyer",
        reason=None,
        amount_minor=9650,
        due_at=AT,
        at=AT,
        **more,
    )


def case_step(kind: str = "answered", **more: Any) -> CaseStep:
    return CaseStep(
        order_ref="7-1",
        case_ref="7-2",
        kind=kind,
        from_stage="negotiation",
        to_stage="negotiation",
        by="merchant",
        body="说了",
        due_at=None,
        at=AT,
        **more,
    )


ROWS: dict[str, tuple[Row, dict[str, Any]]] = {
    "order_event": (
        order_step(
            placed=PlacedFacts(
                listing_ref="7-9",
                snapshot_no=2,
                snapshot_digest=b"\xab" * 32,
                terms={"escrow_hours": 72},
                quantity=1,
                unit_minor=9650,
                amount_minor=9650,
                currency="CNY",
                notices=[{"id": "validity"}],
            ),
            payment=PaymentFacts(provider="sandbox", payment_id="p1", amount_minor=9650, currency="CNY"),
            delivery=DeliveryFacts(promise_seconds=60, keys=1),
            reveals=[RevealFacts(pos=1, device="手机", network="192.0.2.0/24", digest="cd" * 32)],
        ),
        {
            "event": "placed",
            "from": "none",
            "to": "placed",
            "reason": None,
            "amount_minor": 9650,
            "due_at": "2026-11-24T21:00:00.123456Z",
            "seen": {
                "listing": "7-9",
                "snapshot": 2,
                "snapshot_sha256": "ab" * 32,
                "terms_sha256": digest_of({"escrow_hours": 72}).hex(),
                "quantity": 1,
                "unit_minor": 9650,
                "amount_minor": 9650,
                "currency": "CNY",
                "notices": [{"id": "validity"}],
            },
            "payment": {"provider": "sandbox", "id": "p1", "amount_minor": 9650, "currency": "CNY"},
            "delivery": {"promise_seconds": 60, "keys": 1, "sealed": True},
            "reveals": [{"pos": 1, "device": "手机", "network": "192.0.2.0/24", "receipt_sha256": "cd" * 32}],
        },
    ),
    "case_event": (
        case_step(
            claim=ClaimFacts(claim="already_used", demand="full_refund", demand_minor=9650),
            offer=OfferFacts(by="merchant", kind="partial_refund", refund_minor=100, note="好"),
            ruling=RULING,
        ),
        {
            "case": "7-2",
            "event": "answered",
            "from": "negotiation",
            "to": "negotiation",
            "said": "说了",
            "due_at": None,
            "claim": {"claim": "already_used", "demand": "full_refund", "demand_minor": 9650},
            "offer": {"by": "merchant", "kind": "partial_refund", "refund_minor": 100, "note": "好"},
            "ruling": ruling_document(RULING) | {"sha256": digest_of(ruling_document(RULING)).hex()},
        },
    ),
    "message": (Speech(order_ref="7-1", by="buyer", text="你好", at=AT), {"text": "你好"}),
    "item": (
        Handed(
            order_ref="7-1",
            case_ref=None,
            item_no=3,
            by="buyer",
            kind="file",
            file_name="a.png",
            media_type="image/png",
            byte_size=5,
            digest=b"\x01" * 32,
            preview_digest=b"\x02" * 32,
            link="",
            hints={},
            facts={"width": 3},
            recording=None,
            arrived=b"\x03" * 32,
            at=AT,
        ),
        {
            "no": 3,
            "case": None,
            "how": "file",
            "name": "a.png",
            "media_type": "image/png",
            "size": 5,
            "sha256": "01" * 32,
            "preview_sha256": "02" * 32,
            "link": "",
            "hints_sha256": digest_of({}).hex(),
            "facts": {"width": 3},
            "arrived_sha256": "03" * 32,
            "recording": None,
        },
    ),
    "mask": (
        Masked(
            order_ref="7-1",
            item_no=3,
            digest=b"\x01" * 32,
            by="buyer",
            mask_no=1,
            preview_digest=b"\x03" * 32,
            marks=[],
            at=AT,
        ),
        {"item": 3, "mask": 1, "sha256": "01" * 32, "preview_sha256": "03" * 32, "marks": []},
    ),
    "fact": (
        SaidFact(
            order_ref="7-1",
            case_ref="7-2",
            fact="key_failed",
            shows=True,
            kind="screenshot",
            confidence=65,
            by="buyer",
            item_no=3,
            note="",
            at=AT,
        ),
        {
            "case": "7-2",
            "fact": "key_failed",
            "shows": True,
            "evidence": "screenshot",
            "confidence": 65,
            "item": 3,
            "note": "",
        },
    ),
    "erasure": (
        Erasure(order_ref="7-1", record_id=17, reason="应本人要求", at=AT),
        {"record": 17, "reason": "应本人要求"},
    ),
}


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_a_body_says_all_of_its_row(kind: str) -> None:
    row, content = ROWS[kind]
    body = msgspec.json.decode(body_of(row))
    by = "support" if kind == "erasure" else row.by  # type: ignore[union-attr]
    assert body == {
        "v": 1,
        "kind": kind,
        "order": "7-1",
        "at": "2026-11-24T21:00:00.123456Z",
        "by": by,
        "content": content,
    }
    assert kind_of(row) == kind


@pytest.mark.parametrize("kind", sorted(ROWS))
def test_a_body_is_canonical(kind: str) -> None:
    body = body_of(ROWS[kind][0])
    assert canonical_bytes(msgspec.json.decode(body)) == body


def test_what_a_kind_does_not_have_is_not_named() -> None:
    bare = msgspec.json.decode(body_of(order_step("expired", reveals=[])))["content"]
    assert set(bare) == {"event", "from", "to", "reason", "amount_minor", "due_at"}
    handed = msgspec.structs.replace(ROWS["item"][0], preview_digest=None)
    assert msgspec.json.decode(body_of(handed))["content"]["preview_sha256"] is None
    undated = msgspec.structs.replace(order_step(), due_at=None)
    assert msgspec.json.decode(body_of(undated))["content"]["due_at"] is None
    dated = msgspec.json.decode(body_of(msgspec.structs.replace(case_step(), due_at=AT)))["content"]
    assert dated["due_at"] == "2026-11-24T21:00:00.123456Z"
    assert set(dated) == {"case", "event", "from", "to", "said", "due_at"}


def test_an_instant_is_written_in_utc_wherever_it_was_read() -> None:
    assert instant(AT.astimezone(timezone(timedelta(hours=8)))) == "2026-11-24T21:00:00.123456Z"
