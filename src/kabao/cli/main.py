"""How `kabao` begins and how it ends."""

import gc
import sys
from collections.abc import Sequence

from kabao.cli.program import app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and end the process with its exit code."""
    gc.disable()  # loading a command's module makes no garbage, and looking for it takes a fifth of the time
    try:
        command, given, _ = app.parse_args(sys.argv[1:] if arguments is None else list(arguments))
    finally:
        gc.enable()
    code = command(*given.args, **given.kwargs)
    sys.exit(int(code) if isinstance(code, int) else 0)
