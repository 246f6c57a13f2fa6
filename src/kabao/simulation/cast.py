"""Who plays in the simulated market, and how: dispositions as chances and hours. Nobody here is a real person."""

from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from kabao.cases import Remedy
from kabao.identity import Person
from kabao.shops import ChangedMind, ListingDraft, ListingView, ShopForm, Terms

LAW: Final = "xiaofa-55"
"""What those who rule name beside their reasons."""


class BuyerKind(StrEnum):
    """How a buyer behaves."""

    HONEST = "honest"
    FORGETFUL = "forgetful"
    SILENT = "silent"
    ABUSIVE = "abusive"


class MerchantKind(StrEnum):
    """How a merchant behaves."""

    DILIGENT = "diligent"
    SLOW = "slow"
    SILENT = "silent"
    CROOKED = "crooked"


class BuyerWays(NamedTuple):
    """Chances in percent, and how many hours somebody takes at least and at most."""

    claims_if_faulty: int
    claims_if_good: int
    stays_silent: int
    hours: tuple[int, int]
    asks_review_when_lost: int
    withdraws: int


class MerchantWays(NamedTuple):
    """Chances in percent, how many hours he takes, and what he deposits (minor units)."""

    sells_faulty: int
    stays_silent: int
    hours: tuple[int, int]
    grants: int
    offers: int
    asks_review_when_lost: int
    deposit_minor: int


BUYERS: Final = {
    BuyerKind.HONEST: BuyerWays(90, 4, 3, (1, 40), 30, 5),
    BuyerKind.FORGETFUL: BuyerWays(75, 3, 25, (20, 90), 15, 8),
    BuyerKind.SILENT: BuyerWays(60, 2, 80, (10, 60), 5, 3),
    BuyerKind.ABUSIVE: BuyerWays(95, 55, 10, (1, 47), 85, 12),
}
MERCHANTS: Final = {
    MerchantKind.DILIGENT: MerchantWays(20, 3, (1, 20), 45, 30, 20, 3000_00),
    MerchantKind.SLOW: MerchantWays(35, 15, (16, 60), 25, 35, 20, 800_00),
    MerchantKind.SILENT: MerchantWays(50, 85, (10, 60), 30, 30, 5, 150_00),
    MerchantKind.CROOKED: MerchantWays(65, 10, (8, 47), 3, 30, 90, 0),
}
CRIMES: Final = {
    MerchantKind.DILIGENT: 3,
    MerchantKind.SLOW: 3,
    MerchantKind.SILENT: 5,
    MerchantKind.CROOKED: 20,
}
"""Of a hundred faulty orders, behind how many there is a crime that the police pursue."""
STAFF_LATE: Final = 12
"""Of a hundred cases, how many one of the staff does not get to in time."""
STAFF_HOURS: Final = (1, 44)

CLAIMS: Final = (
    ("already_used", 24, "激活时提示已被使用，请看截图。"),
    ("key_invalid", 16, "激活页面说卡密无效。"),
    ("not_as_described", 18, "到手的版本和商品页写的不一样。"),
    ("reclaimed", 8, "用了两天就被收回。"),
    ("late", 4, "发货比承诺的晚。"),
    ("not_delivered", 4, "少了一张。"),
    ("warranty_refused", 3, "质保期内坏了，商家不处理。"),
    ("wrong_purchase", 6, "买错了区服。"),
    ("changed_mind", 6, "不想要了。"),
    ("clause_unfair", 4, "条款写一经售出概不退换。"),
    ("not_prominent", 4, "付款前没有看到这一条。"),
    ("other", 3, "别的问题，事情经过写在下面。"),
)
"""A claim, how often it is made among all, and what is said."""
REMEDIES: Final = (Remedy.FULL_REFUND, Remedy.PARTIAL_REFUND, Remedy.REPLACEMENT)
"""What is demanded and offered in a buyer's case."""
UNOPENED: Final = ("changed_mind", "changed_mind", "wrong_purchase")
"""What is claimed by those who have opened no key."""
CORE_FACTS: Final = {
    "already_used": "key_failed",
    "key_invalid": "key_failed",
    "not_as_described": "mismatch",
    "reclaimed": "access_lost",
    "warranty_refused": "fault_in_cover",
}
"""The fact on which a claim turns, where there is one."""


class Buyer(NamedTuple):
    """A buyer and how he behaves."""

    person: Person
    kind: BuyerKind

    @property
    def ways(self) -> BuyerWays:
        """How he behaves, in numbers."""
        return BUYERS[self.kind]


class Merchant(NamedTuple):
    """A merchant, his shop, what he sells."""

    person: Person
    kind: MerchantKind
    shop_id: int
    goods: list[ListingView]

    @property
    def ways(self) -> MerchantWays:
        """How he behaves, in numbers."""
        return MERCHANTS[self.kind]


class Staff(msgspec.Struct, frozen=True, kw_only=True):
    """Those who decide cases, by account."""

    support: dict[int, Person]
    panel: dict[int, Person]
    duty: dict[int, Person]


BUYER_KINDS: Final = (
    *(BuyerKind.HONEST,) * 24,
    *(BuyerKind.FORGETFUL,) * 10,
    *(BuyerKind.SILENT,) * 6,
    *(BuyerKind.ABUSIVE,) * 8,
)
MERCHANT_KINDS: Final = (
    MerchantKind.DILIGENT,
    MerchantKind.DILIGENT,
    MerchantKind.SLOW,
    MerchantKind.SLOW,
    MerchantKind.SILENT,
    MerchantKind.CROOKED,
)
SUPPORT: Final = 3
PANEL: Final = 8
DUTY: Final = 3


def shop_form(number: int) -> ShopForm:
    """Write what a simulated merchant states; no real firm, place or licence."""
    return ShopForm(
        name=f"模拟店 {number}",
        legal_name=f"模拟主体 {number}（不是真实企业）",
        address=f"模拟地址 {number}，不对应真实地点",
        licence_number=f"{number:015}",
    )


def listings(number: int) -> list[ListingDraft]:
    """Write what a simulated shop sells: a small thing, a usual one, and one above the amount of three panellists."""
    small, usual, large = 18_00 + number * 1_37, 96_50 + number * 7_13, 520_00 + number * 9_01
    return [
        _listing("模拟会员月卡", "membership", small, Terms(escrow_hours=24, claim_days=3)),
        _listing(
            "模拟点卡",
            "game_card",
            usual,
            Terms(
                escrow_hours=72,
                claim_days=7,
                changed_mind_after_open=ChangedMind.PARTIAL if number % 2 else ChangedMind.NONE,
                partial_fee_percent=30 if number % 2 else None,
            ),
        ),
        _listing(
            "模拟软件授权",
            "software",
            large,
            Terms(escrow_hours=168, claim_days=14, warranty_days=30, replacement_offered=number % 2 == 0),
        ),
    ]


def _listing(title: str, category: str, price_minor: int, terms: Terms) -> ListingDraft:
    return ListingDraft(
        title=title,
        description="模拟商品，卡密由程序生成，不能在任何地方兑换。",
        category=category,
        price_minor=price_minor,
        terms=terms,
        max_quantity=3,
    )
