"""Texts to begin with on the case page, a shop's own, and what was typed and not sent."""

from urllib.parse import urlencode

from kabao.cases import WriteText
from kabao.kernel import Refusal, Refused
from kabao.shops import parse_shop_ref
from media import picture
from pages import Site


async def test_a_buyer_begins_from_a_text_filled_from_the_order_and_cannot_send_its_blanks(site: Site) -> None:
    _merchant, _shop, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    page = await buyer.get(f"/c/{case}")
    assert "说清事实，请对方办" in page.text
    page = await buyer.get(f"/c/{case}?text=urge")
    [body] = page.form("/say").fields["body"]
    assert "全额退款 ¥96.50；逾期将请客服介入。" in body
    assert "拆封，（几点几分）提示" in body
    assert "请在 11月" in body or "请在 12月" in body
    page = await buyer.send("/say", files=[("files", ("shot.png", picture("PNG"), "image/png"))])
    assert (page.status, "把括号里的改成你的话" in page.text) == (422, True)
    assert "先收着的文件" in page.words, "chosen files stay with the form"
    assert "（几点几分）" in page.form("/say").fields["body"][0], "what was typed stays"
    for blank, words in (("（几点几分）", "14:05"), ("（看到的原话）", "已被使用"), ("（附证据几）", "")):
        body = body.replace(blank, words)
    page = await buyer.send("/say", {"body": body})
    assert "已发送" in page.text
    assert "14:05提示“已被使用”" in page.text
    assert "证据 1：shot.png" in page.text
    page = await buyer.get(f"/c/{case}?text=answer")
    assert page.form("/say").fields["body"] == [""], "the other side's texts are not his"


async def test_a_text_that_is_filled_in_throws_nothing_away(site: Site) -> None:
    merchant, _shop, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    await buyer.get(f"/c/{case}")
    shot = [("files", ("shot.png", picture("PNG"), "image/png"))]
    page = await buyer.send("/say", {"body": "我打了很多字", "then": "fill", "text": "urge"}, files=shot)
    body = page.form("/say").fields["body"][0]
    assert (page.status, body.startswith("我打了很多字\n订单 ")) == (200, True)
    assert "先收着的文件" in page.words
    assert "我打了很多字" not in (await merchant.get(f"/c/{case}")).text, "nothing is sent by it"
    await buyer.get(f"/c/{case}?text=urge")
    page = await buyer.send("/say", {"then": "fill", "text": "evidence"})
    other = page.form("/say").fields["body"][0]
    assert body.partition("\n")[2] not in other, "one text gives way to another"
    await merchant.get(f"/c/{case}/offer")
    page = await merchant.send("/offer", {"kind": "partial_refund", "refund": "40", "then": "fill", "text": "part"})
    fields = page.form("/offer").fields
    assert (fields["refund"], fields["kind"]) == (["40"], ["partial_refund"])
    assert "（" in fields["note"][0]
    page = await merchant.send("/offer", {"note": "退 40", "refund": "９７元"})
    assert (page.status, "填 ¥0.01 到 ¥96.50 之间的数" in page.text) == (422, True)
    page = await merchant.send("/offer", {"refund": "４０元"})
    assert "部分退款 ¥40.00" in page.text


async def test_what_was_typed_is_kept_for_its_author_until_sent(site: Site) -> None:
    merchant, _shop, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    await buyer.get(f"/c/{case}")
    page = await buyer.send("/say", {"body": "还没写完（什么）", "then": "draft"})
    assert "草稿已存" in page.text
    page = await buyer.get(f"/c/{case}")
    assert page.form("/say").fields["body"] == ["还没写完（什么）"]
    assert "还没写完" not in (await merchant.get(f"/c/{case}")).text
    await buyer.send("/say", {"body": "写完了"})
    page = await buyer.get(f"/c/{case}")
    assert page.form("/say").fields["body"] == [""]
    await buyer.send("/say", {"body": "再写", "then": "draft"})
    await buyer.get(f"/c/{case}")
    await buyer.send("/say", {"body": " ", "then": "draft"})
    assert (await buyer.get(f"/c/{case}")).form("/say").fields["body"] == [""]


async def test_a_shop_keeps_texts_of_its_own_and_answers_and_offers_with_them(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    buyer = await site.person("小买家")
    case = await site.complained(buyer, listing)
    await merchant.get(f"/m/{shop}/texts")
    page = await merchant.send("/texts", {"kind": "answer", "name": "查过了", "text": "订单 {订单}：{密码}"})
    assert (page.status, "不认识 {密码}" in page.text) == (422, True)
    page = await merchant.send("/texts", {"kind": "answer", "name": "查过了", "text": "{商品}查过了。"})
    assert "已保存" in page.text
    page = await merchant.send("/texts", {"kind": "offer", "name": "退一半", "text": "{要求}太多，退一半。" * 60})
    assert page.status == 422
    await merchant.send("/texts", {"kind": "offer", "name": "退一半", "text": "对{要求}，退一半。"})
    page = await merchant.get(f"/m/{shop}/texts")
    edit = next(link for link in page.read.links if "edit=" in link)
    page = await merchant.get(edit)
    page = await merchant.send("/texts", {"name": "查过两遍", "text": "{商品}查过两遍。"})
    page = await merchant.get(f"/c/{case}")
    assert page.text.index("查过两遍") < page.text.index("卡密有问题：核对入库"), "the shop's own first"
    key = edit.partition("edit=")[2].partition("#")[0]
    page = await merchant.get(f"/c/{case}?" + urlencode({"text": key}))
    assert page.form("/say").fields["body"] == ["测试点卡 100 元查过两遍。"]
    page = await merchant.get(f"/c/{case}/offer?text=part")
    page = await merchant.send("/offer", {"kind": "partial_refund", "refund": "40"})
    assert (page.status, "把括号里的改成你的话" in page.text) == (422, True)
    await merchant.get(f"/m/{shop}/texts")
    gone = merchant.page.form("/texts/remove").fields
    assert gone["id"] == [key]
    page = await merchant.send("/texts/remove")
    assert "查过两遍" not in page.text
    assert (await merchant.post(f"/m/{shop}/texts/remove", gone)).status == 404
    # Nobody else reads, writes or removes them.
    assert (await buyer.get(f"/m/{shop}/texts")).status == 404
    stolen = (await buyer.get(f"/c/{case}")).form("/say").fields
    stolen |= {"kind": "answer", "name": "x", "text": "x"}
    assert (await buyer.post(f"/m/{shop}/texts", stolen)).status in (403, 404)


async def test_a_shop_keeps_at_most_thirty_texts(site: Site) -> None:
    _merchant, shop, _listing = await site.selling()
    owner, shop_id = await site.known("店主一"), parse_shop_ref(shop)
    assert shop_id is not None
    texts = site.app.cases.texts
    for number in range(30):
        assert await texts.write(owner, shop_id, WriteText(kind="answer", name=f"第 {number} 条", body="好。")) is None
    more = await texts.write(owner, shop_id, WriteText(kind="answer", name="再一条", body="好。"))
    assert isinstance(more, Refused)
    assert more.code is Refusal.INVALID_FIELDS
    bad = await texts.write(owner, shop_id, WriteText(kind="x", name="两\n行", body=""))
    assert isinstance(bad, Refused)
    assert set(bad.fields) == {"kind", "name", "body"}
    stranger = await site.person("小买家")
    assert stranger.page.status == 200
    other = await site.known("小买家")
    for answer in (
        await texts.of_shop(other, shop_id),
        await texts.write(other, shop_id, WriteText(kind="answer", name="x", body="x")),
        await texts.remove(other, shop_id, 1),
    ):
        assert isinstance(answer, Refused)
        assert answer.code is Refusal.NOT_FOUND
