"""`kabao selfhelp`: a purchase made elsewhere, kept in a plain folder; no server, no account, no network."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from kabao.cli.terminal import JsonOption, speaks_chinese
from kabao.selfhelp import Language, To
from kabao.selfhelp.chatcommand import chat_command
from kabao.selfhelp.commands import Said, calendar_command, new_command, next_command, pack_command

selfhelp = App(name="selfhelp", result_action="return_value")

Folder = Annotated[Path, Parameter(name="DIR", help="The folder of the case.")]


@selfhelp.command(name="new")
def new(
    folder: Folder,
    /,
    *,
    source: Annotated[Path | None, Parameter(name="--from", help="A story told already, in YAML.")] = None,
    language: Annotated[Literal["zh", "en"] | None, Parameter(help="The language of letters and questions.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Make the folder of a new case."""
    spoken = language or ("zh" if speaks_chinese() else "en")
    return _end(new_command(folder, source, _now(), Language(spoken), as_json=as_json))


@selfhelp.command(name="next")
def next_step(
    folder: Folder,
    /,
    *,
    answer: Annotated[
        tuple[str, ...], Parameter(negative="", help="An answer, such as answers.key_failed=yes; any number of them.")
    ] = (),
    as_json: JsonOption = False,
) -> int:
    """Take in new files and answers, and say what comes next."""
    return _end(next_command(folder, answer, _now(), as_json=as_json))


@selfhelp.command(name="chat")
def chat(
    folder: Folder,
    /,
    *,
    find: Annotated[str, Parameter(help="Only messages with these words.")] = "",
    first: Annotated[int, Parameter(name="--from", help="List from this message on.")] = 1,
    tick: Annotated[
        tuple[str, ...], Parameter(negative="", help="A message for the letters: 12, or 2:12 of the second chat.")
    ] = (),
    untick: Annotated[tuple[str, ...], Parameter(negative="", help="One that goes out of the letters again.")] = (),
    as_json: JsonOption = False,
) -> int:
    """List the messages of the pasted chats, and take those that matter into the facts of the letters."""
    return _end(chat_command(folder, _now(), find=find, first=first, tick=tick, untick=untick, as_json=as_json))


@selfhelp.command(name="calendar")
def calendar(
    folder: Folder,
    /,
    *,
    target: Annotated[Path, Parameter(name=["-o", "--output"], help="The calendar file to write.")],
    as_json: JsonOption = False,
) -> int:
    """Write every day that matters, with its source, as a calendar file (.ics)."""
    return _end(calendar_command(folder, target, _now(), as_json=as_json))


@selfhelp.command(name="pack")
def pack(
    folder: Folder,
    /,
    *,
    target: Annotated[Path, Parameter(name=["-o", "--output"], help="The pack to write (.zip).")],
    as_json: JsonOption = False,
) -> int:
    """Write the case as a pack that anybody can check with `kabao evidence verify`."""
    return _end(pack_command(folder, target, _now(), as_json=as_json))


@selfhelp.command(name="letter")
def letter(
    folder: Folder,
    /,
    *,
    to: Annotated[
        Literal["merchant", "platform", "support", "panel", "payment", "association", "12315", "12315-report", "court"],
        Parameter(help="To whom."),
    ],
    pdf: Annotated[bool, Parameter(negative="", help="Print it as PDF as well, as it was last edited.")] = False,
    again: Annotated[bool, Parameter(negative="", help="Write a new one beside the one that is there.")] = False,
    sent: Annotated[bool, Parameter(negative="", help="Note in the case that it is sent now.")] = False,
    blank: Annotated[
        bool,
        Parameter(name="--with-blanks", negative="", help="Note it as sent though something in it is not filled in."),
    ] = False,
    as_json: JsonOption = False,
) -> int:
    """Write a letter into the folder: fact, demand, date, next step. One that is there already is never changed."""
    from kabao.selfhelp.lettercommand import letter_command  # noqa: PLC0415 - loads the press, which others need not

    return _end(letter_command(folder, To(to), _now(), pdf=pdf, again=again, sent=sent, blank=blank, as_json=as_json))


def _now() -> datetime:
    return datetime.now(UTC)


def _end(said: Said) -> int:
    sys.stdout.write(said.text + "\n")
    return said.code
