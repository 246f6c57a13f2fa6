"""What the demo market sells, as plain values. Nothing here stands for a real shop, person, number or price."""

from typing import Final, NamedTuple

from kabao.shops import ChangedMind, ListingDraft, ShopForm, Terms


class DemoListing(NamedTuple):
    """A listing and how many made-up keys it gets."""

    draft: ListingDraft
    keys: int


class DemoShop(NamedTuple):
    """A shop, its owner's phone (from the block reserved for fiction) and what it sells."""

    phone: str
    owner: str
    form: ShopForm
    listings: tuple[DemoListing, ...]


BUYER: Final = ("+12025550101", "演示买家")
SECOND_BUYER: Final = ("+12025550102", "演示买家二")
SUPPORT: Final = ("+12025550121", "演示客服")
PANEL: Final = (("+12025550122", "演示争议组甲"), ("+12025550123", "演示争议组乙"), ("+12025550124", "演示争议组丙"))
DUTY: Final = ("+12025550125", "演示值班长")
OPERATOR: Final = ("+12025550131", "演示运营")

HINTS: Final = {
    BUYER[1]: "一件在协商，商家提出补发；一件等争议组一人裁决。还有没付款、没拆封、已拆封、已确认的订单",
    SECOND_BUYER[1]: "等客服、等争议组三人、复核中、等复核期、已结的各有",
    "演示店主一": "演示点卡店：一件等买家回话，一件裁决可以要求复核",
    "演示店主二": "演示软件店：等客服和争议组的都在这里",
    "演示店主三": "演示会员店：绿色通道退的，一件已结，一件在复核；一件和解",
    SUPPORT[1]: "队列里最急的一件等初步意见",
    PANEL[0][1]: "三人组一席；另一件抽到谁就在谁的队列里",
    PANEL[1][1]: "三人组一席",
    PANEL[2][1]: "三人组一席",
    DUTY[1]: "争议组超过 72 小时没裁的才轮到",
    OPERATOR[1]: "没有自己的页面，用命令行做事：kabao reserve、kabao rulebook proposals、kabao ledger",
}
"""What somebody found when the market had just been made."""

DEFAULT_TERMS: Final = Terms()


def _listing(
    title: str, category: str, price_minor: int, keys: int, description: str, terms: Terms = DEFAULT_TERMS
) -> DemoListing:
    return DemoListing(
        ListingDraft(
            title=title,
            description=f"{description}\n\n这是演示商品，卡密由程序随机生成，不能在任何地方兑换。",
            category=category,
            price_minor=price_minor,
            terms=terms,
            max_quantity=5,
        ),
        keys,
    )


SHOPS: Final = (
    DemoShop(
        "+12025550111",
        "演示店主一",
        ShopForm(
            name="演示点卡店",
            legal_name="演示主体一（不是真实企业）",
            address="演示地址一，不对应真实地点",
            licence_number="000000000000001",
        ),
        (
            _listing(
                "游戏点卡 100 元面值", "game_card", 96_50, 60, "全区服通用的 100 元点卡一张。", Terms(escrow_hours=72)
            ),
            _listing(
                "游戏点卡 50 元面值", "game_card", 48_80, 40, "全区服通用的 50 元点卡一张。", Terms(escrow_hours=72)
            ),
            _listing(
                "单机游戏激活码 标准版",
                "game_code",
                128_00,
                25,
                "一枚激活码，对应一份标准版。",
                Terms(escrow_hours=72, claim_days=7, region_text="仅限中国大陆区"),
            ),
            _listing(
                "成人向单机游戏激活码",
                "game_code_18",
                88_00,
                20,
                "标明 18 岁以上适用的单机游戏激活码一枚。",
                Terms(escrow_hours=48),
            ),
        ),
    ),
    DemoShop(
        "+12025550112",
        "演示店主二",
        ShopForm(
            name="演示软件店",
            legal_name="演示主体二（不是真实企业）",
            address="演示地址二，不对应真实地点",
            licence_number="000000000000002",
        ),
        (
            _listing(
                "文档软件一年授权 单设备",
                "software",
                199_00,
                30,
                "授权码一枚，激活后一年内有效，限一台设备。",
                Terms(escrow_hours=168, claim_days=14, warranty_days=365, validity_text="激活之日起 365 天"),
            ),
            _listing(
                "图片处理软件永久授权",
                "software",
                359_00,
                20,
                "序列号一枚，永久授权，含一年升级。",
                Terms(escrow_hours=168, changed_mind_after_open=ChangedMind.PARTIAL, partial_fee_percent=30),
            ),
            _listing("文字转语音 10 小时时长包", "software", 29_90, 50, "兑换码一枚，增加 10 小时合成时长。"),
            _listing("编程题库 三个月", "course", 59_00, 30, "兑换码一枚，三个月内可做全部题目。", Terms(claim_days=7)),
        ),
    ),
    DemoShop(
        "+12025550113",
        "演示店主三",
        ShopForm(
            name="演示会员店",
            legal_name="演示主体三（不是真实企业）",
            address="演示地址三，不对应真实地点",
            licence_number="000000000000003",
        ),
        (
            _listing(
                "影音会员月卡 兑换码",
                "membership",
                18_00,
                60,
                "兑换码一枚，到账 31 天会员。",
                Terms(validity_text="2030 年 12 月 31 日前兑换"),
            ),
            _listing(
                "影音会员年卡 兑换码",
                "membership",
                168_00,
                25,
                "兑换码一枚，到账 365 天会员。",
                Terms(escrow_hours=168),
            ),
            _listing(
                "咖啡电子券 中杯一杯",
                "voucher",
                15_90,
                60,
                "电子券一张，到店出示券码。",
                Terms(validity_text="发放之日起 30 天", region_text="门店范围见券面"),
            ),
            _listing("阅读会员季卡 兑换码", "membership", 45_00, 40, "兑换码一枚，到账 93 天会员。"),
        ),
    ),
)
