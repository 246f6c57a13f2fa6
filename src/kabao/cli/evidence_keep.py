"""`kabao evidence hold`, `release`, `purge` and `check`: how long evidence is kept, and whether it is whole."""

import itertools
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from kabao.cli.people import staff_account
from kabao.cli.running import (
    DEFAULT_DATA,
    CommandRefusedError,
    DataOption,
    ExitCode,
    JsonOption,
    joined,
    notes,
    out,
    print_secret,
    run,
    sentence_of,
)
from kabao.kernel import Ref, Refusal, Refused, parse_ref

OrderArgument = Annotated[str, Parameter(help="The order's reference, such as 7-1H8K2M9QXV3D0.")]
ByOption = Annotated[str, Parameter(name="--by", help="Who answers for it: a staff account's phone number or name.")]


def add_to(group: App) -> None:
    """Put the commands into the group of all that concerns evidence."""
    group.command(hold_command, name="hold")
    group.command(release_command, name="release")
    group.command(purge_command, name="purge")
    group.command(check_command, name="check")


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
    """Erase evidence whose time is over, three years after its order and last case, and what nobody needs any more.

    The server does this by itself once an hour; numbers and digests stay.
    """

    async def work() -> None:
        async with joined(data) as app:
            purged = await app.evidence.keeping.purge_due(max(1, limit))
        if as_json:
            print_secret(msgspec.json.encode(purged).decode())
        else:
            out.print(f"{purged.items} items erased, {purged.blobs} files removed")

    return run(work)


def check_command(data: DataOption = DEFAULT_DATA, *, as_json: JsonOption = False) -> ExitCode:
    """Read every stored file of evidence and compare it with its digest.

    Exits 1 where one is missing, changed or unreadable.
    """

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
