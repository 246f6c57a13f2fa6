"""`kabao simulate`: a seeded market on a throw-away database, and what its auditor found."""

from io import StringIO
from typing import Annotated

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number
from rich.progress import MofNCompleteColumn, TextColumn

from kabao.cli.running import run
from kabao.cli.terminal import ExitCode, JsonOption, out, print_secret, progress
from kabao.simulation import Report, simulate
from kabao.wiring import configure_logging

Seed = Annotated[int, Parameter(help="The same seed gives the same market.", validator=Number(gte=0))]
Days = Annotated[
    int, Parameter(help="Days of trade; then it runs on until every case is closed.", validator=Number(gte=1, lte=3660))
]


def simulate_command(*, seed: Seed = 1, days: Days = 30, as_json: JsonOption = False) -> ExitCode:
    """Let buyers, merchants and staff trade and quarrel by a clock moved by hand, on a database made and removed."""

    async def work() -> ExitCode:
        # What the services warn of, such as a payee's closed account, belongs to the play.
        configure_logging(StringIO())
        try:
            with progress(MofNCompleteColumn(), TextColumn("days")) as tell:
                report = await simulate(seed, days, tell)
        finally:
            configure_logging()
        if as_json:
            print_secret(msgspec.json.encode(report).decode())
        else:
            say_report(report)
        return ExitCode.DONE if report.is_fine else ExitCode.NOT_OK

    return run(work)


def say_report(report: Report) -> None:
    """Print a report for a person: one line, and one for each finding."""
    out.print(
        f"{'ok' if report.is_fine else 'NOT OK'}: {report.orders} orders, {report.closed} cases closed, "
        f"{report.open} open; {report.ruled} ruled, {report.settled} settled, {report.withdrawn} withdrawn; "
        f"deadlines {report.deadlines_met} met, {report.deadlines_missed} missed; "
        f"{report.lost_minor} lost, {report.mismatches} mismatches in {report.checks} checks"
    )
    for one in report.findings:
        out.print(f"  {one.at:%Y-%m-%d %H:%M:%S} {one.about}: expected {one.expected}, found {one.found}", markup=False)
