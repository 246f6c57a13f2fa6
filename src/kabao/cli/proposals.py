"""`kabao rulebook proposals`: what people and cases propose to change in the rules, and the rulekeeper's answers."""

from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from kabao.cli.running import joined, run
from kabao.cli.terminal import (
    DEFAULT_DATA,
    CommandRefusedError,
    DataOption,
    ExitCode,
    JsonOption,
    out,
    print_secret,
    say,
    sentence_of,
)
from kabao.figures import Shown
from kabao.kernel import Refused

proposals = App(name="proposals")

Number = Annotated[int, Parameter(help="The proposal's number, as `list` prints it.")]


@proposals.command(name="list")
def list_command(data: DataOption = DEFAULT_DATA, *, as_json: JsonOption = False) -> int:
    """List every proposal, open ones first."""

    async def work() -> None:
        async with joined(data) as app:
            found = await app.proposals.every()
        if as_json:
            print_secret(msgspec.json.encode({"proposals": found}).decode())
            return
        for one in found:
            marks = [one.state, "case" if one.is_from_case else "person", *(["public"] if one.shown_at else [])]
            out.print(f"{one.proposal_id}  {', '.join(marks)}  {one.filed_at:%Y-%m-%d}", markup=False)
            out.print(f"  - {one.clause}\n  + {one.suggestion}\n  ? {one.reason}", markup=False)

    return run(work)


@proposals.command(name="show")
def show_command(
    number: Number,
    data: DataOption = DEFAULT_DATA,
    *,
    clause: Annotated[str, Parameter(name="--clause", help="Words to show instead of those written.")] = "",
    suggestion: Annotated[str, Parameter(name="--suggestion", help="Words to show instead of those written.")] = "",
    reason: Annotated[str, Parameter(name="--reason", help="Words to show instead of those written.")] = "",
) -> int:
    """Put a proposal up on /rules/proposals; refused where its words could name somebody."""

    async def work() -> None:
        async with joined(data) as app:
            _done(await app.proposals.show(number, Shown(clause=clause, suggestion=suggestion, reason=reason)))

    return run(work)


@proposals.command(name="take-up")
def take_up_command(
    number: Number,
    version: Annotated[str, Parameter(help="The published version that takes it up.")],
    data: DataOption = DEFAULT_DATA,
) -> int:
    """Say that a published version takes a proposal up."""

    async def work() -> None:
        async with joined(data) as app:
            _done(await app.proposals.take_up(number, version))

    return run(work)


@proposals.command(name="decline")
def decline_command(
    number: Number, why: Annotated[str, Parameter(help="The reason.")], data: DataOption = DEFAULT_DATA
) -> int:
    """Decline a proposal with a reason."""

    async def work() -> None:
        async with joined(data) as app:
            _done(await app.proposals.decline(number, why))

    return run(work)


def _done(refused: Refused | None) -> ExitCode:
    if refused is not None:
        raise CommandRefusedError(sentence_of(refused))
    say("已保存。", "Saved.")
    return ExitCode.DONE
