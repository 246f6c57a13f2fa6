"""`kabao db`, `kabao ledger`, `kabao reserve` and `kabao sweep`: schema, books, the reserve, the releases."""

from datetime import timedelta
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from kabao.cli.running import granted, joined, run, settings_of
from kabao.cli.terminal import DEFAULT_DATA, DataOption, ExitCode, JsonOption, notes, out, print_secret
from kabao.postgres import MigrationStatus
from kabao.wiring import audit_books, migrate, schema_status

db = App(name="db")
ledger = App(name="ledger")
reserve = App(name="reserve")
sweep = App(name="sweep")


@db.command(name="migrate")
def db_migrate(data: DataOption = DEFAULT_DATA) -> ExitCode:
    """Create the database where it is missing and bring it to this kabao's schema; goes forward only."""

    async def work() -> ExitCode:
        return _say_status(await migrate(settings_of(data)))

    return run(work)


@db.command(name="check")
def db_check(data: DataOption = DEFAULT_DATA) -> ExitCode:
    """Say where the database's schema stands, changing nothing; exits 1 when it is not this kabao's."""

    async def work() -> ExitCode:
        return _say_status(await schema_status(settings_of(data)))

    return run(work)


@ledger.command(name="audit")
def ledger_audit(data: DataOption = DEFAULT_DATA, *, as_json: JsonOption = False) -> ExitCode:
    """Recompute everything from the transfers and compare with escrow, balances and the custodian's own books.

    Works beside a running server. Exits 0 when all agrees, else 1.
    """

    async def work() -> ExitCode:
        report = await audit_books(settings_of(data))
        if as_json:
            print_secret(msgspec.json.encode(report).decode())
        else:
            out.print(
                f"{'ok' if report.ok else 'NOT OK'}: {report.orders} orders, {report.transfers} transfers, "
                f"{report.held_minor} minor units held, {report.mismatches} mismatches, {report.lost_minor} lost"
            )
            for finding in report.findings:
                out.print(f"  {finding.check}: {finding.subject} is off by {finding.off_minor}", markup=False)
        return ExitCode.DONE if report.ok else ExitCode.NOT_OK

    return run(work)


@reserve.command(name="status")
def reserve_status(data: DataOption = DEFAULT_DATA, *, as_json: JsonOption = False) -> ExitCode:
    """Say what the reserve holds, what shops owe of it and which rulings wait for it, in minor units."""

    async def work() -> None:
        async with joined(data) as app:
            view = await app.deposits.reserve()
        if as_json:
            print_secret(msgspec.json.encode(view).decode())
        else:
            out.print(
                f"{view.paid_minor} paid in, {view.advanced_minor} owed by shops, "
                f"{view.spent_minor} spent on reversals, {view.left_minor} left; "
                f"{view.waiting} rulings wait for {view.waiting_minor}"
            )

    return run(work)


@reserve.command(name="pay-in")
def reserve_pay_in(
    amount_minor: Annotated[int, Parameter(help="How much, in minor units (fen).")], data: DataOption = DEFAULT_DATA
) -> ExitCode:
    """Pay into the reserve at the simulated institution; no real money moves."""

    async def work() -> ExitCode:
        async with joined(data) as app:
            path = granted(await app.deposits.pay_reserve_in(amount_minor))
            payment = await app.custody.pay(path.rpartition("/")[2])
            if payment is None or not await app.custody.notify(payment, app.take_notice):
                notes.print("The institution has the money; kabao will book it at its next notice.")
                return ExitCode.NOT_OK
            out.print(f"{(await app.deposits.reserve()).left_minor} left")
        return ExitCode.DONE

    return run(work)


@sweep.command(name="status")
def sweep_status(data: DataOption = DEFAULT_DATA, *, as_json: JsonOption = False) -> ExitCode:
    """Say whether the sweep runs or has halted, and how much is due; exits 1 when it has halted."""

    async def work() -> ExitCode:
        async with joined(data) as app:
            status = await app.sweep.status()
        if as_json:
            print_secret(msgspec.json.encode(status).decode())
        else:
            state = f"halted: {status.halted_why}" if status.halted_why else "running"
            out.print(f"{state}; last tick {status.ticked_at or 'never'}; {status.due} due of {status.held} held")
        return ExitCode.NOT_OK if status.halted_why else ExitCode.DONE

    return run(work)


@sweep.command(name="resume")
def sweep_resume(
    data: DataOption = DEFAULT_DATA,
    accept_minutes: Annotated[
        int, Parameter(name="--accept-for", help="Minutes for which an abnormal volume is accepted.")
    ] = 60,
) -> ExitCode:
    """Let a halted sweep go on, after you have looked why it halted (kabao sweep status)."""

    async def work() -> None:
        async with joined(data) as app:
            await app.sweep.resume(timedelta(minutes=max(1, min(accept_minutes, 24 * 60))))
        notes.print("The sweep goes on at its next tick.")

    return run(work)


def _say_status(status: MigrationStatus) -> ExitCode:
    if status.newer_than_code:
        out.print(f"the database is newer ({status.current}) than this kabao ({status.head})")
        return ExitCode.NOT_OK
    if status.pending:
        out.print(f"at {status.current or 'nothing'}, pending: {', '.join(status.pending)}")
        return ExitCode.NOT_OK
    out.print(f"at {status.current}, nothing pending")
    return ExitCode.DONE
