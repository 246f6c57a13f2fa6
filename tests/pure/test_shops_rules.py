from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from kabao.kernel import digest_of
from kabao.shops import Category, ChangedMind, ListingDraft, ShopForm, Terms, listing_ref, parse_shop_ref, shop_ref
from kabao.shops.rules import (
    clean_block,
    clean_draft,
    clean_shop,
    draft_faults,
    licence_fault,
    notices_for,
    search_pattern,
    shop_faults,
    snapshot_document,
    terms_faults,
)

CARD = Category("game_card", "游戏点卡", "")
ADULT = Category("game_code_18", "18 岁以上游戏", "", adult=True)
CATEGORIES = {"game_card": CARD, "game_code_18": ADULT}
FORM = ShopForm(
    name="北辰点卡", legal_name="示例网络科技有限公司", address="示例市示例路 1 号", licence_number="91350100M000100Y43"
)
DRAFT = ListingDraft(
    title="星海点卡 100 元", description="国服通用", category="game_card", price_minor=9650, terms=Terms()
)


@pytest.mark.parametrize("number", ["91350100M000100Y43", "110108000000016"])
def test_a_licence_number_is_a_credit_code_or_a_registration(number: str) -> None:
    assert licence_fault(number) == ""


@pytest.mark.parametrize(
    "number",
    ["91350100M000100Y44", "19350100M000100Y43", "91350100M000I00Y43", "9135", "", "11010800000001", "11010800000001A"],
)
def test_a_mistyped_licence_number_is_noticed(number: str) -> None:
    assert licence_fault(number)


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("", "现在是 0 位"),
        ("9135010", "现在是 7 位"),
        ("91350100M000100Y4I", "不会有「I」"),
        ("91350100M000100Y44", "最后一位校验不对"),
    ],
)
def test_a_wrong_licence_number_is_told_what_is_wrong(number: str, words: str) -> None:
    assert words in licence_fault(number)


def test_every_single_wrong_character_breaks_the_check() -> None:
    good = "91350100M000100Y43"
    for place in range(17):
        for letter in "0123456789ABCDEFGHJKLMNPQRTUWXY":
            if letter != good[place]:
                assert licence_fault(good[:place] + letter + good[place + 1 :])


def test_typing_habits_do_not_decide() -> None:
    form = clean_shop(
        ShopForm(
            name="  北辰　点卡 ",
            legal_name=" 示例网络科技有限公司",
            address=" 示例市\t示例路 1 号 ",
            licence_number="９1350100 m000100y43",
        )
    )
    assert (form.name, form.address, form.licence_number) == ("北辰 点卡", "示例市 示例路 1 号", "91350100M000100Y43")
    assert shop_faults(form) == {}
    assert clean_block(" 一 \r\n二\r三  \n\n") == "一\n二\n三"


def test_each_field_of_the_identity_has_its_sentence() -> None:
    faults = shop_faults(ShopForm(name="北", legal_name="甲\x07乙", address="路", licence_number="1"))
    assert list(faults) == ["name", "legal_name", "licence_number", "address"]
    assert all(sentence.endswith("。") for sentence in faults.values())
    assert shop_faults(FORM) == {}


def test_a_good_draft_has_no_fault() -> None:
    assert draft_faults(DRAFT, CATEGORIES) == {}
    assert clean_draft(DRAFT) == DRAFT


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "星"),
        ("title", "星" * 61),
        ("title", "星海\u202e点卡"),
        ("description", ""),
        ("description", "长" * 5001),
        ("description", "国服\x00通用"),
        ("category", "weapons"),
        ("currency", "USD"),
        ("price_minor", 0),
        ("price_minor", -1),
        ("price_minor", 20_000_001),
        ("price_minor", 2**70),
        ("max_quantity", 0),
        ("max_quantity", 51),
    ],
)
def test_a_fault_is_told_at_its_field(field: str, value: Any) -> None:
    assert list(draft_faults(msgspec.structs.replace(DRAFT, **{field: value}), CATEGORIES)) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("delivery_promise_seconds", 0),
        ("delivery_promise_seconds", 7 * 86_400 + 1),
        ("escrow_hours", 0),
        ("escrow_hours", 2_161),
        ("claim_days", 0),
        ("claim_days", 366),
        ("warranty_days", -1),
        ("warranty_days", 3_651),
        ("validity_text", "长" * 101),
        ("region_text", "国服\u2066"),
        ("free_text", "长" * 1_001),
        ("partial_fee_percent", 5),
    ],
)
def test_a_fault_of_the_terms_is_told_at_its_field(field: str, value: Any) -> None:
    terms = msgspec.structs.replace(Terms(), **{field: value})
    assert list(terms_faults(terms)) == [field]
    assert list(draft_faults(msgspec.structs.replace(DRAFT, terms=terms), CATEGORIES)) == [field]


@pytest.mark.parametrize(("percent", "is_right"), [(None, False), (0, False), (1, True), (90, True), (91, False)])
def test_a_partial_refund_states_its_fee(percent: int | None, *, is_right: bool) -> None:
    terms = Terms(changed_mind_after_open=ChangedMind.PARTIAL, partial_fee_percent=percent)
    assert (terms_faults(terms) == {}) is is_right


def test_the_notice_about_opening_never_touches_defects() -> None:
    (notice,) = notices_for(Terms(), CARD)
    assert notice.notice_id == "no_reason_after_open"
    assert "拆封后不适用七日无理由退货" in notice.wording
    assert "拆封前可以随时全额退款" in notice.wording
    assert "卡密无效、已被使用、与描述不符或没有按时送达的，不受这一条限制" in notice.wording
    assert "未勾选" in notice.place


def test_notices_follow_from_terms_and_category() -> None:
    terms = Terms(
        validity_text="到 2027-11-30 为止", changed_mind_after_open=ChangedMind.PARTIAL, partial_fee_percent=20
    )
    notices = {notice.notice_id: notice for notice in notices_for(terms, ADULT)}
    assert list(notices) == ["no_reason_after_open", "validity", "adult"]
    assert "扣 20%" in notices["no_reason_after_open"].wording
    assert "到 2027-11-30 为止" in notices["validity"].wording
    assert "18 岁" in notices["adult"].wording


def documents(change: Callable[[ListingDraft], ListingDraft], **shop: str) -> bytes:
    named = {"name": "北辰点卡", "legal_name": "示例", "licence_number": "1", "listing_ref": "7-8"} | shop
    return digest_of(snapshot_document(change(DRAFT), CARD, **named))


@pytest.mark.parametrize(
    "change",
    [
        *({field: value} for field, value in (("title", "改"), ("description", "改"), ("price_minor", 1))),
        {"max_quantity": 3},
        {"terms": Terms(free_text="改")},
        {"terms": Terms(escrow_hours=73)},
        {"terms": Terms(replacement_offered=False)},
    ],
)
def test_whatever_is_shown_changes_the_digest(change: dict[str, Any]) -> None:
    assert documents(lambda draft: msgspec.structs.replace(draft, **change)) != documents(lambda draft: draft)


def test_the_seller_is_part_of_what_is_shown() -> None:
    assert documents(lambda draft: draft, legal_name="另一家") != documents(lambda draft: draft)
    assert documents(lambda draft: draft) == documents(lambda draft: draft)


@pytest.mark.parametrize(
    ("typed", "pattern"),
    [("点卡", "%点卡%"), (" 100%_off\\ ", r"%100\%\_off\\%"), ("", "%%"), ("长" * 99, "%" + "长" * 60 + "%")],
)
def test_wildcards_are_taken_literally(typed: str, pattern: str) -> None:
    assert search_pattern(typed) == pattern


def test_a_shop_is_known_by_the_first_half_of_its_references() -> None:
    assert parse_shop_ref(shop_ref(123_456)) == 123_456
    assert listing_ref(123_456, 9).startswith(shop_ref(123_456) + "-")
    assert parse_shop_ref("7-8") is None
    assert parse_shop_ref("U") is None
