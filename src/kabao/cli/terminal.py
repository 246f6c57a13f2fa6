"""What every command speaks by: its options, the terminal's language, progress, exit codes. It loads no server."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Final

from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TimeRemainingColumn

from kabao.kernel import Refused

DataOption = Annotated[Path, Parameter(name="--data", help="The data folder.")]
JsonOption = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON object.")]

DEFAULT_DATA: Final = Path("data")

out: Final = Console(highlight=False, soft_wrap=True)
"""What the command answers."""
notes: Final = Console(stderr=True, highlight=False, soft_wrap=True)
"""What a person may want to know beside the answer."""


class ExitCode(IntEnum):
    """What a command's end means to a script."""

    DONE = 0
    NOT_OK = 1
    """The step was refused, or the audit found something."""
    USAGE = 2
    FOLDER_REFUSED = 3
    """The data folder is busy, newer, foreign or unusable; nothing in it was changed."""
    UNAVAILABLE = 4
    """The database or the address to listen on could not be had."""


class CommandRefusedError(Exception):
    """Ends a command with a sentence and NOT_OK."""


@contextmanager
def progress(*columns: ProgressColumn, shown_from: int = 0) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error where a person looks and the work is long enough; give what moves it."""
    shown = (BarColumn(), *columns, TimeRemainingColumn())
    with Progress(*shown, console=notes, transient=True, disable=not notes.is_terminal) as bar:
        task = bar.add_task("", total=None, visible=not shown_from)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total >= shown_from)

        yield tell


def sentence_of(refused: Refused) -> str:
    """Write a refusal for the terminal, with what is wrong with each field."""
    text = refused.zh if speaks_chinese() else refused.en
    return " ".join([text, *(f"{name}: {why}" for name, why in refused.fields.items())])


def say(zh: str, en: str) -> None:
    """Print a line in the terminal's language, as it is."""
    out.print(zh if speaks_chinese() else en, markup=False)


def speaks_chinese() -> bool:
    """Tell whether the terminal's locale is Chinese."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return locale.lower().startswith("zh")


def print_secret(text: str) -> None:
    """Print a secret as it is, on standard output: no wrapping, no markup, nothing else on the line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
