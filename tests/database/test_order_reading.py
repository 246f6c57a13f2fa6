"""The words an order was sold by are read once, as its first case is opened; a forecast reads the same."""

from pathlib import Path

import pytest

from dispute import Desk
from kabao.cases import DecisionService, DecisionView, FactsView, OpenCase, Remedy, SayFact
from kabao.cases.clauses.model import Clause
from kabao.cases.clauses.service import checker, keep_reading, name_of, sources
from kabao.kernel import IdSource, Refused
from kabao.orders import OrderView
from kabao.postgres import Database

UNFAIR = OpenCase(claim="clause_unfair", demand=Remedy.FULL_REFUND, statement="一经售出概不退换，不公平。")


@pytest.fixture
async def desk(database: Database, owner_database: Database, tmp_path: Path) -> Desk:  # noqa: ARG001  migrates
    return await Desk.ready(database, tmp_path)


def service(desk: Desk) -> DecisionService:
    return DecisionService(
        database=desk.database,
        clock=desk.clock,
        ids=IdSource(),
        cases=desk.cases,
        evidence=desk.evidence,
        rulebook=desk.rulebook,
    )


def decided(answer: DecisionView | Refused | None) -> DecisionView:
    assert isinstance(answer, DecisionView), answer
    return answer


async def write(owner: Database, words: str) -> None:
    """Let the listing say something else, as if it had been sold by these words."""
    await owner.execute("UPDATE listing_snapshot SET document = document || $1::jsonb", {"description": words})


async def test_a_case_keeps_what_was_read_as_it_was_opened_and_the_forecast_reads_the_same(
    desk: Desk, owner_database: Database
) -> None:
    await desk.rulebook.begin()
    decisions, buyer = service(desk), desk.market.buyer
    await write(owner_database, "卡密一经售出，概不退换。")
    order_id = await desk.bought()
    order = await desk.orders.order(buyer, desk.order_ref(order_id))
    assert not isinstance(order, Refused)
    foreseen = decided(await decisions.foresee(order, UNFAIR.claim, UNFAIR.demand))
    assert await owner_database.fetchval("SELECT count(*) FROM order_reading") == 0
    case = await desk.cases.open(buyer, order.ref, UNFAIR)
    assert not isinstance(case, Refused)
    assert await owner_database.fetchval("SELECT checker FROM order_reading") == checker()
    filed = decided(await decisions.decision(buyer, case.ref))
    assert filed.full == foreseen.full
    assert any("「卡密一经售出，概不退换」依法应属无效" in reason.zh for reason in filed.findings)
    [said] = [reason.en for reason in filed.findings if "decided as if absent" in reason.en]
    assert "Consumer Rights Protection Law, Article 26" in said
    assert "《" not in said.partition("decided as if absent")[2]
    for fact in ("ground_shown", "notice_given"):
        said = SayFact(fact=fact, shows=True, kind="platform_log", confidence=95)
        assert await decisions.say_fact(desk.market.staff, case.ref, said) is None
    before = decided(await decisions.decision(buyer, case.ref))
    assert before.outcome == "FULL_REFUND"
    # Whatever a later checker would read, the case stays as it was read.
    await write(owner_database, "卡密无效的，可以退款。")
    assert decided(await decisions.decision(buyer, case.ref)).full == before.full
    facts = await decisions.facts(desk.market.staff, case.ref)
    assert isinstance(facts, FactsView)
    assert [(one.words, one.id) for one in facts.clauses] == [("卡密一经售出，概不退换", "K01")]
    # A case from before orders were read is told nothing, and by fair words the clause binds.
    await owner_database.execute("DELETE FROM order_reading")
    assert decided(await decisions.decision(buyer, case.ref)).outcome == "DENY"


def test_the_checkers_name_changes_with_its_data_its_engine_and_what_is_made_of_an_orders_words() -> None:
    """Two readings of one name were read alike: data alone would name an engine that reads otherwise the same."""
    read = sources()
    assert {"kabao.terms/packed.json", "kabao.terms/check.py", "kabao.cases.clauses/documents.py"} <= set(read)
    names = {name_of(read), checker()}
    assert len(names) == 1
    for path in read:
        names.add(name_of({**read, path: read[path] + b" "}))
    assert len(names) == 1 + len(read)
    assert name_of(dict(reversed(read.items()))) == checker()


async def test_words_that_the_checker_stumbles_over_keep_nobody_from_his_case(desk: Desk) -> None:
    def stumbling(order: OrderView) -> list[Clause]:
        raise KeyError(order.ref)

    order = await desk.orders.order(desk.market.buyer, desk.order_ref(await desk.bought()))
    assert isinstance(order, OrderView)
    async with desk.database.transaction() as conn:
        await keep_reading(conn, order, stumbling)
        assert await conn.fetchval("SELECT count(*) FROM order_reading") == 0
        await keep_reading(conn, order)
        assert await conn.fetchval("SELECT count(*) FROM order_reading") == 1
