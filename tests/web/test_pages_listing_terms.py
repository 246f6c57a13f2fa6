"""A listing's words before they are on sale: what by law should be void, and what contradicts the structured terms."""

import pytest

from kabao.shops import ChangedMind, ListingDraft, Terms
from kabao.wiring.listingterms import faults_in, structured
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
        ("国服通用，官网兑换。卡密无效的，可以退款或者换新。", []),
        ("质保30天，付款后1分钟内送达。", []),
    ],
)
def test_what_is_void_or_contradicts_blocks_and_what_is_vague_is_told(description: str, blocks: list[bool]) -> None:
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
    page = await merchant.send(f"/listings/{listing}", {"description": "质保30天。我们会尽快发货。", "then": "publish"})
    assert "已上架" in page.text
    assert "建议改一改" in page.text
