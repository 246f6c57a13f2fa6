"""What still happens to an order's money after its release: claims, damages, a merchant's gift, refused refunds."""

from collections.abc import Callable, Sequence
from typing import Final

from kabao.deposits import CLAIM_DAYS
from kabao.identity import Person
from kabao.kernel import Clock, OrderId, Refusal, Refused, ShopId, parse_ref, refuse
from kabao.orders import store
from kabao.orders.machine import OrderState
from kabao.orders.model import ClaimPaid, DamagesPaid, Replaced, Resolved
from kabao.orders.rules import account_of
from kabao.postgres import Connection, Database

NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)
GIFT: Final = "goodwill"
GIVEN_MEANWHILE: Final = "这单刚才已经退过一笔，这一次没有动钱。看看还剩多少，要再退就再填一次。"


class AfterRelease:
    """Steps on released orders, and damages; those with a connection join the caller's transaction.

    A refused step has written nothing. Each locks the escrow row, then the order, then the shop's fund, the reserve.
    """

    def __init__(self, *, database: Database, clock: Clock, kick: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._clock = clock
        self._kick = kick

    async def freeze(
        self, conn: Connection, shop_id: ShopId, order_id: OrderId, actor_id: int | None, actor_role: str
    ) -> int | Refused:
        """Mark a released order as in a case; answers what of its price may still be given back, in minor units.

        Refusals: not_paid, in_case, already_refunded, case_closed (a case has decided it), claim_days_over.
        """
        now = self._clock.instant()
        actor = (actor_id, actor_role)
        row = await store.call(conn, "freeze_after_release", shop_id, order_id, *actor, CLAIM_DAYS, now)
        return refuse(row["refusal"]) if row["refusal"] else int(row["claimable_minor"])

    async def unfreeze(
        self, conn: Connection, shop_id: ShopId, order_id: OrderId, actor_id: int | None, actor_role: str
    ) -> Refused | None:
        """End the case of a released order without money; refuses not_in_case."""
        now = self._clock.instant()
        row = await store.call(conn, "unfreeze_after_release", shop_id, order_id, actor_id, actor_role, now)
        return refuse(row["refusal"]) if row["refusal"] else None

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
        *,
        with_reserve: bool,
    ) -> Resolved | Refused:
        """End the case of a released order: the refund is paid from the deposit, then (``with_reserve``) the reserve.

        Refusals: not_in_case, refund_out_of_range, deposit_short (without the reserve), reserve_short (nothing is paid;
        try again once there is money).
        """
        basis = (rulebook_version, list(evidence_digests))
        money = (refund_minor, with_reserve, False)
        actor = (actor_id, actor_role, why)
        now = self._clock.instant()
        row = await store.call(conn, "resolve_after_release", shop_id, order_id, *money, *actor, *basis, now)
        if row["refusal"]:
            return refuse(row["refusal"])
        self._kick()
        return Resolved(
            state=OrderState(row["state"]),
            released_minor=0,
            fee_minor=0,
            deposit_minor=row["deposit_part"],
            reserve_minor=row["reserve_part"],
        )

    async def replace(
        self, conn: Connection, shop_id: ShopId, order_id: OrderId, actor_id: int | None, actor_role: str
    ) -> Replaced | Refused:
        """Give new sealed keys and end the case; refusals: not_in_case, nothing_to_replace, sold_out."""
        now = self._clock.instant()
        row = await store.call(conn, "replace_after_release", shop_id, order_id, actor_id, actor_role, now)
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
        """Give damages beyond the price, before or after the release, once for each ``step`` (up to 60 characters).

        They are paid out of the shop's deposit as far as it reaches, never out of the reserve; the shop owes the rest,
        which is paid once there is a deposit again. Refusals: not_paid, damages_out_of_range (below 1).
        """
        money = (step, amount_minor, actor_id, actor_role)
        basis = (rulebook_version, list(evidence_digests))
        row = await store.call(conn, "award_damages", shop_id, order_id, *money, *basis, self._clock.instant())
        if row["refusal"]:
            return refuse(row["refusal"])
        self._kick()
        return DamagesPaid(paid_minor=row["deposit_part"], owed_minor=row["owed_part"])

    async def pay_owed_damages(self) -> int:
        """Pay on damages that shops still owe, an award a transaction, as far as deposits reach; answers how much."""
        total = 0
        while True:
            async with self._database.transaction() as conn:
                paid = await store.sweep_damages(conn, self._clock.instant())
            if paid == 0:
                break
            total += paid
        if total:
            self._kick()
        return total

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
        """Pay the merchant out of the reserve for this much of a refund that stays with the buyer, once an order.

        Answers what the merchant gets, less the fee of a release, in minor units. Refusals: not_paid,
        refund_out_of_range, reserve_short (nothing is paid; try again once there is money).
        """
        basis = (rulebook_version, list(evidence_digests))
        actor = (actor_id, actor_role)
        now = self._clock.instant()
        row = await store.call(conn, "pay_reversal", shop_id, order_id, amount_minor, *actor, *basis, now)
        if row["refusal"]:
            return refuse(row["refusal"])
        self._kick()
        return int(row["paid_minor"])

    async def give_back(self, owner: Person, ref: str, amount_minor: int, left_minor: int) -> ClaimPaid | Refused:
        """Give part of a released order's price back of the merchant's own accord, out of the deposit alone.

        ``left_minor`` is what the owner saw could still be given back: a wish sent twice pays once. No time limits it.
        Refusals: not_found, invalid_fields (back: something else is left by now), in_case, not_in_case (nothing
        released), refund_out_of_range, deposit_short.
        """
        at = parse_ref(ref)
        if at is None:
            return NOT_FOUND
        money = (amount_minor, False, True)
        actor = (owner.account_id, "merchant", GIFT)
        async with self._database.transaction() as conn:
            if await store.owner_of(conn, at.shop_id, at.object_id) != owner.account_id:
                return NOT_FOUND
            left = await store.lock_claimable(conn, at.shop_id, at.object_id)
            if left is not None and left != left_minor:
                return Refused(Refusal.INVALID_FIELDS, {"back": GIVEN_MEANWHILE})
            now = self._clock.instant()
            row = await store.call(
                conn, "resolve_after_release", at.shop_id, at.object_id, *money, *actor, None, [], now
            )
        if row["refusal"]:
            return refuse(row["refusal"])
        self._kick()
        return ClaimPaid(deposit_minor=row["deposit_part"], reserve_minor=row["reserve_part"])

    async def redirect(self, buyer: Person, ref: str, account: str) -> int | Refused:
        """Send what the custodian could not pay out to another account of the buyer; answers how much, in minor units.

        Refusals: not_found, invalid_fields (account: 4 to 60 letters, digits, - _ . @), nothing_to_redirect.
        """
        at = parse_ref(ref)
        if at is None:
            return NOT_FOUND
        payee = account_of(account)
        if payee is None:
            wrong = {"account": "填 4 到 60 位的账户号，只用字母、数字和 - _ . @。"}
            return Refused(Refusal.INVALID_FIELDS, wrong)
        now = self._clock.instant()
        async with self._database.transaction() as conn:
            row = await store.call(conn, "redirect", at.shop_id, at.object_id, buyer.account_id, payee, now)
        if row["refusal"]:
            return refuse(row["refusal"])
        self._kick()
        return int(row["redirected_minor"])
