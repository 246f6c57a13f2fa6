"""What deposits take and answer. Amounts are minor units of CNY."""

from collections.abc import Sequence
from typing import Final

import msgspec

from kabao.kernel import ShopId
from kabao.ledger import Movement

CLAIM_DAYS: Final = 7
"""Days after the opening in which a released order may be claimed on, where its listing's terms name none.

As long as the statutory no-reason return (消法 25), the rulebook's parameter no_reason_return.
"""
PAY_IN_LEAST: Final = 1_00
PAY_IN_MOST: Final = 1_000_000_00


class DepositView(msgspec.Struct, frozen=True, kw_only=True):
    """A shop's deposit as its owner sees it.

    `owed_minor` is what the reserve paid for the shop and has not got back; `recoup_bps` the share of each release that
    pays it back; `damages_owed_minor` what it owes buyers as damages; `bound` says why the deposit cannot come back now
    ('' where it can): debt, damages, case, held or claim_days.
    """

    shop_id: ShopId
    deposit_minor: int
    owed_minor: int
    damages_owed_minor: int = 0
    recoup_bps: int
    bound: str
    returning_minor: int
    statement: Sequence[Movement]


class ReserveView(msgspec.Struct, frozen=True, kw_only=True):
    """The platform's reserve: what was paid in, what of it shops owe, what it spent for good, and what is left.

    `waiting` counts the rulings that neither deposit nor reserve could pay yet; they take `waiting_minor` of it in all.
    """

    paid_minor: int
    advanced_minor: int
    spent_minor: int
    left_minor: int
    waiting: int
    waiting_minor: int


class FundPayment(msgspec.Struct, frozen=True, kw_only=True):
    """How a payment into an account was booked: deposit_paid, reserve_paid or wrong_currency (then it goes back)."""

    shop_id: ShopId
    outcome: str
    replayed: bool
