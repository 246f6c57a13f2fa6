"""The auditor's own books of the money: what each order, shop and the reserve must have, from what the auditor saw.

At the end they are laid beside the custodian's books. Amounts are minor units of one currency.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from kabao.simulation.model import DAY

RECOUP_BPS: Final = 5000
"""Of what is payable to a merchant who owes the platform, the share that goes to the reserve."""
WHOLE_BPS: Final = 10_000


class Paid(msgspec.Struct, frozen=True, kw_only=True):
    """What went out for one order: to the buyer in all, to the merchant, as the fee, back into the reserve."""

    to_buyer: int = 0
    to_merchant: int = 0
    fee: int = 0


@dataclass(slots=True, kw_only=True)
class OrderBook:
    """The money of one paid order; `release_due` runs while the money is held and no case is open."""

    ref: str
    shop_id: int
    amount_minor: int
    fee_bps: int
    placed_at: datetime
    escrow: timedelta
    release_due: datetime | None
    claim_days: timedelta
    """How long after the last opening, or the release of a sealed key, a released order may be claimed on."""
    sealed: int
    opened_at: datetime | None = None
    released_at: datetime | None = None
    reversed: int = 0
    """What the merchant got out of the reserve for a refund that a review found wrong."""
    was_replaced: bool = False
    is_decided: bool = False
    """Whether a case has decided where the money went."""
    remaining: timedelta = timedelta()
    refunded: int = 0
    released: int = 0
    fee: int = 0
    claimed: int = 0
    damages: int = 0
    """What was paid of damages."""
    is_held: bool = True
    is_charged_back: bool = False
    """Whether the payer's bank took back what was left of the payment."""

    @property
    def stake_minor(self) -> int:
        """What a case may still move: what is held or, after the release, what was not given back yet."""
        return self.amount_minor - self.refunded - (0 if self.is_held else self.claimed)


@dataclass(slots=True)
class Fund:
    """What a shop has deposited, what it owes the reserve, and which damages it owes buyers, the oldest first."""

    deposit: int = 0
    owed: int = 0
    damages: list[tuple[datetime, str, int]] = field(default_factory=list)


@dataclass(slots=True)
class Books:
    """Every order, every shop, the reserve."""

    orders: dict[str, OrderBook] = field(default_factory=dict)
    funds: dict[int, Fund] = field(default_factory=dict)
    sent_back: dict[str, int] = field(default_factory=dict)
    """Payments that paid for nothing, by the order they were meant for."""
    recouped: dict[int, int] = field(default_factory=dict)
    returned: int = 0
    paid_in: int = 0
    reserve: int = 0
    """What lies in the reserve."""

    # ---- in

    def paid(self, order: OrderBook) -> None:
        """Note an order's payment."""
        self.orders[order.ref] = order
        self.paid_in += order.amount_minor

    def paid_for_nothing(self, ref: str, amount_minor: int) -> None:
        """Note a payment that goes back whole."""
        self.sent_back[ref] = self.sent_back.get(ref, 0) + amount_minor
        self.paid_in += amount_minor

    def deposited(self, shop_id: int, amount_minor: int) -> None:
        """Note what a merchant paid into the deposit."""
        self.fund(shop_id).deposit += amount_minor
        self.paid_in += amount_minor

    def reserve_filled(self, amount_minor: int) -> None:
        """Note what the operator paid into the reserve."""
        self.reserve += amount_minor
        self.paid_in += amount_minor

    def fund(self, shop_id: int) -> Fund:
        """Return a shop's fund."""
        return self.funds.setdefault(shop_id, Fund())

    # ---- the release clock

    def frozen(self, ref: str, now: datetime) -> None:
        """Stop the clock, because a case was opened."""
        order = self.orders[ref]
        if order.release_due is not None:
            order.remaining = max(order.release_due - now, timedelta())
            order.release_due = None

    def may_claim(self, ref: str, now: datetime) -> str:
        """Tell why no case may be opened on an order now; '' where one may."""
        order = self.orders[ref]
        if order.is_charged_back or order.stake_minor == 0:
            return "already_refunded"
        if order.is_held or order.released_at is None:
            return ""
        if order.is_decided:
            return "case_closed"
        began = [at for at in (order.opened_at, order.released_at if order.sealed else None) if at is not None]
        return "claim_days_over" if max(began) + order.claim_days <= now else ""

    def opened(self, ref: str, now: datetime, *, is_partly: bool) -> None:
        """Note that keys were opened: the first, or all that were sealed."""
        order = self.orders[ref]
        if order.sealed:
            order.opened_at = now
            order.sealed = order.sealed - 1 if is_partly else 0

    def thawed(self, ref: str, now: datetime) -> None:
        """Let the clock run on after a withdrawal, at least a day."""
        order = self.orders[ref]
        if order.is_held:
            order.release_due = now + max(order.remaining, DAY)

    def replaced(self, ref: str, now: datetime) -> None:
        """Begin the clock anew with new keys."""
        order = self.orders[ref]
        order.sealed, order.was_replaced = 1, True
        if order.is_held:
            order.release_due = now + order.escrow

    def due(self, now: datetime) -> list[str]:
        """List the orders whose money time itself releases by now."""
        return [ref for ref, order in self.orders.items() if order.release_due is not None and order.release_due <= now]

    # ---- out

    def refunded_sealed(self, ref: str, amount_minor: int) -> None:
        """Note an instant refund of sealed keys."""
        order = self.orders[ref]
        order.refunded += amount_minor
        if order.refunded == order.amount_minor:
            order.is_held, order.release_due = False, None

    def charged_back(self, ref: str) -> None:
        """Let the payer's bank give the buyer what is held; what reached the merchant stays his."""
        order = self.orders[ref]
        order.is_charged_back = True
        if order.is_held:
            order.refunded, order.is_held, order.release_due = order.amount_minor, False, None

    def released(self, ref: str, now: datetime) -> None:
        """Release what is still held."""
        self._release(self.orders[ref], now)

    def resolved(self, ref: str, refund_minor: int, now: datetime, *, with_reserve: bool) -> bool:
        """End a case: refund from what is held, else from the deposit and the reserve; False where they are short."""
        order = self.orders[ref]
        if order.is_held:
            order.refunded += refund_minor
            self._release(order, now)
        elif not self.claim(order, refund_minor, with_reserve=with_reserve):
            return False
        order.is_decided = True
        return True

    def reaches(self, ref: str, refund_minor: int) -> bool:
        """Tell whether two parties can agree on a refund: after the release only the deposit pays for it."""
        order = self.orders[ref]
        return order.is_held or refund_minor <= self.fund(order.shop_id).deposit

    def claim(self, order: OrderBook, refund_minor: int, *, with_reserve: bool) -> bool:
        """Pay after the release: the deposit as far as it reaches, then the reserve with an equal debt; or nothing."""
        fund = self.fund(order.shop_id)
        from_deposit = min(fund.deposit, refund_minor)
        from_reserve = refund_minor - from_deposit
        if from_reserve and (not with_reserve or from_reserve > self.reserve):
            return False
        fund.deposit -= from_deposit
        fund.owed += from_reserve
        self.reserve -= from_reserve
        order.claimed += refund_minor
        return True

    def reverse(self, ref: str, back_minor: int) -> bool:
        """Pay a merchant out of the reserve, less the fee, for what stays with the buyer; nobody owes it."""
        order = self.orders[ref]
        paid = back_minor - back_minor * order.fee_bps // WHOLE_BPS
        if paid > self.reserve:
            return False
        self.reserve -= paid
        order.reversed += paid
        return True

    def awarded(self, ref: str, damages_minor: int, now: datetime) -> None:
        """Note damages: paid from the deposit as far as it reaches, the rest owed by the shop to the buyer."""
        order = self.orders[ref]
        fund = self.fund(order.shop_id)
        paid = min(fund.deposit, damages_minor)
        fund.deposit -= paid
        order.damages += paid
        if paid < damages_minor:
            fund.damages.append((now, ref, damages_minor - paid))

    def pay_owed(self) -> int:
        """Pay on damages that are owed where there is a deposit again, the oldest first; tells how much."""
        total = 0
        for fund in self.funds.values():
            owed, fund.damages = sorted(fund.damages), []
            for at, ref, left in owed:
                paid = min(fund.deposit, left)
                fund.deposit -= paid
                self.orders[ref].damages += paid
                total += paid
                if paid < left:
                    fund.damages.append((at, ref, left - paid))
        return total

    def deposit_returned(self, shop_id: int, amount_minor: int) -> None:
        """Note a deposit that goes back to its merchant."""
        self.fund(shop_id).deposit -= amount_minor
        self.returned += amount_minor

    def _release(self, order: OrderBook, now: datetime) -> None:
        order.is_held, order.release_due, order.released_at = False, None, now
        order.released = order.amount_minor - order.refunded
        order.fee = order.released * order.fee_bps // WHOLE_BPS
        payable = order.released - order.fee
        fund = self.fund(order.shop_id)
        share = min(fund.owed, -(-payable * RECOUP_BPS // WHOLE_BPS))
        fund.owed -= share
        self.reserve += share
        self.recouped[order.shop_id] = self.recouped.get(order.shop_id, 0) + share

    # ---- the comparison

    def off_by(
        self, orders: Mapping[str, Paid], accounts: Mapping[str, int], recouped: Mapping[int, int]
    ) -> Iterator[tuple[str, int, int]]:
        """Lay these books beside the custodian's; yields what differs, with what is expected and what is there.

        ``orders`` is what the custodian paid out by order, ``accounts`` what lies in each account of his, ``recouped``
        what went from a shop's releases into the reserve.
        """
        expected = {ref: self._paid(ref) for ref in {**self.orders, **self.sent_back}}
        for ref in sorted(expected.keys() | orders.keys()):
            mine, theirs = expected.get(ref, Paid()), orders.get(ref, Paid())
            for name in ("to_buyer", "to_merchant", "fee"):
                if getattr(mine, name) != getattr(theirs, name):
                    yield f"order {ref} {name}", getattr(mine, name), getattr(theirs, name)
        for shop_id in sorted(self.funds.keys() | recouped.keys()):
            pairs = [
                ("deposit", self.fund(shop_id).deposit, accounts.get(f"deposit:{shop_id}", 0)),
                ("recouped", self.recouped.get(shop_id, 0), recouped.get(shop_id, 0)),
            ]
            for name, mine_minor, theirs_minor in pairs:
                if mine_minor != theirs_minor:
                    yield f"shop {shop_id} {name}", mine_minor, theirs_minor
        if self.reserve != accounts.get("reserve", 0):
            yield "reserve", self.reserve, accounts.get("reserve", 0)

    def _paid(self, ref: str) -> Paid:
        order, back = self.orders.get(ref), self.sent_back.get(ref, 0)
        if order is None:
            return Paid(to_buyer=back)
        return Paid(
            to_buyer=order.refunded + order.claimed + order.damages + back,
            to_merchant=order.released - order.fee + order.reversed,
            fee=order.fee,
        )
