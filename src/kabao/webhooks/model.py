"""Endpoints and messages as plain values."""

from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from kabao.kernel import format_ref

CASE_KINDS: Final = (
    "opened",
    "answered",
    "offered",
    "accepted",
    "granted",
    "refused",
    "rose",
    "withdrawn",
    "ruled",
    "reviewed",
    "asked",
    "replied",
    "question_withdrawn",
    "overdue",
    "routed_out",
    "routed_back",
    "review_asked",
    "waived",
    "waived_both",
    "executed",
    "stood",
    "short",
    "covered",
    "no_stock",
    "person_asked",
    "green",
    "green_kept",
    "green_waived",
    "green_reversed",
    "green_stood",
    "green_over",
    "charged_back",
)
"""Steps of a case that are told; who was drawn for a panel, and who left it, is not."""
ORDER_KINDS: Final = (
    "placed",
    "expired",
    "cancelled",
    "paid",
    "wrong_amount",
    "second_payment",
    "late_refunded",
    "delivered",
    "opened",
    "confirmed",
    "refunded_sealed",
    "replaced",
    "frozen",
    "unfrozen",
    "settled_refund",
    "settled_release",
    "ruled_refund",
    "ruled_release",
    "refund_paid",
    "refund_refused",
    "refund_redirected",
    "paid_out",
    "claimed",
    "claim_ended",
    "settled_claim",
    "ruled_claim",
    "goodwill_claim",
    "damages",
    "damages_owed",
    "reversed",
    "charged_back",
    "charged_back_late",
    "payout_stopped",
    "claim_stopped",
)
"""Steps of an order that are told."""


class EndpointState(StrEnum):
    """Whether messages go to an endpoint."""

    ON = "on"
    OFF = "off"
    FAILED = "failed"
    """Turned off by us, because nothing arrived for days."""


class DeliveryState(StrEnum):
    """What became of a message."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    """Given up."""
    DROPPED = "dropped"
    """Not tried any more, because its endpoint was turned off."""


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where a shop's messages go; `previous_until` is until when the secret before this one signs beside it."""

    shop_id: int
    endpoint_id: int
    url: str
    state: EndpointState
    generation: int
    previous_until: datetime | None
    failing_since: datetime | None
    made_at: datetime
    waiting: int

    @property
    def ref(self) -> str:
        """The endpoint's reference."""
        return format_ref(self.shop_id, self.endpoint_id)


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What a message tells: a step in the history of an order or a case, or a test.

    `standing` is the order's state or the case's stage after it, `answer_by` the deadline then in force.
    """

    event: str
    kind: str
    order_id: int | None
    case_id: int | None
    number: int
    standing: str | None
    answer_by: datetime | None
    at: datetime


class Leased(msgspec.Struct, frozen=True, kw_only=True):
    """A message to be sent, leased under an attempt number that fences whoever held it before."""

    shop_id: int
    endpoint_id: int
    delivery_id: int
    attempt: int
    now: datetime
    url: str
    generation: int
    previous_until: datetime | None
    failures: int
    failing_since: datetime | None
    owner_id: int
    told: Event


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message as the log shows it; `status` is what the last try was answered with, if anything."""

    event_id: str
    kind: str
    ref: str
    number: int
    state: DeliveryState
    attempt: int
    status: int | None
    last_error: str | None
    at: datetime
    due_at: datetime
    ended_at: datetime | None


class NewSecret(NamedTuple):
    """An endpoint's secret, the one time it is shown."""

    endpoint: Endpoint
    secret: str
