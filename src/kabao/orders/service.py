"""The use cases of orders: one transaction each, one call to the database where money moves."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from kabao.custody import ChargebackNotice, CheckoutRequest, Custodian, CustodianUnreachable, PaymentNotice
from kabao.deposits import take_fund_payment
from kabao.identity import Person, Role, Visitor
from kabao.kernel import (
    Clock,
    IdSource,
    OrderId,
    Ref,
    Refusal,
    Refused,
    ShopId,
    format_ref,
    parse_ref,
    refuse,
)
from kabao.orders import store
from kabao.orders.after_release import AfterRelease
from kabao.orders.chargebacks import Chargebacks
from kabao.orders.machine import OrderState
from kabao.orders.model import (
    Confirmed,
    DamagesPaid,
    NoticeOutcome,
    OpenedKey,
    OrderRow,
    OrderView,
    PlacedOrder,
    PlaceOrder,
    RefundedSealed,
    Replaced,
    Resolved,
    Revealed,
)
from kabao.orders.ports import Notices, OpenKey
from kabao.orders.rules import kept_dwell, masked_name, payer_mark
from kabao.orders.view import build_view, role_of
from kabao.postgres import Connection, Database

PAGE: Final = 30
MAX_KEY: Final = 200

NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)


class OrderService:
    """Places, pays, opens, refunds and confirms orders; freezes and resolves them for cases.

    ``kick`` is called after a step that left an instruction for the custodian, so that it goes out at once. What a case
    asks for is done by ``after_release`` where the money has been released already. ``payer_key`` marks who paid.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        custodian: Custodian,
        open_key: OpenKey,
        payer_key: bytes,
        notices: Notices | None = None,
        kick: Callable[[], None] = lambda: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._custodian = custodian
        self._open_key = open_key
        self._payer_key = payer_key
        self._kick = kick
        self.after_release = AfterRelease(database=database, clock=clock, kick=kick)
        self.chargebacks = Chargebacks(database=database, clock=clock, custodian=custodian, notices=notices)

    async def place(self, buyer: Person, wish: PlaceOrder) -> PlacedOrder | Refused:
        """Place an order and reserve its keys; the same idempotency key answers the same order.

        Refusals: not_found, not_on_sale, listing_changed, own_shop, quantity_out_of_range, notice_unconfirmed,
        sold_out, too_many_unpaid, idempotency_key_reused, idempotency_key_missing.
        """
        listing = parse_ref(wish.listing_ref)
        if listing is None:
            return NOT_FOUND
        if not 0 < len(wish.idempotency_key) <= MAX_KEY or not wish.idempotency_key.isprintable():
            return Refused(Refusal.IDEMPOTENCY_KEY_MISSING)
        if not (_fits_int4(wish.quantity) and _fits_int4(wish.snapshot_no)):
            return Refused(Refusal.QUANTITY_OUT_OF_RANGE)
        async with self._database.connection() as conn:
            row = await store.place(
                conn,
                listing.shop_id,
                self._ids.next(),
                buyer.account_id,
                listing.object_id,
                wish.snapshot_no,
                wish.quantity,
                wish.idempotency_key,
                wish.confirmed,
                self._clock.instant(),
                kept_dwell(wish.dwell, wish.confirmed),
            )
        if row["refusal"]:
            return refuse(row["refusal"])
        return PlacedOrder(
            ref=format_ref(listing.shop_id, row["order_id"]),
            state=OrderState(row["state"]),
            amount_minor=row["amount_minor"],
            reserve_until=row["reserve_until"],
            replayed=row["replayed"],
        )

    async def checkout(self, buyer: Person, ref: str) -> str | Refused:
        """Return the path of the custodian's page where the buyer pays.

        Refusals: not_found, order_expired, already_paid_or_ended, custodian_unreachable.
        """
        at = parse_ref(ref)
        if at is None:
            return NOT_FOUND
        async with self._database.connection() as conn:
            row = await store.to_pay(conn, at.shop_id, at.object_id, buyer.account_id, self._clock.instant())
        if row is None:
            return NOT_FOUND
        if row["state"] == OrderState.EXPIRED or (row["state"] == OrderState.PLACED and row["is_late"]):
            return Refused(Refusal.ORDER_EXPIRED)
        if row["state"] != OrderState.PLACED:
            return Refused(Refusal.ALREADY_PAID_OR_ENDED)
        request = CheckoutRequest(
            merchant_ref=format_ref(*at),
            subject=f"{row['title']} × {row['quantity']}",
            amount_minor=row["amount_minor"],
            currency=row["currency"],
            return_path=f"/o/{format_ref(*at)}",
        )
        try:
            return (await self._custodian.checkout(request)).pay_path
        except CustodianUnreachable:
            return Refused(Refusal.CUSTODIAN_UNREACHABLE)

    async def take_notice(self, body: bytes, signature: str) -> NoticeOutcome | Refused:
        """Book a custodian's signed notice, exactly once whatever is replayed.

        It tells of a payment, for an order or into a deposit, or that the payer's bank took a payment back. Refusals:
        signature_wrong, notice_malformed, not_found (also a chargeback of a payment we have not been told of),
        notice_contradicts (also a second chargeback of a payment). Every other outcome may be confirmed to the
        custodian.
        """
        match self._custodian.verify_notice(body, signature):
            case Refusal() as refusal:
                return Refused(refusal)
            case ChargebackNotice() as back:
                taken = await self.chargebacks.take(back)
                if not isinstance(taken, Refused):
                    self._kick()
                return taken
            case notice:
                return await self._take_payment(notice)

    async def _take_payment(self, notice: PaymentNotice) -> NoticeOutcome | Refused:
        if notice.into_account:
            return await self._take_fund_payment(notice)
        at = parse_ref(notice.merchant_ref)
        if at is None:
            return NOT_FOUND
        async with self._database.connection() as conn:
            row = await store.call(
                conn,
                "take_payment",
                at.shop_id,
                at.object_id,
                self._custodian.provider,
                notice.payment_id,
                notice.amount_minor,
                notice.currency,
                payer_mark(self._payer_key, self._custodian.provider, notice.payer),
                self._clock.instant(),
            )
        match row["outcome"]:
            case "unknown_order":
                return NOT_FOUND
            case "contradicts_earlier_notice":
                return Refused(Refusal.NOTICE_CONTRADICTS)
            case outcome:
                if outcome != "applied":
                    self._kick()
                return NoticeOutcome(
                    ref=format_ref(*at), outcome=outcome, state=OrderState(row["state"]), replayed=row["replayed"]
                )

    async def _take_fund_payment(self, notice: PaymentNotice) -> NoticeOutcome | Refused:
        async with self._database.transaction() as conn:
            fund = await take_fund_payment(conn, self._custodian.provider, notice, self._clock.instant())
        if isinstance(fund, Refused):
            return fund
        self._kick()
        return NoticeOutcome(ref=notice.merchant_ref, outcome=fund.outcome, state=None, replayed=fund.replayed)

    async def order(self, person: Person, ref: str, conn: "Connection | None" = None) -> OrderView | Refused:
        """Show an order to its buyer and its merchant, where it has a case to support and who decides in it.

        To nobody else: a panellist without a seat in it is a stranger. Read in the caller's transaction where one is
        given.
        """
        at = parse_ref(ref)
        if at is None:
            return NOT_FOUND
        async with self._database.connection() if conn is None else nullcontext(conn) as reading:
            row = await store.order(reading, at.shop_id, at.object_id, self._clock.instant())
            if row is None:
                return NOT_FOUND
            is_staff, talks = await _as_staff(reading, person, at)
            role = role_of(
                person.account_id,
                is_support=is_staff,
                buyer_id=row["buyer_id"],
                owner_id=row["owner_id"],
                has_case=row["last_case_id"] is not None,
            )
            if role is None:
                return NOT_FOUND
            view = build_view(
                row,
                role,
                keys=await store.key_slots(reading, at.shop_id, at.object_id),
                moves=await store.money_moves(reading, at.shop_id, at.object_id),
                events=await store.events(reading, at.shop_id, at.object_id),
            )
            if role != "support" or talks:
                return view
            return msgspec.structs.replace(view, allowed=view.allowed - {"say"})

    async def my_orders(self, buyer: Person, tab: str = "all", before: int | None = None) -> list[OrderRow]:
        """List a buyer's orders, newest first; ``before`` is the order_id the previous page ended with."""
        async with self._database.connection() as conn:
            return await store.orders_of_buyer(conn, buyer.account_id, tab, before or store.NEWEST, PAGE)

    async def shop_orders(
        self, owner: Person, shop_id: ShopId, tab: str = "all", before: int | None = None
    ) -> list[OrderRow]:
        """List a shop's orders for its owner, newest first; empty for anybody else."""
        async with self._database.connection() as conn:
            rows = await store.orders_of_shop(conn, shop_id, owner.account_id, tab, before or store.NEWEST, PAGE)
        return [msgspec.structs.replace(row, buyer_name=masked_name(row.buyer_name)) for row in rows]

    async def held(self, shop_id: ShopId) -> dict[str, int]:
        """Return a shop's held_minor, disputed_minor (part of it) and disputed orders; the caller checks the owner."""
        async with self._database.connection() as conn:
            return dict(await store.held_by_shop(conn, shop_id))

    async def reveal(
        self, buyer: Person, ref: str, positions: list[int] | None, visitor: Visitor
    ) -> Revealed | Refused:
        """Open sealed keys (all where positions is None) with a receipt, and read keys that are open.

        Refusals: not_found, not_paid, key_taken_back; in_case for a sealed key while a case is open.
        """
        at = parse_ref(ref)
        if at is None:
            return NOT_FOUND
        if positions is not None and not all(_fits_int4(pos) for pos in positions):
            return Refused(Refusal.KEY_TAKEN_BACK)
        async with self._database.connection() as conn:
            row = await store.call(
                conn,
                "reveal",
                at.shop_id,
                at.object_id,
                buyer.account_id,
                positions,
                visitor.device,
                visitor.network,
                self._clock.instant(),
            )
        if row["refusal"]:
            return refuse(row["refusal"])
        return Revealed(keys=await self._texts(at.shop_id, row["keys"] or []), first_time=row["first_time"])

    async def opened_keys(self, buyer: Person, ref: str, visitor: Visitor) -> Revealed | Refused:
        """Read the keys that are open already, opening none; refusals as reveal."""
        view = await self.order(buyer, ref)
        if isinstance(view, Refused):
            return view
        if view.role != "buyer":
            return NOT_FOUND
        opened = [slot.pos for slot in view.keys if slot.state == "opened"]
        if not opened:
            return Revealed(keys=[], first_time=False)
        return await self.reveal(buyer, ref, opened, visitor)

    async def refund_sealed(self, buyer: Person, ref: str) -> RefundedSealed | Refused:
        """Refund every sealed key at once; the keys return to stock.

        Refusals: not_found, not_paid, in_case, already_refunded, already_released, already_opened, replacement_stays.
        """
        row = await self._buyers_step("refund_sealed", buyer, ref)
        if isinstance(row, Refused):
            return row
        return RefundedSealed(refunded_minor=row["refunded_minor"], state=OrderState(row["state"]))

    async def confirm(self, buyer: Person, ref: str) -> Confirmed | Refused:
        """Release what is held to the merchant, less the fee.

        Refusals: not_found, not_paid, in_case, already_refunded, already_released.
        """
        row = await self._buyers_step("confirm", buyer, ref)
        if isinstance(row, Refused):
            return row
        return Confirmed(
            released_minor=row["released_minor"], fee_minor=row["fee_minor"], state=OrderState(row["state"])
        )

    async def cancel(self, buyer: Person, ref: str) -> Refused | None:
        """Cancel an unpaid order; None where it is cancelled now. Refusals: not_found, already_paid_or_ended."""
        at = parse_ref(ref)
        if at is None:
            return NOT_FOUND
        async with self._database.connection() as conn:
            code = await store.cancel(conn, at.shop_id, at.object_id, buyer.account_id, self._clock.instant())
        return None if code is None else refuse(code)

    async def freeze(
        self, conn: Connection, shop_id: ShopId, order_id: OrderId, actor_id: int, actor_role: str
    ) -> int | Refused:
        """Stop the release clock inside the caller's transaction; answers what is at stake, in minor units.

        That is what is held or, where it has been released inside the claim days, what may still be given back.
        """
        row = await store.call(conn, "freeze", shop_id, order_id, actor_id, actor_role, self._clock.instant())
        if row["refusal"] == Refusal.ALREADY_RELEASED:
            return await self.after_release.freeze(conn, shop_id, order_id, actor_id, actor_role)
        return refuse(row["refusal"]) if row["refusal"] else int(row["held_minor"])

    async def unfreeze(
        self,
        conn: Connection,
        shop_id: ShopId,
        order_id: OrderId,
        actor_id: int | None,
        actor_role: str,
        least: timedelta,
    ) -> datetime | Refused:
        """Start the release clock again with what remained, at least ``least``; answers the new deadline."""
        now = self._clock.instant()
        row = await store.call(conn, "unfreeze", shop_id, order_id, actor_id, actor_role, least, now)
        if row["refusal"] == Refusal.NOT_IN_CASE:
            ended = await self.after_release.unfreeze(conn, shop_id, order_id, actor_id, actor_role)
            return ended or row["clock"]
        if row["refusal"]:
            return refuse(row["refusal"])
        due_at: datetime = row["due_at"]
        return due_at

    async def resolve(
        self,
        conn: Connection,
        shop_id: ShopId,
        order_id: OrderId,
        refund_minor: int,
        actor_id: int | None,
        actor_role: str,
        why: str,
        rulebook_version: str | None = None,
        evidence_digests: Sequence[bytes] = (),
    ) -> Resolved | Refused:
        """Refund part or all of a disputed escrow and release the rest; refusals: not_in_case, refund_out_of_range.

        After the release the refund is paid out of the shop's deposit and, for anything but a settlement, the
        platform's reserve; refused deposit_short or reserve_short where they do not reach. A settlement never draws on
        the platform's money: the two parties alone could otherwise agree it away.

        The order's history names the version of the rulebook that bound and the digests of the files that were there.
        """
        basis = (rulebook_version, list(evidence_digests))
        actor = (actor_id, actor_role, why)
        row = await store.call(conn, "resolve", shop_id, order_id, refund_minor, *actor, *basis, self._clock.instant())
        if row["refusal"] == Refusal.NOT_IN_CASE:
            return await self.after_release.resolve(
                conn, shop_id, order_id, refund_minor, *actor, *basis, with_reserve=why != "settled"
            )
        if row["refusal"]:
            return refuse(row["refusal"])
        self._kick()
        return Resolved(
            state=OrderState(row["state"]), released_minor=row["released_minor"], fee_minor=row["fee_minor"]
        )

    async def reverse(
        self,
        conn: Connection,
        shop_id: ShopId,
        order_id: OrderId,
        amount_minor: int,
        actor_id: int | None,
        actor_role: str,
        rulebook_version: str | None = None,
        evidence_digests: Sequence[bytes] = (),
    ) -> int | Refused:
        """Pay the merchant out of the reserve for a refund that stays with the buyer; see `AfterRelease.reverse`."""
        actor, basis = (actor_id, actor_role), (rulebook_version, evidence_digests)
        return await self.after_release.reverse(conn, shop_id, order_id, amount_minor, *actor, *basis)

    async def replace(
        self, conn: Connection, shop_id: ShopId, order_id: OrderId, actor_id: int | None, actor_role: str
    ) -> Replaced | Refused:
        """Give new sealed keys for the opened ones; refusals: not_in_case, nothing_to_replace, sold_out."""
        row = await store.call(conn, "replace", shop_id, order_id, actor_id, actor_role, self._clock.instant())
        if row["refusal"] == Refusal.NOT_IN_CASE:
            return await self.after_release.replace(conn, shop_id, order_id, actor_id, actor_role)
        if row["refusal"]:
            return refuse(row["refusal"])
        return Replaced(count=row["replaced"], due_at=row["due_at"])

    async def award_damages(
        self,
        conn: Connection,
        shop_id: ShopId,
        order_id: OrderId,
        step: str,
        amount_minor: int,
        actor_id: int | None,
        actor_role: str,
        rulebook_version: str | None = None,
        evidence_digests: Sequence[bytes] = (),
    ) -> DamagesPaid | Refused:
        """Give damages beyond the price, see `AfterRelease.award_damages`."""
        basis = (rulebook_version, evidence_digests)
        actor = (actor_id, actor_role)
        return await self.after_release.award_damages(conn, shop_id, order_id, step, amount_minor, *actor, *basis)

    async def _buyers_step(self, step: str, buyer: Person, ref: str) -> "store.Record | Refused":
        at = parse_ref(ref)
        if at is None:
            return NOT_FOUND
        async with self._database.connection() as conn:
            row = await store.call(conn, step, at.shop_id, at.object_id, buyer.account_id, self._clock.instant())
        if row["refusal"]:
            return refuse(row["refusal"])
        self._kick()
        return row

    async def _texts(self, shop_id: ShopId, keys: list[dict[str, Any]]) -> list[OpenedKey]:
        return [
            OpenedKey(
                key["pos"],
                await self._open_key(
                    shop_id, key["listing_id"], key["key_id"], key["dek_id"], bytes.fromhex(key["sealed_text"])
                ),
            )
            for key in keys
        ]


def _fits_int4(number: int) -> bool:
    return 0 < number < 2**31


async def _as_staff(conn: Connection, person: Person, at: Ref) -> tuple[bool, bool]:
    """Tell whether an order that has a case concerns somebody as staff, and whether he talks in it.

    It concerns support always, others where they decide; who decides asks in the case and does not talk.
    """
    roles = person.roles if person.staff_checked else frozenset[Role]()
    is_panel, is_duty = Role.PANEL in roles, Role.DUTY in roles
    decides = (is_panel or is_duty) and await store.decides_in(
        conn, *at, person.account_id, is_panel=is_panel, is_duty=is_duty
    )
    return Role.SUPPORT in roles or decides, not decides
