"""The accounts of a shop and what the ledger answers. Amounts are minor units; credits count positive."""

from datetime import datetime
from enum import IntEnum
from uuid import UUID

import msgspec


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
    RESERVE = 9


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
    order_id: int
    event_at: datetime
