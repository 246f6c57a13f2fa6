"""Rulings that give new keys or damages, on the desk and on everybody's pages."""

from browser import Browser
from kabao.postgres import Database
from pages import Site

FIRST = {"outcome": "replacement", "share_merchant": "100", "sentence": "看记录。"}
RULING = {
    "outcome": "replacement",
    "damages": "12.50",
    "share_merchant": "100",
    "facts": "早用过。",
    "reasons": "发行方记录。",
    "differs_reason": "商家自己承认了。",
}


async def swap_at_support(site: Site, demand: str = "replacement") -> tuple[Browser, Browser, Browser, str]:
    """Open a case for new keys and let it rise."""
    merchant, _, listing = await site.selling()
    buyer, staff = await site.person("小买家"), await site.support()
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal")
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "already_used", "demand": demand, "statement": "换一张"})
    case = page.path.split("/")[2]
    await merchant.get(f"/c/{case}")
    await merchant.send("/say", {"body": "不同意。"})
    await buyer.get(f"/c/{case}")
    await buyer.send("/escalate")
    return merchant, buyer, staff, case


async def test_new_keys_and_damages_are_ruled_on_the_desk_and_told_to_both(
    site: Site, owner_database: Database
) -> None:
    merchant, buyer, staff, case = await swap_at_support(site)
    page = await staff.get(f"/desk/{case}")
    assert {"outcome", "refund", "damages"} <= page.form(f"/desk/{case}/first-view").names
    assert "平台不垫" in page.words
    page = await staff.send("/first-view", FIRST | {"damages": "很多"})
    assert page.status == 422
    assert "没有赔偿就空着" in page.words
    assert (await staff.send("/first-view", FIRST | {"damages": ""})).status == 200
    page = await staff.send("/rule", RULING | {"refund": "9999"})
    assert page.status == 422
    page = await staff.send("/rule", RULING | {"refund": ""})
    assert "换新的卡密，封存送达" in page.words
    assert "没有库存，改成退款" in page.words
    assert "另赔¥12.50，从店铺的保证金付" in page.words.replace(" ", "")
    page = await staff.send("/rule", {"step": "sure"})
    assert page.status == 200
    await owner_database.execute("UPDATE ruling_submission SET visible_at = submitted_at")
    await site.app.cases.tick()
    for reader, path in ((buyer, f"/c/{case}"), (merchant, f"/c/{case}"), (staff, f"/desk/{case}")):
        assert "补发新的卡密（没有库存就退款 ¥96.50），另赔 ¥12.50" in (await reader.get(path)).words
    for reader in (buyer, merchant):
        await reader.get(f"/c/{case}/waive")
        page = await reader.send("/waive")
    assert "已按它执行" in page.words
    order = page.text.split('href="/o/')[1].split('"')[0]
    page = await buyer.get(f"/o/{order}")
    assert "裁决的赔偿还有¥12.50没付" in page.words.replace(" ", "")
    shop = order.split("-")[0]
    page = await merchant.get("/m")
    page = await merchant.get(page.text.split('/deposit"')[0].rpartition('"')[2] + "/deposit")
    assert "还欠买家的赔偿" in page.words
    assert shop


async def test_where_a_refund_was_demanded_new_keys_are_not_offered(site: Site) -> None:
    _, _, staff, case = await swap_at_support(site, "full_refund")
    page = await staff.get(f"/desk/{case}")
    assert 'value="replacement"' not in page.text
    page = await staff.send("/first-view", FIRST)
    assert page.status == 422
    assert "买家没有要求补发" in page.words


async def test_a_merchant_opens_a_case_and_the_buyer_reads_what_silence_does(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    page = await merchant.get(f"/o/{ref}")
    assert "发起纠纷" not in page.words
    assert (await merchant.get(f"/m/orders/{ref}/complain")).path == f"/o/{ref}"
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal")
    assert (await buyer.get(f"/m/orders/{ref}/complain")).status == 404
    assert f"/m/orders/{ref}/complain" in (await merchant.get(f"/o/{ref}")).text
    page = await merchant.get(f"/m/orders/{ref}/complain")
    assert "不回应不算同意，会转给客服看" in page.words
    page = await merchant.send("/complain", {"demand": "partial_refund", "amount": "0", "statement": ""})
    assert page.status == 422
    for wrong in ("选一种情况", "托管中的钱以下的数", "写一句发生了什么"):
        assert wrong in page.words
    wish = {"claim": "fee_due", "demand": "partial_refund", "amount": "90"}
    page = await merchant.send("/complain", wish | {"step": "forecast"})
    for told in ("这是估计，不是裁决", "退给买家 ¥ 96 .50 ，结给商家 ¥ 0 .00", "没有公示的费用不能扣"):
        assert told in page.words
    assert "能证明「拆封后由买家一方兑换」 （你来证明）：变成不支持退款" in page.words
    assert "退给买家 ¥90.00，改一改" in page.words
    assert (await buyer.get(f"/o/{ref}")).words.count("纠纷中") == 0
    page = await merchant.send("/complain", wish | {"statement": "商品页写明扣费。"})
    assert page.path.startswith("/c/")
    assert "买家已收到通知" in page.words
    case = page.path.split("/")[2]
    page = await buyer.get(f"/c/{case}")
    for told in ("商家要求部分退款", "回应商家", "照商家的要求办", "不影响你的权利"):
        assert told in page.words
    assert "撤回" not in page.words
    page = await buyer.get(f"/c/{case}/accept?what=demand")
    assert "照商家的要求办？" in page.words
    page = await buyer.send("/accept")
    assert "已和解" in page.words
    assert (await merchant.get(f"/m/orders/{ref}/complain")).path == f"/o/{ref}"
