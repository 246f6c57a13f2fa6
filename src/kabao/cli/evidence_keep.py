"""`kabao evidence` beside a market: packs made, records erased, how long evidence is kept and whether it is whole."""

import asyncio
import itertools
import shutil
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import Parameter

from kabao.cli.people import staff_account
from kabao.cli.running import granted, joined, run
from kabao.cli.terminal import (
    DEFAULT_DATA,
    CommandRefusedError,
    DataOption,
    ExitCode,
    JsonOption,
    notes,
    out,
    print_secret,
    say,
    sentence_of,
)
from kabao.kernel import Ref, Refusal, Refused, parse_ref

OrderArgument = Annotated[str, Parameter(help="The order's reference, such as 7-1H8K2M9QXV3D0.")]
ByOption = Annotated[str, Parameter(name="--by", help="Who answers for it: a staff account's phone number or name.")]


def export_command(
    case: Annotated[str, Parameter(help="The reference of a case or of an order, such as 7-1H8K2M9QXV3D0.")],
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="Where the pack is written; must not exist yet.")],
    redacted: Annotated[
        bool, Parameter(name="--redacted", negative="", help="Leave out every original: previews and digests alone.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    as_json: JsonOption = False,
) -> ExitCode:
    """Make the evidence pack of a case or an order, beside a running server or without one."""

    async def work() -> ExitCode:
        if output.exists() or not output.parent.is_dir():
            raise CommandRefusedError(f"{output} exists already, or its folder does not")
        async with joined(data) as app:
            made = granted(await app.archive.packs.export_for_operator(case, redacted=redacted))
            await asyncio.to_thread(shutil.move, made.path, output)
            await asyncio.to_thread(made.path.parent.rmdir)
        if as_json:
            print_secret(msgspec.json.encode({"pack": str(output), "size": made.size, "absent": made.absent}).decode())
            return ExitCode.DONE
        say(f"已写出 {output}", f"Wrote {output}")
        for part, why in made.absent.items():
            out.print(f"  {part}: {why}", markup=False)
        return ExitCode.DONE

    return run(work)


def erase_command(
    case: Annotated[str, Parameter(help="The reference of a case or of an order.")],
    *,
    record: Annotated[int, Parameter(name="--record", help="The record's place in the public log.")],
    reason: Annotated[str, Parameter(name="--reason", help="Why; it is kept for ever and shown to both parties.")],
    by: Annotated[str, Parameter(name="--by", help="Who answers for it: the phone number or name of a staff account.")],
    data: DataOption = DEFAULT_DATA,
) -> ExitCode:
    """Destroy what a record says, for good: in the log, and in the row it was written from."""

    async def work() -> ExitCode:
        async with joined(data) as app:
            account = await staff_account(app, by)
            refused = await app.archive.erasing.erase(case, record, reason, account)
        if isinstance(refused, Refused):
            raise CommandRefusedError(sentence_of(refused))
        say(
            f"第 {record} 条记录的内容已删除，位置和证明还在。",
            f"Record {record} was erased; its place and proofs stay.",
        )
        return ExitCode.DONE

    return run(work)


def hold_command(
    order: OrderArgument,
    *,
    reason: Annotated[str, Parameter(name="--reason", help="Why; it is kept with the order.")],
    by: ByOption,
    data: DataOption = DEFAULT_DATA,
) -> ExitCode:
    """Put an order's evidence under legal hold: nothing of it is erased until the hold is lifted."""

    async def work() -> None:
        at = _reference(order)
        async with joined(data) as app:
            account = await staff_account(app, by)
            refused = await app.evidence.keeping.hold(at.shop_id, at.object_id, reason, account)
        if refused is not None:
            raise CommandRefusedError(sentence_of(refused))
        notes.print("The order's evidence is kept until `kabao evidence release`.")

    return run(work)


def release_command(order: OrderArgument, *, by: ByOption, data: DataOption = DEFAULT_DATA) -> ExitCode:
    """Lift the legal holds on an order; its evidence then ends when its time is over. Exits 1 where none stood."""

    async def work() -> ExitCode:
        at = _reference(order)
        async with joined(data) as app:
            account = await staff_account(app, by)
            lifted = await app.evidence.keeping.release(at.shop_id, at.object_id, account)
        out.print(f"{lifted} lifted")
        return ExitCode.DONE if lifted else ExitCode.NOT_OK

    return run(work)


def purge_command(
    data: DataOption = DEFAULT_DATA,
    *,
    limit: Annotated[int, Parameter(name="--limit", help="Items at most.")] = 10_000,
    as_json: JsonOption = False,
) -> ExitCode:
    """Erase evidence whose time is over, three years after its order and last case, and what nobody needs any more."""

    async def work() -> None:
        async with joined(data) as app:
            purged = await app.evidence.keeping.purge_due(max(1, limit))
        if as_json:
            print_secret(msgspec.json.encode(purged).decode())
        else:
            out.print(f"{purged.items} items erased, {purged.blobs} files removed")

    return run(work)


def check_command(data: DataOption = DEFAULT_DATA, *, as_json: JsonOption = False) -> ExitCode:
    """Read every stored file of evidence and compare it with its digest."""

    async def work() -> ExitCode:
        async with joined(data) as app:
            with notes.status("reading files") as status:
                count = itertools.count(1)
                checked = await app.evidence.keeping.check_store(lambda: status.update(f"reading files: {next(count)}"))
        if as_json:
            print_secret(msgspec.json.encode(checked).decode())
        else:
            for one in checked.unsound:
                out.print(f"{one.order}, item {one.item_no}: {one.what} {one.state} ({one.sha256})")
            out.print(f"{checked.files} files read, {len(checked.unsound)} unsound")
        return ExitCode.NOT_OK if checked.unsound else ExitCode.DONE

    return run(work)


def _reference(text: str) -> Ref:
    found = parse_ref(text)
    if found is None:
        raise CommandRefusedError(sentence_of(Refused(Refusal.NOT_FOUND)))
    return found
