"""`kabao log`: the public log."""

from cyclopts import App

log = App(name="log")
log.command(
    "kabao.cli.log_audit:audit_command",
    name="audit",
    help=(
        "Replay the log against itself and the database: rows, bodies, commitments, tiles, checkpoints, "
        "signatures.\n\n"
        "Works beside a running server, in one consistent view, and changes nothing. Exits 0 when everything "
        "holds, else 1 with the first faults."
    ),
)
