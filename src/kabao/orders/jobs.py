"""Sends the custodian what it is asked to do, until it has confirmed. Any number of runners may work at once.

A lease hides an instruction from other runners; where its runner dies the lease ends and the instruction is simply
due again. Executing is idempotent at the custodian and finishing is idempotent here, so a repeat changes nothing.
"""

from datetime import timedelta
from typing import Final

import structlog

from kabao.custody import ChargedBack, Custodian, CustodianRefused, CustodianUnreachable, Instruction, PayeeGone
from kabao.kernel import Clock, format_ref
from kabao.orders import store
from kabao.orders.model import ClaimedInstruction
from kabao.orders.ports import Notices
from kabao.orders.rules import refused_subject
from kabao.postgres import Connection, Database
from kabao.shops import shop_ref

LEASE: Final = timedelta(seconds=20)
BACKOFF: Final = tuple(timedelta(seconds=seconds) for seconds in (2, 10, 60, 300, 1800))
"""Waits after the first, second, … failure; the last repeats for ever, so that money is never forgotten."""

_log = structlog.get_logger(__name__)


class InstructionRunner:
    """Executes pending instructions of one custodian, and tells whoever waits for money that his account refused."""

    def __init__(self, *, database: Database, clock: Clock, custodian: Custodian, notices: Notices) -> None:
        self._database = database
        self._clock = clock
        self._custodian = custodian
        self._notices = notices

    async def run(self, limit: int = 20) -> int:
        """Execute what is due, at most ``limit``; returns how many the custodian confirmed."""
        async with self._database.transaction() as conn:
            claimed = await store.claim_instructions(
                conn, self._clock.instant(), LEASE, limit, self._custodian.provider
            )
        done = 0
        for instruction in claimed:
            done += await self._execute(instruction)
        return done

    async def _execute(self, claimed: ClaimedInstruction) -> bool:
        try:
            await self._custodian.carry_out(
                Instruction(
                    instruction_id=claimed.instruction_id,
                    payment_id=claimed.payment_id,
                    kind=claimed.kind,
                    amount_minor=claimed.amount_minor,
                    fee_minor=claimed.fee_minor,
                    currency=claimed.currency,
                    from_account=claimed.from_account,
                    to_account=claimed.to_account,
                    recoup_minor=claimed.recoup_minor,
                )
            )
        except CustodianUnreachable:
            await self._postpone(claimed, "unreachable")
            return False
        except ChargedBack as back:
            await self._stop(claimed, str(back))
            return False
        except PayeeGone as gone:
            _log.warning("a payee's account takes no money", instruction=str(claimed.instruction_id))
            async with self._database.transaction() as conn:
                at = (claimed.shop_id, claimed.instruction_id)
                if await store.refuse_instruction(conn, *at, str(gone), self._clock.instant()):
                    await self._tell(conn, claimed)
            return False
        except CustodianRefused as refusal:
            _log.warning("custodian refused an instruction", instruction=str(claimed.instruction_id), why=str(refusal))
            await self._postpone(claimed, f"refused: {refusal}")
            return False
        async with self._database.transaction() as conn:
            return await store.finish_instruction(conn, claimed.shop_id, claimed.instruction_id, self._clock.instant())

    async def _stop(self, claimed: ClaimedInstruction, why: str) -> None:
        """Book that the payer's bank was quicker; where the reserve has to be filled first, it is tried again."""
        async with self._database.transaction() as conn:
            at = (claimed.shop_id, claimed.instruction_id)
            became = await store.stop_instruction(conn, *at, why, self._clock.instant())
        if became == "reserve_short":
            await self._postpone(claimed, f"{why}: the reserve is short")

    async def _tell(self, conn: Connection, claimed: ClaimedInstruction) -> None:
        to = await store.payee(conn, claimed.shop_id, claimed.instruction_id)
        if to["account_id"] is None:  # the reserve is nobody's shop
            return
        is_order = to["order_id"] is not None
        link = (
            f"/o/{format_ref(claimed.shop_id, to['order_id'])}"
            if is_order
            else f"/m/{shop_ref(claimed.shop_id)}/deposit"
        )
        subject = refused_subject(to["named"], to["amount_minor"], is_order=is_order)
        await self._notices.tell(conn, to["account_id"], "refund_refused", subject, link)

    async def _postpone(self, claimed: ClaimedInstruction, why: str) -> None:
        wait = BACKOFF[min(claimed.attempt, len(BACKOFF)) - 1]
        async with self._database.connection() as conn:
            await store.postpone_instruction(conn, claimed, self._clock.instant(), wait, why)
