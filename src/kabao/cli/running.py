"""How every command runs: settings from the command line and the environment, an App to ask, one exit code."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Final, TypeVar

import uvloop
from cyclopts import Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, TimeRemainingColumn

from kabao.inventory import KeyringRefused
from kabao.kernel import Refused
from kabao.postgres import DatabaseUnavailable, DataFolderRefused, ExplainedError, SchemaTooNew
from kabao.wiring import App, Settings, configure_logging, start

T = TypeVar("T")

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


def settings_of(data: Path) -> Settings:
    """Read what a command needs to find the database."""
    return Settings.of(data, environment=os.environ)


def run(work: Callable[[], Awaitable[ExitCode | None]]) -> ExitCode:
    """Run a command's work and turn what it may run into, into one sentence and an exit code."""
    configure_logging()
    try:
        return uvloop.run(_awaited(work)) or ExitCode.DONE
    except ExplainedError as error:
        explain(error)
        refused = isinstance(error, DataFolderRefused | SchemaTooNew | KeyringRefused)
        return ExitCode.FOLDER_REFUSED if refused else ExitCode.UNAVAILABLE
    except DatabaseUnavailable as error:
        notes.print(f"kabao: the database cannot be reached ({error}); nothing was changed")
        return ExitCode.UNAVAILABLE
    except CommandRefusedError as error:
        notes.print(f"kabao: {error}", markup=False)
        return ExitCode.NOT_OK
    except KeyboardInterrupt:
        notes.print("kabao: interrupted")
        return ExitCode.NOT_OK


@contextmanager
def progress(*columns: ProgressColumn, shown_from: int = 0) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on standard error where a person looks and the work is long enough; give what moves it."""
    shown = (BarColumn(), *columns, TimeRemainingColumn())
    with Progress(*shown, console=notes, transient=True, disable=not notes.is_terminal) as bar:
        task = bar.add_task("", total=None, visible=not shown_from)

        def tell(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=total >= shown_from)

        yield tell


@asynccontextmanager
async def joined(data: Path) -> AsyncIterator[App]:
    """Use the services beside a running server, or with one of our own for as long as the command takes."""
    app = await start(settings_of(data), purpose="command")
    try:
        yield app
    finally:
        await app.close()


def granted(answer: T | Refused) -> T:
    """Return what a service answered; a refusal ends the command with its sentence."""
    if isinstance(answer, Refused):
        raise CommandRefusedError(sentence_of(answer))
    return answer


def sentence_of(refused: Refused) -> str:
    """Write a refusal for the terminal, with what is wrong with each field."""
    text = refused.zh if speaks_chinese() else refused.en
    return " ".join([text, *(f"{name}: {why}" for name, why in refused.fields.items())])


def say(zh: str, en: str) -> None:
    """Print a line in the terminal's language, as it is."""
    out.print(zh if speaks_chinese() else en, markup=False)


def explain(error: ExplainedError) -> None:
    """Print an explained error in the terminal's language."""
    notes.print(f"kabao: {error.zh if speaks_chinese() else error.en}", markup=False)


def speaks_chinese() -> bool:
    """Tell whether the terminal's locale is Chinese."""
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return locale.lower().startswith("zh")


def print_secret(text: str) -> None:
    """Print a secret as it is, on standard output: no wrapping, no markup, nothing else on the line."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _awaited(work: Callable[[], Awaitable[ExitCode | None]]) -> ExitCode | None:
    return await work()
