"""How `kabao` begins and how it ends.

`kabao terms` needs none of the server, which takes a second to load, and so goes its own way.
"""

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    if given[:1] == ["terms"]:
        from cyclopts import App  # noqa: PLC0415  see the top of the file

        from kabao.cli.terms import terms  # noqa: PLC0415

        app = App(name="kabao", result_action="return_value")
        app.command(terms)
    else:
        from kabao.cli.program import app  # noqa: PLC0415
    code = app(given)
    sys.exit(int(code) if isinstance(code, int) else 0)
