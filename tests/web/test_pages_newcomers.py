"""What a first visit must not be told wrongly: where the money is, what is refunded, and where one came from."""

import re

from kabao.web.listings import price_fault
from kabao.web.market import first_lines
from kabao.web.words import device_words, left_sentence, money_move
from pages import TITLE, Site

NOTICES = ["no_reason_after_open", "validity"]


async def test_a_payment_that_came_too_late_is_said_to_go_back(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    await buyer.get(f"/buy/{listing}")
    page = await buyer.send(f"/buy/{listing}", {"notice": NOTICES})
    order = page.path
    checkout = await buyer.send("/pay")
    await buyer.get(order)
    page = await buyer.send("/cancel")
    assert "没有扣你的钱" in page.words
    await buyer.get(checkout.path)
    page = await buyer.send(checkout.path)
    assert page.path == order
    assert "付款来晚了，这笔钱正在原路退给你。" in page.text
    assert "付款来晚了，¥96.50 正在原路退给你。" in page.text
    assert "没有扣你的钱" not in page.words
    await site.app.instructions.run()
    page = await buyer.get(order)
    assert "付款来晚了，¥96.50 已经原路退给你。" in page.text


async def test_sealed_cards_beside_an_opened_one_are_given_back_by_name(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing, quantity=3)
    await buyer.get(f"/o/{ref}/reveal")
    page = await buyer.send("/reveal")
    assert "没拆的 2 张，退 ¥193.00" in page.text
    # One way forward is green: opening the next card.
    assert page.text.count("btn pri") == 1
    page = await buyer.get(f"/o/{ref}/refund")
    assert "退没拆的 2 张？" in page.text
    assert "第 2、3 张没拆封" in page.words
    assert "退 2 张，¥193.00" in page.text
    assert "全额退" not in page.text
    page = await buyer.send("/refund")
    assert "已全额退" not in page.text
    assert "没拆的已退" in page.text
    assert page.text.count(">已退<") + page.words.count("张 已退 ¥") >= 2
    assert "第 3 张已退 ¥ 96 .50" in page.words
    assert "确认可用" in page.text


async def test_terms_beyond_the_escrow_say_who_pays_then(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    beyond = "放款后还能提，从店铺的保证金付"
    page = await merchant.get(f"/i/{listing}")
    assert beyond not in page.text
    assert "放款后在期限里提，从店铺的保证金付" in page.text
    assert "要商家直接退" not in page.text
    await merchant.get(f"/m/{shop}/listings/{listing}")
    page = await merchant.send(
        f"/listings/{listing}", {"warranty_days": "30", "free_text": "拍前看清说明", "max_quantity": "3"}
    )
    assert "质保 30 天比自动确认放款的时间长" in page.text
    page = await site.stranger().get(f"/i/{listing}")
    assert page.text.count(beyond) == 1
    own = page.words[page.words.index("商家另外写的") :]
    assert "拍前看清说明 和上面的条件冲突的，以上面为准" in own


async def test_a_listing_is_saved_and_put_on_sale_in_one_step(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    await merchant.get(f"/m/{shop}/listings/{listing}")
    await merchant.send("/pause")
    page = await merchant.send(f"/listings/{listing}", {"title": "改过的标题", "then": "publish"})
    assert "已上架" in page.text
    assert "改过的标题" in (await site.stranger().get(f"/i/{listing}")).text


async def test_an_empty_listing_form_is_told_everything_at_once(site: Site) -> None:
    merchant, shop, _ = await site.selling()
    page = await merchant.get(f"/m/{shop}/listings/new")
    page = await merchant.send("/listings/new", {"max_quantity": "x", "changed_mind_after_open": "partial"})
    assert page.status == 422
    assert "还有 5 处要改" in page.text
    places = [
        page.text.index(f'<a href="#{name}">') for name in ("title", "description", "price_minor", "max_quantity")
    ]
    assert places == sorted(places)
    label = re.search(r'<label for="partial_fee_percent">([^<]*)', page.text)
    assert label
    assert label[1] == "扣百分之几"


def test_a_price_is_told_what_is_wrong_with_it() -> None:
    told = {text: price_fault(text) for text in ("", "abc", "-5", "1.234", "99999999", "96,5", "96.50", "0")}
    assert told == {
        "": "填价格，例如 96.50",
        "abc": "价格填数字，例如 96.50",
        "-5": "单价要大于 0。",
        "1.234": "最多两位小数，例如 96.50",
        "99999999": "单价最多 200000 元。",
        "96,5": "价格填数字，例如 96.50",
        "96.50": "",
        "0": "",
    }


async def test_the_own_page_and_the_way_to_a_shop_are_linked(site: Site) -> None:
    buyer = await site.person("小买家")
    page = await buyer.get("/")
    assert page.read.links.count("/me") == 2
    assert "/m/shops/new" in page.read.links
    merchant, _, _ = await site.selling()
    assert "/m/shops/new" not in (await merchant.get("/o")).read.links
    assert "/m/shops/new" in (await site.stranger().get("/")).read.links


async def test_asking_for_a_code_again_keeps_the_field_for_it(site: Site) -> None:
    stranger = site.stranger()
    await stranger.get("/sign-in")
    page = await stranger.send("/sign-in", {"phone": "13800009999"})
    again = next(form for form in page.read.forms if form.action == "/sign-in")
    page = await stranger.post("/sign-in", again.fields)
    assert page.status == 429
    assert re.search(r"刚才的验证码还有效，\d+ 秒后可以重发。", page.text)
    page = await stranger.send("/sign-in/code", {"code": site.post.codes["+8613800009999"]})
    assert page.path == "/"
    other = site.stranger()
    await other.get("/sign-in")
    page = await other.send("/sign-in", {"phone": "13800009999"})
    assert "验证码要得太频繁了，没有再发" in page.text
    assert page.form("/sign-in/code").names >= {"code"}


async def test_an_address_that_takes_forms_leads_back_when_opened_again(site: Site) -> None:
    _, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    for act in ("pay", "cancel", "say"):
        assert (await buyer.get(f"/o/{ref}/{act}")).path == f"/o/{ref}"
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "other", "statement": "有问题。"})
    for act in ("say", "refuse", "escalate"):
        assert (await buyer.get(f"{page.path}/{act}")).path == page.path
    assert (await buyer.get("/sign-out")).path == "/"
    for end, act in ((f"/desk/{ref}", "say"), (f"/m/{shop}/listings/{ref}", "pause")):
        answer = await buyer.client.get(f"{end}/{act}")
        assert answer.headers["location"] == end
    assert (await site.stranger().get("/sign-in/code")).path == "/sign-in"
    lost = await buyer.get("/nowhere")
    assert lost.status == 404
    assert "回首页" in lost.text
    assert "再试一次" not in lost.text
    assert "<title>没有找到" in lost.text


async def test_an_order_form_sent_before_sign_in_is_gone_on_with(site: Site) -> None:
    _, _, listing = await site.selling()
    stranger = site.stranger()
    await stranger.get(f"/buy/{listing}")
    page = await stranger.send(f"/buy/{listing}", {"notice": NOTICES, "quantity": "2"})
    assert "登录后接着下单" in page.text
    assert "登录过期了" not in page.text
    await stranger.send("/sign-in", {"phone": "13800009999"})
    page = await stranger.send("/sign-in/code", {"code": site.post.codes["+8613800009999"]})
    assert f"{TITLE} × 2" in page.words
    page = await stranger.send(f"/buy/{listing}")
    assert "等你付款" in page.text


async def test_a_stale_page_shows_only_what_was_typed(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    form = (await buyer.get(f"/buy/{listing}")).form(f"/buy/{listing}").fields
    page = await buyer.post(f"/buy/{listing}", form | {"csrf_token": "wrong"})
    assert page.status == 403
    assert form["idempotency_key"][0] not in page.text
    assert "你刚才写的" not in page.text


def test_a_description_is_cut_only_where_that_saves_room() -> None:
    assert first_lines("一行") == ("一行", "")
    eight = "\n".join("甲" * 8)
    assert first_lines(eight) == (eight, "")
    assert first_lines("\n".join("甲乙丙丁戊己庚辛壬癸")) == ("\n".join("甲乙丙丁戊己"), "\n".join("庚辛壬癸"))
    head, rest = first_lines("字" * 300)
    assert (len(head), len(rest)) == (121, 181)


def test_money_on_its_way_speaks_to_who_reads_it() -> None:
    assert money_move("refund", is_done=False, viewer="buyer") == "正在退给你"
    assert money_move("refund", is_done=True, viewer="merchant") == "已退给买家"
    assert money_move("release", is_done=False, viewer="merchant") == "正在付给你"
    assert money_move("release", is_done=True, viewer="buyer") == "已付给商家"
    assert money_move("payment", is_done=True, viewer="buyer") == "托管方收到付款"


async def test_a_wrong_amount_is_said_to_go_back_while_the_order_waits(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    await buyer.get(f"/buy/{listing}")
    page = await buyer.send(f"/buy/{listing}", {"notice": NOTICES})
    order = page.path
    checkout = (await buyer.send("/pay")).path.rpartition("/")[2]
    payment = await site.app.custody.pay(checkout, amount_minor=100)
    assert payment
    await site.app.custody.notify(payment, site.app.take_notice)
    page = await buyer.get(order)
    assert "付的金额和应付的不一样，¥1.00 正在原路退给你。" in page.text
    assert "等你付款" in page.text


def test_a_device_is_said_in_two_words() -> None:
    chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"
    assert device_words(chrome) == "Linux，Chrome"
    assert device_words("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) MicroMessenger/8.0") == "iPhone，微信"
    assert device_words("curl/8") == "其他设备"


def test_a_file_that_was_not_taken_is_named_with_why() -> None:
    assert left_sentence("a.txt", "file_encoding") == "「a.txt」没有收下：文字文件要用 UTF-8 编码，另存为 UTF-8 再选。"
    assert left_sentence("b.png", "storage_full") == "「b.png」没有收下：没有存好，请再选一次。"


async def test_a_text_in_another_encoding_is_named_beside_what_was_sent(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing)
    gbk = [("files", ("聊天.txt", "你好".encode("gbk"), "text/plain"))]
    page = await buyer.send("/say", {"body": "在吗"}, files=gbk)
    assert page.path == f"/o/{ref}"
    assert "已发送。" in page.text
    assert "「聊天.txt」没有收下：文字文件要用 UTF-8 编码" in page.text
    assert "没有收下" not in (await buyer.get(f"/o/{ref}")).text
    page = await buyer.send("/say", {"body": ""}, files=gbk)
    assert "什么也没有存下" in page.text
    assert "已发送。" not in page.text
    # Words of another make are never put on a page.
    buyer.client.cookies.set("kabao_flash", "sent.AAAA")
    page = await buyer.get(f"/o/{ref}")
    assert "没有收下" not in page.text
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "", "statement": "坏了"}, files=gbk)
    assert page.status == 422
    assert "「聊天.txt」没有收下：文字文件要用 UTF-8 编码" in page.words


async def test_the_buy_page_reckons_and_says_what_to_correct(site: Site) -> None:
    _, _, listing = await site.selling()
    buyer = await site.person("小买家")
    page = await buyer.get(f"/buy/{listing}")
    assert "1 张，¥96.50" in page.text
    page = await buyer.send(f"/buy/{listing}", {"quantity": "abc", "notice": NOTICES})
    assert page.status == 422
    assert "的整数" in page.text
    page = await buyer.send(f"/buy/{listing}", {"quantity": "2", "notice": []})
    assert "2 张，¥193.00" in page.text
    for _ in range(3):
        await buyer.get(f"/buy/{listing}")
        await buyer.send(f"/buy/{listing}", {"quantity": "1", "notice": NOTICES})
    await buyer.get(f"/buy/{listing}")
    page = await buyer.send(f"/buy/{listing}", {"quantity": "1", "notice": NOTICES})
    assert page.status >= 400
    assert "这一步没有完成" in page.text
    assert "还有 1 处要改" not in page.text
    assert "/o?t=unpaid" in page.read.links
    page = await buyer.get("/o?t=unpaid")
    assert page.text.count("前付款") == 3


async def test_a_case_speaks_to_its_reader_and_says_how_it_stands(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    ref = await site.bought(buyer, listing, quantity=2)
    await buyer.get(f"/o/{ref}/reveal")
    await buyer.send("/reveal")
    await buyer.get(f"/o/{ref}/problem")
    page = await buyer.send("/problem", {"claim": "other"})
    assert "第 1 张卡密" in page.text
    page = await buyer.send("/problem", {"claim": "other", "statement": "第 1 张坏了。"})
    case = page.path
    assert "商家到时没有回应" in page.text
    assert "首次拆封第 1 张" in page.text
    assert page.text.count("写一句、加证据") == 2
    page = await merchant.get(case)
    assert "你到时没有回应" in page.text
    assert "要求全额退款 ¥193.00，请在 24 小时内答复" in (await merchant.get("/messages")).text
    await merchant.get(case)
    page = await merchant.send("/say", {"body": "我方核对过了。"})
    assert "没有同意诉求" not in page.text
    await buyer.get(case)
    page = await buyer.send("/say", {"body": "请看截图。"})
    assert "我" in page.words
    assert "买家说：" not in page.text
    await buyer.get(f"{case}/offer")
    await buyer.send("/offer", {"kind": "replacement"})
    await merchant.get(case)
    page = await merchant.send("/refuse")
    assert "你没有接受买家的方案：补发新的卡密" in page.text
    page = await buyer.get(case)
    assert "商家没有接受你的方案：补发新的卡密" in page.text
    await merchant.get(f"{case}/offer")
    await merchant.send("/offer", {"kind": "replacement"})
    await buyer.get(f"{case}/accept")
    page = await buyer.send("/accept")
    assert "双方同意：补发新的卡密" in page.words
    page = await buyer.get(f"/o/{ref}")
    assert "补发的卡密已送达，等你拆封" in page.text
    assert "补发的" in page.words
    seen = (await merchant.get(f"/o/{ref}")).words
    listed = (await merchant.get(f"/m/{shop}/orders")).words
    assert "小**" in seen
    assert "小**" in listed
    assert "小买家" not in listed


async def test_titles_in_the_merchants_lists_lead_to_the_editor(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    for path in ("/m", f"/m/{shop}/listings"):
        page = await merchant.get(path)
        assert f'<a href="/m/{shop}/listings/{listing}">{TITLE}</a>' in page.text
