"""`kabao evidence`: checking packs, beside nothing and without a data folder.

The verifier is the very file that lies in every pack; here it also knows which of them were released.
"""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import App, Parameter
from rich.progress import DownloadColumn

from kabao.cli.terminal import ExitCode, JsonOption, notes, print_secret, progress, speaks_chinese

SHOWS_A_BAR: Final = 64 << 20
"""Bytes of a pack from which on a person would wonder whether anything happens."""

evidence = App(name="evidence")

for _name, _help in (
    (
        "export",
        (
            "Make the evidence pack of a case or an order, beside a running server or without one.\n\n"
            "Waits a few seconds for what is still on its way to the log and for the timestamps; what did not come is "
            "named, here and in the pack."
        ),
    ),
    (
        "erase",
        (
            "Destroy what a record says, for good: in the log, and in the row it was written from.\n\n"
            "Its place, its commitment and every proof of it stay, so that the log stays whole. A legal hold refuses "
            "it."
        ),
    ),
    ("hold", "Put an order's evidence under legal hold: nothing of it is erased until the hold is lifted."),
    (
        "release",
        "Lift the legal holds on an order; its evidence then ends when its time is over. Exits 1 where none stood.",
    ),
    (
        "purge",
        (
            "Erase evidence whose time is over, three years after its order and last case, and what nobody needs any "
            "more.\n\n"
            "The server does this by itself once an hour; numbers and digests stay."
        ),
    ),
    (
        "check",
        (
            "Read every stored file of evidence and compare it with its digest.\n\n"
            "Exits 1 where one is missing, changed or unreadable."
        ),
    ),
):
    evidence.command(f"kabao.cli.evidence_keep:{_name}_command", name=_name, help=_help)

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
