"""A claim's forecast over the API: from an order or from bare facts, always an estimate, and nothing is filed."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

Buy = Callable[[], Awaitable[str]]
CLAIM = {"claim": "already_used", "demand": "full_refund"}
FACTS: dict[str, Any] = {
    "facts": {
        "delivered": "proved",
        "opened": "proved",
        "key_failed": {"evidence": [{"shows": "proved", "confidence": 95, "kind": "issuer_record", "by": "buyer"}]},
        "key_opened_before": "proved",
    },
    "amounts": {"price_minor": 9650},
}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_an_order_is_forecast_and_nothing_is_filed(stall: Any, bought: Buy) -> None:
    ref = await bought()
    await stall.buyer.post(f"/orders/{ref}/reveal", {})
    answer = await stall.buyer.post("/cases/forecast", CLAIM | {"order_ref": ref})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["is_estimate"] is True
    assert "不是裁决" in body["note"]["zh"]
    assert body["similar"] is None
    assert body["reasons"]
    assert body["articles"]
    assert "key_failed" in {change["fact"] for change in body["changes"]}
    assert (await stall.buyer.get("/cases")).json() == {"cases": []}
    assert (await stall.merchant.post("/cases/forecast", CLAIM | {"order_ref": ref})).status_code == 200
    assert code(await stall.stranger.post("/cases/forecast", CLAIM | {"order_ref": ref})) == (404, "not_found")
    assert code(await stall.support.post("/cases/forecast", CLAIM | {"order_ref": ref})) == (403, "not_allowed")
    filed = await stall.buyer.step("/cases", CLAIM | {"order_ref": ref, "statement": "激活时提示已被使用。"})
    decided = (await stall.buyer.get(f"/cases/{filed.json()['ref']}/decision")).json()
    assert {name: body["decision"][name] for name in ("outcome", "refund_minor")} == {
        name: decided["decision"][name] for name in ("outcome", "refund_minor")
    }


async def test_bare_facts_are_forecast_for_either_side(stall: Any) -> None:
    for script in (stall.buyer, stall.merchant):
        answer = await script.post("/cases/forecast", CLAIM | FACTS | {"category": "game_card"})
        assert answer.status_code == 200, answer.text
        assert (answer.json()["outcome"], answer.json()["refund_minor"]) == ("FULL_REFUND", 9650)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"order_ref": "1-2"}, "order_ref"),
        ({"facts": None}, "order_ref"),
        ({"claim": "no_such"}, "claim"),
        ({"facts": {"no_such_fact": "proved"}}, "facts"),
        ({"facts": {"late": "maybe"}}, "facts"),
        ({"facts": {"late": {"evidence": []}}}, "facts"),
        ({"amounts": {}}, "facts"),
        ({"amounts": {"price_minor": -1}}, "amounts"),
        ({"demand": "money"}, "demand"),
        ({"nonsense": 1}, "nonsense"),
    ],
)
async def test_what_is_wrong_is_named(stall: Any, change: dict[str, Any], field: str) -> None:
    answer = await stall.buyer.post("/cases/forecast", CLAIM | FACTS | change)
    assert code(answer) == (422, "invalid_fields")
    assert set(answer.json()["fields"]) == {field}


async def test_forecasts_are_counted(stall: Any) -> None:
    answers = [await stall.buyer.post("/cases/forecast", CLAIM | FACTS) for _ in range(121)]
    assert [answer.status_code for answer in answers[:120]] == [200] * 120
    assert code(answers[120]) == (429, "too_many_tries")
