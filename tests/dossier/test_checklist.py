"""The checklist says what is there, what is missing, and what it would change; support is told no outcome."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from archive import stream
from dispute import HOUR, Desk, code
from kabao.adjudication import Rulebook, load_file
from kabao.adjudication.service import RulebookService
from kabao.cases import CLAIMS, MERCHANT_CLAIMS, DecisionService, MakeOffer, OpenCase, Remedy, SayFact
from kabao.dossier import Checklist, ChecklistService, Gathered, checklist
from kabao.dossier.checklist import EXAMPLES, FACTS_AT_MOST
from kabao.identity import Role
from kabao.kernel import IdSource, Refusal, Refused
from kabao.postgres import Database
from market import open_account, person

BOOK_FILE = Path(__file__).parents[2] / "src" / "kabao" / "adjudication" / "rulebook.yaml"
BARE = Gathered(messages={}, items={}, keys_opened=0, notices=0, paid=False, delivered=False)
FULL = Gathered(
    messages={"buyer": 2, "merchant": 1}, items={"buyer": 1}, keys_opened=1, notices=2, paid=True, delivered=True
)


@pytest.fixture(scope="module")
def book() -> Rulebook:
    return load_file(BOOK_FILE)


def listed(
    book: Rulebook,
    claim: str = "already_used",
    gathered: Gathered = FULL,
    turns: Mapping[str, str] | None = None,
    facts: Mapping[str, object] | None = None,
) -> Checklist:
    return checklist(book, claim, facts or {}, gathered, turns)


@pytest.mark.parametrize("claim", sorted(set(CLAIMS) - set(MERCHANT_CLAIMS)))
def test_every_claim_of_a_buyer_has_facts_each_with_its_burden_proof_and_example(book: Rulebook, claim: str) -> None:
    facts = listed(book, claim).facts
    assert 0 < len(facts) <= FACTS_AT_MOST
    for fact in facts:
        assert fact.burden in {"buyer", "merchant"}
        assert fact.proves
        assert fact.example


def test_every_kind_of_evidence_has_an_example(book: Rulebook) -> None:
    assert set(book.evidence_kinds) <= set(EXAMPLES)


def test_the_claim_s_own_fact_stands_first(book: Rulebook) -> None:
    assert listed(book).facts[0].fact == "key_failed"


def test_a_claim_the_book_does_not_know_has_no_facts(book: Rulebook) -> None:
    assert listed(book, "unheard_of").facts == []


def test_the_elements_say_what_is_there_and_what_is_missing(book: Rulebook) -> None:
    snapshot, talk, use = listed(book, gathered=BARE).elements
    assert (snapshot.have, snapshot.missing) == (["下单时的商品页", "退款条件"], "")
    assert talk.have == []
    assert talk.missing
    assert use.have == []
    assert use.missing
    snapshot, talk, use = listed(book).elements
    assert snapshot.have[-1] == "勾选过的提示 2 条"
    assert talk.have == ["买家说了 2 次", "商家说了 1 次"]
    assert talk.missing == ""
    assert use.have == ["付款记录", "交付记录，卡密封存", "拆封记录 1 张", "买家交了 1 件证据"]
    assert use.missing == ""


def test_a_fact_stands_as_recorded_shown_said_or_missing(book: Rulebook) -> None:
    said = {"kind": "buyer_statement", "shows": "proved", "by": "buyer"}
    shown = {"kind": "screenshot", "shows": "disproved"}
    lines = {
        line.fact: line
        for line in listed(
            book,
            facts={
                "key_failed": {"evidence": [said]},
                "good_when_opened": {"evidence": [said, shown | {"kind": "unheard_of"}]},
                "key_opened_before": "proved",
                "promise_multiple_given": "disproved",
            },
        ).facts
    }
    assert (lines["key_failed"].state, lines["key_failed"].have) == ("said", ["买家陈述：成立"])
    assert lines["good_when_opened"].state == "shown"
    assert lines["good_when_opened"].have[1] == "unheard_of（客服）：不成立"
    assert lines["deceit"].state == "missing"
    recorded = [line for line in lines.values() if line.state == "recorded"]
    assert {tuple(line.have) for line in recorded} == {("平台记录：是",), ("平台记录：否",)}


def test_what_would_change_the_outcome_comes_forward_and_is_named(book: Rulebook) -> None:
    plain = [line.fact for line in listed(book).facts]
    late = plain[-1]
    lines = listed(book, turns={late: "全额退款"}).facts
    assert [line.fact for line in lines].index(late) < len(plain) - 1
    assert next(line for line in lines if line.fact == late).turns_to == "全额退款"
    assert all(line.turns_to == "" for line in listed(book).facts)


class Hall:
    """A desk with the rulebook in force and the checklist."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.rulebook = RulebookService(database=desk.database, clock=desk.clock)
        self.decisions = DecisionService(
            database=desk.database,
            clock=desk.clock,
            ids=IdSource(),
            cases=desk.cases,
            evidence=desk.evidence,
            rulebook=self.rulebook,
        )
        self.lists = ChecklistService(cases=desk.cases, decisions=self.decisions, evidence=desk.evidence)


@pytest.fixture
async def hall(database: Database, tmp_path: Path) -> Hall:
    found = Hall(await Desk.ready(database, tmp_path))
    await found.rulebook.begin()
    return found


def seen(answer: Checklist | Refused) -> Checklist:
    assert isinstance(answer, Checklist), answer
    return answer


async def test_a_party_sees_what_its_picture_changed(hall: Hall) -> None:
    desk, buyer = hall.desk, hall.desk.market.buyer
    case = await desk.case()
    before = seen(await hall.lists.checklist(buyer, case.ref))
    assert before.facts[0].state == "said"
    item = await desk.cases.add_file(buyer, case.ref, "报错.txt", stream("已被使用".encode()))
    assert not isinstance(item, Refused)
    wish = SayFact(fact="key_failed", shows=True, item_no=1)
    assert not isinstance(await hall.decisions.say_fact(buyer, case.ref, wish), Refused)
    after = seen(await hall.lists.checklist(buyer, case.ref))
    assert len(after.facts[0].have) == len(before.facts[0].have) + 1
    assert any("证据" in one for one in after.elements[2].have)


async def test_what_both_said_in_the_case_counts_as_said(hall: Hall) -> None:
    desk, market = hall.desk, hall.desk.market
    case = await desk.case()
    talk = seen(await hall.lists.checklist(market.buyer, case.ref)).elements[1]
    assert talk.have == ["买家说了 1 次"]
    assert talk.missing
    assert not isinstance(await desk.cases.say(market.owner, case.ref, "我们核对过，这枚是新的。"), Refused)
    talk = seen(await hall.lists.checklist(market.buyer, case.ref)).elements[1]
    assert talk.have == ["买家说了 1 次", "商家说了 1 次"]
    assert talk.missing == ""


async def test_parties_are_told_what_would_change_and_support_is_not(hall: Hall) -> None:
    desk, market = hall.desk, hall.desk.market
    case = await desk.at_support()
    for who in (market.buyer, market.owner):
        assert any(line.turns_to for line in seen(await hall.lists.checklist(who, case.ref)).facts)
    assert not any(line.turns_to for line in seen(await hall.lists.checklist(market.staff, case.ref)).facts)


async def test_whoever_decides_on_the_panel_or_on_duty_is_told_no_outcome_either(hall: Hall) -> None:
    desk = hall.desk
    panellist, officer = await desk.staff(Role.PANEL), await desk.staff(Role.DUTY)
    case = await desk.at_support()
    assert not isinstance(await desk.ladder.pass_on(desk.market.staff, case.ref), Refused)
    assert not any(line.turns_to for line in seen(await hall.lists.checklist(panellist, case.ref)).facts)
    desk.pass_time(72 * HOUR)
    assert await desk.cases.tick() == 1
    assert not any(line.turns_to for line in seen(await hall.lists.checklist(officer, case.ref)).facts)


async def test_once_the_case_is_over_the_list_is_support_s_alone(hall: Hall) -> None:
    desk, market = hall.desk, hall.desk.market
    case = await desk.case()
    await desk.cases.offer(market.owner, case.ref, MakeOffer(kind=Remedy.FULL_REFUND))
    offered = await desk.cases.case(market.buyer, case.ref)
    assert not isinstance(offered, Refused)
    assert offered.open_offer is not None
    await desk.cases.accept(market.buyer, case.ref, offered.open_offer.offer_id)
    assert code(await hall.lists.checklist(market.buyer, case.ref)) is Refusal.CASE_CLOSED
    assert seen(await hall.lists.checklist(market.staff, case.ref)).facts


async def test_a_stranger_finds_no_list(hall: Hall) -> None:
    case = await hall.desk.case()
    stranger = person(await open_account(hall.desk.database))
    assert code(await hall.lists.checklist(stranger, case.ref)) is Refusal.NOT_FOUND


async def test_without_a_rulebook_there_is_no_list(database: Database, tmp_path: Path) -> None:
    hall = Hall(await Desk.ready(database, tmp_path))
    wish = OpenCase(claim="other", demand=Remedy.FULL_REFUND, statement="说不清。")
    case = await hall.desk.case(wish)
    assert code(await hall.lists.checklist(hall.desk.market.buyer, case.ref)) is Refusal.NOT_FOUND
