"""`kabao rulebook replay`, `publish` and `versions`: the rules and a market's own cases, beside its running server."""

from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from rich.progress import MofNCompleteColumn, TextColumn

from kabao.adjudication.commands import Said, replay_command
from kabao.adjudication.service import packaged_text
from kabao.cli.rulebook import book_of, said_by
from kabao.cli.running import joined, run
from kabao.cli.terminal import (
    DEFAULT_DATA,
    CommandRefusedError,
    DataOption,
    ExitCode,
    JsonOption,
    notes,
    out,
    print_secret,
    progress,
    say,
    sentence_of,
)
from kabao.kernel import Refused

BOOK_LIMIT: Final = 1_000_000
"""Bytes of a rulebook; a longer one is refused by its reader."""
BEIJING: Final = timezone(timedelta(hours=8))


def replay(
    old: Annotated[
        Path,
        Parameter(help="The rulebook as it was; `-` for the one that comes with kabao.", allow_leading_hyphen=True),
    ],
    new: Annotated[Path, Parameter(help="The rulebook as it shall be.")],
    cases: Annotated[Path | None, Parameter(name="--cases", help="A folder of case files.")] = None,
    *,
    database: Annotated[
        bool, Parameter(name="--database", negative="", help="Replay the cases of the data folder's own market.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
    csv: Annotated[Path | None, Parameter(name="--csv", help="Write the cases that change here.")] = None,
    picture: Annotated[Path | None, Parameter(name="--picture", help="Draw the money that moves here (SVG).")] = None,
    as_json: JsonOption = False,
) -> int:
    """Decide past cases by both rulebooks: which would end otherwise and what money moves; exits 1 where any would."""
    if (cases is None) is not database:
        notes.print("kabao: give either --cases DIR or --database")
        return ExitCode.USAGE
    if cases is not None and not cases.is_dir():
        notes.print(f"kabao: {cases} is not a folder", markup=False)
        return ExitCode.USAGE

    def work(folder: Path) -> Said:
        with progress(MofNCompleteColumn(), TextColumn("cases")) as tell:
            return replay_command(
                book_of(old), new, folder, as_json=as_json, csv_path=csv, picture=picture, progress=tell
            )

    if cases is not None:
        return said_by(lambda: work(cases))
    with TemporaryDirectory(prefix="kabao-cases-") as folder:
        code = run(lambda: _write_cases(data, Path(folder)))
        return said_by(lambda: work(Path(folder))) if code is ExitCode.DONE else code


async def _write_cases(data: Path, folder: Path) -> ExitCode:
    """Write every case of a market as a case file, beside its running server."""
    number = 0
    async with joined(data) as app:
        async for case in app.decisions.case_files():
            number += 1
            (folder / f"{number:09}.json").write_bytes(msgspec.json.encode(case))
    return ExitCode.DONE


def publish(
    file: Annotated[
        Path, Parameter(help="The rulebook file; `-` for the one that comes with kabao.", allow_leading_hyphen=True)
    ],
    data: DataOption = DEFAULT_DATA,
    *,
    effective: Annotated[
        date | None,
        Parameter(name="--effective", help="The first day it binds (Beijing); by default after its notice."),
    ] = None,
) -> int:
    """Publish a version: it binds after 7 days' notice at the earliest, a major one after 15, and never changes."""
    binds_at = None if effective is None else datetime.combine(effective, time(), BEIJING)
    try:
        text = _text_of(file)
    except (OSError, UnicodeDecodeError) as error:
        why = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error.strerror
        notes.print(f"kabao: {file.name} cannot be read: {why}", markup=False)
        return ExitCode.USAGE

    async def work() -> ExitCode:
        async with joined(data) as app:
            card = await app.rulebook.publish(text, binds_at)
        if isinstance(card, Refused):
            raise CommandRefusedError(sentence_of(card))
        binds = f"{card.effective_at:%Y-%m-%d %H:%M %Z}"
        say(f"已公布 {card.version}，{binds} 起施行。", f"Published {card.version}; it binds from {binds}.")
        return ExitCode.DONE

    return run(work)


def _text_of(file: Path) -> str:
    """Read a rulebook, or the packaged one."""
    if file == Path("-"):
        return packaged_text()
    with file.open("rb") as opened:
        return opened.read(BOOK_LIMIT + 1).decode()


def versions(data: DataOption = DEFAULT_DATA, *, as_json: JsonOption = False) -> int:
    """List the versions that bind, bound or will, and drafts that a newer kabao brought along."""

    async def work() -> ExitCode:
        async with joined(data) as app:
            cards = await app.rulebook.versions()
            current = await app.rulebook.in_force()
        version = "" if isinstance(current, Refused) else current.book.edition.version
        if as_json:
            listed = [
                {
                    "version": card.version,
                    "digest": card.digest.hex(),
                    "major": card.is_major,
                    "published_at": card.published_at,
                    "effective_at": card.effective_at,
                    "in_force": card.version == version,
                }
                for card in cards
            ]
            print_secret(msgspec.json.encode({"versions": listed}).decode())
            return ExitCode.DONE
        for card in cards:
            since = "draft" if card.effective_at is None else f"from {card.effective_at:%Y-%m-%d %H:%M %Z}"
            marks = [since, *(["in force"] if card.version == version else []), *(["major"] if card.is_major else [])]
            out.print(f"{card.version}  {', '.join(marks)}  {card.digest.hex()[:12]}", markup=False)
        return ExitCode.DONE

    return run(work)
