"""A claim that the platform's records decide, on the pages of both sides."""

from kabao.identity import Role
from pages import Site


async def test_a_sealed_order_is_refunded_as_it_is_filed_and_the_merchant_may_have_it_looked_at(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    reviewer = await site.staff("复核人", Role.PANEL)
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "changed_mind"})
    for told in ("平台自己的记录已经能证明", "提交，当场裁决", "由人来处理，不要自动裁决"):
        assert told in page.words, told
    page = await buyer.send("/problem", {"statement": "不想要了，还没拆封。"})
    case = page.path
    for told in (
        "已按平台的记录当场裁决",
        "已当场裁决并退款",
        "¥ 96 .50 已当场退款",
        "商家可以申请复核",
        "没有拆封过",
        "不追回你已得的退款",
        "可申请复核 7 天",
    ):
        assert told in page.words, told
    assert "/review" not in page.text
    page = await merchant.get("/m")
    assert "可申请复核" in page.words or "申请复核" in page.words
    page = await merchant.get(case)
    for told in ("接受，还是申请复核", "没有听你说过", "由平台备付付给你"):
        assert told in page.words, told
    page = await merchant.send("/review", {"reason": "卡密拆过。"})
    assert "复核中" in page.words
    assert "已当场退款，正在复核" in page.words
    # Before a first view nobody is told whose fault the rules found it, nor that they found it nobody's.
    page = await reviewer.get(case.replace("/c/", "/desk/"))
    assert "查明的事实" in page.words
    for hidden in ("商家责任", "不涉及谁的过错"):
        assert hidden not in page.words, hidden


async def test_who_wants_a_person_is_negotiated_with(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    await buyer.send("/problem", {"claim": "changed_mind"})
    page = await buyer.send("/problem", {"statement": "请人看看。", "by_person": "yes"})
    for told in ("不会按规则自动裁决", "协商中", "会自动转给客服"):
        assert told in page.words, told


async def test_the_rulings_page_says_what_was_done_already(site: Site) -> None:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    await buyer.get(f"/o/{ref}/problem")
    await buyer.send("/problem", {"claim": "changed_mind"})
    case = (await buyer.send("/problem", {"statement": "不想要了。"})).path
    page = await buyer.get(f"{case}/ruling")
    for told in ("系统，按平台记录", "退款已经执行，复核改判也不追回", "已按它执行"):
        assert told in page.words, told
    await merchant.get(case)
    await merchant.send("/review", {"reason": "再看看。"})
    assert "已退的钱不变" in (await buyer.get(f"{case}/ruling")).words


async def test_who_quarrels_over_sealed_keys_is_told_that_they_go_back_for_no_reason(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    page = await buyer.get(f"/o/{ref}/problem")
    assert "没拆的不用提纠纷，也不用理由：" in page.words
    page = await buyer.send("/problem", {"claim": "key_invalid"})
    for told in ("现在就能全额退 ¥ 96 .50", "直接全额退 ¥96.50", "卡密一张也没有拆封过", "提交，当场裁决"):
        assert told in page.words, told
    assert "不支持退款" not in page.words.partition("什么会改变它")[0]
    assert "商家 100%" not in page.words
    assert "责任：不涉及谁的过错" in page.words
    page = await buyer.send("/problem", {"statement": "听说这批卡有问题，没有拆。", "by_person": "yes"})
    assert "1 张卡密都没拆封。只想全额退的话，不用等：" in page.words
    await buyer.get(f"{page.path}/withdraw")
    page = await buyer.send("/withdraw")
    assert "都没拆封" not in page.words
    await buyer.get(f"/o/{ref}/refund")
    page = await buyer.send("/refund")
    assert "已全额退款" in page.words
