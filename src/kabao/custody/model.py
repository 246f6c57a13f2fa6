"""What kabao and a custodian say to each other. Amounts are minor units of an ISO 4217 currency."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from kabao.kernel import MAX_MINOR

RESERVE_ACCOUNT: Final = "reserve"
"""The platform's own money at the custodian."""
_DEPOSIT: Final = "deposit:"

PayoutKind = Literal["release", "refund", "claim_refund", "damages", "deposit_return", "reversal"]
"""What a payout is for: to the merchant; back to the payer; to the buyer after the release; beyond the price; back to
who paid a deposit in; to the merchant out of the reserve."""
TO_MERCHANT: Final = frozenset({"release", "reversal"})
"""The payouts that go to the merchant of the payment; the others go to who paid it."""


def deposit_account(shop_id: int) -> str:
    """Name the custodian's account that holds a shop's deposit."""
    return f"{_DEPOSIT}{shop_id}"


def shop_of_account(account: str) -> int:
    """Return whose deposit an account holds; 0 for the platform's reserve."""
    return int(account.removeprefix(_DEPOSIT)) if account.startswith(_DEPOSIT) else 0


class CheckoutRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Asks the custodian to take one payment, for an order or into the account that `into_account` names."""

    merchant_ref: str
    subject: str
    amount_minor: int
    currency: str
    return_path: str
    into_account: str = ""


class Checkout(msgspec.Struct, frozen=True):
    """Where the buyer pays."""

    checkout_id: str
    pay_path: str


class Instruction(msgspec.Struct, frozen=True, kw_only=True):
    """Asks the custodian to pay out of one payment: to the merchant (less fee and recoup) or back to the payer.

    With `from_account` the money comes out of that account, and `payment_id` only says who is paid: the payer of that
    payment (its merchant where the kind says so), or whoever owns `to_account`. `recoup_minor` of a release goes into
    the reserve.
    """

    instruction_id: UUID
    payment_id: str
    kind: PayoutKind
    amount_minor: int
    fee_minor: int
    currency: str
    from_account: str = ""
    to_account: str = ""
    recoup_minor: int = 0


class PaymentNotice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The custodian's word that a payment arrived; decoding holds every value to its range.

    `payer` is the custodian's own opaque number of the account that paid, the same for every payment of that account;
    empty where a custodian does not tell. It is marked as it is booked, and neither kept nor logged.
    """

    payment_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    merchant_ref: Annotated[str, Meta(max_length=100)]
    amount_minor: Annotated[int, Meta(ge=1, le=MAX_MINOR)]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
    paid_at: Annotated[str, Meta(max_length=40)]
    into_account: Annotated[str, Meta(pattern=r"^(|reserve|deposit:[1-9][0-9]{0,17})$")] = ""
    payer: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{0,128}$")] = ""


class ChargebackNotice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The custodian's word that the payer's bank took a payment back.

    `taken_minor` is what was left of the payment: all that no payout had been made of, 0 where everything was paid out.
    From then on nothing is paid out of it.
    """

    kind: Literal["chargeback"]
    chargeback_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    payment_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,100}$")]
    merchant_ref: Annotated[str, Meta(max_length=100)]
    taken_minor: Annotated[int, Meta(ge=0, le=MAX_MINOR)]
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
    taken_at: Annotated[str, Meta(max_length=40)]


class SandboxCheckout(msgspec.Struct, frozen=True, kw_only=True):
    """A checkout as the simulated institution shows it."""

    checkout_id: str
    merchant_ref: str
    subject: str
    amount_minor: int
    currency: str
    return_path: str
    into_account: str
    created_at: datetime
    paid_at: datetime | None
