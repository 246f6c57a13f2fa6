"""What records are written from: the rows of the business as plain values. Only what never changes stands in them."""

from datetime import datetime
from typing import Any

import msgspec

from kabao.cases.ladder.model import Grounds


class PlacedFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the buyer saw and ticked when an order was placed; `notices` as notice_confirmation keeps them."""

    listing_ref: str
    snapshot_no: int
    snapshot_digest: bytes
    terms: dict[str, Any]
    quantity: int
    unit_minor: int
    amount_minor: int
    currency: str
    notices: list[dict[str, Any]]


class PaymentFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the custodian told of one payment."""

    provider: str
    payment_id: str
    amount_minor: int
    currency: str


class DeliveryFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What was promised, `promise_seconds` after payment, and how many keys came, sealed."""

    promise_seconds: int
    keys: int


class RevealFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One key's opening receipt; the key itself is nowhere in it."""

    pos: int
    device: str
    network: str
    digest: str


class OrderStep(msgspec.Struct, frozen=True, kw_only=True):
    """One event of an order with what belongs to its kind."""

    order_ref: str
    kind: str
    from_state: str | None
    to_state: str | None
    by: str
    reason: str | None
    amount_minor: int | None
    due_at: datetime | None
    at: datetime
    placed: PlacedFacts | None = None
    payment: PaymentFacts | None = None
    delivery: DeliveryFacts | None = None
    reveals: list[RevealFacts] = []


class OfferFacts(msgspec.Struct, frozen=True, kw_only=True):
    """An offer as it was made."""

    by: str
    kind: str
    refund_minor: int
    note: str


class ClaimFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Why a case was opened and what is demanded."""

    claim: str
    demand: str
    demand_minor: int


class RulingFacts(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling, and the version of the rulebook that bound the order; no shares on one from before they were kept."""

    outcome: str
    refund_minor: int
    facts: str
    reasons: str
    rulebook: str | None
    made_at: datetime
    stage: str = "support"
    shares: tuple[int, int, int] | None = None
    """Buyer, merchant, platform, in per cent."""
    dissent: str = ""
    damages_minor: int = 0
    grounds: Grounds | None = None
    """None on one from before they were kept, whose document says nothing of them."""


class CaseStep(msgspec.Struct, frozen=True, kw_only=True):
    """One event of a case with what belongs to its kind."""

    order_ref: str
    case_ref: str
    kind: str
    from_stage: str | None
    to_stage: str | None
    by: str
    body: str | None
    due_at: datetime | None
    at: datetime
    claim: ClaimFacts | None = None
    offer: OfferFacts | None = None
    ruling: RulingFacts | None = None


class Speech(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the conversation."""

    order_ref: str
    by: str
    text: str
    at: datetime


class Handed(msgspec.Struct, frozen=True, kw_only=True):
    """One item of evidence as it came; `preview_digest` is that of the first preview.

    `arrived` is the SHA-256 over the rows of the upload it came by and of its chunks; None where it came in one piece.
    """

    order_ref: str
    case_ref: str | None
    item_no: int
    by: str
    kind: str
    file_name: str
    media_type: str
    byte_size: int
    digest: bytes
    preview_digest: bytes | None
    link: str
    hints: dict[str, Any]
    facts: dict[str, Any]
    recording: dict[str, Any] | None
    arrived: bytes | None
    at: datetime


class Masked(msgspec.Struct, frozen=True, kw_only=True):
    """One time an item's preview was blacked out; `digest` is that of the item's original."""

    order_ref: str
    item_no: int
    digest: bytes
    by: str
    mask_no: int
    preview_digest: bytes
    marks: list[dict[str, Any]]
    at: datetime


class SaidFact(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of a fact of a case."""

    order_ref: str
    case_ref: str
    fact: str
    shows: bool
    kind: str
    confidence: int
    by: str
    item_no: int | None
    note: str
    at: datetime


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """That a record's content was destroyed, by staff, and why."""

    order_ref: str
    record_id: int
    reason: str
    at: datetime


Row = OrderStep | CaseStep | Speech | Handed | Masked | SaidFact | Erasure
