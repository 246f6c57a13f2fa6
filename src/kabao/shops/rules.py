"""What a shop's and a listing's content must satisfy, the notices that follow from it, and the snapshot document.

Pure. Every check answers a map from field to the Chinese sentence a merchant reads; an empty map means all is well.
"""

import re
import unicodedata
from typing import Any, Final

from kabao.kernel import Currency
from kabao.kernel.money import MAX_MINOR
from kabao.shops.model import Category, ChangedMind, ListingDraft, Notice, ShopForm, Terms

MAX_SHOPS_PER_OWNER: Final = 10
MAX_LISTINGS_PER_SHOP: Final = 1_000
MIN_TITLE: Final = 2
MAX_TITLE: Final = 60
MAX_DESCRIPTION: Final = 5_000
MAX_QUANTITY: Final = 50
MAX_PRICE_MINOR: Final = MAX_MINOR // MAX_QUANTITY
MAX_PROMISE_SECONDS: Final = 7 * 86_400
MAX_ESCROW_HOURS: Final = 2_160
MAX_CLAIM_DAYS: Final = 365
MAX_WARRANTY_DAYS: Final = 3_650
MAX_PARTIAL_FEE: Final = 90
TERM_BOUNDS: Final = {
    "delivery_promise_seconds": (1, MAX_PROMISE_SECONDS),
    "escrow_hours": (1, MAX_ESCROW_HOURS),
    "claim_days": (1, MAX_CLAIM_DAYS),
    "warranty_days": (0, MAX_WARRANTY_DAYS),
    "partial_fee_percent": (1, MAX_PARTIAL_FEE),
}
"""The least and the most of each number of the structured terms; the fee only where there is one."""

NOTICE_PLACE: Final = "下单页，付款按钮上方，未勾选的方框"
NOTICE_VERSION: Final = "1"

_CREDIT_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_WEIGHTS: Final = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
_REGISTRATION: Final = re.compile(r"[0-9]{15}")


def clean_line(text: str) -> str:
    """Trim a one-line text and make each run of white space one space."""
    return " ".join(text.split())


def clean_block(text: str) -> str:
    """Trim a text of several lines, with plain line ends."""
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")).strip()


def clean_shop(form: ShopForm) -> ShopForm:
    """Tidy what was typed, so that white space never decides; the licence number in capitals."""
    return ShopForm(
        name=clean_line(form.name),
        legal_name=clean_line(form.legal_name),
        address=clean_line(form.address),
        licence_number="".join(unicodedata.normalize("NFKC", form.licence_number).upper().split()),
    )


def clean_draft(draft: ListingDraft) -> ListingDraft:
    """Tidy what was typed, so that saving the same words again is the same content."""
    terms = draft.terms
    return ListingDraft(
        title=clean_line(draft.title),
        description=clean_block(draft.description),
        category=draft.category.strip(),
        price_minor=draft.price_minor,
        max_quantity=draft.max_quantity,
        currency=draft.currency,
        terms=Terms(
            delivery_promise_seconds=terms.delivery_promise_seconds,
            escrow_hours=terms.escrow_hours,
            claim_days=terms.claim_days,
            replacement_offered=terms.replacement_offered,
            warranty_days=terms.warranty_days,
            validity_text=clean_line(terms.validity_text),
            region_text=clean_line(terms.region_text),
            changed_mind_after_open=terms.changed_mind_after_open,
            partial_fee_percent=terms.partial_fee_percent,
            free_text=clean_block(terms.free_text),
        ),
    )


def licence_fault(text: str) -> str:
    """Say what is wrong with a licence number: its length, a letter no code has, or the last character's check.

    Empty for a unified social credit code (GB 32100-2015) and for a 15-digit registration.
    """
    if _REGISTRATION.fullmatch(text):
        return ""
    size = len(_CREDIT_WEIGHTS) + 1
    if len(text) != size:
        return f"执照号要 18 位（统一社会信用代码）或 15 位数字（注册号），现在是 {len(text)} 位。"
    if odd := [letter for letter in text if letter not in _CREDIT_ALPHABET]:
        return f"执照号里不会有「{odd[0]}」。统一社会信用代码只用数字和大写字母，不用 I、O、S、V、Z。"
    values = [_CREDIT_ALPHABET.index(letter) for letter in text]
    weighed = sum(value * weight for value, weight in zip(values, _CREDIT_WEIGHTS, strict=False))
    return "" if values[-1] == -weighed % len(_CREDIT_ALPHABET) else "最后一位校验不对，请照营业执照再核对一遍。"


def shop_faults(form: ShopForm) -> dict[str, str]:
    """Check a tidied form; the same check decides before publishing whether the identity is complete."""
    faults: dict[str, str] = {}
    for field, label, text, least, most in (
        ("name", "店铺名称", form.name, 2, 40),
        ("legal_name", "主体名称", form.legal_name, 2, 80),
        ("address", "经营地址", form.address, 5, 200),
    ):
        if not least <= len(text) <= most:
            faults[field] = f"{label}要在 {least} 到 {most} 个字之间。"
        elif not _is_plain(text):
            faults[field] = f"{label}里有看不见的控制字符，请重新输入。"
    if fault := licence_fault(form.licence_number):
        faults["licence_number"] = fault
    # In the order of the form, so that the first sentence belongs to the first field.
    return {field: faults[field] for field in ("name", "legal_name", "licence_number", "address") if field in faults}


def draft_faults(draft: ListingDraft, categories: dict[str, Category]) -> dict[str, str]:
    """Check a tidied draft; fields of the terms are named as they are in Terms."""
    faults: dict[str, str] = {}
    if not MIN_TITLE <= len(draft.title) <= MAX_TITLE:
        faults["title"] = f"标题要在 {MIN_TITLE} 到 {MAX_TITLE} 个字之间。"
    elif not _is_plain(draft.title):
        faults["title"] = "标题里有看不见的控制字符，请重新输入。"
    if len(draft.description) > MAX_DESCRIPTION:
        faults["description"] = f"商品描述最多 {MAX_DESCRIPTION} 个字。"
    elif not draft.description:
        faults["description"] = "请写商品描述：买家得到什么，怎么用。"
    elif not _is_plain(draft.description.replace("\n", "")):
        faults["description"] = "商品描述里有看不见的控制字符，请重新输入。"
    if draft.category not in categories:
        faults["category"] = "请选一个商品分类。"
    if draft.currency != Currency.CNY:
        faults["currency"] = "现在只支持人民币。"
    if not 1 <= draft.price_minor <= MAX_PRICE_MINOR:
        too_much = f"单价最多 {MAX_PRICE_MINOR // 100} 元。"
        faults["price_minor"] = "单价要大于 0。" if draft.price_minor < 1 else too_much
    if not 1 <= draft.max_quantity <= MAX_QUANTITY:
        faults["max_quantity"] = f"每单最多件数要在 1 到 {MAX_QUANTITY} 之间。"
    return faults | terms_faults(draft.terms)


def terms_faults(terms: Terms) -> dict[str, str]:
    """Check structured terms, field by field."""
    faults = {
        field: sentence
        for field, number, sentence in (
            ("delivery_promise_seconds", terms.delivery_promise_seconds, "承诺的送达时间要在 1 秒到 7 天之间。"),
            ("escrow_hours", terms.escrow_hours, "自动确认时间要在 1 到 2160 小时之间，也就是最长 90 天。"),
            ("claim_days", terms.claim_days, "售后期要在 1 到 365 天之间。"),
            ("warranty_days", terms.warranty_days, "质保要在 0 到 3650 天之间，0 表示没有另外的质保。"),
        )
        if not TERM_BOUNDS[field][0] <= number <= TERM_BOUNDS[field][1]
    }
    for field, label, text, most in (
        ("validity_text", "有效期说明", terms.validity_text, 100),
        ("region_text", "区服说明", terms.region_text, 100),
        ("free_text", "补充说明", terms.free_text, 1_000),
    ):
        if len(text) > most:
            faults[field] = f"{label}最多 {most} 个字。"
        elif not _is_plain(text.replace("\n", "")):
            faults[field] = f"{label}里有看不见的控制字符，请重新输入。"
    return faults | _partial_faults(terms)


def _partial_faults(terms: Terms) -> dict[str, str]:
    percent = terms.partial_fee_percent
    if terms.changed_mind_after_open is ChangedMind.NONE:
        return {} if percent is None else {"partial_fee_percent": "选了拆封后不退，就不用填扣的比例。"}
    least, most = TERM_BOUNDS["partial_fee_percent"]
    if percent is None or not least <= percent <= most:
        return {"partial_fee_percent": f"拆封后不想要时扣的比例要在 {least} 到 {most} 之间。"}
    return {}


def notices_for(terms: Terms, category: Category) -> list[Notice]:
    """Build the wordings a buyer confirms one by one before the purchase.

    A digital good is only excluded from the no-reason return where it is marked and the buyer confirms it at this
    purchase, never by default, and never against a defect (消费者权益保护法实施条例 19(2);
    七日无理由退货暂行办法 20, 35).
    """
    after_open = "拆封后不适用七日无理由退货"
    if terms.changed_mind_after_open is ChangedMind.PARTIAL:
        after_open += f"；拆封后不想要了，商家愿意扣 {terms.partial_fee_percent}% 后退其余的钱"
    no_reason = (
        f"这是数字化商品。拆封前可以随时全额退款，不用理由；{after_open}。"
        "卡密无效、已被使用、与描述不符或没有按时送达的，不受这一条限制，仍可要求更换或退款。"
    )
    wordings = [("no_reason_after_open", no_reason)]
    if terms.validity_text:
        wordings.append(("validity", f"这件商品有有效期：{terms.validity_text}。我会在有效期内使用。"))
    if category.adult:
        wordings.append(("adult", "我已满 18 岁。这件商品不提供给未成年人。"))
    return [Notice(notice_id, wording, NOTICE_PLACE, NOTICE_VERSION) for notice_id, wording in wordings]


def snapshot_document(
    draft: ListingDraft, category: Category, *, listing_ref: str, name: str, legal_name: str, licence_number: str
) -> dict[str, Any]:
    """Build everything a listing's page shows, as the plain value whose canonical bytes are hashed.

    Without the snapshot's number and time: the same content has the same digest.
    """
    terms = draft.terms
    return {
        "kind": "kabao/listing-snapshot/1",
        "listing": listing_ref,
        "shop": {"name": name, "legal_name": legal_name, "licence_number": licence_number},
        "title": draft.title,
        "description": draft.description,
        "category": {"id": category.category_id, "name": category.name_zh, "adult": category.adult},
        "price_minor": draft.price_minor,
        "currency": draft.currency,
        "max_quantity": draft.max_quantity,
        "terms": {
            "delivery_promise_seconds": terms.delivery_promise_seconds,
            "escrow_hours": terms.escrow_hours,
            "claim_days": terms.claim_days,
            "refund_while_sealed": "always",
            "replacement_offered": terms.replacement_offered,
            "warranty_days": terms.warranty_days,
            "validity_text": terms.validity_text,
            "region_text": terms.region_text,
            "changed_mind_after_open": terms.changed_mind_after_open.value,
            "partial_fee_percent": terms.partial_fee_percent,
            "free_text": terms.free_text,
        },
        "notices": [
            {
                "notice_id": notice.notice_id,
                "wording": notice.wording,
                "place": notice.place,
                "version": notice.version,
            }
            for notice in notices_for(terms, category)
        ],
    }


def search_pattern(text: str) -> str:
    """Turn what was typed into an ILIKE pattern that takes %, _ and the backslash literally; at most 60 characters."""
    cleaned = clean_line(unicodedata.normalize("NFKC", text))[:60]
    escaped = re.sub(r"([\\%_])", r"\\\1", cleaned)
    return f"%{escaped}%"


def _is_plain(text: str) -> bool:
    """Tell whether a text is free of control, surrogate and direction-changing characters."""
    return not any(
        unicodedata.category(letter) in {"Cc", "Cs"} or "\u202a" <= letter <= "\u202e" or "\u2066" <= letter <= "\u2069"
        for letter in text
    )
