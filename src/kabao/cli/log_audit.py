"""`kabao log audit`: the public log against itself and the database."""

from typing import Final

import msgspec
from rich.progress import MofNCompleteColumn, TextColumn

from kabao.cli.running import joined, run
from kabao.cli.terminal import DEFAULT_DATA, DataOption, ExitCode, JsonOption, out, print_secret, progress
from kabao.tlog import LogReport

SHOWS_A_BAR: Final = 50_000
"""Records from which on a person would wonder whether anything happens."""


def audit_command(data: DataOption = DEFAULT_DATA, *, as_json: JsonOption = False) -> ExitCode:
    """Replay the log against itself and the database: rows, bodies, commitments, tiles, checkpoints, signatures."""

    async def work() -> ExitCode:
        async with joined(data) as app:
            with progress(MofNCompleteColumn(), TextColumn("records"), shown_from=SHOWS_A_BAR) as tell:
                report = await app.foundations.log.audit(tell)
        if as_json:
            print_secret(msgspec.json.encode(report).decode())
        else:
            _say(report)
        return ExitCode.DONE if report.ok else ExitCode.NOT_OK

    return run(work)


def _say(report: LogReport) -> None:
    state = "ok" if report.ok else f"NOT OK, {report.faults} faults"
    signed = "" if report.is_signed else "; the newest tree is not signed yet"
    out.print(
        f"{state}: {report.records} records ({report.erased} erased) in a tree of {report.size}, {report.tiles} tiles, "
        f"{report.checkpoints} checkpoints, {report.cosignatures} cosignatures{signed}"
    )
    for finding in report.findings:
        out.print(f"  {finding.check}: {finding.subject}", markup=False)
    if report.faults > len(report.findings):
        out.print(f"  and {report.faults - len(report.findings)} more")
