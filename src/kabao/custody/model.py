"""What kabao and a custodian say to each other. Amounts are minor units of an ISO 4217 currency."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from kabao.kernel import MAX_MINOR


class CheckoutRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks the custodian to take one payment for an order."""

    merchant_ref: str
    subject: str
    amount_minor: int
    currency: str
    return_path: str


class Checkout(msgspec.Struct, frozen=True):
    """Where the buyer pays."""

    checkout_id: str
    pay_path: str


class Instruction(msgspec.Struct, frozen=True, kw_only=True):
    """Asks the custodian to pay out of one payment: to the merchant (less the fee) or back to the buyer."""

    instruction_id: UUID
    payment_id: str
    kind: Literal["release", "refund"]
    amount_minor: int
    fee_minor: int
    currency: str


class PaymentNotice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The custodian's word that a payment arrived; decoding holds every value to its range."""

    payment_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    merchant_ref: Annotated[str, Meta(max_length=100)]
    amount_minor: Annotated[int, Meta(ge=1, le=MAX_MINOR)]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
    paid_at: Annotated[str, Meta(max_length=40)]


class SandboxCheckout(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout as the simulated institution shows it."""

    checkout_id: str
    merchant_ref: str
    subject: str
    amount_minor: int
    currency: str
    return_path: str
    created_at: datetime
    paid_at: datetime | None
