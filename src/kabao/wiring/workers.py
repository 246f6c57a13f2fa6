"""The work that nobody waits for: releases, instructions, notices, folding, deadlines, tidying, the watchdog.

Each job repeats for ever, a lost database makes it wait and try again, and a bug in one stops no other.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final, NamedTuple

import structlog

from kabao.api import forget_old_replies
from kabao.postgres import DatabaseUnavailable, ServerFailed
from kabao.wiring.app import App

log = structlog.get_logger("kabao.workers")

LONGEST_BACKOFF: Final = 30.0
STOP_SECONDS: Final = 10.0
COMMIT_GRACE: Final = 0.02
"""Seconds between a kick and the run: the kick comes from inside the transaction that is about to commit."""


class Pace(NamedTuple):
    """Seconds between two runs of each job."""

    sweep: float = 2.0
    instructions: float = 5.0
    notices: float = 1.0
    fold: float = 30.0
    cases: float = 2.0
    digest: float = 15.0
    reminders: float = 30.0
    staff_digest: float = 300.0
    webhooks: float = 2.0
    mail: float = 5.0
    log: float = 1.0
    stamps: float = 5.0
    checkpoints: float = 5.0
    witnesses: float = 10.0
    receipts: float = 15.0
    imports: float = 30.0
    tidy: float = 3600.0
    watchdog: float = 1.0


class Job(NamedTuple):
    """One repeated piece of work; `wake` cuts its pause short."""

    name: str
    seconds: float
    run: Callable[[], Awaitable[object]]
    wake: asyncio.Event | None = None


class Workers:
    """Runs the jobs of an App from `start` to `stop`."""

    def __init__(self, app: App, *, pace: Pace | None = None) -> None:
        self._app = app
        self._pace = pace or Pace()
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def jobs(self) -> list[Job]:
        """List the jobs; the watchdog only where this process owns the server."""
        app, pace = self._app, self._pace
        jobs = [
            Job("sweep", pace.sweep, self._sweep),
            Job("instructions", pace.instructions, self._instruct, app.money_moved),
            Job("notices", pace.notices, self._deliver),
            Job("fold", pace.fold, app.ledger.fold),
            Job("cases", pace.cases, app.cases.tick),
            Job("digest", pace.digest, app.telling.merchant_digest.run),
            Job("reminders", pace.reminders, app.telling.reminders.run),
            Job("help_reminders", pace.reminders, app.help_cases.remind),
            Job("staff_digest", pace.staff_digest, app.telling.staff_digest.run),
            Job("webhooks", pace.webhooks, app.webhooks.run),
            Job("mail", pace.mail, self._mail),
            Job("short", pace.mail, self._short),
            Job("log", pace.log, self._sequence),
            Job("stamps", pace.stamps, app.foundations.stamps.run),
            Job("checkpoints", pace.checkpoints, app.archive.stamper.run),
            Job("witnesses", pace.witnesses, app.foundations.witnesses.run),
            Job("receipts", pace.receipts, self._receipts),
            Job("imports", pace.imports, app.inventory.fail_dead_imports),
            Job("tidy", pace.tidy, self._tidy),
        ]
        if app.server is not None and app.server.is_owned:
            jobs.append(Job("watchdog", pace.watchdog, self._watch))
        return jobs

    def start(self) -> None:
        """Begin all jobs."""
        self._tasks = [asyncio.create_task(self._repeat(job), name=f"kabao {job.name}") for job in self.jobs()]

    async def stop(self, patience: float = STOP_SECONDS) -> None:
        """Let running jobs finish what they do, at most `patience` seconds, then end them; safe to repeat."""
        self._stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=patience)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        self._tasks = []

    async def _repeat(self, job: Job) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                await job.run()
                failures = 0
            except (DatabaseUnavailable, ServerFailed) as lost:
                failures += 1
                if failures == 1:
                    log.warning("job waits for the database", job=job.name, reason=str(lost)[:200])
            except Exception as error:  # noqa: BLE001  a bug in one job must not stop the others
                failures += 1
                # Its message may quote a row; the type and the job are enough to find it.
                log.error("job failed", job=job.name, error=type(error).__name__)  # noqa: TRY400
            backoff = min(LONGEST_BACKOFF, 0.25 * 2 ** min(failures, 10)) if failures else 0.0
            await self._pause(max(job.seconds if not failures else 0.0, backoff), job.wake)

    async def _pause(self, seconds: float, wake: asyncio.Event | None) -> None:
        waits = [asyncio.ensure_future(self._stopping.wait())]
        if wake is not None:
            waits.append(asyncio.ensure_future(wake.wait()))
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
        if wake is not None and wake.is_set():
            wake.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), COMMIT_GRACE)

    async def _sweep(self) -> None:
        report = await self._app.sweep.tick()
        if report.released:
            self._app.money_moved.set()
        if report.halted_why is None:
            await self._app.orders.after_release.pay_owed_damages()

    async def _instruct(self) -> None:
        limit = 20
        while await self._app.instructions.run(limit) == limit and not self._stopping.is_set():
            continue

    async def _deliver(self) -> None:
        await self._app.custody.deliver_notices(self._app.take_notice)

    async def _mail(self) -> None:
        limit = 20
        while await self._app.notices.send_mail(limit) == limit and not self._stopping.is_set():
            continue

    async def _short(self) -> None:
        limit = 20
        while await self._app.notices.send_short(limit) >= limit and not self._stopping.is_set():
            continue

    async def _sequence(self) -> None:
        # A backlog is worked off batch by batch; the lease ends by itself where this process does.
        while await self._app.foundations.log.sequence() and not self._stopping.is_set():
            continue

    async def _receipts(self) -> None:
        while await self._app.archive.receipts.mail() and not self._stopping.is_set():
            continue

    async def _tidy(self) -> None:
        await self._app.evidence.uploads.sweep()
        await self._app.evidence.keeping.purge_due()
        await self._app.foundations.stamps.restamp_due()
        await self._app.archive.packs.sweep()
        await self._app.help_files.sweep()
        await self._app.mailer.empty_old()
        await self._app.texter.empty_old()
        await self._app.webhooks.forget_old()
        await self._app.identity.purge()
        await forget_old_replies(self._app.database)
        await self._app.precedents.publish()
        await self._app.proposals.file_from_cases()

    async def _watch(self) -> None:
        server = self._app.server
        if server is not None and await asyncio.to_thread(server.ensure_running):
            log.warning("the database was down and has been started again")
