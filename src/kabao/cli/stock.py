"""`kabao keys`: importing card keys from a file, and changing the keys that encrypt them. No key is ever printed."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, BinaryIO

import msgspec
from cyclopts import App, Parameter
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

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
)
from kabao.inventory import ImportProgress, ImportReport, ImportState
from kabao.kernel import ListingId, ShopId, parse_ref
from kabao.shops import parse_shop_ref

CHUNK = 256 * 1024
BAD_LINES_SHOWN = 20

keys = App(name="keys")

ShopOption = Annotated[str, Parameter(name="--shop", help="The shop: the part of its references before the dash.")]


@keys.command(name="import")
def keys_import(
    file: Annotated[
        str,
        Parameter(
            help="A text file with one key a line, a CSV file, or - for standard input.", allow_leading_hyphen=True
        ),
    ],
    shop: ShopOption,
    listing: Annotated[str, Parameter(name="--listing", help="The listing's reference, such as 7-1H8K2M9QXV3D0.")],
    data: DataOption = DEFAULT_DATA,
    *,
    as_json: JsonOption = False,
) -> ExitCode:
    """Import card keys into a listing's stock, beside a running server or without one.

    Duplicates are counted against all of the shop's own stock. Bad lines are told by number, never by text.
    """
    shop_id, listing_id = _target(shop, listing)

    async def work() -> ExitCode:
        with ExitStack() as stack:
            stream, name, size = _opened(file, stack)
            async with joined(data) as app:
                progress = stack.enter_context(_bar())
                task = progress.add_task("", total=size or None, added=0)

                def tell(done: ImportProgress) -> None:
                    progress.update(task, completed=done.bytes_done, added=done.added)

                report = granted(
                    await app.inventory.import_keys(shop_id, listing_id, _chunks(stream), name, size, tell)
                )
        _say_report(report, as_json=as_json)
        return ExitCode.DONE if report.state is ImportState.DONE else ExitCode.NOT_OK

    return run(work)


@keys.command(name="withdraw")
def keys_withdraw(
    shop: ShopOption,
    which: Annotated[str, Parameter(name="--import", help="The import's reference, as `keys import` tells it.")],
    data: DataOption = DEFAULT_DATA,
) -> ExitCode:
    """Take the keys of one import that nobody has bought yet out of stock.

    Keys in orders stay where they are. The same keys may be imported anew.
    """
    shop_id = parse_shop_ref(shop)
    ref = parse_ref(which if "-" in which else f"{shop}-{which}")
    if shop_id is None or ref is None or ref.shop_id != shop_id:
        notes.print("kabao: --shop and --import do not name an import of that shop", markup=False)
        sys.exit(ExitCode.USAGE)

    async def work() -> None:
        async with joined(data) as app:
            withdrawn = granted(await app.inventory.withdraw_import(shop_id, ref.object_id))
        out.print(f"{withdrawn} keys withdrawn")

    return run(work)


@keys.command(name="rotate")
def keys_rotate(
    data: DataOption = DEFAULT_DATA,
    shop: Annotated[str, Parameter(name="--shop", help="Give this shop a new data key instead.")] = "",
) -> ExitCode:
    """Make a new key file and wrap every shop's data key with it, or give one shop a new data key for new imports."""
    shop_id = parse_shop_ref(shop) if shop else None

    async def work() -> None:
        if shop and shop_id is None:
            raise CommandRefusedError(f"{shop!r} is not a shop's number")
        async with joined(data) as app:
            if shop_id is not None:
                await app.inventory.rotate_data_key(shop_id)
                out.print(f"shop {shop} encrypts new imports with a new data key")
                return
            rotation = await app.inventory.rotate_kek()
            out.print(f"key file {rotation.kek_id} in force; {rotation.rewrapped} data keys wrapped anew")

    return run(work)


def _target(shop: str, listing: str) -> tuple[ShopId, ListingId]:
    shop_id = parse_shop_ref(shop)
    ref = parse_ref(listing if "-" in listing else f"{shop}-{listing}")
    if shop_id is None or ref is None or ref.shop_id != shop_id:
        notes.print("kabao: --shop and --listing do not name a listing of that shop", markup=False)
        sys.exit(ExitCode.USAGE)
    return shop_id, ListingId(ref.object_id)


def _opened(file: str, stack: ExitStack) -> tuple[BinaryIO, str, int]:
    """Open the file; returns it with its name and size in bytes (0 where unknown)."""
    if file == "-":
        return sys.stdin.buffer, "stdin", 0
    path = Path(file)
    try:
        stream = stack.enter_context(path.open("rb"))
        return stream, path.name, path.stat().st_size
    except OSError as error:
        raise CommandRefusedError(f"{file} cannot be read ({error.strerror})") from error


async def _chunks(stream: BinaryIO) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(stream.read, CHUNK):
        yield chunk


def _bar() -> Progress:
    columns = (
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[added]} added"),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal)


def _say_report(report: ImportReport, *, as_json: bool) -> None:
    if as_json:
        print_secret(msgspec.json.encode(report).decode())
        return
    out.print(
        f"{report.state}: {report.lines} lines, {report.added} added, {report.duplicates} duplicates, "
        f"{report.bad} bad, {report.header_lines} header, {report.blank} blank"
    )
    if report.duplicates:
        out.print(f"  duplicates: {report.repeated} in the file itself, {report.in_stock} in stock before")
    if report.columns:
        used = ", ".join(f"{column.column_no} {column.label}" for column in report.columns)
        out.print(f"  columns used: {used}; left out: {report.unused_columns}", markup=False)
    out.print(f"  import {report.ref}", markup=False)
    for line in report.bad_lines[:BAD_LINES_SHOWN]:
        out.print(f"  line {line.line_no}: {line.why}", markup=False)
    if report.bad > BAD_LINES_SHOWN:
        out.print(f"  and {report.bad - BAD_LINES_SHOWN} more")
    if report.failure:
        out.print(report.failure, markup=False)
