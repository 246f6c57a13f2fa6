"""A token acts as one role and no other, whatever else its account may be."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
import pytest_asyncio

from kabao.api.entry import ACTS_AS, READS, UNSIGNED
from kabao.identity import Role
from kabao.kernel import Refused
from kabao.wiring import App, create_asgi

Buy = Callable[[], Awaitable[str]]
Holder = Callable[[Any, Role], Awaitable[Any]]
CASE = {"claim": "other", "demand": "full_refund", "statement": "打不开。"}


@pytest_asyncio.fixture
async def token_of(app: App) -> Holder:
    """Give a script's account, which holds every role, a token of one of them."""

    async def made(script: Any, role: Role) -> Any:
        await app.identity.grant(script.account_id, role)
        [phone] = [
            f"+120255501{n:02d}" for n in range(1, 6) if await app.accounts(f"+120255501{n:02d}") == [script.account_id]
        ]
        token = await app.identity.create_token(phone, role)
        assert not isinstance(token, Refused)
        return replace(script, token=token)

    return made


def code_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


NOT_ALLOWED = (403, "not_allowed")


@pytest.mark.parametrize("role", [Role.BUYER, Role.SUPPORT, Role.OPERATOR])
async def test_no_other_token_of_its_owner_runs_a_shop(stall: Any, token_of: Holder, role: Role) -> None:
    owner = await token_of(stall.merchant, role)
    listing = f"/shops/{stall.shop}/listings/{stall.listing}"
    for path in (f"{listing}/pause", f"{listing}/publish", f"/shops/{stall.shop}/imports/1-1/withdraw"):
        assert code_of(await owner.post(path)) == NOT_ALLOWED, path
    keys = await owner.client.post(
        f"/api/v1{listing}/keys", content=b"A-1", headers=owner.headers | {"content-type": "text/csv"}
    )
    assert code_of(keys) == NOT_ALLOWED
    draft = {"title": "x", "description": "x", "category": "game_card", "price_minor": 1}
    assert code_of(await owner.post(f"/shops/{stall.shop}/listings", draft)) == NOT_ALLOWED
    put = await owner.client.put(f"/api/v1{listing}", json=draft, headers=owner.headers)
    assert code_of(put) == NOT_ALLOWED
    assert (await owner.get("/shops")).json()["shops"][0]["ref"] == stall.shop
    assert (await owner.client.get(f"/api/v1/listings/{stall.listing}")).json()["stock"] == len(stall.keys)


@pytest.mark.parametrize("role", [Role.MERCHANT, Role.SUPPORT, Role.OPERATOR])
async def test_no_other_token_of_a_buyer_buys_opens_or_confirms(
    stall: Any, bought: Buy, token_of: Holder, role: Role
) -> None:
    ref = await bought()
    other = await token_of(stall.buyer, role)
    assert code_of(await other.step("/orders", stall.wish())) == NOT_ALLOWED
    for step, body in (("checkout", None), ("reveal", {}), ("confirm", None), ("refund", None), ("cancel", None)):
        assert code_of(await other.step(f"/orders/{ref}/{step}", body)) == NOT_ALLOWED, step
    assert code_of(await other.step("/cases", CASE | {"order_ref": ref})) == NOT_ALLOWED
    assert code_of(await other.post(f"/orders/{ref}/messages", {"body": "x"})) == NOT_ALLOWED
    given = await other.client.post(
        f"/api/v1/orders/{ref}/files", files={"file": ("a.txt", b"x", "text/plain")}, headers=other.headers
    )
    assert code_of(given) == NOT_ALLOWED
    order = (await other.get(f"/orders/{ref}")).json()
    assert (order["state"], order["role"]) == ("delivered", "buyer")


async def test_in_a_case_a_token_stands_on_its_own_side_only(stall: Any, bought: Buy, token_of: Holder) -> None:
    ref = await bought()
    await stall.buyer.post(f"/orders/{ref}/reveal", {})
    case = f"/cases/{(await stall.buyer.step('/cases', CASE | {'order_ref': ref})).json()['ref']}"
    offer = (await stall.merchant.step(f"{case}/offers", {"kind": "full_refund"})).json()["offers"][0]["offer_id"]
    shares = {"merchant": 100}
    ruling = {"outcome": "full_refund", "shares": shares, "facts": "x", "reasons": "x"}
    for script, role in (
        (stall.buyer, Role.MERCHANT),
        (stall.buyer, Role.SUPPORT),
        (stall.buyer, Role.OPERATOR),
        (stall.merchant, Role.BUYER),
        (stall.merchant, Role.SUPPORT),
        (stall.merchant, Role.OPERATOR),
    ):
        other = await token_of(script, role)
        for path, body in (
            (f"{case}/messages", {"body": "x"}),
            (f"{case}/answer", {"body": "x"}),
            (f"{case}/offers", {"kind": "full_refund"}),
            (f"{case}/offers/{offer}/accept", None),
            (f"{case}/offers/{offer}/refuse", None),
            (f"{case}/accept-demand", None),
            (f"{case}/escalate", None),
            (f"{case}/withdraw", None),
            (f"{case}/ruling", ruling),
            (f"{case}/ruling/take-back", None),
            (f"{case}/first-view", {"outcome": "full_refund", "shares": shares, "sentence": "x"}),
            (f"{case}/votes", {"upholds": True, "refund_minor": 1, "shares": shares, "facts": "x", "reasons": "x"}),
            (f"{case}/questions", {"to": "buyer", "body": "x"}),
            (f"{case}/questions/1/answer", {"body": "x"}),
            (f"{case}/recuse", {"reason": "x"}),
            (f"{case}/route-out", {"reason": "x"}),
            (f"{case}/route-back", {"reason": "x"}),
            (f"{case}/review", {"reason": "x"}),
            (f"{case}/waive", None),
        ):
            assert code_of(await other.step(path, body)) == NOT_ALLOWED, (role, path)
        assert (await other.get(case)).status_code == 200
    assert (await stall.buyer.get(case)).json()["stage"] == "negotiation"
    assert (await stall.buyer.step(f"{case}/offers/{offer}/accept")).json()["stage"] == "settled"


def test_every_step_says_whose_it_is(app: App) -> None:
    steps = [
        handler
        for route in create_asgi(app).routes
        if route.path.startswith("/api/v1")
        for handler in getattr(route, "route_handlers", [])
        if not set(handler.http_methods) <= READS and not handler.opt.get(UNSIGNED)
    ]
    assert len(steps) > 20
    for handler in steps:
        assert handler.opt[ACTS_AS] <= {Role.BUYER, Role.MERCHANT, Role.SUPPORT, Role.PANEL, Role.DUTY}, handler
        assert handler.opt[ACTS_AS], handler
