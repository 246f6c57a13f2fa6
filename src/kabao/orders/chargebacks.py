"""A custodian's word that the payer's bank took a payment back: booked once, and it ends the case open on the order."""

from typing import Final

from kabao.custody import ChargebackNotice, Custodian
from kabao.kernel import Clock, OrderId, Ref, Refusal, Refused, ShopId, format_ref, parse_ref
from kabao.orders import store
from kabao.orders.machine import OrderState
from kabao.orders.model import NoticeOutcome
from kabao.orders.ports import Notices, OpenCases
from kabao.orders.rules import charged_back_subject
from kabao.postgres import Connection, Database

TRIES: Final = 3
"""How often a notice starts over for a case that was opened while it waited for the money's lock."""

NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)


class _OpenedMeanwhile(Exception):  # noqa: N818  a transaction left on purpose, not an error
    """A case was opened between its lock and the money's, and would have to be locked out of turn."""


class Chargebacks:
    """Books chargebacks; ``cases`` is set by the wiring once there are cases, which themselves need orders."""

    def __init__(self, *, database: Database, clock: Clock, custodian: Custodian, notices: Notices | None) -> None:
        self._database = database
        self._clock = clock
        self._custodian = custodian
        self._notices = notices
        self.cases: OpenCases | None = None

    async def take(self, notice: ChargebackNotice) -> NoticeOutcome | Refused:
        """Book a chargeback and end what the order's open case was about, in one transaction.

        The case is locked first, as by every step of it, then the money. Refusals: not_found (also a payment we have
        not been told of), notice_contradicts (also a second chargeback of a payment).
        """
        at = parse_ref(notice.merchant_ref)
        if at is None:
            return NOT_FOUND
        for left in reversed(range(TRIES)):
            try:
                async with self._database.transaction() as conn:
                    return await self._book(conn, at, notice, may_leave_case=not left)
            except _OpenedMeanwhile:
                continue
        raise AssertionError(at)

    async def _book(
        self, conn: Connection, at: Ref, notice: ChargebackNotice, *, may_leave_case: bool
    ) -> NoticeOutcome | Refused:
        told = (self._custodian.provider, notice.payment_id, notice.chargeback_id, notice.taken_minor, notice.currency)
        order = (conn, ShopId(at.shop_id), OrderId(at.object_id))
        case_id = None if self.cases is None else await self.cases.lock(*order)
        row = await store.call(conn, "take_chargeback", at.shop_id, at.object_id, *told, self._clock.instant())
        if row["outcome"] != "charged_back":
            return NOT_FOUND if row["outcome"] == "unknown_payment" else Refused(Refusal.NOTICE_CONTRADICTS)
        if not row["replayed"] and self._notices is not None:
            sides = await store.call(conn, "sides", at.shop_id, at.object_id)
            for account_id, is_buyer in ((sides["buyer_id"], True), (sides["owner_id"], False)):
                subject = charged_back_subject(sides["title"], notice.taken_minor, is_buyer=is_buyer)
                await self._notices.tell(conn, account_id, "charged_back", subject, f"/o/{format_ref(*at)}")
        if self.cases is not None and not await self.cases.end(*order, case_id) and not may_leave_case:
            raise _OpenedMeanwhile
        return NoticeOutcome(
            ref=format_ref(*at), outcome="charged_back", state=OrderState(row["state"]), replayed=row["replayed"]
        )
