"""Instructions reach the custodian at least once and have their effect exactly once."""

from datetime import timedelta

import pytest

from kabao.custody import (
    ChargebackNotice,
    Checkout,
    CheckoutRequest,
    CustodianRefused,
    CustodianUnreachable,
    Instruction,
    PaymentNotice,
)
from kabao.kernel import FixedClock, Refusal, Refused
from kabao.orders import InstructionRunner, OrderService
from kabao.postgres import Database
from market import NOON, Market, seed_market
from orderdesk import Desk, open_nothing


class Troubled:
    """A custodian that fails as told, then answers."""

    provider = "sandbox"

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.executed: list[Instruction] = []

    async def checkout(self, request: CheckoutRequest) -> Checkout:
        raise CustodianUnreachable(request.merchant_ref)

    async def carry_out(self, instruction: Instruction) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.executed.append(instruction)

    def verify_notice(self, body: bytes, signature: str) -> PaymentNotice | ChargebackNotice | Refusal:  # noqa: ARG002
        return Refusal.SIGNATURE_WRONG


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database)


@pytest.fixture
async def desk(database: Database, market: Market) -> Desk:
    desk = Desk.on(database, NOON)
    await desk.orders.refund_sealed(market.buyer, await desk.bought(market))
    return desk


def clock_of(desk: Desk) -> FixedClock:
    assert isinstance(desk.clock, FixedClock)
    return desk.clock


async def test_a_failed_instruction_waits_longer_each_time_and_is_never_given_up(desk: Desk) -> None:
    custodian = Troubled(*(CustodianUnreachable() for _ in range(4)), CustodianRefused("closed account"))
    runner = InstructionRunner(database=desk.database, clock=desk.clock, custodian=custodian, notices=desk.notices)
    for seconds in (2, 10, 60, 300, 1800):
        assert await runner.run() == 0
        clock_of(desk).advance(timedelta(seconds=seconds - 1))
        assert await runner.run() == 0
        clock_of(desk).advance(timedelta(seconds=1))
    error = await desk.database.fetchval("SELECT last_error FROM custody_instruction")
    assert error == "refused: closed account"
    assert await runner.run() == 1
    assert len(custodian.executed) == 1


async def test_a_lease_whose_runner_died_runs_out_and_the_repeat_books_once(desk: Desk) -> None:
    async with desk.database.transaction() as conn:
        await conn.execute("UPDATE custody_instruction SET lease_until = $1", NOON + timedelta(seconds=20))
    assert await desk.runner.run() == 0
    clock_of(desk).advance(timedelta(seconds=21))
    assert await desk.runner.run() == 1
    await desk.database.execute("UPDATE custody_instruction SET state = 'pending', done_at = NULL")
    assert await desk.database.fetchval("SELECT count(*) FROM sandbox.booking") == 1


async def test_an_unreachable_custodian_is_said_at_checkout(desk: Desk, market: Market) -> None:
    orders = OrderService(
        database=desk.database,
        clock=desk.clock,
        ids=desk.ids,
        custodian=Troubled(),
        open_key=open_nothing,
        payer_key=b"p" * 32,
    )
    ref = await desk.place(market)
    assert await orders.checkout(market.buyer, ref) == Refused(Refusal.CUSTODIAN_UNREACHABLE)
