"""The settlement card with what the rules come to, the way to a person, and a ruling that waits for the deposit."""

from kabao.cases import Cursor, Tab, write_cursor
from pages import Site


async def test_a_party_who_wants_a_person_is_not_ruled_on_by_a_rule(site: Site) -> None:
    merchant, _shop, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    page = await buyer.get(f"/c/{case}")
    assert "诉求成立（可以申请复核）" in page.text
    page = await buyer.send("/person")
    assert "不按规则自动裁决" in page.text
    assert "诉求成立（可以申请复核）" not in page.text
    assert "这件不会按规则自动裁决" in page.text
    assert "买家要求由人处理" in (await merchant.get(f"/c/{case}")).text
    fields = buyer.page.form("/say").fields
    assert (await buyer.post(f"/c/{case}/person", fields)).status == 409
    stranger = await site.person("路人")
    theirs = (await stranger.get("/me")).form("/sign-out").fields
    assert (await stranger.post(f"/c/{case}/person", theirs)).status == 404
    await merchant.get(f"/c/{case}")
    await merchant.send("/say", {"body": "查过了，没问题。"})
    await buyer.get(f"/c/{case}")
    await buyer.send("/escalate")
    assert "这件正由人处理：客服" in (await buyer.get(f"/c/{case}")).text


async def test_an_offer_stands_beside_the_demand_and_what_the_rules_come_to(site: Site) -> None:
    merchant, _shop, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    await merchant.get(f"/c/{case}/offer")
    await merchant.send("/offer", {"kind": "partial_refund", "refund": "40", "note": "退一部分。"})
    page = await buyer.get(f"/c/{case}")
    words = page.words.replace(" ", "")
    assert "退给你¥40.00你要求¥96.50预计¥0.00" in words
    assert "比预计的结果多退¥40.00" in words
    assert "预计是估计，不是裁决" in words
    assert "其余¥56.50从托管方付给商家" in words
    assert "方案 ¥40.00，预计 ¥0.00，最多 ¥96.50" in page.text
    words = (await merchant.get(f"/c/{case}")).words.replace(" ", "")
    assert "退给买家¥40.00买家要求¥96.50预计¥0.00" in words
    # The merchant reads what reaches him, and what every other way would cost him.
    net = "其余¥56.50从托管方付给你，扣平台服务费¥1.69，你得¥54.81"
    assert net in words
    assert "你提的方案，等买家答复退¥40.00，你得¥54.81（已扣平台服务费¥1.69）" in words
    assert "提出补发库存里出1张新卡密，按这单的售价值¥96.50；不退钱" in words
    await buyer.get(f"/c/{case}/offer")
    await buyer.send("/offer", {"kind": "partial_refund", "refund": "40", "note": ""})
    page = await merchant.get(f"/c/{case}/accept")
    assert net in page.words.replace(" ", "")
    page = await merchant.get(f"/c/{case}/offer")
    assert "剩下的扣3%归你：全退你得¥0.00，一分不退你得¥93.61" in page.words.replace(" ", "")
    # Whoever decides is told no forecast before a first view.
    desk = await site.support()
    assert "预计" not in (await desk.get(f"/desk/{case}")).words.partition("公开数据")[0]
    await merchant.get(f"/c/{case}/accept")
    page = await merchant.send("/accept")
    assert "付给你¥54.81（¥56.50扣平台服务费¥1.69）" in page.words.replace(" ", "")
    order = page.text.split('href="/o/')[1].split('"')[0]
    paid = "¥54.81付给你（¥56.50扣平台服务费¥1.69）"
    assert paid in (await merchant.get(f"/o/{order}")).words.replace(" ", "")
    # No new claim, because this one is settled: not because any days were over.
    page = await buyer.get(f"/o/{order}")
    assert "纠纷已经了结，平台不再另开一件" in page.words.replace(" ", "")
    assert "售后期过了" not in page.words


async def test_the_deposits_page_names_the_ruling_that_waits(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    assert "等保证金的裁决" not in (await merchant.get(f"/m/{shop}/deposit")).text
    async with site.app.database.transaction() as conn:
        await conn.execute(
            "UPDATE cases SET previous = 'negotiation', stage = 'ruled_open', turn = 'nobody', due_at = now()"
        )
        await conn.execute(
            """INSERT INTO ruling (shop_id, case_id, ruling_no, stage, outcome, refund_minor, facts, reasons, made_at)
               SELECT shop_id, case_id, 1, 'default', 'full_refund', 9650, '事实', '理由', now() FROM cases"""
        )
    page = await merchant.get(f"/m/{shop}/deposit")
    assert "等保证金的裁决" in page.text
    assert f"/c/{case}" in page.text
    page = await merchant.get(f"/m/{shop}/cases?t={Tab.MINE}&after={write_cursor(Cursor(None, 1))}")
    assert "这里没有纠纷" in page.text
    assert "等你交保证金" in (await merchant.get(f"/m/{shop}/cases")).text
