"""What someone tries who means no good: odd addresses and methods, large forms, file names, one step over and over."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar import Litestar, Request
from litestar.datastructures import State

from browser import Browser
from kabao.identity import Act, Role
from kabao.identity.rules import LIMITS
from kabao.kernel import Refusal, Refused
from kabao.postgres import Database
from kabao.web.files import download
from kabao.web.http import STRANGERS_LIMIT, error_page
from kabao.wiring import Settings, build, create_asgi
from pages import Postbox, Site

NOBODYS_ITEM = 99999999999999999999


@pytest.mark.parametrize(
    ("name", "media_type", "saved"),
    [
        ("evil.html", "text/plain; charset=utf-8", "evil.html.txt"),
        ("evil.txt", "text/plain; charset=utf-8", "evil.txt"),
        ("sums.csv", "text/plain; charset=utf-8", "sums.csv.txt"),
        ("evil.svg", "image/png", "evil.svg.png"),
        ("photo.JPEG", "image/jpeg", "photo.JPEG"),
        ("photo", "image/webp", "photo.webp"),
        ('a"; x.exe', "application/x-unknown", "a___x.exe.bin"),
    ],
)
def test_a_saved_file_ends_like_what_it_is(name: str, media_type: str, saved: str) -> None:
    page = download(b"x", media_type=media_type, name=name, inline=False)
    assert page.headers["content-disposition"] == f'attachment; filename="{saved}"'


async def test_an_original_is_a_download_of_its_own_kind(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.send("/say", {"body": "看附件"}, files=[("files", ("evil.json", "只是文字".encode(), "text/html"))])
    [row] = await site.app.database.fetch("SELECT item_id FROM evidence_item")
    original = await buyer.client.get(f"/o/{ref}/files/{row['item_id']}/original")
    assert original.headers["content-disposition"] == 'attachment; filename="evil.json.txt"'
    assert original.headers["content-type"] == "text/plain; charset=utf-8"
    preview = await buyer.client.get(f"/o/{ref}/files/{row['item_id']}")
    assert preview.headers["content-type"] == "text/plain; charset=utf-8"
    for item in (NOBODYS_ITEM, 2**63, 0, "9" * 5000):
        for path in (f"/o/{ref}/files/{item}", f"/o/{ref}/files/{item}/original", f"/o/{ref}/files/{item}/media"):
            assert (await buyer.client.get(path)).status_code == 404, path[:60]


async def test_a_large_form_of_a_stranger_is_not_read(site: Site) -> None:
    taken = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal taken
        for _ in range(64):
            taken += 1
            yield b"x" * 65536

    stranger = site.stranger()
    head = {"content-type": "multipart/form-data; boundary=b"}
    for more in ({"content-length": str(64 * 65536)}, {"transfer-encoding": "chunked"}):
        answer = await stranger.client.post("/o/1-2/say", content=body(), headers=head | more)
        assert answer.status_code == 401
        assert answer.headers["connection"] == "close"
        assert Refused(Refusal.SIGN_IN_REQUIRED).zh in answer.text
    assert taken <= 2
    small = b'--b\r\ncontent-disposition: form-data; name="body"\r\n\r\nwords that stay\r\n--b--\r\n'
    kept = await stranger.client.post("/o/1-2/say", content=small, headers=head)
    assert len(small) < STRANGERS_LIMIT
    assert 'name="kept"' in kept.text


async def test_a_reference_is_no_more_and_no_less_than_a_reference(site: Site) -> None:
    _, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    for tail in ("%0a", "%20", "%0d%0aset-cookie:x=1", "%00"):
        for path in (f"/i/{listing}", f"/buy/{listing}", f"/o/{listing}", f"/c/{listing}", f"/s/{shop}"):
            assert (await buyer.client.get(path + tail)).status_code == 404, path + tail
        answer = await buyer.client.get(f"/cases/{listing}{tail}", follow_redirects=False)
        assert answer.headers["location"] == "/c/-"
        answer = await buyer.client.get(f"/o/{listing}{tail}/pay", follow_redirects=False)
        assert answer.headers["location"] == "/o/-"
    answer = await buyer.client.get(f"/cases/{listing.lower()}", follow_redirects=False)
    assert answer.headers["location"] == f"/c/{listing}"
    assert (await buyer.client.get("/sandbox-custodian/checkout/%00")).status_code == 404
    assert (await buyer.client.get("/static/%00")).status_code == 404
    assert (await buyer.client.get("/?q=%00&before=%00")).status_code == 200


async def test_head_is_get_without_the_body_and_other_methods_are_405(site: Site) -> None:
    _, _, listing = await site.selling()
    client = site.stranger().client
    for path in ("/", f"/i/{listing}", "/sign-in", "/healthz", "/static/app.css"):
        got, head = await client.get(path), await client.head(path)
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers["content-type"] == got.headers["content-type"]
        assert head.headers["content-length"] == got.headers["content-length"]
    assert (await client.head("/i/nonsense")).status_code == 404
    for method, path in (("DELETE", "/"), ("PUT", f"/i/{listing}"), ("POST", f"/i/{listing}"), ("PATCH", "/o")):
        answer = await client.request(method, path)
        assert answer.status_code == 405, path
        assert answer.headers["content-type"].startswith("text/html")
        assert "GET" in answer.headers["allow"]


@pytest.mark.parametrize(("path", "link"), [("//evil.example/x", "/"), ("/\\evil.example", "/"), ("/i/1-2", "/i/1-2")])
def test_an_error_page_leads_to_no_other_site(path: str, link: str) -> None:
    scope: Any = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [(b"host", b"kabao.test")],
        "scheme": "http",
        "server": ("kabao.test", 80),
        "path_params": {},
        "app": Litestar(state=State()),
    }
    page = error_page(Refused(Refusal.DATABASE_UNAVAILABLE), Request(scope))
    assert "evil.example" not in page.content
    assert f'href="{link}">再试一次' in page.content


async def test_by_https_cookies_are_bound_to_this_host(database: Database, tmp_path: Path) -> None:
    app = await build(
        Settings.of(tmp_path, environment={"KABAO_PUBLIC_ORIGIN": "https://testserver"}), database, sender=Postbox()
    )
    account = await app.identity.find_or_create("13800000001", "小买家", {Role.BUYER})
    link = f"/sign-in/link/{await app.identity.make_link(account, Role.BUYER)}"
    transport: Any = httpx.ASGITransport(app=create_asgi(app))  # type: ignore[arg-type]  Litestar's own ASGI types
    async with httpx.AsyncClient(transport=transport, base_url="https://testserver") as client:
        browser = Browser(client)
        await browser.get(link)
        await browser.send(link)
        assert (await browser.get("/me")).status == 200
        page = await browser.send("/me", {"display_name": "新名字"})
        assert "已保存" in page.text
        assert set(client.cookies) == {"__Host-kabao_session"}
        client.cookies.set("kabao_session", client.cookies.pop("__Host-kabao_session"))
        assert (await browser.get("/me")).path.startswith("/sign-in")


async def test_writing_offering_and_opening_are_bounded_on_pages_too(site: Site) -> None:
    too_many = Refused(Refusal.TOO_MANY_TRIES)
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    [buyer_id], [merchant_id] = await site.app.accounts("小买家"), await site.app.accounts("店主一")
    ref = await site.bought(buyer, listing)

    async def spend(act: Act, *whose: object) -> None:
        for _ in range(LIMITS[act].hits):
            await site.app.identity.may(act, *whose)

    await spend(Act.REVEAL, buyer_id)
    await buyer.get(f"/o/{ref}/reveal")
    page = await buyer.send("/reveal")
    assert page.status == 429
    assert "封条完整" in (await buyer.get(f"/o/{ref}")).text
    await spend(Act.SAY, buyer_id)
    page = await buyer.send("/say", {"body": "我写的一句话"})
    assert (page.status, too_many.zh in page.text, "我写的一句话" in page.text) == (429, True, True)
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "other", "statement": "有问题。", "by_person": "yes"})
    case = page.path.split("/")[2]
    page = await buyer.send("/say", {"body": "我写的一句话"})
    assert (page.status, too_many.zh in page.text, "我写的一句话" in page.text) == (429, True, True)
    await merchant.get(f"/c/{case}/offer")
    await spend(Act.OFFER, merchant_id, case)
    page = await merchant.send("/offer", {"kind": "full_refund", "note": "留着的话"})
    assert (page.status, too_many.zh in page.text, "留着的话" in page.text) == (429, True, True)


async def test_support_writes_no_more_often_than_others(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "other", "statement": "有问题。", "by_person": "yes"})
    case = page.path.split("/")[2]
    await merchant.get(f"/c/{case}")
    await merchant.send("/say", {"body": "不同意。", "kind": "answer"})
    await buyer.get(f"/c/{case}")
    page = await buyer.send("/escalate")
    support = await site.support()
    [account] = await site.app.accounts("客服一")
    await support.get(f"/desk/{case}")
    for _ in range(LIMITS[Act.SAY].hits):
        await site.app.identity.may(Act.SAY, account)
    page = await support.send("/say", {"body": "客服的话"})
    assert page.status == 429
    assert "客服的话" in page.text


async def test_looking_for_what_is_not_there_is_bounded(site: Site) -> None:
    buyer = await site.person("小买家")
    [account] = await site.app.accounts("小买家")
    for _ in range(LIMITS[Act.MISS].hits - 1):
        await site.app.identity.may(Act.MISS, account)
    assert (await buyer.get("/o/1-9")).status == 404
    page = await buyer.get("/o/1-8")
    assert page.status == 429
    assert Refused(Refusal.TOO_MANY_TRIES).zh in page.text
    assert (await buyer.get("/o")).status == 200
