"""`kabao rulebook proposals`: the rulekeeper lists, puts up and answers beside a running server."""

import asyncio
import json
from pathlib import Path

from kabao.adjudication.service import packaged_book
from kabao.cli.running import joined
from kabao.figures import Propose
from market import person
from program import Serving, kabao


async def propose(data: Path) -> int:
    async with joined(data) as app:
        [buyer] = await app.accounts("演示买家")
        wish = Propose(clause="原来的话。", suggestion="改成的话。", reason="更清楚。")
        number = await app.proposals.propose(person(buyer), wish)
    assert isinstance(number, int)
    return number


def test_proposals_are_answered_beside_a_server(demo: tuple[Path, Serving]) -> None:
    data, _ = demo
    for step in (("show", "1"), ("take-up", "1", packaged_book().edition.version), ("decline", "1", "why")):
        said = kabao("rulebook", "proposals", *step, "--data", data)
        assert said.returncode == 1
        assert said.stderr.startswith("kabao: ")
    first, second = asyncio.run(propose(data)), asyncio.run(propose(data))
    said = kabao("rulebook", "proposals", "list", "--data", data)
    assert f"{first}  open, person" in said.stdout
    assert "+ 改成的话。" in said.stdout
    for step in (("show", first), ("take-up", first, packaged_book().edition.version), ("decline", second, "不行。")):
        said = kabao("rulebook", "proposals", *map(str, step), "--data", data)
        assert said.returncode == 0, said.stderr
    listed = json.loads(kabao("rulebook", "proposals", "list", "--data", data, "--json").stdout)["proposals"]
    assert {one["proposal_id"]: (one["state"], one["shown_at"] is not None) for one in listed} == {
        first: ("taken_up", True),
        second: ("declined", False),
    }
