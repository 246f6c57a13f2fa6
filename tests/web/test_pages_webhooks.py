"""A merchant names where his programs hear of orders and cases; the secret is shown once and nobody else gets near."""

import re

from kabao.postgres import Database
from pages import Site

SECRET = re.compile(r"whsec_[A-Za-z0-9_-]{43}")
URL = "https://hooks.example.org/kabao"


async def test_an_endpoint_is_added_tried_turned_off_and_removed(site: Site) -> None:
    merchant, shop, _ = await site.selling()
    page = await merchant.get(f"/m/{shop}/orders")
    assert f"/m/{shop}/webhooks" in page.read.links
    await merchant.get(f"/m/{shop}/webhooks")
    page = await merchant.send("/webhooks", {"url": "http://10.0.0.1/"})
    assert (page.status, "地址要以 https:// 开头" in page.text) == (422, True)
    assert page.form("/webhooks").fields["url"] == ["http://10.0.0.1/"]
    page = await merchant.send("/webhooks", {"url": URL})
    [secret] = SECRET.findall(page.text)
    assert page.headers["cache-control"] == "no-store"
    [at] = [link for link in page.read.links if re.fullmatch(rf"/m/{shop}/webhooks/[0-9A-Z-]+", link)]
    page = await merchant.get(at)
    assert (secret in page.text, "还没有消息" in page.text) == (False, True)
    page = await merchant.send(f"{at}/test")
    assert "测试消息已排队" in page.text
    assert "还没发" in page.text
    page = await merchant.send(f"{at}/rotate")
    [new] = SECRET.findall(page.text)
    assert new != secret
    page = await merchant.get(at)
    assert "新旧两个密钥同时签名" in page.text
    page = await merchant.send(f"{at}/end-previous")
    assert "换新密钥" in page.text
    page = await merchant.send(f"{at}/turn")
    assert "已停用" in page.words
    assert "停用时作废" in page.words
    page = await merchant.send(f"{at}/turn")
    assert "发一条测试" in page.words
    page = await merchant.send(f"{at}/remove")
    assert (page.path, "已删除" in page.text, URL in page.text) == (f"/m/{shop}/webhooks", True, False)
    page = await merchant.get(at)
    assert page.status == 404


async def test_what_came_of_messages_stands_on_the_page(site: Site, owner_database: Database) -> None:
    merchant, shop, _ = await site.selling()
    await merchant.get(f"/m/{shop}/webhooks")
    page = await merchant.send("/webhooks", {"url": URL})
    [at] = [link for link in page.read.links if link.startswith(f"/m/{shop}/webhooks/")]
    await merchant.get(at)
    await merchant.send(f"{at}/test")
    await owner_database.execute("UPDATE webhook_delivery SET attempt = 2, status = 500")
    await owner_database.execute("UPDATE webhook_endpoint SET failing_since = now()")
    page = await merchant.get(at)
    assert "发了 2 次，回答 500" in page.words
    assert "连续 3 天收不到就停用" in page.words
    await owner_database.execute("UPDATE webhook_delivery SET status = NULL, last_error = 'no answer in time'")
    page = await merchant.get(at)
    assert "发了 2 次，10 秒内没有回答" in page.words
    await owner_database.execute("UPDATE webhook_delivery SET last_error = 'ConnectionRefusedError'")
    assert "发了 2 次，连不上" in (await merchant.get(at)).words
    await owner_database.execute("UPDATE webhook_endpoint SET state = 'failed'")
    page = await merchant.get(at)
    assert "连续 3 天没有一条送到" in page.words
    csrf = page.form(f"{at}/turn").fields["csrf_token"][0]
    page = await merchant.post(f"{at}/test", {"csrf_token": csrf})
    assert (page.status, "先开启" in page.text) == (409, True)
    page = await merchant.get(f"/m/{shop}/webhooks")
    assert "收不到，已停用" in page.words


async def test_strangers_find_nothing_and_a_hasty_owner_is_slowed_down(site: Site) -> None:
    merchant, shop, _ = await site.selling()
    await merchant.get(f"/m/{shop}/webhooks")
    page = await merchant.send("/webhooks", {"url": URL})
    [at] = [link for link in page.read.links if link.startswith(f"/m/{shop}/webhooks/")]
    other = await site.person("别人")
    csrf = (await other.get("/me")).form("/me").fields["csrf_token"][0]
    for path in (f"/m/{shop}/webhooks", at, f"/m/{shop}/webhooks/1-1"):
        assert (await other.get(path)).status == 404
    for act in ("rotate", "end-previous", "turn", "test", "remove"):
        assert (await other.post(f"{at}/{act}", {"csrf_token": csrf})).status == 404
    for path in (f"/m/{shop}/webhooks/1-1", f"/m/{shop}/webhooks/x"):
        assert (await merchant.get(path)).status == 404
    page = await merchant.get(at)
    csrf = page.form(f"{at}/test").fields["csrf_token"][0]
    statuses = {(await merchant.post(f"{at}/test", {"csrf_token": csrf})).status for _ in range(30)}
    assert 429 in statuses
    page = await merchant.post(f"/m/{shop}/webhooks", {"csrf_token": csrf, "url": "https://b.example.org/"})
    assert page.status == 429
