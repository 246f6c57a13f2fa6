"""What pages refuse: strangers, forged and stale forms, other sites, lost sessions; and that nothing typed is lost."""

import re

import pytest

from kabao.kernel import Refusal, Refused
from kabao.web.http import Form, local_path, open_kept, seal_kept
from pages import KEYS, SHOP, TITLE, Site

ENOUGH = {"notice": ["no_reason_after_open", "validity"], "quantity": "2"}


async def test_a_stranger_finds_none_of_it(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "other", "statement": "有问题。"})
    case = page.path.split("/")[2]
    other = await site.person("路人")
    for path in (
        f"/o/{ref}",
        f"/o/{ref}/live",
        f"/o/{ref}/reveal",
        f"/o/{ref}/problem",
        f"/o/{ref}/files/1",
        f"/o/{ref}/files/1/original",
        f"/c/{case}",
        f"/c/{case}/live",
        f"/c/{case}/offer",
        f"/c/{case}/accept",
        f"/c/{case}/withdraw",
        f"/m/{shop}/edit",
        f"/m/{shop}/orders",
        f"/m/{shop}/listings",
        f"/m/{shop}/listings/new",
        f"/m/{shop}/listings/{listing}",
        f"/m/{shop}/listings/{listing}/keys",
        f"/m/{shop}/listings/{listing}/keys/live",
        "/desk",
        "/desk/check",
        f"/desk/{case}",
        "/o/nonsense",
        "/c/nonsense",
        "/i/nonsense",
        "/buy/nonsense",
        "/s/nonsense!",
        "/m/nonsense!/edit",
        f"/m/{shop}/listings/nonsense",
        "/sandbox-custodian/checkout/nonsense",
        "/nowhere",
    ):
        assert (await other.get(path)).status == 404, path
    token = (await other.get("/me")).form("/me").fields["csrf_token"][0]
    for path in (
        f"/o/{ref}/reveal",
        f"/o/{ref}/refund",
        f"/o/{ref}/confirm",
        f"/o/{ref}/cancel",
        f"/o/{ref}/pay",
        f"/o/{ref}/say",
        f"/o/{ref}/problem",
        f"/c/{case}/say",
        f"/c/{case}/offer",
        f"/c/{case}/accept",
        f"/c/{case}/refuse",
        f"/c/{case}/escalate",
        f"/c/{case}/withdraw",
        f"/desk/{case}/rule",
        f"/desk/{case}/say",
        f"/m/{shop}/edit",
        f"/m/{shop}/listings/new",
        f"/m/{shop}/listings/{listing}",
        f"/m/{shop}/listings/{listing}/keys",
        "/sandbox-custodian/checkout/nonsense",
        "/buy/nonsense",
    ):
        answer = await other.post(path, {"csrf_token": token, "body": "x", "keys": "K"})
        assert answer.status == 404, path
    # The merchant of the shop sees the order, but no key and none of the buyer's steps.
    page = await merchant.get(f"/o/{ref}")
    assert not any(key in page.text for key in KEYS)
    assert "/reveal" not in page.text
    assert (await merchant.get(f"/o/{ref}/reveal")).path == f"/o/{ref}"


async def test_pages_ask_a_stranger_to_sign_in_and_bring_them_back(site: Site) -> None:
    _, _, listing = await site.selling()
    stranger = site.stranger()
    for path in ("/o", "/o/1-2", "/o/1-2/problem", "/c/1-2", "/m", "/m/shops/new", "/me", "/messages", "/desk"):
        page = await stranger.get(path)
        assert page.path.startswith("/sign-in?next="), path
    page = await stranger.get("/me")
    await stranger.send("/sign-in", {"phone": "13800009999"})
    page = await stranger.send("/sign-in/code", {"code": "12"})
    assert page.status == 422
    page = await stranger.send("/sign-in/code", {"code": site.post.codes["+8613800009999"]})
    assert page.path == "/me"
    page = await stranger.send("/me", {"display_name": "小满"})
    assert "已保存" in page.text
    page = await stranger.send("/me", {"display_name": ""})
    assert page.status == 422
    page = await stranger.send("/sign-out")
    assert "已退出" in page.text
    assert (await stranger.get("/me")).path.startswith("/sign-in")
    assert (await stranger.get(f"/i/{listing}")).status == 200


async def test_a_form_survives_the_end_of_its_session(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    form = (await buyer.get(f"/buy/{listing}")).form(f"/buy/{listing}")
    buyer.client.cookies.delete("kabao_session")
    buyer.client.cookies.set("kabao_session", "ended-meanwhile")
    page = await buyer.post(form.action, form.fields | ENOUGH)
    assert page.status == 401
    assert "登录过期了" in page.text
    buyer.client.cookies.delete("kabao_session")
    assert "你刚才填的内容都还在" in page.text
    await buyer.send("/sign-in", {"phone": "13800000002"})
    page = await buyer.send("/sign-in/code", {"code": site.post.codes["+8613800000002"]})
    assert "接着下单" in page.text
    assert f"{TITLE} × 2" in page.words
    assert "¥ 193 .00" in page.words
    assert page.form(f"/buy/{listing}").fields["quantity"] == ["2"]
    page = await buyer.send(f"/buy/{listing}")
    assert page.path.startswith("/o/")
    assert "等你付款" in page.text


async def test_another_site_cannot_hand_in_a_form_to_keep(site: Site) -> None:
    _, _, listing = await site.selling()
    stranger = site.stranger()
    page = await stranger.post(f"/buy/{listing}", ENOUGH, headers={"origin": "https://elsewhere.example"})
    assert page.status == 403
    assert "kept" not in page.text
    await stranger.get("/sign-in")
    page = await stranger.send("/sign-in", {"phone": "13800000009", "kept": "bm90IG91cnM="})
    assert 'name="kept"' not in page.text


async def test_a_wrong_token_changes_nothing_and_shows_what_was_typed(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    text = "这是我写了很久的一段事实，不能丢，几点几分看到什么。"
    page = await buyer.post(f"/o/{ref}/problem", {"csrf_token": "wrong", "statement": text, "claim": "other"})
    assert page.status == 403
    assert text in page.text
    assert "封条完整" in (await buyer.get(f"/o/{ref}")).text
    page = await buyer.post(f"/o/{ref}/confirm", {})
    assert page.status == 403
    assert "封条完整" in (await buyer.get(f"/o/{ref}")).text


async def test_signing_in_needs_the_visitors_own_token(site: Site) -> None:
    stranger = site.stranger()
    page = await stranger.post("/sign-in", {"phone": "13800009999", "csrf_token": "guess"})
    assert page.status == 403
    assert "13800009999" in page.text
    assert site.post.codes == {}
    page = await stranger.send("/sign-in", {"phone": "nonsense"})
    assert page.status == 422
    page = await stranger.post("/sign-in/link/nonsense", {"csrf_token": "guess"})
    assert page.status == 403
    await stranger.get("/sign-in/link/nonsense")
    page = await stranger.send("/sign-in/link/nonsense")
    assert page.status == 410


async def test_cookies_and_headers_are_strict(site: Site) -> None:
    buyer = await site.person("小买家")
    page = await buyer.get("/me")
    assert page.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    answer = await site.stranger().client.get("/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    static = re.search(r"/static/app\.css\?v=\w+", answer.text)
    assert static
    style = await buyer.client.get(static[0])
    assert "immutable" in style.headers["cache-control"]
    assert style.headers["content-encoding"] == "gzip"
    assert style.headers["content-type"].startswith("text/css")
    plain = await buyer.client.get("/static/favicon.svg", headers={"accept-encoding": "identity"})
    assert plain.headers["content-type"] == "image/svg+xml"
    for path in ("/static/../render.py", "/static/%2e%2e/render.py", "/static/nothing.css", "/static/vendor"):
        assert (await buyer.client.get(path)).status_code == 404, path


async def test_what_people_write_is_never_markup(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    evil = '<script>alert(1)</script><img src=x onerror="alert(1)">'
    await buyer.send("/say", {"body": evil})
    assert "<script>alert" not in (await merchant.get(f"/o/{ref}")).text
    page = await buyer.get("/?q=" + "%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script>alert" not in page.text
    await merchant.get("/m/shops/new")
    page = await merchant.send("/m/shops/new", SHOP | {"name": evil, "licence_number": "1"})
    assert page.status == 422
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_forms_come_back_with_sentences_and_with_what_was_typed(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    await buyer.get(f"/buy/{listing}")
    page = await buyer.send(f"/buy/{listing}", {"quantity": "3"})
    assert page.status == 422
    assert "逐条勾选" in page.text
    assert page.form(f"/buy/{listing}").fields["quantity"] == ["3"]
    page = await buyer.send(f"/buy/{listing}", ENOUGH | {"quantity": "999"})
    assert page.status in {409, 422}
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "", "demand": "partial_refund", "amount": "965", "statement": ""})
    assert page.status == 422
    assert "<title>错误：" in page.text
    assert "选一种情况" in page.text
    assert "退款金额不能超过" in page.text
    assert "写一句发生了什么" in page.text
    page = await buyer.send("/problem", {"amount": "", "statement": "x" * 2001})
    assert "填想退多少元" in page.text
    assert "最多 2000 个字" in page.text
    page = await merchant.get(f"/m/{shop}/listings/{listing}")
    page = await merchant.send(
        f"/listings/{listing}",
        {"price_minor": "abc", "escrow_hours": "x", "changed_mind_after_open": "partial", "title": "改过的标题"},
    )
    assert page.status == 422
    assert "价格填数字" in page.text
    assert "填扣百分之几" in page.text
    assert "改过的标题" in page.text
    page = await merchant.get(f"/m/{shop}/listings/{listing}/keys")
    page = await merchant.send("/keys")
    assert page.status == 422
    page = await merchant.send("/keys", files=[("file", ("k.txt", b"\x00\x01\x02\xff" * 50, "text/plain"))])
    assert page.status in {415, 422}


async def test_a_listing_is_changed_paused_and_its_old_version_refused(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    await buyer.get(f"/buy/{listing}")
    await merchant.get(f"/m/{shop}/listings/{listing}")
    page = await merchant.send(f"/listings/{listing}", {"price_minor": "99", "changed_mind_after_open": "none"})
    assert "第 2 版" in page.text
    page = await buyer.send(f"/buy/{listing}", ENOUGH)
    assert page.status == 409
    assert Refused(Refusal.LISTING_CHANGED).zh in page.text
    assert page.form(f"/buy/{listing}").fields["snapshot_no"] == ["2"]
    assert "notice" not in page.form(f"/buy/{listing}").fields
    await merchant.get(f"/m/{shop}/listings/{listing}")
    page = await merchant.send("/pause")
    assert "已下架" in page.text
    assert "现在没有在卖" in (await buyer.get(f"/i/{listing}")).text
    page = await merchant.get(f"/m/{shop}/edit")
    page = await merchant.send("/edit", {"name": "改名的店"})
    assert "改名的店" in page.text
    page = await merchant.get(f"/m/{shop}/edit")
    page = await merchant.send("/edit", {"licence_number": "1"})
    assert page.status == 422


async def test_sending_the_order_form_twice_makes_one_order(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    form = (await buyer.get(f"/buy/{listing}")).form(f"/buy/{listing}")
    first = await buyer.post(form.action, form.fields | ENOUGH)
    second = await buyer.post(form.action, form.fields | ENOUGH)
    assert first.path == second.path
    assert len(set(re.findall(r"/o/[\w-]+", (await buyer.get("/o")).text))) == 1


async def test_open_pages_are_told_of_news_and_never_swapped(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    await buyer.get(f"/buy/{listing}")
    page = await buyer.send(f"/buy/{listing}", ENOUGH)
    live = re.search(r'hx-get="([^"]+)"', page.text)
    assert live
    assert (await buyer.get(live[1])).status == 200
    await buyer.get(page.path)
    await buyer.send("/pay")
    await buyer.send(buyer.page.path)
    answer = await buyer.get(live[1])
    assert answer.status == 286
    assert "这页有更新" in answer.text
    ref = page.path.split("/")[2]
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "other", "statement": "有问题。"})
    live = re.search(r'hx-get="([^"]+)"', page.text)
    assert live
    assert (await buyer.get(live[1])).status == 200
    await merchant.get(page.path)
    await merchant.send("/say", {"body": "看到了。"})
    assert (await buyer.get(live[1])).status == 286
    assert "商家" in (await buyer.get("/messages")).text or buyer.page.status == 200
    page = await buyer.send("/messages")
    assert "全部标为已读" not in page.text


async def test_a_paid_checkout_is_not_paid_again(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    await buyer.get(f"/buy/{listing}")
    await buyer.send(f"/buy/{listing}", ENOUGH)
    checkout = await buyer.send("/pay")
    assert "模拟托管机构" in checkout.text
    assert "不是真的银行" in checkout.text
    page = await buyer.post(checkout.path, {}, headers={"origin": "https://elsewhere.example"})
    assert page.status == 403
    await buyer.get(checkout.path)
    await buyer.send(checkout.path)
    again = await buyer.get(checkout.path)
    assert "这一单已付款" in again.text
    demos = [f"{checkout.path}/close", f"{checkout.path}/chargeback"]
    assert [form.action for form in again.read.forms] == demos
    page = await buyer.post(checkout.path, {})
    assert page.words.count("托管方收到付款") >= 1
    page = await buyer.post(
        f"{page.path}/pay", {"csrf_token": (await buyer.get("/me")).form("/me").fields["csrf_token"]}
    )
    assert page.status == 409


async def test_the_desk_wants_the_check_of_staff(site: Site) -> None:
    from kabao.identity import Role  # noqa: PLC0415  only here

    unchecked = await site.person("客服二", Role.SUPPORT)
    page = await unchecked.get("/desk")
    assert page.path == "/desk/check"
    page = await unchecked.send("/desk/check", {"password": "x", "totp": "1"})
    assert page.status == 401
    assert page.form("/desk/check").fields["password"] == [""]


async def test_an_unreadable_body_is_refused(site: Site) -> None:
    buyer = await site.person("小买家")
    answer = await buyer.client.post("/me", content=b"xx", headers={"content-type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 400
    answer = await buyer.client.post("/me", content=b"xx", headers={"content-type": "multipart/form-data"})
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize(
    "text", ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere", "javascript:x", "", "/a b", "/" * 600]
)
def test_a_next_page_is_a_path_of_this_site(text: str) -> None:
    assert local_path(text) == "/"


def test_a_kept_form_opens_only_for_its_visitor() -> None:
    form = Form([("quantity", "2"), ("csrf_token", "t"), ("password", "p"), ("keys", "K"), ("body", "字")])
    sealed = seal_kept(form, "/buy/1-2", "mine")
    assert open_kept(sealed, "mine") == ("/buy/1-2", {"quantity": ["2"], "body": ["字"]})
    assert open_kept(sealed, "another") is None
    assert open_kept("%%%", "mine") is None
    assert seal_kept(Form([("body", "字" * 70_000)]), "/x", "mine") == ""
