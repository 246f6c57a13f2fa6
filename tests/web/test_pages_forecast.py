"""A buyer sees what a claim would come to before filing it; a merchant what each answer costs."""

from browser import Browser
from media import picture
from pages import Site


async def at_the_form(site: Site, *, is_opened: bool = True) -> tuple[Browser, Browser, str]:
    merchant, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    if is_opened:
        await buyer.get(f"/o/{ref}/reveal")
        await buyer.send("/reveal")
    await buyer.get(f"/o/{ref}/problem")
    return merchant, buyer, ref


async def test_the_forecast_comes_before_anything_is_filed(site: Site) -> None:
    _, buyer, ref = await at_the_form(site)
    assert "statement" not in buyer.page.form("/problem").names
    page = await buyer.send("/problem", {"claim": "already_used"})
    assert page.status == 200
    for told in ("这是估计，不是裁决", "不支持退款", "什么会改变它", "能证明「", "少于 20 件，不公布"):
        assert told in page.words
    form = page.form("/problem")
    assert form.fields["claim"] == ["already_used"]
    statement = form.fields["statement"][0]
    for said in (f"订单 {ref}", "拆封", "使用时提示（看到的原话）", "全额退款 ¥96.50"):
        assert said in statement
    # A first purchase leaves the merchant 24 hours, so a letter that names 48 would mislead.
    assert "请在纠纷页写明的时间前回应" in statement
    assert (await buyer.get("/o?t=in_case")).text.count("/c/") == 0


async def test_what_was_chosen_may_be_changed_and_is_forecast_anew(site: Site) -> None:
    merchant, buyer, ref = await at_the_form(site)
    await buyer.send("/problem", {"claim": "already_used"})
    page = await buyer.send("/problem", {"claim": "changed_mind", "step": "forecast"})
    assert "（发生了什么）" in page.form("/problem").fields["statement"][0]
    partly = {"demand": "partial_refund", "amount": "30", "step": "forecast"}
    page = await buyer.send("/problem", partly | {"statement": "我自己写的。"})
    assert page.form("/problem").fields["statement"] == ["我自己写的。"]
    assert "部分退款 ¥30.00" in page.words
    page = await buyer.send("/problem", {"amount": "965", "step": "forecast", "statement": "我自己写的。"})
    assert page.status == 422
    assert "退款金额不能超过" in page.text
    assert page.form("/problem").fields["statement"] == ["我自己写的。"]
    assert "这是估计" not in page.words
    # A form that comes back for its brackets keeps forecast and files; nobody else sees these before it is sent.
    files = [("files", ("shot.png", picture("PNG"), "image/png")), ("files", ("x.exe", b"MZ" + bytes(8), "x/y"))]
    page = await buyer.send("/problem", {"amount": "30", "step": "", "statement": "（发生了什么）"}, files=files)
    assert (page.status, "把括号里的改成你的事实" in page.words) == (422, True)
    assert "这是估计" in page.words
    assert "「x.exe」没有收下" in page.words
    assert "先收着的文件" in page.words
    assert "shot.png" not in (await merchant.get(f"/o/{ref}")).text
    [kept] = page.form("/problem").fields["kept"]
    page = await merchant.post(f"/o/{ref}/say", merchant.page.form("/say").fields | {"kept": kept, "body": "在吗"})
    assert "shot.png" not in page.text, "nobody hands in what another put aside"
    # An amount beside another demand once counted for nothing, so that all of it was demanded.
    whole = {"demand": "full_refund", "amount": "30", "step": "forecast", "statement": "我自己写的。"}
    page = await buyer.send("/problem", whole)
    assert (page.status, "只想退这么多的，要求选“部分退款”" in page.text) == (422, True)
    page = await buyer.send("/problem", partly | {"claim": "already_used", "statement": "我自己写的。"})
    assert "截图：证明“卡密在正确的地方无法兑换”" in page.words
    page = await buyer.send("/problem", {"step": "", "statement": "我自己写的。"})
    assert page.path.startswith("/c/")
    assert "shot.png" in (await merchant.get(page.path)).text
    for told in (
        "证明：卡密在正确的地方无法兑换 （没有经人工核验）",
        "证据 1 shot.png，把握 65%。没有经人工核验，只算有材料的主张",
        "按现有证据认定（达到“初步显示（比没有更可能）”）：卡密在正确的地方无法兑换",
        "按你提出的 ¥ 30 .00 。 规则能支持到 ¥ 96 .50 ，但商家不回应、没有人来裁决的，不超出所提的要求",
        "撤回 后按新的要求再提",
    ):
        assert told in page.words, told
    page = await buyer.send("/say", {"body": "另一张。"}, files=[("files", ("b.txt", "别的".encode(), "text/plain"))])
    assert "你还没说它证明哪个事实，先不算证明" in page.words
    # A message that lacks a word keeps its file aside; an answer that is not the buyer's to give never does.
    again = [("files", ("c.txt", "第三".encode(), "text/plain"))]
    for sent, status, is_kept in (
        ({"body": "（看到的原话）"}, 422, True),
        ({"body": "（看到的原话）", "kind": "answer"}, 422, False),
        ({"body": "我答复。", "kind": "answer"}, 403, False),
    ):
        page = await buyer.send("/say", sent | {"kept": ""}, files=again)
        assert (page.status, "先收着的文件" in page.words) == (status, is_kept), sent


async def test_each_claim_begins_its_statement_with_what_the_order_knows(site: Site) -> None:
    _, buyer, ref = await at_the_form(site, is_opened=False)
    for claim, told in (
        ("not_as_described", "商品页写的是（商品页的原话）"),
        ("not_delivered", "没有收到：（少了什么）"),
        ("late", "送达，（对你有什么影响）"),
        ("reclaimed", "起不能用，提示（看到的原话）"),
        ("other", "卡密还没有拆封，（发生了什么）"),
    ):
        await buyer.get(f"/o/{ref}/problem")
        page = await buyer.send("/problem", {"claim": claim, "demand": "replacement"})
        statement = page.form("/problem").fields["statement"][0]
        assert told in statement
        assert "要求：补发一张能用的。" in statement


async def test_nothing_chosen_is_said_before_any_forecast(site: Site) -> None:
    _, buyer, ref = await at_the_form(site)
    page = await buyer.send("/problem", {"demand": "partial_refund", "amount": "x"})
    assert page.status == 422
    assert "选一种情况" in page.text
    assert "statement" not in page.form("/problem").names
    await buyer.get(f"/o/{ref}/problem")
    form = (await buyer.send("/problem", {"claim": "other"})).form("/problem").fields
    await buyer.send("/problem", {"statement": "坏了。"})
    case = buyer.page.path
    del form["statement"]
    assert (await buyer.post(f"/o/{ref}/problem", form)).path == case


async def test_too_many_forecasts_hold_nobody_back_from_filing(site: Site) -> None:
    _, buyer, ref = await at_the_form(site)
    for _ in range(120):
        await buyer.post(f"/o/{ref}/problem", buyer.page.form("/problem").fields | {"claim": "other"})
        await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "other"})
    assert page.status == 429
    page = await buyer.send("/problem", {"claim": "other", "statement": "坏了。"})
    assert page.path.startswith("/c/")


async def test_a_merchant_reads_what_each_answer_costs_and_nobody_else(site: Site) -> None:
    merchant, buyer, _ = await at_the_form(site)
    page = await buyer.send("/problem", {"claim": "already_used", "statement": "提示用过了。"})
    case = page.path
    assert "每种选择要付多少" not in page.words
    page = await merchant.get(case)
    for told in ("每种选择要付多少", "这是估计，不是裁决", "退 ¥ 96 .50 ，你得 ¥ 0 .00 ，马上结案", "输了最多付"):
        assert told in page.words
    await merchant.get(f"{case}/accept?what=demand")
    await merchant.send("/accept", {"what": "demand"})
    assert "每种选择要付多少" not in (await merchant.get(case)).words


async def test_a_listing_shows_every_rung_a_quarrel_may_rise_to(site: Site) -> None:
    _, _, listing = await site.selling()
    page = await (await site.person("小买家")).get(f"/i/{listing}")
    for told in ("协商 48 小时", "客服 48 小时", "争议组 72 小时", "外部 你决定", "按规则判，或升到客服"):
        assert told in page.words, told


async def test_what_a_claim_still_lacks_is_said_before_that_it_fails(site: Site) -> None:
    _, buyer, _ = await at_the_form(site)
    page = await buyer.send("/problem", {"claim": "already_used"})
    assert "还缺一样：能证明「卡密在正确的地方无法兑换」的材料" in page.words
    assert "预计变成 全额退款" in page.words
    heic = [("files", ("IMG_1.HEIC", b"\0\0\0\x18ftypheic" + bytes(64), "image/heic"))]
    page = await buyer.send("/problem", {"statement": "（看到的原话）"}, files=heic)
    assert "「IMG_1.HEIC」没有收下：HEIC 图片先存成 JPEG" in page.words
    page = await buyer.send("/problem", {"statement": "提示已被使用", "step": ""})
    assert "还缺能证明「卡密在正确的地方无法兑换」的材料" in page.words
    await buyer.send("/fact", {"fact": "key_failed"})
    page = await buyer.send("/say", files=[("files", ("shot.png", picture("PNG"), "image/png"))])
    page = await buyer.get(next(one for one in page.read.links if "?item=1" in one).partition("#")[0])
    page = await buyer.send("/fact", {"fact": "key_failed"})
    assert "还缺" not in page.words.partition("证据清单")[0]


async def test_of_several_keys_the_form_names_the_price_of_one(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing, quantity=2)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal", {"pos": "1"})
    page = await buyer.get(f"/o/{ref}/problem")
    assert "一张 ¥96.50。选部分退款才填；只坏了几张的，填坏的那几张的价。" in page.words
    page = await buyer.send("/problem", {"claim": "already_used"})
    assert page.words.count("没拆的") == 1, "said once"
