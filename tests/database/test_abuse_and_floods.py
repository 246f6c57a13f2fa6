"""What both sides read of abusive words, what staff read, and a side that writes too much."""

from pathlib import Path

import msgspec
import pytest

from dispute import HOUR, WISH, Desk, code, seen
from kabao.cases import MakeOffer, Outcome, Remedy, Rule, SayFact, Shares, Side
from kabao.cases.decisions import DecisionService
from kabao.evidence import AuthorRole
from kabao.identity import Role
from kabao.kernel import IdSource, Refusal, Refused
from kabao.postgres import Database

RUDE = "你个傻逼，看记录。"
READ = "你个＊＊，看记录。"
RULING = Rule(
    outcome=Outcome.NO_REFUND, shares=Shares(buyer=100), facts="查明。", reasons="理由。", differs_reason="照实。"
)


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    desk = await Desk.ready(database, tmp_path)
    await desk.rulebook.begin()
    return desk


async def test_abusive_words_are_masked_wherever_both_sides_read_them_and_kept_for_staff(desk: Desk) -> None:
    buyer, owner, staff = desk.market.buyer, desk.market.owner, desk.market.staff
    case = await desk.case(msgspec.structs.replace(WISH, statement=RUDE))
    seen(await desk.cases.say(buyer, case.ref, RUDE))
    seen(await desk.cases.answer(owner, case.ref, RUDE))
    seen(await desk.cases.offer(buyer, case.ref, MakeOffer(kind=Remedy.FULL_REFUND, note=RUDE)))
    decisions = DecisionService(
        database=desk.database,
        clock=desk.clock,
        ids=IdSource(),
        cases=desk.cases,
        evidence=desk.evidence,
        rulebook=desk.rulebook,
    )
    said = await decisions.say_fact(buyer, case.ref, SayFact(fact="key_failed", shows=True, note=RUDE))
    assert not isinstance(said, Refused), said
    seen(await desk.cases.escalate(buyer, case.ref))
    asked = seen(await desk.ladder.ask(staff, case.ref, Side.BUYER, "什么提示？"))
    seen(await desk.ladder.reply(buyer, case.ref, asked.questions[0].question_id, RUDE))
    # What staff write stays as it is: it is for staff to answer for.
    seen(await desk.cases.say(staff, case.ref, "请不要写“傻逼”。"))
    await desk.ruled(case, RULING)
    seen(await desk.ladder.ask_review(buyer, case.ref, RUDE))
    kept = await desk.cases.originals(staff, case.ref)
    assert not isinstance(kept, Refused)
    assert [(one.author_role, one.body, one.masked) for one in kept] == [
        (role, RUDE, READ) for role in ("buyer", "buyer", "merchant", "buyer", "buyer", "buyer", "buyer")
    ]
    for reader in (buyer, owner, staff):
        view = seen(await desk.cases.case(reader, case.ref))
        facts = await decisions.facts(reader, case.ref)
        assert not isinstance(facts, Refused)
        written = [line.said for line in view.timeline] + [view.statement, *(offer.note for offer in view.offers)]
        written += [question.answer or "" for question in view.questions] + [one.note for one in facts.said]
        assert sum("傻逼" in words for words in written) == 1, "only what staff wrote"
        assert sum(READ in words for words in written) == 10
    for party in (buyer, owner):
        assert code(await desk.cases.originals(party, case.ref)) is Refusal.NOT_ALLOWED
    assert code(await desk.cases.originals(await desk.staff(), case.ref)) is Refusal.NOT_FOUND


async def test_a_side_that_floods_waits_and_a_person_looks_while_steps_and_the_other_side_go_on(desk: Desk) -> None:
    buyer, owner, staff = desk.market.buyer, desk.market.owner, desk.market.staff
    case = await desk.case()
    order = (case.order.shop_id, case.order.order_id)
    for number in range(60):
        assert not isinstance(
            await desk.evidence.say(None, *order, buyer.account_id, AuthorRole.BUYER, f"{number}"), Refused
        )
    assert await desk.cases.floods(staff) == []
    for _ in range(2):
        assert code(await desk.cases.say(buyer, case.ref, "还有")) is Refusal.SAID_ENOUGH
    refused = await desk.evidence.say(None, *order, buyer.account_id, AuthorRole.BUYER, "还有")
    assert isinstance(refused, Refused)
    await desk.cases.flooded(buyer, case.ref, refused)
    await desk.cases.flooded(buyer, None, refused)
    floods = await desk.cases.floods(staff)
    assert not isinstance(floods, Refused)
    assert [(one.ref, one.by_role) for one in floods] == [(case.ref, "buyer")]
    seen(await desk.cases.say(owner, case.ref, "看到了。"))
    seen(await desk.cases.answer(owner, case.ref, "核对过。"))
    seen(await desk.cases.escalate(buyer, case.ref))
    for outsider in (buyer, owner):
        assert code(await desk.cases.floods(outsider)) is Refusal.NOT_ALLOWED
        assert code(await desk.cases.flood_seen(outsider, case.ref)) is Refusal.NOT_ALLOWED
    party_too = msgspec.structs.replace(buyer, roles=buyer.roles | {Role.SUPPORT}, staff_checked=True)
    assert await desk.cases.floods(party_too) == []
    assert code(await desk.cases.flood_seen(party_too, case.ref)) is Refusal.NOT_FOUND
    assert await desk.cases.flood_seen(staff, case.ref) is None
    assert await desk.cases.floods(staff) == []
    assert code(await desk.cases.flood_seen(staff, case.ref)) is Refusal.NOT_FOUND
    desk.pass_time(25 * HOUR)
    seen(await desk.cases.say(buyer, case.ref, "第二天"))
