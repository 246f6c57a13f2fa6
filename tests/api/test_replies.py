"""Replies kept under a key: what a crash, a takeover and an outage between claim and reply come to."""

from http import HTTPStatus
from typing import Any

import httpx
import msgspec
import pytest

from kabao.api import RefusedError, forget_old_replies, store
from kabao.api.replies import STALE_SECONDS, once
from kabao.identity import Role
from kabao.kernel import AccountId, Refusal, Refused
from kabao.postgres import Database, DatabaseUnavailable
from kabao.wiring import App
from market import person

ONE = AccountId(7)
MARK = b"\x01" * 32


async def test_a_claim_is_one_callers_until_it_is_stale(database: Database) -> None:
    first = await store.claim(database, ONE, "k", MARK, STALE_SECONDS)
    assert first is not None
    assert first.is_mine
    second = await store.claim(database, ONE, "k", MARK, STALE_SECONDS)
    assert second is not None
    assert (second.is_mine, second.status) == (False, None)
    # A crash left the claim without a reply; after its time the next one takes it over, but only for the same request.
    other = await store.claim(database, ONE, "k", b"\x02" * 32, 0)
    assert other is not None
    assert not other.is_mine
    third = await store.claim(database, ONE, "k", MARK, 0)
    assert third is not None
    assert third.is_mine


async def test_a_kept_reply_is_never_replaced(database: Database) -> None:
    await store.claim(database, ONE, "k", MARK, STALE_SECONDS)
    await store.keep(database, ONE, "k", 200, b"first")
    await store.keep(database, ONE, "k", 500, b"second")
    await store.give_up(database, ONE, "k")
    kept = await store.claim(database, ONE, "k", MARK, 0)
    assert kept is not None
    assert (kept.is_mine, kept.status, kept.body) == (False, 200, b"first")


async def test_a_claim_given_up_is_free_again(database: Database) -> None:
    await store.claim(database, ONE, "k", MARK, STALE_SECONDS)
    await store.give_up(database, ONE, "k")
    again = await store.claim(database, ONE, "k", b"\x02" * 32, STALE_SECONDS)
    assert again is not None
    assert again.is_mine


async def test_old_replies_are_forgotten(database: Database, owner_database: Database) -> None:
    for number in range(3):
        await store.claim(database, ONE, f"k{number}", MARK, STALE_SECONDS)
    await owner_database.execute(
        "UPDATE idempotent_reply SET created_at = now() - interval '31 days' WHERE reply_key <> 'k0'"
    )
    assert await forget_old_replies(database) == 2
    assert await owner_database.fetchval("SELECT count(*) FROM idempotent_reply") == 1


async def test_a_step_whose_reply_was_lost_in_a_crash_is_not_done_twice(
    stall: Any, bought: Any, owner_database: Database
) -> None:
    ref = await bought()
    wish = {"order_ref": ref, "claim": "other", "demand": "full_refund", "statement": "打不开。", "by_person": True}
    case = (await stall.buyer.step("/cases", wish)).json()["ref"]
    first = await stall.merchant.post(f"/cases/{case}/accept-demand", key="crash")
    assert first.status_code == HTTPStatus.OK, first.text
    # What a crash between the step and the keeping of its reply leaves behind: an old claim without one.
    await owner_database.execute(
        "UPDATE idempotent_reply SET status = NULL, body = NULL, created_at = now() - interval '61 seconds'"
        " WHERE reply_key = 'crash'"
    )
    second = await stall.merchant.post(f"/cases/{case}/accept-demand", key="crash")
    assert second.json()["code"] == "case_closed"
    assert await owner_database.fetchval("SELECT sum(refunded)::bigint FROM escrow") == 9650
    assert await owner_database.fetchval("SELECT count(*) FROM custody_instruction") == 1


async def test_a_request_that_still_runs_says_come_back(stall: Any, bought: Any, owner_database: Database) -> None:
    path = f"/orders/{await bought()}/confirm"
    await stall.buyer.post(path, key="busy")
    await owner_database.execute("UPDATE idempotent_reply SET status = NULL, body = NULL, created_at = now()")
    answer = await stall.buyer.post(path, key="busy")
    assert answer.status_code == HTTPStatus.CONFLICT
    assert answer.json()["code"] == "idempotent_reply_pending"
    assert answer.headers["retry-after"] == "5"


class Caller:
    """As much of a request as `once` looks at."""

    def __init__(self) -> None:
        self.user = person(7)
        self.method = "POST"
        self.url = httpx.URL("http://kabao.test/step")
        self.headers: dict[str, str] = {}

    async def body(self) -> bytes:
        return b""


class Done(msgspec.Struct):
    """What the step here answers."""

    times: int


@pytest.mark.parametrize(
    "failure",
    [
        DatabaseUnavailable("ConnectionRefusedError"),
        RefusedError(Refused(Refusal.CUSTODIAN_UNREACHABLE)),
        RefusedError(Refused(Refusal.TOO_MANY_TRIES)),
        ValueError("a bug"),
    ],
)
async def test_a_step_that_could_not_be_tried_leaves_its_key_free(database: Database, failure: Exception) -> None:
    times = 0

    async def step(_key: str) -> Done:
        nonlocal times
        times += 1
        if times == 1:
            raise failure
        return Done(times)

    request: Any = Caller()
    with pytest.raises(type(failure)):
        await once(request, "k", step, database=database)
    answer = await once(request, "k", step, database=database)
    assert answer.content == b'{"times":2}'
    again = await once(request, "k", step, database=database)
    assert again.content == answer.content
    assert times == 2


@pytest.mark.parametrize("language", ["zh", "en"])
async def test_a_kept_refusal_is_repeated_byte_for_byte_whatever_language_asks(
    app: App, stall: Any, client: httpx.AsyncClient, language: str
) -> None:
    headers = {"accept-language": language}
    first = await stall.buyer.post("/orders/7-1/refund", key="r", headers=headers)
    second = await stall.buyer.post("/orders/7-1/refund", key="r", headers={"accept-language": "fr"})
    assert first.content == second.content
    token = await app.identity.create_token("+12025550104", Role.BUYER)
    other = await client.post(
        "/api/v1/orders/7-1/refund",
        headers={"authorization": f"Bearer {token}", "idempotency-key": "r"},
    )
    assert other.status_code == HTTPStatus.NOT_FOUND
