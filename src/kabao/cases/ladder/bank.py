"""Ends the case that is open on an order, in the transaction in which the payer's bank takes the payment back."""

import structlog

from kabao.cases import store as case_store
from kabao.cases.ladder import store
from kabao.cases.rules import decide_charged_back
from kabao.cases.steps import SYSTEM, CaseSteps
from kabao.cases.store import CaseRow
from kabao.kernel import OrderId, ShopId
from kabao.postgres import Connection

_log = structlog.get_logger(__name__)


class BankSteps:
    """The port `OpenCases` of orders, and what the clock does with a case that was left over."""

    def __init__(self, steps: CaseSteps) -> None:
        self._steps = steps

    async def lock(self, conn: Connection, shop_id: ShopId, order_id: OrderId) -> int | None:
        """Lock the case that is open on an order before the money is locked, as every step of a case does."""
        return await store.lock_open_case(conn, shop_id, order_id)

    async def end(self, conn: Connection, shop_id: ShopId, order_id: OrderId, locked: int | None) -> bool:
        """End the case that a booked chargeback ends; False where it is another than was locked before."""
        case_id = await store.case_ended_by_bank(conn, shop_id, order_id)
        if case_id is None:
            return True
        case = await case_store.case(conn, shop_id, case_id, self._steps.clock.instant())
        if case_id != locked or case is None:
            return False
        await self.end_case(conn, case)
        return True

    async def end_case(self, conn: Connection, case: CaseRow) -> bool:
        """End a case under its lock; False where it has an end already."""
        decision = decide_charged_back(case.state)
        refused = None if decision is None else await self._steps.carry_out(conn, case, decision, SYSTEM)
        if refused is not None:
            # It moves no money, so only a fault elsewhere leads here; the next tick tries it again.
            _log.error("a case could not be ended", case=case.ref, why=str(refused.code))
        return decision is not None and refused is None
