"""The public case library over the API, without a token."""

from typing import Any

import httpx


async def test_anyone_searches_the_library(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/precedents?claim=late&outcome=full_refund&fact=late&fact=no%20opened&page=1")
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"precedents": [], "has_more": False}
    missing = await client.get("/api/v1/precedents/000000000000")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (await client.get("/api/v1/precedents?page=51")).status_code in {400, 422}


async def test_a_precedent_is_the_same_for_everybody(stall: Any, client: httpx.AsyncClient) -> None:
    assert (await stall.buyer.get("/precedents")).json() == (await client.get("/api/v1/precedents")).json()
