"""Receipts, checklist and pack on the pages, without a script."""

import os

import pytest

from browser import Browser
from pages import KEYS, Site


async def opened_case(site: Site) -> tuple[Browser, Browser, str, str]:
    """Buy, open the seal and a case; returns buyer, merchant, the order's and the case's reference."""
    merchant, _, listing = await site.selling()
    buyer = await site.person("买家一")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal")
    await buyer.get(f"/o/{ref}/problem?claim=already_used")
    page = await buyer.send(
        "/problem", {"claim": "already_used", "demand": "full_refund", "statement": "激活时提示已被使用。"}
    )
    assert page.path.startswith("/c/"), page.words
    return buyer, merchant, ref, page.path.split("/")[2]


async def test_receipts_appear_once_the_log_has_taken_them(site: Site) -> None:
    buyer, merchant, ref, _ = await opened_case(site)
    page = await buyer.get(f"/o/{ref}")
    assert f"/o/{ref}/receipts" in page.text
    page = await buyer.get(f"/o/{ref}/receipts")
    assert "正在写进日志" in page.words
    await site.app.foundations.log.sequence()
    page = await buyer.get(f"/o/{ref}/receipts")
    assert "正在写进日志" not in page.words
    assert "买家拆封了第 1 张卡密" in page.words
    # A commitment is not the digest that the timeline shows beside the same step; it is told apart.
    assert "日志位置 0（从 0 数），那里的指纹：" in page.words
    assert f"/o/{ref}/receipts/0/proof" in page.text
    assert "买家拆封了第 1 张卡密" in (await merchant.get(f"/o/{ref}/receipts")).words


async def test_a_receipt_is_saved_as_a_file(site: Site) -> None:
    buyer, _, ref, _ = await opened_case(site)
    await site.app.foundations.log.sequence()
    proof = await buyer.client.get(f"/o/{ref}/receipts/0/proof")
    assert proof.content.startswith(b"c2sp.org/tlog-proof@v1\n")
    assert proof.headers["content-disposition"] == 'attachment; filename="0.tlog-proof"'
    body = await buyer.client.get(f"/o/{ref}/receipts/0/body")
    assert body.json()["order"] == ref
    assert (await buyer.client.get(f"/o/{ref}/receipts/999999/proof")).status_code == 404
    assert (await buyer.client.get(f"/o/{ref}/receipts/99999999999999999999/body")).status_code == 404


@pytest.mark.parametrize("which", ["order", "case"])
async def test_the_button_brings_a_pack(site: Site, which: str) -> None:
    buyer, merchant, ref, case = await opened_case(site)
    where, step = (f"/o/{ref}/receipts", f"/o/{ref}/pack") if which == "order" else (f"/c/{case}", f"/c/{case}/pack")
    for person in (buyer, merchant):
        page = await person.get(where)
        form = page.form(step)
        answer = await person.client.post(step, data=form.fields)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/zip"
        assert answer.headers["content-disposition"].endswith('-redacted.zip"')
        assert int(answer.headers["content-length"]) == len(answer.content)
        assert answer.content.startswith(b"PK")
        for key in KEYS:
            assert key.encode() not in answer.content
    assert not any(os.scandir(site.app.settings.data / "packs"))


async def test_the_case_page_lists_what_proves_what(site: Site) -> None:
    buyer, merchant, _, case = await opened_case(site)
    page = await buyer.get(f"/c/{case}")
    assert "证据清单" in page.words
    assert "卡密在正确的地方无法兑换" in page.words
    assert "你来证明" in page.words
    assert "证明了会变成" in page.words
    assert "商家来证明" in page.words or "买家来证明" in (await merchant.get(f"/c/{case}")).words


async def test_support_sees_the_list_without_any_outcome(site: Site) -> None:
    buyer, merchant, _, case = await opened_case(site)
    await merchant.get(f"/c/{case}")
    await merchant.send("/say", {"body": "我方核对了记录，不同意。", "kind": "answer"})
    await buyer.get(f"/c/{case}")
    await buyer.send("/escalate")
    desk = await site.support()
    page = await desk.get(f"/desk/{case}")
    assert "证据清单" in page.words
    assert "证明了会变成" not in page.words


async def test_a_stranger_and_a_missing_session_get_nothing(site: Site) -> None:
    _, _, ref, case = await opened_case(site)
    stranger = await site.person("路人")
    for path in (f"/o/{ref}/receipts", f"/o/{ref}/receipts/0/proof", f"/o/{ref}/receipts/0/body"):
        assert (await stranger.client.get(path)).status_code == 404
    nobody = site.stranger()
    for path in (f"/o/{ref}/receipts", f"/o/{ref}/receipts/0/proof", f"/o/{ref}/receipts/0/body"):
        assert (await nobody.get(path)).path.startswith("/sign-in")
    page = await stranger.get("/me")
    token = page.form("/me").fields["csrf_token"]
    for path in (f"/o/{ref}/pack", f"/c/{case}/pack"):
        assert (await stranger.client.post(path, data={"csrf_token": token})).status_code == 404
        assert (await stranger.client.post(path, data={"csrf_token": "wrong"})).status_code == 403
