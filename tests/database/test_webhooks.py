"""Webhooks: what happened is told, signed, to who asked for it, at least once, and nobody's silence stops another."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dispute import HOUR, Desk, code, seen
from hooks import Program, listening
from kabao.kernel import IdSource, Refusal, Refused
from kabao.outgoing import signature
from kabao.postgres import load_queries
from kabao.webhooks import Endpoint, NewSecret, Sender, WebhookService
from market import open_account, person

DAY, MINUTE, SECOND = timedelta(days=1), timedelta(minutes=1), timedelta(seconds=1)
KEY = b"w" * 32
URL = "https://hooks.example.org/kabao"


@dataclass
class Wire:
    """Takes messages as a sender does; `answers` are given one after the other, then 200."""

    answers: list[int | str] = field(default_factory=list)
    taken: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)

    async def __call__(self, url: str, body: bytes, signed: str) -> int | str:
        self.taken.append((url, json.loads(body), signed))
        await asyncio.sleep(0)
        return self.answers.pop(0) if self.answers else 200

    @property
    def kinds(self) -> list[str]:
        return [body["type"] for _, body, _ in self.taken]


@pytest.fixture
def wire() -> Wire:
    return Wire()


@pytest.fixture
async def desk(database: Any, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path)


def service(desk: Desk, send: Any) -> WebhookService:
    return WebhookService(
        database=desk.database, clock=desk.clock, ids=IdSource(), notices=desk.notices, send=send, key=KEY
    )


@pytest.fixture
def hooks(desk: Desk, wire: Wire) -> WebhookService:
    return service(desk, wire)


async def added(desk: Desk, hooks: WebhookService, url: str = URL) -> NewSecret:
    made = await hooks.add(desk.market.owner, desk.market.shop_id, url)
    assert isinstance(made, NewSecret), made
    await hooks.run()
    return made


async def ran(desk: Desk, hooks: WebhookService, by: timedelta = SECOND) -> int:
    """Let a moment pass, so that what has just happened lies behind, and run."""
    desk.pass_time(by)
    return await hooks.run()


async def now_is(desk: Desk, hooks: WebhookService, made: NewSecret) -> Endpoint:
    found = await hooks.endpoint(desk.market.owner, desk.market.shop_id, made.endpoint.endpoint_id)
    assert isinstance(found, Endpoint)
    return found


async def log(desk: Desk, hooks: WebhookService, made: NewSecret) -> list[tuple[str, str, int, int | None]]:
    lines = await hooks.deliveries(desk.market.owner, desk.market.shop_id, made.endpoint.endpoint_id)
    assert not isinstance(lines, Refused)
    return [(line.kind, line.state, line.attempt, line.status) for line in lines]


async def test_each_step_of_an_order_and_a_case_is_told_once_in_its_place(
    desk: Desk, hooks: WebhookService, wire: Wire
) -> None:
    made = await added(desk, hooks)
    case = await desk.case()
    await ran(desk, hooks)
    assert sorted(wire.kinds) == [
        "case.opened",
        *(f"order.{step}" for step in ("delivered", "frozen", "opened", "paid", "placed")),
    ]
    told = {body["type"]: body for _, body, _ in wire.taken}
    opened = told["case.opened"]
    assert (opened["case"], opened["order"], opened["stage"], opened["number"]) == (
        case.ref,
        case.order.ref,
        "negotiation",
        1,
    )
    assert opened["due_at"] == "2026-11-25T12:00:00Z"
    numbers = [body["number"] for _, body, _ in wire.taken if body["type"].startswith("order.")]
    assert len(set(numbers)) == len(numbers)
    seen(await desk.cases.withdraw(desk.market.buyer, case.ref))
    wire.taken.clear()
    assert await ran(desk, hooks) == 2
    assert sorted(wire.kinds) == ["case.withdrawn", "order.unfrozen"]
    assert await ran(desk, hooks) == 0
    assert len({body["id"] for _, body, _ in wire.taken}) == 2
    assert {state for _, state, _, _ in await log(desk, hooks, made)} == {"sent"}


async def test_only_the_shop_hears_and_only_of_what_came_after_it_asked(
    desk: Desk, hooks: WebhookService, wire: Wire
) -> None:
    await hooks.run()
    await desk.case()
    desk.pass_time(SECOND)
    await hooks.add(desk.market.owner, desk.market.shop_id, URL)
    await ran(desk, hooks)
    assert wire.taken == []
    elsewhere = await open_account(desk.database)
    await desk.database.execute(
        "INSERT INTO shop SELECT (jsonb_populate_record(s, jsonb_build_object('shop_id', 77, 'owner_id', $1::bigint)"
        ")).* FROM shop s WHERE shop_id = $2",
        elsewhere,
        desk.market.shop_id,
    )
    assert isinstance(await hooks.add(person(elsewhere), 77, "https://other.example.org/"), NewSecret)
    await desk.bought(opened=False)
    await ran(desk, hooks)
    assert {url for url, _, _ in wire.taken} == {URL}


async def test_an_owner_alone_reaches_endpoints_and_their_number_is_bounded(desk: Desk, hooks: WebhookService) -> None:
    made = await added(desk, hooks)
    shop, hook = desk.market.shop_id, made.endpoint.endpoint_id
    stranger = desk.market.buyer
    answers = [
        await hooks.endpoints(stranger, shop),
        await hooks.add(stranger, shop, "https://b.example.org/"),
        await hooks.endpoint(stranger, shop, hook),
        await hooks.rotate(stranger, shop, hook),
        await hooks.end_previous(stranger, shop, hook),
        await hooks.turn(stranger, shop, hook, on=False),
        await hooks.remove(stranger, shop, hook),
        await hooks.test(stranger, shop, hook),
        await hooks.deliveries(stranger, shop, hook),
        await hooks.endpoint(desk.market.owner, shop, 1),
    ]
    assert [code(answer) for answer in answers] == [Refusal.NOT_FOUND] * len(answers)
    for url in (URL, "http://hooks.example.org/", "https://10.0.0.1/"):
        refused = await hooks.add(desk.market.owner, shop, url)
        assert isinstance(refused, Refused)
        assert list(refused.fields) == ["url"]
    urls = [f"https://h{number}.example.org/" for number in range(6)]
    answered = await asyncio.gather(*(hooks.add(desk.market.owner, shop, url) for url in urls))
    assert sum(isinstance(one, NewSecret) for one in answered) == 4
    listed = await hooks.endpoints(desk.market.owner, shop)
    assert isinstance(listed, list)
    assert len(listed) == 5


async def test_two_secrets_sign_while_one_is_replaced(desk: Desk, hooks: WebhookService, wire: Wire) -> None:
    made = await added(desk, hooks)
    owner, shop, hook = desk.market.owner, desk.market.shop_id, made.endpoint.endpoint_id
    new = await hooks.rotate(owner, shop, hook)
    assert isinstance(new, NewSecret)
    assert new.secret != made.secret
    assert code(await hooks.rotate(owner, shop, hook)) == Refusal.WEBHOOK_ROTATING

    async def signed() -> int:
        wire.taken.clear()
        assert await hooks.test(owner, shop, hook) is None
        await hooks.run()
        [(_, _, header)] = wire.taken
        return header.count("v1=")

    assert await signed() == 2
    desk.pass_time(24 * HOUR)
    assert await signed() == 1
    again = await hooks.rotate(owner, shop, hook)
    assert isinstance(again, NewSecret)
    assert await signed() == 2
    assert await hooks.end_previous(owner, shop, hook) is None
    assert (await signed(), len({made.secret, new.secret, again.secret})) == (1, 3)
    stored = await desk.database.fetch("SELECT * FROM webhook_endpoint")
    assert again.secret not in str(stored)


async def test_a_failure_waits_and_comes_again_under_the_same_id(desk: Desk, hooks: WebhookService, wire: Wire) -> None:
    made = await added(desk, hooks)
    await hooks.test(desk.market.owner, desk.market.shop_id, made.endpoint.endpoint_id)
    wire.answers = [500, "no answer in time", 200]
    assert await hooks.run() == 1
    assert await log(desk, hooks, made) == [("test", "waiting", 1, 500)]
    assert (await now_is(desk, hooks, made)).failing_since == desk.clock.at
    assert await ran(desk, hooks, MINUTE - SECOND) == 0
    assert await ran(desk, hooks) == 1
    lines = await hooks.deliveries(desk.market.owner, desk.market.shop_id, made.endpoint.endpoint_id)
    assert isinstance(lines, list)
    assert (lines[0].status, lines[0].last_error) == (None, "no answer in time")
    assert await ran(desk, hooks, 5 * MINUTE) == 1
    assert await log(desk, hooks, made) == [("test", "sent", 3, 200)]
    assert (await now_is(desk, hooks, made)).failing_since is None
    assert len({body["id"] for _, body, _ in wire.taken}) == 1


async def test_a_silent_endpoint_is_left_alone_and_keeps_nobody_waiting(
    desk: Desk, hooks: WebhookService, wire: Wire
) -> None:
    silent = await added(desk, hooks, "https://silent.example.org/")
    await added(desk, hooks)

    async def answer(url: str, body: bytes, signed: str) -> int | str:
        await wire(url, body, signed)
        return "no answer in time" if "silent" in url else 200

    both = service(desk, answer)
    for _ in range(5):
        await desk.bought(opened=False)
    await ran(desk, both)
    tries = [url for url, _, _ in wire.taken]
    # Fifteen steps each: all of the one have arrived, and the other was tried a few times, not fifteen.
    assert tries.count(URL) == 15
    assert tries.count("https://silent.example.org/") <= 4
    assert (await now_is(desk, both, silent)).waiting == 15


async def test_after_three_days_a_dead_endpoint_is_turned_off_and_its_owner_told(
    desk: Desk, hooks: WebhookService, wire: Wire
) -> None:
    made = await added(desk, hooks)
    owner, shop, hook = desk.market.owner, desk.market.shop_id, made.endpoint.endpoint_id
    wire.answers = [404] * 4
    await hooks.test(owner, shop, hook)
    await hooks.run()
    assert await ran(desk, hooks, 3 * DAY - SECOND) == 1
    assert (await now_is(desk, hooks, made)).state == "on"
    assert await ran(desk, hooks, 6 * HOUR) == 1
    assert (await now_is(desk, hooks, made)).state == "failed"
    [told] = [one for one in await desk.notices.inbox(owner) if one.kind == "webhook_off"]
    assert "连续 3 天收不到消息，已停用" in told.subject
    assert await log(desk, hooks, made) == [("test", "failed", 3, 404)]
    assert code(await hooks.test(owner, shop, hook)) == Refusal.WEBHOOK_OFF
    wire.answers.clear()
    wire.taken.clear()
    await desk.bought(opened=False)
    assert await ran(desk, hooks) == 0
    assert await hooks.turn(owner, shop, hook, on=True) is None
    await desk.bought(opened=False)
    await ran(desk, hooks)
    # What happened while it was off is not made up for.
    assert sorted(wire.kinds) == ["order.delivered", "order.paid", "order.placed"]


async def test_turned_off_and_removed_endpoints_hear_nothing(desk: Desk, hooks: WebhookService, wire: Wire) -> None:
    made = await added(desk, hooks)
    owner, shop, hook = desk.market.owner, desk.market.shop_id, made.endpoint.endpoint_id
    await hooks.test(owner, shop, hook)
    assert await hooks.turn(owner, shop, hook, on=False) is None
    assert (await hooks.run(), await log(desk, hooks, made)) == (0, [("test", "dropped", 0, None)])
    assert await hooks.remove(owner, shop, hook) is None
    await desk.bought(opened=False)
    assert await ran(desk, hooks) == 0
    assert await desk.database.fetchval("SELECT count(*) FROM webhook_delivery") == 0
    assert wire.taken == []


async def test_many_runners_write_and_send_each_message_once(desk: Desk, hooks: WebhookService, wire: Wire) -> None:
    made = await added(desk, hooks)
    for _ in range(4):
        await desk.bought(opened=False)
    desk.pass_time(SECOND)
    await asyncio.gather(*(service(desk, wire).run() for _ in range(6)))
    assert len(wire.taken) == 12
    assert len({body["id"] for _, body, _ in wire.taken}) == 12
    assert [(state, attempt) for _, state, attempt, _ in await log(desk, hooks, made)] == [("sent", 1)] * 12


async def test_a_killed_runner_leaves_its_messages_to_the_next_and_its_late_word_counts_nothing(
    desk: Desk, hooks: WebhookService
) -> None:
    made = await added(desk, hooks)
    await hooks.test(desk.market.owner, desk.market.shop_id, made.endpoint.endpoint_id)
    began, go = asyncio.Event(), asyncio.Event()

    async def slow(*_: object) -> int:
        began.set()
        await go.wait()
        return 500

    late = asyncio.create_task(service(desk, slow).run())
    await began.wait()
    assert await hooks.run() == 0
    assert await ran(desk, hooks, 2 * MINUTE) == 1
    go.set()
    await late
    assert await log(desk, hooks, made) == [("test", "sent", 2, 200)]
    assert (await now_is(desk, hooks, made)).failing_since is None


async def test_old_messages_are_forgotten_and_waiting_ones_are_not(
    desk: Desk, hooks: WebhookService, wire: Wire
) -> None:
    made = await added(desk, hooks)
    await hooks.test(desk.market.owner, desk.market.shop_id, made.endpoint.endpoint_id)
    await hooks.run()
    await hooks.test(desk.market.owner, desk.market.shop_id, made.endpoint.endpoint_id)
    desk.pass_time(30 * DAY - SECOND)
    assert await hooks.forget_old() == 0
    desk.pass_time(SECOND)
    assert await hooks.forget_old() == 1
    assert [state for _, state, _, _ in await log(desk, hooks, made)] == ["waiting"]
    assert len(wire.taken) == 1


async def test_hot_queries_go_by_their_indexes(desk: Desk) -> None:
    queries, now = load_queries("kabao.webhooks"), desk.clock.at
    async with desk.database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        claim = await conn.fetch("EXPLAIN " + queries["claim"], MINUTE, 2, 8, now)
        tell = await conn.fetch("EXPLAIN " + queries["tell_cases"], now, now, ["opened"], now)
    assert "webhook_delivery_due" in str(claim)
    assert "Seq Scan" not in str(tell)


# ---- over the wire


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with listening(tmp_path) as program:
        yield program


async def test_a_message_reaches_a_program_by_https_signed(desk: Desk, program: Program) -> None:
    hooks = service(desk, Sender(tls=program.trusted, connect=program.connect))
    made = await added(desk, hooks, program.url)
    program.answers, program.location = [302], "https://169.254.169.254/"
    await hooks.test(desk.market.owner, desk.market.shop_id, made.endpoint.endpoint_id)
    await hooks.run()
    # A redirect is an answer, and not one that leads anywhere.
    assert await log(desk, hooks, made) == [("test", "waiting", 1, 302)]
    assert await ran(desk, hooks, MINUTE) == 1
    assert await log(desk, hooks, made) == [("test", "sent", 2, 200)]
    [(_, first), (header, body)] = program.taken
    assert first == body
    assert header == signature([made.secret], body, desk.clock.at)
    assert program.headers["Content-Type"] == "application/json"


async def test_slow_and_untrusted_programs_are_failures_without_an_address(program: Program) -> None:
    program.pause = 0.5
    slow = Sender(seconds=0.2, tls=program.trusted, connect=program.connect)
    assert await slow(program.url, b"{}", "t=1") == "no answer in time"
    assert await Sender(connect=program.connect)(program.url, b"{}", "t=1") == "no trusted TLS connection"
    local = f"https://localhost:{program.port}/"
    assert await Sender(tls=program.trusted)(local, b"{}", "t=1") == "not an address of the public network"
    assert len(program.taken) == 1
