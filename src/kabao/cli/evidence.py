"""`kabao evidence`: checking packs, beside nothing and without a data folder; making them; erasing records.

The verifier is the very file that lies in every pack; here it also knows which of them were released.
"""

import asyncio
import shutil
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import App, Parameter
from rich.progress import DownloadColumn

from kabao.cli.people import staff_account
from kabao.cli.running import (
    DEFAULT_DATA,
    CommandRefusedError,
    DataOption,
    ExitCode,
    JsonOption,
    granted,
    joined,
    notes,
    out,
    print_secret,
    progress,
    run,
    say,
    sentence_of,
    speaks_chinese,
)
from kabao.kernel import Refused

SHOWS_A_BAR: Final = 64 << 20
"""Bytes of a pack from which on a person would wonder whether anything happens."""

evidence = App(name="evidence", help="Evidence packs.")

Keys = Annotated[
    list[str] | None, Parameter(name="--key", negative="", help="A verifier key you trust: the pack's signer.")
]
LogKeys = Annotated[
    list[str] | None, Parameter(name="--log-key", negative="", help="A verifier key you trust: the log's.")
]
Witnesses = Annotated[
    list[str] | None,
    Parameter(name="--witness", negative="", help="A witness's verifier key; it must have cosigned the checkpoint."),
]
Authority = Annotated[
    Path | None, Parameter(name="--authority", help="Root certificates (PEM) of the timestamp authorities you trust.")
]


@evidence.command(name="verify")
def verify_command(
    pack: Annotated[Path, Parameter(help="The pack, a ZIP file.")],
    *,
    key: Keys = None,
    log_key: LogKeys = None,
    witness: Witnesses = None,
    authority: Authority = None,
    as_json: JsonOption = False,
) -> int:
    """Check a pack offline: its form, signature, files, records, log proofs, timestamps; what fails is named.

    Exits 0 where everything holds, 1 where something fails, 2 where the file is not a pack. Without keys of your own it
    says which keys the pack itself names.
    """
    from kabao.packs import check, known_verifiers, pins_of  # noqa: PLC0415  other commands start without it
    from kabao.packs.verify import WrongError  # noqa: PLC0415  as above

    try:
        pins = pins_of(key or (), log_key or (), witness or (), authority, known_verifiers=known_verifiers())
    except WrongError as wrong:
        notes.print(f"kabao: {wrong.zh if speaks_chinese() else wrong.en}", markup=False)
        return ExitCode.USAGE
    except OSError as error:
        notes.print(f"kabao: {error.filename}: {error.strerror}", markup=False)
        return ExitCode.USAGE
    with progress(DownloadColumn(), shown_from=SHOWS_A_BAR) as tell:
        report = check(pack, pins, tell)
    if as_json:
        print_secret(msgspec.json.encode(report.as_json()).decode())
    else:
        print_secret("\n".join(report.lines(english=not speaks_chinese())))
    return report.exit_code


@evidence.command(name="export")
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
    """Make the evidence pack of a case or an order, beside a running server or without one.

    Waits a few seconds for what is still on its way to the log and for the timestamps; what did not come is named,
    here and in the pack.
    """

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


@evidence.command(name="erase")
def erase_command(
    case: Annotated[str, Parameter(help="The reference of a case or of an order.")],
    *,
    record: Annotated[int, Parameter(name="--record", help="The record's place in the public log.")],
    reason: Annotated[str, Parameter(name="--reason", help="Why; it is kept for ever and shown to both parties.")],
    by: Annotated[str, Parameter(name="--by", help="Who answers for it: the phone number or name of a staff account.")],
    data: DataOption = DEFAULT_DATA,
) -> ExitCode:
    """Destroy what a record says, for good: in the log, and in the row it was written from.

    Its place, its commitment and every proof of it stay, so that the log stays whole. A legal hold refuses it.
    """

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
