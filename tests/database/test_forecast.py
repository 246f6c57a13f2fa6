"""The forecast of a case that nobody has filed: the rulebook on the order's records, and how similar cases ended."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest_asyncio

from dispute import WISH, Desk, code, seen
from kabao.cases import AtOnce, DecisionService, MakeOffer, Remedy, Side
from kabao.figures import DirectRefund, Forecast, ForecastService, ForeseeFacts, ForeseeOrder, store
from kabao.kernel import IdSource, Refusal, Refused
from kabao.postgres import Database
from market import PHONE, open_account, person

GOODS = "game_card"


def told(answer: Forecast | Refused) -> Forecast:
    assert isinstance(answer, Forecast), answer
    return answer


def wish(ref: str, **changes: Any) -> ForeseeOrder:
    plain: dict[str, Any] = {"claim": "already_used", "demand": Remedy.FULL_REFUND}
    return ForeseeOrder(order_ref=ref, **(plain | changes))


@pytest_asyncio.fixture
async def desk(database: Database, owner_database: Database, tmp_path: Path) -> Desk:
    made = await Desk.ready(database, tmp_path, keys=30)
    await owner_database.execute(
        "UPDATE listing_snapshot SET document = document || jsonb_build_object('category', $1::text)", GOODS
    )
    await made.rulebook.begin()
    return made


def service(desk: Desk) -> ForecastService:
    decisions = DecisionService(
        database=desk.database,
        clock=desk.clock,
        ids=IdSource(),
        cases=desk.cases,
        evidence=desk.evidence,
        rulebook=desk.rulebook,
    )
    return ForecastService(database=desk.database, orders=desk.orders, decisions=decisions, rulebook=desk.rulebook)


async def test_the_forecast_is_what_the_case_is_decided_as_once_it_is_filed(desk: Desk) -> None:
    ref = desk.order_ref(await desk.bought())
    forecasts = service(desk)
    foreseen = told(await forecasts.of_order(desk.market.buyer, wish(ref)))
    case = seen(await desk.cases.open(desk.market.buyer, ref, WISH))
    decisions = DecisionService(
        database=desk.database,
        clock=desk.clock,
        ids=IdSource(),
        cases=desk.cases,
        evidence=desk.evidence,
        rulebook=desk.rulebook,
    )
    decided = await decisions.decision(desk.market.buyer, case.ref)
    assert not isinstance(decided, Refused)
    assert foreseen.decision == decided
    assert foreseen.decision.missing
    assert code(await forecasts.of_order(desk.market.buyer, wish(ref))) is Refusal.IN_CASE


async def test_a_sealed_key_and_an_opened_one_are_forecast_apart(desk: Desk) -> None:
    forecasts = service(desk)
    sealed = desk.order_ref(await desk.bought(opened=False))
    opened = desk.order_ref(await desk.bought())
    regret = {"claim": "changed_mind"}
    first = told(await forecasts.of_order(desk.market.buyer, wish(sealed, **regret)))
    second = told(await forecasts.of_order(desk.market.buyer, wish(opened, **regret)))
    assert first.decision.outcome == "FULL_REFUND"
    assert second.decision.outcome != "FULL_REFUND"
    # A key that nobody opened goes back at once, whatever is wrong with it; of several only those.
    used = told(await forecasts.of_order(desk.market.buyer, wish(sealed)))
    assert (used.decision.outcome, used.decision.is_return, used.at_once) == ("FULL_REFUND", True, AtOnce.YES)
    assert used.direct == DirectRefund(keys=1, refund_minor=9650, is_all=True)
    several = await desk.bought(2, opened=False)
    assert not isinstance(await desk.orders.reveal(desk.market.buyer, desk.order_ref(several), [1], PHONE), Refused)
    mixed = told(await forecasts.of_order(desk.market.buyer, wish(desk.order_ref(several))))
    assert (mixed.decision.outcome, mixed.at_once) == ("DENY", AtOnce.NO)
    assert mixed.direct == DirectRefund(keys=1, refund_minor=9650, is_all=False)
    assert second.direct is None
    # What a part of it asks for is told beside what the rules come to.
    part = {"demand": Remedy.PARTIAL_REFUND, "demand_minor": 500}
    asked = told(await forecasts.of_order(desk.market.buyer, wish(sealed, **part)))
    assert (asked.demanded_minor, asked.decision.beyond_demand(500)) == (500, True)
    swapped = told(await forecasts.of_order(desk.market.buyer, wish(opened, demand=Remedy.REPLACEMENT)))
    assert (first.demanded_minor, swapped.demanded_minor) == (9650, 0)


async def test_both_parties_may_ask_and_nobody_else(desk: Desk) -> None:
    forecasts = service(desk)
    ref = desk.order_ref(await desk.bought())
    assert told(await forecasts.of_order(desk.market.owner, wish(ref))).decision.version
    stranger = person(await open_account(desk.database, "路人"))
    assert code(await forecasts.of_order(stranger, wish(ref))) is Refusal.NOT_FOUND
    assert code(await forecasts.of_order(desk.market.staff, wish(ref))) in {Refusal.NOT_FOUND, Refusal.NOT_ALLOWED}
    case = seen(await desk.cases.open(desk.market.buyer, ref, WISH))
    assert code(await forecasts.of_order(desk.market.staff, wish(ref))) is Refusal.NOT_ALLOWED
    assert case.viewer is Side.BUYER


async def test_what_could_not_be_filed_is_not_forecast(desk: Desk) -> None:
    forecasts, buyer = service(desk), desk.market.buyer
    ref = desk.order_ref(await desk.bought())
    assert code(await forecasts.of_order(buyer, wish(ref, claim="no_such"))) is Refusal.INVALID_FIELDS
    partial = {"demand": Remedy.PARTIAL_REFUND}
    for amount in (0, desk.market.price_minor + 1):
        refused = await forecasts.of_order(buyer, wish(ref, **partial, demand_minor=amount))
        assert code(refused) is Refusal.REFUND_OUT_OF_RANGE
    assert told(await forecasts.of_order(buyer, wish(ref, **partial, demand_minor=100)))
    assert code(await forecasts.of_order(buyer, wish("1-2"))) is Refusal.NOT_FOUND


async def test_how_similar_cases_ended_is_told_from_the_twentieth_on(desk: Desk) -> None:
    forecasts, buyer, owner = service(desk), desk.market.buyer, desk.market.owner
    ref = desk.order_ref(await desk.bought())
    for number in range(20):
        case = await desk.case(msgspec.structs.replace(WISH, by_person=number == 7), opened=number != 7)
        match number:
            case 0:
                seen(await desk.cases.withdraw(buyer, case.ref))
            case 1:
                offered = seen(await desk.cases.offer(owner, case.ref, MakeOffer(kind=Remedy.REPLACEMENT)))
                assert offered.open_offer is not None
                seen(await desk.cases.accept(buyer, case.ref, offered.open_offer.offer_id))
            case 2:
                partly = MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=100)
                offered = seen(await desk.cases.offer(owner, case.ref, partly))
                assert offered.open_offer is not None
                seen(await desk.cases.accept(buyer, case.ref, offered.open_offer.offer_id))
            case _:
                seen(await desk.cases.accept_demand(owner, case.ref))
        desk.pass_time(timedelta(hours=1))
    # One of the twenty was about a sealed key, so that nineteen are alike.
    assert told(await forecasts.of_order(buyer, wish(ref))).similar is None
    seen(await desk.cases.accept_demand(owner, (await desk.case()).ref))
    similar = told(await forecasts.of_order(buyer, wish(ref))).similar
    assert similar is not None
    assert {one.ending.value: one.cases for one in similar.endings} == {
        "full_refund": 17,
        "partial_refund": 1,
        "replacement": 1,
        "withdrawn": 1,
    }
    assert told(await forecasts.of_order(buyer, wish(ref, claim="key_invalid"))).similar is None
    async with desk.database.connection() as conn:
        assert await store.similar_endings(conn, "already_used", "software", is_opened=True) == {}
        assert await store.similar_endings(conn, "already_used", GOODS, is_opened=False) == {"full_refund": 1}


async def test_bare_facts_are_forecast_by_the_book_in_force(desk: Desk) -> None:
    forecasts = service(desk)
    facts: Mapping[str, Any] = {
        "delivered": "proved",
        "opened": "proved",
        "key_failed": {"evidence": [{"shows": "proved", "confidence": 95, "kind": "issuer_record"}]},
        "key_opened_before": "proved",
    }
    bare = ForeseeFacts(
        claim="already_used", demand=Remedy.FULL_REFUND, facts=facts, amounts={"price_minor": 9650}, category=GOODS
    )
    foreseen = told(await forecasts.of_facts(bare, Side.BUYER))
    assert (foreseen.decision.outcome, foreseen.decision.refund_minor) == ("FULL_REFUND", 9650)
    assert foreseen.similar is None
    wrong = msgspec.structs.replace(bare, facts={"no_such_fact": "proved"})
    refused = await forecasts.of_facts(wrong, Side.BUYER)
    assert isinstance(refused, Refused)
    assert set(refused.fields) == {"facts"}
    unknown = await forecasts.of_facts(msgspec.structs.replace(bare, claim="no_such"), Side.BUYER)
    assert isinstance(unknown, Refused)
    assert set(unknown.fields) == {"claim"}


async def test_before_any_rulebook_nothing_is_forecast(database: Database, tmp_path: Path) -> None:
    desk = await Desk.ready(database, tmp_path)
    ref = desk.order_ref(await desk.bought())
    forecasts = service(desk)
    assert code(await forecasts.of_order(desk.market.buyer, wish(ref))) is Refusal.NOT_FOUND
    bare = ForeseeFacts(claim="other", demand=Remedy.FULL_REFUND, facts={}, amounts={"price_minor": 1})
    assert code(await forecasts.of_facts(bare, Side.BUYER)) is Refusal.NOT_FOUND
