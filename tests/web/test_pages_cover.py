"""A merchant who goes away sets what is granted meanwhile, sees what was, and ends it."""

from datetime import UTC, datetime, timedelta

from kabao.web.render import SHANGHAI
from pages import Site


async def test_a_merchant_sets_sees_and_ends_the_cover_of_the_shop(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    page = await merchant.get(f"/m/{shop}/cover")
    assert "外出不改任何时限" in page.text
    page = await merchant.send("/cover", {"from": "x", "until": "", "each": "a", "total": "b"})
    assert page.status == 422
    for words in ("选开始的日期和时间", "选回来的日期和时间", "例如 100", "例如 1000"):
        assert words in page.text
    until = (datetime.now(UTC) + timedelta(days=3)).astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")
    start = datetime.now(UTC).astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M")
    wish = {"from": start, "until": until, "each": "100", "total": "50"}
    page = await merchant.send("/cover", wish)
    assert (page.status, "不能少于每件的上限" in page.text) == (422, True)
    page = await merchant.send("/cover", wish | {"total": "150"})
    assert "正在生效" in page.text, page.words
    buyer = await site.person("小买家")
    first = await site.complained(buyer, listing)
    second = await site.complained(buyer, listing)
    assert await site.app.cases.tick() == 1
    page = await merchant.get(f"/m/{shop}/cover")
    assert "已照办 ¥96.50" in page.text
    assert "超过了一共的上限" in page.text
    assert "双方同意" in (await buyer.get(f"/c/{first}")).text
    assert "协商中" in (await buyer.get(f"/c/{second}")).text
    await merchant.get(f"/m/{shop}/cover")
    ending = merchant.page.form("/cover/end").fields
    page = await merchant.send("/cover/end")
    assert "已停用" in page.text
    assert (await merchant.post(f"/m/{shop}/cover/end", ending)).status == 404
    theirs = (await buyer.get("/me")).form("/sign-out").fields
    assert (await buyer.get(f"/m/{shop}/cover")).status == 404
    for path in ("cover", "cover/end"):
        assert (await buyer.post(f"/m/{shop}/{path}", theirs | wish)).status == 404
