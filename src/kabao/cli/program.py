"""The program `kabao`: its commands."""

from importlib import metadata

from cyclopts import App

from kabao.cli import evidence_keep
from kabao.cli.bench import bench
from kabao.cli.books import db, ledger, reserve, sweep
from kabao.cli.evidence import evidence
from kabao.cli.log import log
from kabao.cli.people import staff, token
from kabao.cli.proposals import proposals
from kabao.cli.rulebook import rulebook
from kabao.cli.serving import demo_command, serve_command
from kabao.cli.simulate import simulate_command
from kabao.cli.stock import keys
from kabao.cli.terms import terms

HELP = """Escrow, sealed card keys and fair refunds for shops that sell virtual goods (卡保).

Start with `kabao demo`, look around, then `kabao serve` with a data folder of your own. All other commands work
beside a running server.

Exit codes: 0 done; 1 refused, or the audit found something; 2 wrong usage; 3 the data folder is busy, newer or
foreign, and was left as it was; 4 the database or the port cannot be had.
"""

app = App(
    name="kabao",
    help=HELP,
    help_format="markdown",
    version=lambda: metadata.version("kabao"),
    result_action="return_value",
)
app.command(serve_command, name="serve")
app.command(demo_command, name="demo")
app.command(simulate_command, name="simulate")
evidence_keep.add_to(evidence)
rulebook.command(proposals)
for group in (db, ledger, reserve, keys, token, sweep, staff, rulebook, evidence, log, terms, bench):
    app.command(group)
