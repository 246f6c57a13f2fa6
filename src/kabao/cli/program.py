"""The program `kabao`: its commands. The module of a command is loaded when the command is named, not before."""

from importlib import metadata
from typing import Final

from cyclopts import App

HELP = """Escrow, sealed card keys and fair refunds for shops that sell virtual goods (卡保).

Start with `kabao demo`, look around, then `kabao serve` with a data folder of your own. All other commands work
beside a running server.

Exit codes: 0 done; 1 refused, or the audit found something; 2 wrong usage; 3 the data folder is busy, newer or
foreign, and was left as it was; 4 the database or the port cannot be had.
"""

COMMANDS: Final = {
    "serve": (
        "serving:serve_command",
        (
            "Serve the pages and the API until Ctrl-C.\n\n"
            "Starts PostgreSQL inside the data folder, which is made on first use. KABAO_DATABASE_URL names another "
            "PostgreSQL instead, KABAO_PUBLIC_ORIGIN the address that browsers use when kabao stands behind a proxy, "
            "KABAO_SMTP_URL and KABAO_MAIL_FROM the server that mail goes out by and its sender, KABAO_SMS_GATEWAY, "
            "KABAO_WECHAT_GATEWAY and KABAO_GATEWAY_SECRET the gateways to phones, "
            "KABAO_TIMESTAMP_AUTHORITIES who stamps the public log, KABAO_LOG_WITNESSES who cosigns it, "
            "KABAO_LOG_ORIGIN what it is called from its first record on."
        ),
    ),
    "demo": (
        "serving:demo_command",
        (
            "Serve a small made-up market, with a sign-in link per role.\n\n"
            "The market is made only where the data folder holds no shop; what is there already stays as it is. At "
            "each start the demo's own staff accounts get new passwords and authenticators, printed here. Mail is "
            "printed here too, unless KABAO_SMTP_URL names a server."
        ),
    ),
    "simulate": (
        "simulate:simulate_command",
        (
            "Let buyers, merchants and staff trade and quarrel by a clock moved by hand, on a database made and "
            "removed.\n\n"
            "An auditor who shares no code with the services says beforehand what every deadline does and where all "
            "money must lie. A year takes minutes. Exits 1 where a case stays open, a book disagrees or a consequence "
            "is not as stated."
        ),
    ),
    "db": ("books:db", "The database's schema."),
    "ledger": ("books:ledger", "The books."),
    "reserve": ("books:reserve", "The platform's own money that answers for claims after a release."),
    "keys": ("stock:keys", "The stock of card keys."),
    "token": ("people:token", "API tokens for scripts."),
    "sweep": ("books:sweep", "The automatic release of matured escrows."),
    "staff": ("people:staff", "Support, the panel, duty officers and operators."),
    "rulebook": (
        "rulebook:rulebook",
        (
            "The rules by which cases are decided. FILE is by default the rulebook that comes with kabao; exit codes "
            "are 0 clean, 1 findings or differences, 2 unreadable."
        ),
    ),
    "evidence": ("evidence:evidence", "Evidence packs."),
    "log": ("log:log", "The public log."),
    "terms": ("terms:terms", "Terms as shops write them. Exit codes are 0 clean, 1 findings, 2 unreadable."),
    "selfhelp": (
        "selfhelp:selfhelp",
        (
            "Purchases made elsewhere: a case in a plain folder, without a server or an account.\n\n"
            "Nothing leaves the folder. Exit codes are 0 done, 1 refused, 2 a file cannot be read."
        ),
    ),
    "bench": ("bench:bench", "Speed, as ratios measured in one run on this machine."),
}
"""By its name: where a command or group is found in this package, and its help; lists show the first paragraph."""

app = App(
    name="kabao",
    help=HELP,
    help_format="markdown",
    version=lambda: metadata.version("kabao"),
    result_action="return_value",
)
for _name, (_place, _says) in COMMANDS.items():
    app.command(f"kabao.cli.{_place}", name=_name, help=_says)
