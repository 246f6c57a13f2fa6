"""The accounts of a shop and what the ledger answers. Amounts are minor units; credits count positive."""

from datetime import datetime
from enum import IntEnum
from typing import Final
from uuid import UUID

import msgspec

from kabao.kernel import ShopId


class AccountNo(IntEnum):
    """One set per shop; the number is the key."""

    CUSTODY = 1
    """Money at the institution, seen from outside: below zero by what came in and has not gone back."""
    ESCROW = 2
    """Held for orders that are not decided yet."""
    SELLER_PAYABLE = 3
    """Released, the institution has not confirmed the payout yet."""
    PLATFORM_FEE = 4
    REFUND_OUT = 5
    """Refunded, the institution has not confirmed it yet."""
    UNAPPLIED = 6
    """Came in but belongs to no order; always on its way back."""
    PAID_OUT = 7
    """In the merchant's own account at the institution."""
    DEPOSIT = 8
    """What a merchant paid in to answer for claims after the release."""
    RESERVE = 9
    """The platform's own money. For the platform (shop 0) what its operator paid in; for a shop below zero by what the
    platform paid its merchant for refunds that a review found wrong."""
    RECOURSE = 10
    """Below zero by what the merchant owes the platform, because the reserve paid for it."""


PLATFORM: Final = ShopId(0)
"""The shop id under which the platform's own reserve is booked; no shop has it."""


class Balance(msgspec.Struct, frozen=True):
    """The balance of one account in one currency."""

    account: AccountNo
    currency: str
    balance_minor: int


class Transfer(msgspec.Struct, frozen=True):
    """One balanced transfer of a shop."""

    transfer_id: UUID
    debit: AccountNo
    credit: AccountNo
    amount_minor: int
    currency: str
    kind: str
    order_id: int | None
    event_at: datetime


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a shop's deposit or recourse statement; `change_minor` counts for the merchant where positive.

    `kind` is the transfer's, `order_ref` the order it belongs to, `reference` the payment or the reason behind it,
    `balance_minor` what the account shows after it.
    """

    account: AccountNo
    kind: str
    change_minor: int
    balance_minor: int
    order_ref: str | None
    reference: str | None
    at: datetime
