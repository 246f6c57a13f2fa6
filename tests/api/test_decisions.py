"""The rulebook's decision of a case over the API: for its parties, and for support once the case is closed."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx

Buy = Callable[[], Awaitable[str]]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def case_of(stall: Any, ref: str) -> str:
    await stall.buyer.post(f"/orders/{ref}/reveal", {})
    wish = {"order_ref": ref, "claim": "already_used", "demand": "full_refund", "statement": "激活时提示已被使用。"}
    answer = await stall.buyer.step("/cases", wish)
    assert answer.status_code == 201, answer.text
    case: str = answer.json()["ref"]
    return case


async def test_both_sides_read_the_same_decision_and_what_would_change_it(stall: Any, bought: Buy) -> None:
    case = await case_of(stall, await bought())
    seen = await stall.buyer.get(f"/cases/{case}/decision")
    assert seen.status_code == 200, seen.text
    body = seen.json()
    assert body["is_ruling"] is False
    decision = body["decision"]
    assert set(decision["responsible"]) == {"buyer", "merchant", "platform"}
    assert {"outcome", "refund_minor", "refund_share", "damages_minor", "payer", "articles", "defeated"} <= set(
        decision
    )
    assert {"cites", "reasons", "missing"} <= set(decision)
    assert "key_failed" in {missing["fact"] for missing in decision["missing"]}
    assert (await stall.merchant.get(f"/cases/{case}/decision")).json() == body


async def test_a_fact_said_counts_and_strangers_and_support_are_kept_out(stall: Any, bought: Buy) -> None:
    case = await case_of(stall, await bought())
    alone = await stall.buyer.post(f"/cases/{case}/facts", {"fact": "records_withheld", "shows": True})
    assert (alone.status_code, set(alone.json()["fields"])) == (422, {"fact"})
    said = await stall.buyer.post(f"/cases/{case}/facts", {"fact": "asked_before_lapse", "shows": True, "note": "不给"})
    assert said.status_code == 201, said.text
    assert code(await stall.stranger.get(f"/cases/{case}/decision")) == (404, "not_found")
    assert code(await stall.stranger.post(f"/cases/{case}/facts", {"fact": "late", "shows": True})) == (
        404,
        "not_found",
    )
    assert code(await stall.support.get(f"/cases/{case}/decision")) == (409, "first_view_needed")
    found = {"fact": "key_failed", "shows": True, "kind": "issuer_record", "confidence": 95}
    listed = (await stall.support.post(f"/cases/{case}/facts", found)).json()
    assert set(listed) == {"said"}
    assert [(one["fact"], one["by"], one["note"]) for one in listed["said"]] == [
        ("asked_before_lapse", "buyer", "不给"),
        ("key_failed", "support", ""),
    ]
    assert (await stall.buyer.get(f"/cases/{case}/facts")).json() == listed
    assert code(await stall.stranger.get(f"/cases/{case}/facts")) == (404, "not_found")
    wrong = await stall.buyer.post(f"/cases/{case}/facts", {"fact": "no_such_fact", "shows": True})
    assert code(wrong) == (422, "invalid_fields")
    assert set(wrong.json()["fields"]) == {"fact"}
    strange = await stall.buyer.post(f"/cases/{case}/facts", {"fact": "late", "shows": "yes"})
    assert code(strange) == (422, "invalid_fields")
