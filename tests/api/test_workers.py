"""The background work: money moves on by itself, and a lost database or a bug in one job stops no other."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kabao.postgres import DatabaseUnavailable
from kabao.wiring import App, Pace, Workers
from kabao.wiring.workers import Job

QUICK = Pace(sweep=0.02, instructions=5.0, notices=0.02, fold=0.05, cases=0.05, tidy=0.05, watchdog=0.05)


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not await holds():  # noqa: ASYNC110  what is waited for happens in the database
            await asyncio.sleep(0.02)


class Running:
    """Runs workers for the length of a block."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    async def __aenter__(self) -> Workers:
        self._workers.start()
        return self._workers

    async def __aexit__(self, *_: object) -> None:
        await self._workers.stop()


async def test_a_payment_is_noticed_and_a_confirmation_settled_by_themselves(app: App, stall: Any) -> None:
    ref = (await stall.buyer.step("/orders", stall.wish())).json()["ref"]
    path = (await stall.buyer.post(f"/orders/{ref}/checkout")).json()["pay_path"]
    await app.custody.pay(path.rpartition("/")[2])

    async def state() -> str:
        answer: str = (await stall.buyer.get(f"/orders/{ref}")).json()["state"]
        return answer

    async def is_delivered() -> bool:
        return await state() == "delivered"

    async def is_settled() -> bool:
        return await state() == "settled"

    async with Running(Workers(app, pace=QUICK)):
        await until(is_delivered)
        await stall.buyer.step(f"/orders/{ref}/confirm")
        # The pause between two runs is five seconds: only the kick makes it this fast.
        await until(is_settled, 3.0)


async def test_matured_escrows_are_released_and_settled(app: App, stall: Any, bought: Any, owner_database: Any) -> None:
    ref = await bought()
    await owner_database.execute("UPDATE escrow SET due_at = now() - interval '1 second'")

    async def is_settled() -> bool:
        return bool((await stall.buyer.get(f"/orders/{ref}")).json()["state"] == "settled")

    async with Running(Workers(app, pace=QUICK)):
        await until(is_settled)


async def test_deltas_are_folded(app: App, bought: Any, owner_database: Any) -> None:
    await bought()

    async def is_folded() -> bool:
        return bool(await owner_database.fetchval("SELECT count(*) = 0 FROM ledger_delta"))

    async with Running(Workers(app, pace=QUICK)):
        await until(is_folded)


class Flaky(Workers):
    """Workers with jobs of the test's own."""

    def __init__(self, app: App, jobs: list[Job]) -> None:
        super().__init__(app)
        self._given = jobs

    def jobs(self) -> list[Job]:
        return self._given


async def test_a_job_that_fails_comes_back_and_stops_no_other(app: App) -> None:
    calls: list[str] = []

    async def loses_the_database() -> None:
        calls.append("lost")
        if calls.count("lost") == 1:
            raise DatabaseUnavailable("ConnectionRefusedError")

    async def has_a_bug() -> None:
        calls.append("bug")
        if calls.count("bug") == 1:
            raise ValueError("quoting a row")

    async def works() -> None:
        calls.append("works")

    async def all_came_back() -> bool:
        return min(calls.count("lost"), calls.count("bug"), calls.count("works")) >= 2

    jobs = [Job("lost", 0.01, loses_the_database), Job("bug", 0.01, has_a_bug), Job("works", 0.01, works)]
    async with Running(Flaky(app, jobs)):
        await until(all_came_back)


async def test_a_job_that_hangs_is_ended_at_the_stop(app: App) -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    workers = Flaky(app, [Job("hangs", 0.01, hangs)])
    workers.start()
    await asyncio.sleep(0.05)
    await workers.stop(patience=0.1)
    await workers.stop()
