"""A ruling keeps what stood beside it: the version that bound, what that said and what it had read."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dispute import MERCHANTS, Desk, code
from kabao.adjudication.service import RulebookService, packaged_book, packaged_text
from kabao.cases import CaseView, DecisionService, DecisionView, OpenCase, Outcome, Remedy, Rule, SayFact
from kabao.kernel import IdSource, Refusal, Refused, digest_of
from kabao.postgres import Database
from rulebooks import SAMPLE, edited

VERSION = packaged_book().edition.version
RULING = Rule(
    shares=MERCHANTS,
    outcome=Outcome.FULL_REFUND,
    facts="核销早于拆封。",
    reasons="卡密交付前已被使用。",
    differs_reason="发行方记录是裁决后才能公开的。",
)
ISSUER = SayFact(fact="key_failed", shows=True, kind="issuer_record", confidence=97)


@pytest.fixture
async def desk(database: Database, owner_database: Database, tmp_path: Path) -> Desk:  # noqa: ARG001  migrates
    desk = await Desk.ready(database, tmp_path)
    await desk.rulebook.begin()
    return desk


def decisions_of(desk: Desk) -> DecisionService:
    return DecisionService(
        database=desk.database,
        clock=desk.clock,
        ids=IdSource(),
        cases=desk.cases,
        evidence=desk.evidence,
        rulebook=desk.rulebook,
    )


async def kept(desk: Desk, case: CaseView) -> dict[str, Any] | None:
    row = await desk.database.fetchrow("SELECT * FROM case_decision WHERE shop_id = $1", case.order.shop_id)
    return None if row is None else dict(row)


async def ruled(desk: Desk, case: CaseView) -> CaseView:
    return await desk.executed(case, RULING)


async def test_a_ruling_keeps_version_decision_and_case_file_with_their_digests(desk: Desk) -> None:
    decisions = decisions_of(desk)
    case = await desk.at_support()
    await decisions.say_fact(desk.market.staff, case.ref, ISSUER)
    before = await decisions.decision(desk.market.buyer, case.ref)
    assert isinstance(before, DecisionView)
    assert not before.is_kept
    after = await ruled(desk, case)
    row = await kept(desk, case)
    assert row is not None
    assert row["rulebook_version"] == VERSION
    for name in ("decision", "case_file"):
        assert row[f"{name}_digest"] == digest_of(row[name].encode()) == digest_of(json.loads(row[name]))
    # The file is what was known before the ruling moved the money.
    assert json.loads(row["case_file"])["facts"]["refund_received"] == "disproved"
    assert json.loads(row["decision"])["outcome"] == "FULL_REFUND"
    assert after.ruling is not None
    assert (after.ruling.rulebook_version, after.ruling.decision_digest, after.ruling.case_file_digest) == (
        VERSION,
        row["decision_digest"].hex(),
        row["case_file_digest"].hex(),
    )
    for viewer in (desk.market.buyer, desk.market.owner, desk.market.staff):
        shown = await decisions.decision(viewer, case.ref)
        assert isinstance(shown, DecisionView)
        assert shown.is_kept
        assert shown.full == before.full
        assert shown.missing == []


async def test_the_history_of_case_and_order_names_version_and_files(desk: Desk) -> None:
    async def content():  # type: ignore[no-untyped-def]  # noqa: ANN202
        yield "已被使用".encode()

    case = await desk.at_support()
    item = await desk.cases.add_file(desk.market.buyer, case.ref, "a.txt", content())
    assert not isinstance(item, Refused)
    after = await ruled(desk, case)
    lines = {line.kind: line for line in after.timeline}
    assert {lines[kind].rulebook_version for kind in ("rose", "ruled", "ruled_refund")} == {VERSION}
    assert f"本单适用规则 {VERSION} 版" in lines["ruled"].text
    rows = await desk.database.fetch(
        """SELECT kind, rulebook_version, evidence_digests FROM case_event
           UNION ALL SELECT kind, rulebook_version, evidence_digests FROM order_event WHERE kind = 'ruled_refund'"""
    )
    assert {(row["kind"], row["rulebook_version"], tuple(row["evidence_digests"])) for row in rows} == {
        ("opened", VERSION, ()),
        ("rose", VERSION, ()),
        ("ruled", VERSION, (item.digest,)),
        ("executed", VERSION, (item.digest,)),
        ("ruled_refund", VERSION, (item.digest,)),
    }


async def test_a_book_without_words_leaves_the_version_alone(database: Database, tmp_path: Path) -> None:
    desk = await Desk.ready(database, tmp_path)
    card = await desk.rulebook.publish(SAMPLE)
    assert not isinstance(card, Refused)
    desk.pass_time(timedelta(days=30))
    case = await desk.at_support(OpenCase(claim="late", demand=Remedy.FULL_REFUND, statement="迟了。"))
    after = await ruled(desk, case)
    row = await kept(desk, case)
    assert row is not None
    assert (row["rulebook_version"], row["case_file"], row["decision"]) == (card.version, None, None)
    assert after.ruling is not None
    assert (after.ruling.rulebook_version, after.ruling.decision_digest) == (card.version, None)
    assert code(await decisions_of(desk).decision(desk.market.buyer, case.ref)) is Refusal.NOT_FOUND


async def test_without_any_rulebook_a_ruling_stands_alone(database: Database, tmp_path: Path) -> None:
    desk = await Desk.ready(database, tmp_path)
    case = await desk.at_support()
    after = await ruled(desk, case)
    assert after.ruling is not None
    assert after.ruling.rulebook_version is None
    assert await kept(desk, case) is None
    assert all(line.rulebook_version is None for line in after.timeline)


async def test_a_refused_ruling_keeps_nothing(desk: Desk) -> None:
    case = await desk.case()
    assert code(await desk.ladder.rule(desk.market.staff, case.ref, RULING)) is Refusal.NOT_YOUR_TURN
    assert await kept(desk, case) is None


async def test_what_was_kept_cannot_be_bent(desk: Desk, owner_database: Database) -> None:
    case = await desk.at_support()
    await ruled(desk, case)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await desk.database.execute("UPDATE case_decision SET decision = '{}'")
    with pytest.raises(asyncpg.CheckViolationError):
        await owner_database.execute("UPDATE case_decision SET decision = '{}'")


async def test_a_replay_reads_a_ruled_case_as_it_stood_then(desk: Desk) -> None:
    decisions = decisions_of(desk)
    case = await desk.at_support()
    await ruled(desk, case)
    [written] = [one async for one in decisions.case_files()]
    row = await kept(desk, case)
    assert row is not None
    assert written == json.loads(row["case_file"])


async def test_an_order_older_than_any_version_is_bound_by_the_first(desk: Desk, database: Database) -> None:
    text = edited(f'version: "{VERSION}"', 'version: "later"', packaged_text())
    binds = desk.clock.at + timedelta(days=20)
    rulebook = RulebookService(database=database, clock=desk.clock)
    assert not isinstance(await rulebook.publish(text, binds), Refused)
    async with database.connection() as conn:
        for ordered, version in (
            (desk.clock.at - timedelta(days=1), VERSION),
            (desk.clock.at, VERSION),
            (binds - timedelta(seconds=1), VERSION),
        ):
            assert await rulebook.binding_version(conn, ordered) == version
        desk.clock.advance(timedelta(days=30))
        assert await rulebook.binding_version(conn, desk.clock.at - timedelta(days=90)) == VERSION
        assert await rulebook.binding_version(conn, desk.clock.at) == "later"


async def test_nothing_is_said_of_facts_once_a_case_is_closed_meanwhile(desk: Desk) -> None:
    case = await desk.at_support()
    decisions = decisions_of(desk)
    async with desk.database.transaction() as conn:
        await conn.execute("SELECT 1 FROM cases WHERE shop_id = $1 FOR UPDATE", case.order.shop_id)
        waiting = asyncio.create_task(decisions.say_fact(desk.market.staff, case.ref, ISSUER))
        await _until_someone_waits(desk)
        await conn.execute(
            "UPDATE cases SET previous = stage, stage = 'settled', turn = 'nobody', due_at = NULL, closed_at = $2 "
            "WHERE shop_id = $1",
            case.order.shop_id,
            desk.clock.at,
        )
    assert code(await waiting) is Refusal.CASE_CLOSED
    assert await desk.database.fetchval("SELECT count(*) FROM case_fact") == 0


async def _until_someone_waits(desk: Desk) -> None:
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while not await desk.database.fetchval(waits):  # noqa: ASYNC110  only the database knows
        await asyncio.sleep(0.01)
