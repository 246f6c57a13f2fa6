"""A listing's words before they are on sale: what by law should be void, and what contradicts the structured terms."""

import html
import re

import pytest

from kabao.cases.clauses.documents import structured
from kabao.shops import ChangedMind, ListingDraft, Terms
from kabao.terms.packed import packed
from kabao.web.rewriting import rewritten, told
from kabao.wiring.listingterms import faults_in
from pages import Site


def draft(description: str, terms: Terms | None = None) -> ListingDraft:
    return ListingDraft(
        title="测试点卡 100 元",
        description=description,
        category="game_card",
        price_minor=9650,
        terms=terms or Terms(warranty_days=30),
    )


@pytest.mark.parametrize(
    ("description", "blocks"),
    [
        ("一经售出，概不退换。", [True]),
        ("质保90天。", [True]),
        ("发货后7天自动确认收货。", [True]),
        ("# kabao: allow K01 店主同意\n一经售出，概不退换。", [True]),
        ("我们会尽快发货。", [False]),
        ("售后须提供完整录屏，否则不予受理。", [False]),
        ("国服通用，官网兑换。卡密无效的，可以退款或者换新。", []),
        ("质保30天，付款后1分钟内送达。", []),
    ],
)
def test_what_is_void_or_contradicts_blocks_and_what_is_vague_or_asks_too_much_is_told(
    description: str, blocks: list[bool]
) -> None:
    found = faults_in(draft(description))
    assert [fault.blocks for fault in found] == blocks
    assert {fault.field for fault in found} <= {"description"}


def test_a_contradiction_shows_both_places() -> None:
    [fault] = faults_in(draft("质保90天。"))
    assert "质保90天" in fault.sentence
    assert "质保30天" in fault.sentence


def test_what_is_said_again_and_again_is_told_once_and_what_blocks_first() -> None:
    found = faults_in(draft("我们会尽快发货。" + "一经售出，概不退换。" * 50, Terms(free_text="概不退款。")))
    assert [(fault.field, fault.blocks) for fault in found[:2]] == [("description", True), ("free_text", True)]
    assert len(found) <= 5
    many = faults_in(draft("".join(f"第{number}件商品一经售出，概不退换。" for number in range(100))))
    assert len(many) == 20


def test_texts_that_contradict_each_other_are_told_and_do_not_block() -> None:
    [fault] = faults_in(draft("质保90天。", Terms(free_text="质保30天。")))
    assert not fault.blocks
    assert "质保90天" in fault.sentence
    assert "质保30天" in fault.sentence


@pytest.mark.parametrize(
    "validity", ["发放之日起 30 天", "激活之日起 365 天", "至 2027-11-30", "2030 年 12 月 31 日前兑换", "一年"]
)
def test_how_long_a_key_is_valid_is_no_promise_of_something_else(validity: str) -> None:
    assert faults_in(draft("只用于测试。", Terms(validity_text=validity, region_text="国服通用"))) == []


def test_structured_terms_by_themselves_are_never_at_fault() -> None:
    for replacement in (True, False):
        for seconds in (60, 90, 7 * 86_400):
            terms = Terms(delivery_promise_seconds=seconds, replacement_offered=replacement)
            assert faults_in(draft("只用于测试。", terms)) == []
    partial = Terms(changed_mind_after_open=ChangedMind.PARTIAL, partial_fee_percent=20)
    assert faults_in(draft("只用于测试。", partial)) == []
    assert "扣20%" in structured(partial)
    assert "90秒" in structured(Terms(delivery_promise_seconds=90))


async def test_a_listing_with_void_words_is_not_put_on_sale_and_says_which(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    await merchant.get(f"/m/{shop}/listings/{listing}")
    page = await merchant.send(f"/listings/{listing}", {"description": "卡密一经售出，概不退换。"})
    assert page.status == 422
    assert "依法应属无效" in page.text
    assert "卡密一经售出，概不退换" in page.text
    assert "一经售出" not in (await site.stranger().get(f"/i/{listing}")).text


async def test_a_draft_is_told_before_it_is_put_on_sale(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    await merchant.get(f"/m/{shop}/listings/{listing}")
    await merchant.send("/pause")
    await merchant.get(f"/m/{shop}/listings/{listing}")
    page = await merchant.send(
        f"/listings/{listing}", {"description": "质保90天。我们会尽快发货。", "warranty_days": "30"}
    )
    assert page.status == 200
    assert "这些话改了才能上架" in page.text
    assert "质保30天" in page.text
    assert "不影响上架" in page.text
    page = await merchant.send(f"/listings/{listing}", {"then": "publish"})
    assert page.status == 422
    assert "已保存，没有上架" in page.text
    words = "质保30天。我们会尽快发货。售后须提供完整录屏，否则不予受理。"
    page = await merchant.send(f"/listings/{listing}", {"description": words, "then": "publish"})
    assert "已上架" in page.text
    assert "建议改一改" in page.text
    assert "售后须提供完整录屏，否则不予受理" in page.text
    assert "售后须提供完整录屏" in (await site.stranger().get(f"/i/{listing}")).text


def test_a_fault_stands_at_its_words_and_the_words_that_take_their_place_end_as_the_sentence_does() -> None:
    text = "国服通用。\n卡密一经售出，概不退换。\n好评返现2元。谢谢"
    sold, praise = faults_in(draft(text))[:2]
    assert (sold.kind, sold.line, sold.words) == ("VOID", 2, text[sold.start : sold.end])
    assert sold.law
    shown = told(draft(text), [sold, praise])
    assert "国服" not in shown[0].before + shown[0].after
    changed = rewritten(draft(text), faults_in(draft(text)), shown[0].key)
    assert changed is not None
    assert changed.text == text[: sold.start] + (sold.rewrite or "") + text[sold.end :]
    assert "。。" not in changed.text
    assert rewritten(draft("国服通用。"), faults_in(draft("国服通用。")), shown[0].key) is None


def test_words_in_a_field_with_a_label_are_found_without_it() -> None:
    fault = faults_in(draft("只用于测试。", Terms(validity_text="过期作废，余额清零，不退款")))[0]
    assert fault.field == "validity_text"
    assert fault.words
    assert fault.words in "过期作废，余额清零，不退款"


def test_no_rewrite_of_the_catalogue_is_itself_at_fault_beyond_the_blanks_it_leaves() -> None:
    for entry in (*packed().entries, *packed().vague):
        for fault in faults_in(draft(entry.rewrite)):
            assert fault.id == "BLANK" or not fault.blocks, entry.id
            assert fault.kind == "VAGUE", entry.id


@pytest.mark.parametrize(
    ("text", "words", "to_fill"),
    [
        ("您可以申请退还余额，X个工作日内原路退回。", "X个工作日", "填几个工作日"),
        ("首单立减X元。", "X元", "填多少元"),
        ("通道费x%。", "x%", "填百分之几"),
        ("押金用于______。", "______", "写上具体内容"),
    ],
)
def test_a_blank_left_by_a_rewrite_keeps_a_listing_off_sale_at_its_place(text: str, words: str, to_fill: str) -> None:
    [fault] = [fault for fault in faults_in(draft(text)) if fault.id == "BLANK"]
    assert fault.blocks
    assert fault.words == words == text[fault.start : fault.end]
    assert to_fill in fault.sentence
    assert to_fill in fault.why


def test_a_ruled_line_is_no_blank() -> None:
    assert not faults_in(draft("国服通用。\n______\n官网兑换。 ___ 面值 100 元。"))


def pressed(page_text: str, words: str) -> str:
    """The value of the button that stands by these words."""
    [value] = re.findall(r'name="rewrite" value="(\w+)">(?:(?!</button>).)*：' + words, page_text)
    return html.unescape(value)


async def test_one_click_puts_the_rewrite_in_the_form_and_reads_it_anew_without_saving(site: Site) -> None:
    merchant, shop, listing = await site.selling()
    await merchant.get(f"/m/{shop}/listings/{listing}")
    page = await merchant.send(
        f"/listings/{listing}",
        {"description": "国服通用。\n卡密一经售出，概不退换。\n余额到期清零，不予退还。", "price_minor": "88.00"},
    )
    assert page.status == 422
    assert "商品说明第 2 行，K01" in page.text
    assert "依据：" in page.text
    key = pressed(page.text, "卡密一经售出，概不退换")
    page = await merchant.send(f"/listings/{listing}", {"rewrite": key})
    assert page.status == 200
    assert "还没有保存" in page.text
    assert "卡密无效、已被使用、与描述不符或未按时交付的，可申请更换或退款。\n余额到期清零" in page.text
    assert 'value="88.00"' in page.text
    assert "：2 处</h2>" in page.text
    # What was pressed is gone by now: nothing is replaced, and the page says so.
    page = await merchant.send(f"/listings/{listing}", {"rewrite": key, "price_minor": "不知道"})
    assert "已经不在了" in page.text
    assert "88.00" not in (await site.stranger().get(f"/i/{listing}")).text
    page = await merchant.send(
        f"/listings/{listing}", {"rewrite": pressed(page.text, "余额到期清零"), "price_minor": "88"}
    )
    assert "X个工作日" in page.text
    assert "还没填的空" in page.text or "还有空没填" in page.text
    page = await merchant.send(
        f"/listings/{listing}", {"description": "概不退款。好评返现。写多少算多少，以实物为准。"}
    )
    assert page.status == 422
    endless = await merchant.send(f"/listings/{listing}", {"rewrite": key, "description": "不退不换" * 1_251})
    assert (endless.status, "商品描述最多 5000 个字" in endless.words) == (422, True)


def test_a_sentence_that_is_best_left_out_goes_with_its_full_stop() -> None:
    text = "国服通用。图片仅供参考。官网兑换。"
    [fault] = faults_in(draft(text))
    assert fault.rewrite == ""
    [shown] = told(draft(text), [fault])
    changed = rewritten(draft(text), [fault], shown.key)
    assert changed is not None
    assert changed.text == "国服通用。官网兑换。"
