"""How a command that needs the server runs: its settings, an App to ask, what it runs into as one sentence."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import uvloop

from kabao.cli.terminal import CommandRefusedError, ExitCode, notes, sentence_of, speaks_chinese
from kabao.inventory import KeyringRefused
from kabao.kernel import Refused
from kabao.postgres import DatabaseUnavailable, DataFolderRefused, ExplainedError, SchemaTooNew
from kabao.wiring import App, Settings, configure_logging, start

T = TypeVar("T")


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


def explain(error: ExplainedError) -> None:
    """Print an explained error in the terminal's language."""
    notes.print(f"kabao: {error.zh if speaks_chinese() else error.en}", markup=False)


async def _awaited(work: Callable[[], Awaitable[ExitCode | None]]) -> ExitCode | None:
    return await work()
