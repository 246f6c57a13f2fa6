"""A party's point against the ruling, in the same moment and many times over: no point refuses it, and none is lost."""

import asyncio
import random
from pathlib import Path

from dispute import FIRST_VIEW, HANDED_IN, MERCHANTS, Desk, seen
from kabao.cases import MakeOffer, Outcome, Remedy, Rule
from kabao.cases.ladder.model import Answer, Grounds, Take
from kabao.kernel import Refused
from kabao.postgres import Database
from thorough import LAW

ROUNDS = 19
"""One offer fewer than a side may make."""
PART = MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=6000)


async def test_a_party_that_speaks_as_a_ruling_is_handed_in_never_refuses_it(
    database: Database, tmp_path: Path
) -> None:
    rng = random.Random(20261125)  # noqa: S311  a seed, so that a race can be run again
    desk = await Desk.ready(database, tmp_path)
    ladder, owner, staff = desk.ladder.plain, desk.market.owner, desk.market.staff
    case = seen(await desk.cases.answer(owner, (await desk.case()).ref, "我们进的是新货。"))
    seen(await desk.cases.escalate(desk.market.buyer, case.ref))
    seen(await ladder.first_view(staff, case.ref, FIRST_VIEW))

    async def offers(note: str) -> None:
        await asyncio.sleep(rng.random() * 0.01)
        seen(await desk.cases.offer(owner, case.ref, MakeOffer(kind=PART.kind, refund_minor=6000, note=note)))

    async def rules() -> set[str]:
        points = await ladder.points(staff, case.ref)
        assert not isinstance(points, Refused)
        read = [point.key for point in points]
        await asyncio.sleep(rng.random() * 0.01)
        answers = [Answer(point=key, take=Take.NOT_DECISIVE, why="看过。") for key in read]
        grounds = Grounds(answers=answers, laws=[LAW], unanswered="够了。")
        wish = Rule(
            outcome=Outcome.FULL_REFUND,
            shares=MERCHANTS,
            facts="事实",
            reasons="理由",
            differs_reason="记录优先。",
            grounds=grounds,
            read=read,
        )
        seen(await ladder.rule(staff, case.ref, wish))
        return set(read)

    firsts = 0
    for number in range(ROUNDS):
        _, read = await asyncio.gather(offers(f"第 {number} 个方案"), rules())
        points = await ladder.points(staff, case.ref)
        assert not isinstance(points, Refused)
        unread = [point.key for point in points if point.key not in read]
        assert len(unread) <= 1
        firsts += not unread
        if number < ROUNDS - 1:
            seen(await ladder.take_back(staff, case.ref))
    assert firsts < ROUNDS, "nobody ever spoke after the reading"
    desk.pass_time(HANDED_IN)
    await asyncio.gather(offers("最后一个"), desk.cases.tick(), return_exceptions=True)
    while not await desk.database.fetchval("SELECT count(*) FROM ruling"):
        await desk.cases.tick()
    row = await desk.database.fetchrow("SELECT grounds, made_at FROM ruling")
    assert row is not None
    told = {one["point"] for one in row["grounds"]["answers"]} | set(row["grounds"]["unread"])
    last = await desk.database.fetchrow("SELECT offer_id, note FROM case_offer ORDER BY offer_id DESC LIMIT 1")
    assert last is not None
    assert f"o{last['offer_id']}" in told, "what stood as the ruling became known is answered or named"
