"""Receipts, checklist and pack through the API: for those an order concerns, and for nobody else."""

import zipfile
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx

from kabao.identity import Act
from kabao.identity.rules import LIMITS
from kabao.tlog.proofs import parse_proof
from kabao.wiring import App

Buy = Callable[[], Awaitable[str]]


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def case_of(stall: Any, ref: str) -> str:
    await stall.buyer.post(f"/orders/{ref}/reveal", {})
    wish = {"order_ref": ref, "claim": "already_used", "demand": "full_refund", "statement": "激活时提示已被使用。"}
    case: str = (await stall.buyer.step("/cases", wish)).json()["ref"]
    return case


async def test_a_receipt_can_be_kept_and_checked(app: App, stall: Any, bought: Buy) -> None:
    ref = await bought()
    waiting = (await stall.buyer.get(f"/orders/{ref}/receipts")).json()
    assert waiting["receipts"] == []
    assert waiting["waiting"] == 3
    await app.foundations.log.sequence()
    seen = (await stall.buyer.get(f"/orders/{ref}/receipts")).json()
    assert seen == (await stall.merchant.get(f"/orders/{ref}/receipts")).json()
    assert seen["log_key"] == app.foundations.log.verifier_key
    assert [one["kind"] for one in seen["receipts"]] == ["order_event"] * 3
    for one in seen["receipts"]:
        place = f"/orders/{ref}/receipts/{one['position']}"
        proof = parse_proof((await stall.buyer.get(f"{place}/proof")).content)
        body = (await stall.merchant.get(f"{place}/body")).content
        assert proof.extra is not None
        assert sha256(proof.extra + body).hexdigest() == one["commitment"]


async def test_strangers_find_nothing(app: App, stall: Any, bought: Buy) -> None:
    ref = await bought()
    case = await case_of(stall, ref)
    await app.foundations.log.sequence()
    for who in (stall.stranger, stall.rival):
        for path in (f"/orders/{ref}/receipts", f"/orders/{ref}/receipts/0/proof", f"/orders/{ref}/receipts/0/body"):
            assert code(await who.get(path)) == (404, "not_found")
        assert code(await who.get(f"/cases/{case}/checklist")) == (404, "not_found")
        assert code(await who.post(f"/orders/{ref}/pack")) == (404, "not_found")
    for number in (-1, 10**9, 2**63 - 1, 2**70):
        for what in ("proof", "body"):
            assert (await stall.buyer.get(f"/orders/{ref}/receipts/{number}/{what}")).status_code == 404


async def test_a_party_sees_the_checklist(stall: Any, bought: Buy) -> None:
    case = await case_of(stall, await bought())
    mine = (await stall.buyer.get(f"/cases/{case}/checklist")).json()
    assert [one["label"] for one in mine["elements"]] == ["商品快照与承诺", "沟通记录", "交易与使用记录"]
    assert mine["facts"][0]["fact"] == "key_failed"


async def test_a_pack_comes_whole_and_leaves_nothing_behind(app: App, stall: Any, bought: Buy, tmp_path: Path) -> None:
    ref = await bought()
    case = await case_of(stall, ref)
    for asked in (ref, case):
        answer = await stall.buyer.post(f"/orders/{asked}/pack")
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/zip"
        saved = tmp_path / "pack.zip"
        saved.write_bytes(answer.content)
        with zipfile.ZipFile(saved) as pack:
            assert pack.testzip() is None
            assert "manifest.json" in pack.namelist()
        for key in stall.keys:
            assert key.encode() not in answer.content
    assert list((app.settings.data / "packs").iterdir()) == []


async def test_packs_are_not_made_without_end(app: App, stall: Any, bought: Buy) -> None:
    ref = await bought()
    for _ in range(LIMITS[Act.MAKE_PACK].hits):
        assert await app.identity.may(Act.MAKE_PACK, stall.buyer.account_id)
    assert code(await stall.buyer.post(f"/orders/{ref}/pack")) == (429, "too_many_tries")
