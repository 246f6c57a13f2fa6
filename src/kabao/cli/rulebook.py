"""`kabao rulebook`: reading, checking, comparing and publishing the rules by which cases are decided.

The engine and what it stands on are loaded when a command runs, so that every other command starts without them.
"""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec
from cyclopts import App, Parameter
from rich.progress import MofNCompleteColumn, TextColumn

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
    progress,
    run,
    say,
    sentence_of,
)
from kabao.kernel import Refused

if TYPE_CHECKING:
    from kabao.adjudication.commands import Said

BOOK_LIMIT: Final = 1_000_000
"""Bytes of a rulebook; a longer one is refused by its reader."""
BEIJING: Final = timezone(timedelta(hours=8))

rulebook = App(
    name="rulebook",
    help="The rules by which cases are decided. FILE is by default the rulebook that comes with kabao; exit codes are "
    "0 clean, 1 findings or differences, 2 unreadable.",
)

BookArgument = Annotated[Path | None, Parameter(help="The rulebook file; by default the one that comes with kabao.")]
BooksOption = Annotated[
    Literal["all", "law"],
    Parameter(name="--book", help="`law` decides by the law's articles alone, for purchases made elsewhere."),
]


@rulebook.command(name="check")
def check(file: BookArgument = None, *, as_json: JsonOption = False) -> int:
    """Check a rulebook: schema, gaps, contradictions, dead articles, duties, citations; each with a small case."""
    from kabao.adjudication.commands import check_command  # noqa: PLC0415  see the top of the file

    return _said(lambda: check_command(file, as_json=as_json))


@rulebook.command(name="decide")
def decide(
    file: Annotated[
        Path, Parameter(help="The rulebook file; `-` for the one that comes with kabao.", allow_leading_hyphen=True)
    ],
    case: Annotated[Path, Parameter(help="The case, YAML or JSON: claim, demand, facts, amounts.")],
    *,
    as_json: JsonOption = False,
    book: BooksOption = "all",
) -> int:
    """Decide a case: who is responsible, what is refunded, by which articles and why, and what evidence is missing."""
    from kabao.adjudication.commands import decide_command  # noqa: PLC0415  see the top of the file

    return _said(lambda: decide_command(_book(file), case, as_json=as_json, book=book))


@rulebook.command(name="explain")
def explain(
    file: Annotated[
        Path, Parameter(help="The rulebook file; `-` for the one that comes with kabao.", allow_leading_hyphen=True)
    ],
    article: Annotated[str, Parameter(help="The article's id or number.")],
    *,
    as_json: JsonOption = False,
) -> int:
    """Explain one article: when it applies, what it decides, what it yields to, the law behind it."""
    from kabao.adjudication.commands import explain_command  # noqa: PLC0415  see the top of the file

    return _said(lambda: explain_command(_book(file), article, as_json=as_json))


@rulebook.command(name="diff")
def diff(
    old: Annotated[
        Path,
        Parameter(help="The rulebook as it was; `-` for the one that comes with kabao.", allow_leading_hyphen=True),
    ],
    new: Annotated[Path, Parameter(help="The rulebook as it shall be.")],
    *,
    as_json: JsonOption = False,
) -> int:
    """Compare two rulebooks as cases whose outcome changes; exits 1 where they differ."""
    from kabao.adjudication.commands import diff_command  # noqa: PLC0415  see the top of the file

    return _said(lambda: diff_command(_book(old), new, as_json=as_json))


@rulebook.command(name="replay")
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
    from kabao.adjudication.commands import replay_command  # noqa: PLC0415  see the top of the file

    if (cases is None) is not database:
        notes.print("kabao: give either --cases DIR or --database")
        return ExitCode.USAGE
    if cases is not None and not cases.is_dir():
        notes.print(f"kabao: {cases} is not a folder", markup=False)
        return ExitCode.USAGE

    def work(folder: Path) -> "Said":
        with progress(MofNCompleteColumn(), TextColumn("cases")) as tell:
            return replay_command(
                _book(old), new, folder, as_json=as_json, csv_path=csv, picture=picture, progress=tell
            )

    if cases is not None:
        return _said(lambda: work(cases))
    with TemporaryDirectory(prefix="kabao-cases-") as folder:
        code = run(lambda: _write_cases(data, Path(folder)))
        return _said(lambda: work(Path(folder))) if code is ExitCode.DONE else code


async def _write_cases(data: Path, folder: Path) -> ExitCode:
    """Write every case of a market as a case file, beside its running server."""
    number = 0
    async with joined(data) as app:
        async for case in app.decisions.case_files():
            number += 1
            (folder / f"{number:09}.json").write_bytes(msgspec.json.encode(case))
    return ExitCode.DONE


@rulebook.command(name="show")
def show(file: BookArgument = None, *, as_json: JsonOption = False) -> int:
    """Print the articles by chapter, each in a plain sentence."""
    from kabao.adjudication.commands import show_command  # noqa: PLC0415  see the top of the file

    return _said(lambda: show_command(file, as_json=as_json))


@rulebook.command(name="facts")
def facts(file: BookArgument = None, *, as_json: JsonOption = False) -> int:
    """List every fact and claim with meaning, burden and standard: what is needed to write a case."""
    from kabao.adjudication.commands import facts_command  # noqa: PLC0415  see the top of the file

    return _said(lambda: facts_command(file, as_json=as_json))


@rulebook.command(name="golden")
def golden(
    folder: Annotated[Path, Parameter(help="A folder of golden cases: YAML files as in tests/rulings.")],
    file: BookArgument = None,
    *,
    as_json: JsonOption = False,
) -> int:
    """Decide every golden case of a folder and tell which ends otherwise than it states; then exit 1."""
    from kabao.adjudication.commands import golden_command  # noqa: PLC0415  see the top of the file

    return _said(lambda: golden_command(file, folder, as_json=as_json))


@rulebook.command(name="publish")
def publish(
    file: Annotated[Path, Parameter(help="The rulebook file.")],
    data: DataOption = DEFAULT_DATA,
    *,
    effective: Annotated[
        date | None,
        Parameter(name="--effective", help="The first day it binds (Beijing); by default after its notice."),
    ] = None,
) -> int:
    """Publish a version: it binds after 7 days' notice at the earliest, a major one after 15, and never changes.

    Works beside a running server. Exits 1 where it is refused, 2 where the file cannot be read.
    """
    binds_at = None if effective is None else datetime.combine(effective, time(), BEIJING)
    try:
        with file.open("rb") as opened:
            text = opened.read(BOOK_LIMIT + 1).decode()
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


@rulebook.command(name="versions")
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


def _book(path: Path) -> Path | None:
    return None if str(path) == "-" else path


def _said(work: "Callable[[], Said]") -> int:
    """Print what a command says, as it is; what could not be read goes to standard error unless it is JSON."""
    try:
        said = work()
    except OSError as error:
        notes.print(f"kabao: {error.filename or 'a file'}: {error.strerror}", markup=False)
        return ExitCode.USAGE
    print_secret(said.text)
    return said.code
