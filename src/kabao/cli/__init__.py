"""The command line: serve, demo, and what an operator does beside a running server.

Invariants: no command prints a card key; a secret (sign-in link, token, password) is printed once, on standard output,
where its command says so; a refused data folder is left as it was and the reason is one sentence; exit codes are those
of `ExitCode`.
"""

from kabao.cli.main import main

__all__ = ["main"]
