"""Staff look at what a party wrote where it is masked, and at who writes too much; nobody else does."""

from pages import Site


async def test_staff_read_the_original_and_look_at_a_flood(site: Site) -> None:
    merchant, _shop, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    await buyer.get(f"/c/{case}")
    page = await buyer.send("/say", {"body": "你个傻逼"})
    assert "你个＊＊" in page.text
    assert "傻逼" not in page.text
    assert "傻逼" not in (await merchant.get(f"/c/{case}")).text
    desk = await site.support()
    page = await desk.get(f"/desk/{case}")
    assert "你个＊＊" in page.text
    page = await desk.get(f"/desk/{case}/originals")
    assert "你个傻逼" in page.text
    for party in (buyer, merchant):
        assert (await party.get(f"/desk/{case}/originals")).status == 403
        assert (await party.get("/desk/looks")).status == 403
    assert "没有要看的" in (await desk.get("/desk/looks")).text
    await site.app.database.execute(
        """INSERT INTO message (shop_id, order_id, message_id, author_id, author_role, body, digest, at)
           SELECT shop_id, order_id, n, buyer_id, 'buyer', 'x', '\\x01', now() FROM cases, generate_series(1, 60) n"""
    )
    await buyer.get(f"/c/{case}")
    page = await buyer.send("/say", {"body": "还有一句"})
    assert (page.status, "客服会看一眼" in page.text) == (429, True)
    order = page.text.partition("/o/")[2].partition('"')[0]
    page = await buyer.post(f"/o/{order}/say", page.form("/say").fields | {"body": "还有一句"})
    assert page.status == 429, "nor by the order's own address"
    page = await desk.get("/desk/looks")
    assert case in page.text
    stolen = (await buyer.get("/me")).form("/sign-out").fields
    assert (await buyer.post(f"/desk/looks/{case}", stolen)).status == 403
    fields = (await desk.get("/desk/looks")).form(f"/desk/looks/{case}").fields
    page = await desk.send(f"/desk/looks/{case}")
    assert "没有要看的" in page.text
    assert (await desk.post(f"/desk/looks/{case}", fields)).status == 404
    for path in ("/desk/looks", f"/desk/{case}/originals"):
        assert (await site.stranger().get(path, follow=False)).status == 303
