"""What the API refuses, and that a refusal changes nothing and says which field, which code, in which language."""

import asyncio
import json
import secrets
from typing import Any

import httpx
import pytest

from kabao.api.problems import language_of
from kabao.identity import Role
from kabao.wiring import App


def code_of(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    code: str = answer.json()["code"]
    return code


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"quantity": "2"}, "quantity"),
        ({"quantity": 1.5}, "quantity"),
        ({"quantity": True}, "quantity"),
        ({"quantity": 2**31}, "quantity"),
        ({"quantity": 10**30}, "quantity"),
        ({"snapshot_no": None}, "snapshot_no"),
        ({"confirmed": "all"}, "confirmed"),
        ({"confirmed": [1]}, "confirmed"),
        ({"listing_ref": ""}, "listing_ref"),
        ({"listing_ref": 7}, "listing_ref"),
        ({"amount_minor": 1}, "amount_minor"),
        ({"currency": "USD"}, "currency"),
    ],
)
async def test_an_order_of_the_wrong_shape_is_refused_by_its_field(
    stall: Any, change: dict[str, Any], field: str
) -> None:
    answer = await stall.buyer.step("/orders", stall.wish() | change)
    assert code_of(answer, 422) == "invalid_fields"
    assert list(answer.json()["fields"]) == [field]
    assert (await stall.buyer.get("/orders")).json()["orders"] == []


@pytest.mark.parametrize("quantity", [0, -1, -(2**31), 6, 2**31 - 1])
async def test_a_quantity_out_of_range_is_refused(stall: Any, quantity: int) -> None:
    assert code_of(await stall.buyer.step("/orders", stall.wish(quantity)), 422) == "quantity_out_of_range"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        (b"", "application/json", 400),
        (b"{", "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b'{"quantity": NaN}', "application/json", 400),
        (b"[" * 60_000, "application/json", 422),
        (b"[]", "application/json", 422),
        (b"null", "application/json", 422),
        (b"{}", "text/plain", 400),
        (b"a=1", "application/x-www-form-urlencoded", 400),
        (b"{}", "multipart/form-data; boundary=x", 400),
        (b'{"listing_ref": "' + b"x" * 70_000 + b'"}', "application/json", 413),
    ],
)
async def test_a_body_that_is_no_order_is_refused(stall: Any, body: bytes, content_type: str, status: int) -> None:
    answer = await stall.buyer.client.post(
        "/api/v1/orders",
        content=body,
        headers=stall.buyer.headers | {"content-type": content_type, "idempotency-key": "k"},
    )
    code_of(answer, status)


@pytest.mark.parametrize("price", [0, -1, -9650, 10**10, 10**18, 2**63, 10**40, "96.50", 96.5])
async def test_money_out_of_range_never_becomes_a_price(stall: Any, price: Any) -> None:
    wish = {"title": "测试", "description": "测试", "category": "game_card", "price_minor": price}
    answer = await stall.merchant.post(f"/shops/{stall.shop}/listings", wish)
    assert code_of(answer, 422) == "invalid_fields"
    assert "price_minor" in answer.json()["fields"]


async def test_another_currency_is_refused(stall: Any) -> None:
    wish = {"title": "测试", "description": "测试", "category": "game_card", "price_minor": 1, "currency": "USD"}
    answer = await stall.merchant.post(f"/shops/{stall.shop}/listings", wish)
    assert answer.json()["fields"].keys() == {"currency"}


async def test_prohibited_goods_and_incomplete_shops_are_refused(stall: Any) -> None:
    wrong = await stall.rival.post("/shops", {"name": "店", "legal_name": "x", "address": "y", "licence_number": "z"})
    assert code_of(wrong, 422) == "invalid_fields"
    assert {"name", "legal_name", "address", "licence_number"} <= wrong.json()["fields"].keys()


async def test_money_needs_an_idempotency_key(stall: Any) -> None:
    assert code_of(await stall.buyer.post("/orders", stall.wish()), 400) == "idempotency_key_missing"
    for key in (" ", "x" * 201, "clé"):
        headers = stall.buyer.headers | {"idempotency-key": key.encode("latin-1").decode("latin-1")}
        answer = await stall.buyer.client.post(
            "/api/v1/orders",
            json=stall.wish(),
            headers=[(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        )
        assert code_of(answer, 400) == "idempotency_key_missing"
    ref = (await stall.buyer.step("/orders", stall.wish())).json()["ref"]
    for step in ("confirm", "refund"):
        answer = await stall.buyer.post(f"/orders/{ref}/{step}")
        assert code_of(answer, 400) == "idempotency_key_missing"


async def test_a_repeat_answers_the_same_bytes_and_does_nothing(stall: Any, pay: Any) -> None:
    first = await stall.buyer.post("/orders", stall.wish(), key="same")
    second = await stall.buyer.post("/orders", stall.wish(), key="same")
    assert first.content == second.content
    assert (first.status_code, second.status_code) == (201, 201)
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    ref = first.json()["ref"]
    await pay(stall.buyer, ref)
    third = await stall.buyer.post("/orders", stall.wish(), key="same")
    assert third.json() == first.json() | {"state": "delivered"}
    assert len((await stall.buyer.get("/orders")).json()["orders"]) == 1

    confirmed = await stall.buyer.post(f"/orders/{ref}/confirm", key="confirm")
    again = await stall.buyer.post(f"/orders/{ref}/confirm", key="confirm")
    assert confirmed.status_code == 200
    assert again.content == confirmed.content
    assert code_of(await stall.buyer.post(f"/orders/{ref}/confirm", key="other"), 409) == "already_released"
    refused = await stall.buyer.post(f"/orders/{ref}/confirm", key="other")
    assert code_of(refused, 409) == "already_released"
    assert refused.headers["idempotent-replayed"] == "true"


async def test_a_key_stands_for_one_request_of_one_account(stall: Any) -> None:
    await stall.buyer.post("/orders", stall.wish(), key="one")
    answer = await stall.buyer.post("/orders", stall.wish(2), key="one")
    assert code_of(answer, 422) == "idempotency_key_reused"
    assert (await stall.stranger.post("/orders", stall.wish(), key="one")).status_code == 201
    ref = (await stall.buyer.get("/orders")).json()["orders"][0]["ref"]
    assert code_of(await stall.buyer.post(f"/orders/{ref}/confirm", key="two"), 409) == "not_paid"
    assert code_of(await stall.buyer.post(f"/orders/{ref}/refund", key="two"), 422) == "idempotency_key_reused"


async def test_many_at_once_under_one_key_place_one_order(stall: Any) -> None:
    answers = await asyncio.gather(*(stall.buyer.post("/orders", stall.wish(), key="race") for _ in range(5)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert len((await stall.buyer.get("/orders")).json()["orders"]) == 1


async def test_many_at_once_under_one_key_confirm_once(stall: Any, bought: Any) -> None:
    path = f"/orders/{await bought()}/confirm"
    answers = await asyncio.gather(*(stall.buyer.post(path, key="race") for _ in range(12)))
    assert {answer.status_code for answer in answers} <= {200, 409}
    confirmed = {answer.content for answer in answers if answer.status_code == 200}
    assert len(confirmed) == 1
    assert all(code_of(answer, 409) == "idempotent_reply_pending" for answer in answers if answer.status_code == 409)
    assert (await stall.buyer.post(path, key="race")).content in confirmed


async def test_strangers_find_nothing(stall: Any, bought: Any) -> None:
    ref = await bought()
    await stall.buyer.post(f"/orders/{ref}/reveal", {})
    wish = {"order_ref": ref, "claim": "other", "demand": "full_refund", "statement": "打不开。"}
    case = (await stall.buyer.step("/cases", wish)).json()["ref"]
    stranger, rival = stall.stranger, stall.rival
    for path in (f"/orders/{ref}", f"/orders/{ref}/messages", f"/cases/{case}"):
        assert code_of(await stranger.get(path), 404) == "not_found"
    for path, body in (
        (f"/orders/{ref}/checkout", None),
        (f"/orders/{ref}/reveal", {}),
        (f"/orders/{ref}/confirm", None),
        (f"/orders/{ref}/refund", None),
        (f"/orders/{ref}/cancel", None),
        (f"/orders/{ref}/messages", {"body": "x"}),
        (f"/cases/{case}/offers", {"kind": "full_refund"}),
        (f"/cases/{case}/offers/1/accept", None),
        (f"/cases/{case}/offers/1/refuse", None),
        (f"/cases/{case}/escalate", None),
        (f"/cases/{case}/withdraw", None),
        (f"/cases/{case}/messages", {"body": "x"}),
    ):
        assert code_of(await stranger.step(path, body), 404) == "not_found", path
    assert code_of(await stranger.step("/cases", wish), 404) == "not_found"
    for path, body in (
        (f"/cases/{case}/offers", {"kind": "full_refund"}),
        (f"/cases/{case}/accept-demand", None),
        (f"/cases/{case}/answer", {"body": "x"}),
        (f"/cases/{case}/messages", {"body": "x"}),
        (f"/orders/{ref}/messages", {"body": "x"}),
    ):
        assert code_of(await rival.step(path, body), 404) == "not_found", path
    listing = f"/shops/{stall.shop}/listings/{stall.listing}"
    for path in (f"{listing}/publish", f"{listing}/pause"):
        assert code_of(await rival.post(path), 404) == "not_found"
    assert code_of(await rival.get(f"{listing}/imports"), 404) == "not_found"
    keys = await rival.client.post(
        f"/api/v1{listing}/keys", content=b"A-1", headers=rival.headers | {"content-type": "text/csv"}
    )
    assert code_of(keys, 404) == "not_found"
    assert code_of(await stranger.get("/cases", params={"shop": stall.shop}), 404) == "not_found"


@pytest.mark.parametrize("ref", ["x", "0-0", "7", "7-", "-7", "../etc", "7-ZZZZZZZZZZZZZZ", "%00", "7-1' OR 1=1"])
async def test_a_reference_that_is_none_names_nothing(stall: Any, ref: str) -> None:
    for path in (f"/orders/{ref}", f"/cases/{ref}", f"/listings/{ref}"):
        answer = await stall.buyer.get(path)
        assert answer.status_code == 404, path


async def test_no_token_no_step(stall: Any, client: httpx.AsyncClient) -> None:
    for headers in (
        {},
        {"authorization": "Bearer"},
        {"authorization": "Bearer nonsense"},
        {"authorization": "Bearer " + "x" * 5000},
        {"authorization": "Basic dXNlcjpwYXNz"},
    ):
        answer = await client.post("/api/v1/orders", json=stall.wish(), headers={**headers, "idempotency-key": "k"})
        assert code_of(answer, 401) == "sign_in_required"
        assert answer.headers["www-authenticate"] == "Bearer"
    wrong = await client.get("/api/v1/listings", headers={"authorization": "Bearer nonsense"})
    assert code_of(wrong, 401) == "sign_in_required"


async def test_a_revoked_token_is_nobody(app: App, stall: Any) -> None:
    assert (await stall.buyer.get("/orders")).status_code == 200
    assert await app.identity.revoke_token(stall.buyer.token)
    assert code_of(await stall.buyer.get("/orders"), 401) == "sign_in_required"


async def test_a_token_acts_as_its_own_role_only(app: App, stall: Any, client: httpx.AsyncClient) -> None:
    phone = "+12025550104"
    token = await app.identity.create_token(phone, Role.BUYER)
    queue = await client.get("/api/v1/cases", headers={"authorization": f"Bearer {token}"})
    assert queue.json()["cases"] == []
    assert (await stall.support.get("/cases")).status_code == 200


async def test_the_sentence_is_chinese_unless_english_is_preferred(stall: Any, client: httpx.AsyncClient) -> None:
    zh = (await client.get("/api/v1/orders/7-1")).json()["detail"]
    assert zh == "请先登录，登录后会回到这一步。"
    answer = await client.get("/api/v1/orders/7-1", headers={"accept-language": "en-GB,en;q=0.9,zh;q=0.5"})
    assert answer.json()["detail"].startswith("Sign in first")
    wrong = await stall.buyer.post("/orders", {"x": 1}, key="k", headers={"accept-language": "en"})
    assert "unknown field" in wrong.json()["fields"].values() or "required field is missing" in (
        wrong.json()["fields"].values()
    )


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"),
        ("en", "en"),
        ("zh-CN,en;q=0.9", "zh"),
        ("en;q=0.2,zh;q=0.1", "en"),
        ("de,fr", "zh"),
        ("en;q=x", "zh"),
        ("en;level=1", "en"),
        ("EN-us", "en"),
        ("*", "zh"),
    ],
)
def test_the_language_is_read_from_the_header(header: str, language: str) -> None:
    assert language_of(header) == language


async def test_unknown_addresses_and_methods_are_problems(client: httpx.AsyncClient, stall: Any) -> None:
    assert code_of(await client.get("/api/v1/nothing"), 404) == "not_found"
    answer = await stall.buyer.client.delete("/api/v1/orders", headers=stall.buyer.headers)
    assert code_of(answer, 405) == "method_not_allowed"
    assert set(answer.headers["allow"].replace(" ", "").split(",")) >= {"GET", "POST"}
    assert code_of(await client.get("/api/v1/listings", params={"limit": "x"}), 422) == "invalid_fields"
    assert code_of(await client.get("/api/v1/listings", params={"limit": "9999"}), 422) == "invalid_fields"
    assert code_of(await client.get("/api/v1/listings", params={"q": "x" * 61}), 422) == "invalid_fields"


async def test_key_files_of_the_wrong_kind_are_refused(stall: Any) -> None:
    path = f"/api/v1/shops/{stall.shop}/listings/{stall.listing}/keys"
    for content_type in ("application/json", "image/png", ""):
        answer = await stall.merchant.client.post(
            path, content=b"KEY-1", headers=stall.merchant.headers | {"content-type": content_type}
        )
        assert code_of(answer, 400) == "malformed"
    binary = await stall.merchant.client.post(
        path, content=b"\x89PNG\r\n\x00\x00", headers=stall.merchant.headers | {"content-type": "text/csv"}
    )
    assert binary.status_code in (201, 415, 422)
    assert binary.status_code != 201 or binary.json()["state"] == "failed"
    other = await stall.merchant.client.post(
        f"/api/v1/shops/{stall.shop}/listings/7-123/keys",
        content=b"KEY-1",
        headers=stall.merchant.headers | {"content-type": "text/csv"},
    )
    assert code_of(other, 404) == "not_found"


async def test_a_ten_megabyte_line_is_one_bad_line(stall: Any) -> None:
    async def lines() -> Any:
        yield b"GOOD-1\n"
        for _ in range(160):
            yield b"x" * 65_536
        yield b"\nGOOD-2\n"

    answer = await stall.merchant.client.post(
        f"/api/v1/shops/{stall.shop}/listings/{stall.listing}/keys",
        content=lines(),
        headers=stall.merchant.headers | {"content-type": "text/plain"},
    )
    assert answer.status_code == 201, answer.text
    report = answer.json()
    assert (report["added"], report["bad"]) == (2, 1)
    assert report["bad_lines"][0][0] == 2


async def test_reveal_is_limited_and_says_so(stall: Any, bought: Any) -> None:
    ref = await bought()
    # A window may end meanwhile, so twice the limit and one more are asked.
    answers = [await stall.buyer.post(f"/orders/{ref}/reveal", {}) for _ in range(121)]
    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited
    assert {code_of(answer, 429) for answer in limited} == {"too_many_tries"}
    assert (await stall.buyer.get(f"/orders/{ref}")).status_code == 200


async def test_the_schema_describes_what_there_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/schema/openapi.json")
    assert answer.status_code == 200
    document = json.loads(answer.content)
    paths = set(document["paths"])
    assert {
        "/api/v1/listings",
        "/api/v1/orders",
        "/api/v1/orders/{ref}/reveal",
        "/api/v1/orders/{ref}/confirm",
        "/api/v1/cases",
        "/api/v1/cases/{ref}/offers",
        "/api/v1/custody/sandbox/notice",
    } <= paths
    assert all(path.startswith("/api/v1/") for path in paths)
    place = document["paths"]["/api/v1/orders"]["post"]
    assert "application/problem+json" in place["responses"]["409"]["content"]
    assert place["security"] == [{"bearer": []}]
    assert document["paths"]["/api/v1/listings"]["get"].get("security", []) in ([], [{}])
    assert "bearer" in document["components"]["securitySchemes"]
    keys = document["paths"]["/api/v1/shops/{shop}/listings/{ref}/keys"]["post"]
    assert set(keys["requestBody"]["content"]) == {"text/csv", "text/plain"}
    assert (await client.get("/schema")).json() == document


@pytest.mark.parametrize("odd", ["\\u0000", "\\u0001", "\\u001b[31m", "\\ud800", "\\uffff", "\\u202e"])
async def test_no_odd_letter_in_any_text_is_a_bug(stall: Any, bought: Any, odd: str) -> None:
    ref = await bought()
    buyer, merchant = stall.buyer, stall.merchant
    await buyer.post(f"/orders/{ref}/reveal", {})
    wish = {"order_ref": ref, "claim": "other", "demand": "full_refund", "statement": "打不开。"}
    case = (await buyer.step("/cases", wish)).json()["ref"]
    listing = {"title": "测试", "description": "测试", "category": "game_card", "price_minor": 1, "currency": "CNY"}
    terms = {"validity_text": "ODD", "region_text": "ODD", "free_text": "ODD"}
    shop = {"name": "ODD 店", "legal_name": "ODD", "address": "ODD", "licence_number": "ODD"}
    for caller, path, body in (
        (buyer, "/orders", stall.wish() | {"listing_ref": "7-ODD"}),
        (buyer, "/orders", stall.wish() | {"confirmed": ["ODD"]}),
        (buyer, "/cases", wish | {"claim": "ODD"}),
        (buyer, "/cases", wish | {"order_ref": "7-ODD"}),
        (buyer, "/cases", wish | {"statement": "ODD"}),
        (buyer, f"/orders/{ref}/messages", {"body": "x ODD"}),
        (buyer, f"/cases/{case}/messages", {"body": "x ODD"}),
        (merchant, f"/cases/{case}/offers", {"kind": "full_refund", "note": "x ODD"}),
        (merchant, f"/cases/{case}/answer", {"body": "x ODD"}),
        (
            stall.support,
            f"/cases/{case}/ruling",
            {"outcome": "full_refund", "shares": {}, "facts": "x ODD", "reasons": "ODD"},
        ),
        (merchant, "/shops", shop),
        *((merchant, f"/shops/{stall.shop}/listings", listing | {name: "x ODD"}) for name in list(listing)),
        (merchant, f"/shops/{stall.shop}/listings", listing | {"terms": terms}),
    ):
        answer = await caller.client.post(
            f"/api/v1{path}",
            content=json.dumps(body).replace("ODD", odd).encode(),
            headers=caller.headers | {"content-type": "application/json", "idempotency-key": secrets.token_hex(8)},
        )
        assert answer.status_code < 500, (path, body, answer.text)
