"""`kabao evidence`: checking evidence packs, beside nothing and without a data folder.

The verifier is the very file that lies in every pack; here it also knows which of them were released.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import App, Parameter
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from kabao.cli.running import ExitCode, JsonOption, notes, print_secret, speaks_chinese

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
        pins = pins_of(key or (), log_key or (), witness or (), authority, known_verifiers())
    except WrongError as wrong:
        notes.print(f"kabao: {wrong.zh if speaks_chinese() else wrong.en}", markup=False)
        return ExitCode.USAGE
    except OSError as error:
        notes.print(f"kabao: {error.filename}: {error.strerror}", markup=False)
        return ExitCode.USAGE
    with _bar() as tell:
        report = check(pack, pins, tell)
    if as_json:
        print_secret(msgspec.json.encode(report.as_json()).decode())
    else:
        print_secret("\n".join(report.lines(english=not speaks_chinese())))
    return report.exit_code


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error where a person looks and the pack is large; give what moves it."""
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=notes, transient=True, disable=not notes.is_terminal) as bar:
        task = bar.add_task("", total=None, visible=False)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total >= SHOWS_A_BAR)

        yield tell
