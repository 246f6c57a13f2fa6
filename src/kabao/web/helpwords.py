"""What the self-help pages call things, in both languages."""

from typing import Final

from kabao.adjudication.model import Demand, Text
from kabao.cases import MERCHANT_CLAIMS
from kabao.selfhelp import Answer, Happening, Story, Strength, TermsKind
from kabao.selfhelp.model import CURRENCY
from kabao.selfhelp.words import ADDRESSEES, CHANNELS, GOODS, PATHS, SIDES, STRENGTHS

HAPPENINGS: Final = {
    Happening.ORDERED: Text("下单", "Ordered"),
    Happening.PAID: Text("付款", "Paid"),
    Happening.PROMISED: Text("商家承诺", "A promise was made"),
    Happening.DELIVERED: Text("收到商品", "Delivered"),
    Happening.OPENED: Text("查看卡密", "Opened"),
    Happening.TRIED: Text("使用、兑换", "Tried or redeemed"),
    Happening.COMPLAINED: Text("我提出问题、要求退款", "I complained or asked for a refund"),
    Happening.ANSWERED: Text("对方答复", "They answered"),
    Happening.REFUSED: Text("对方拒绝", "They refused"),
    Happening.REFUNDED: Text("收到退款", "A refund came"),
    Happening.CONFIRMED: Text("确认收货", "I confirmed receipt"),
    Happening.BLOCKED: Text("被拉黑、店铺关闭", "I was blocked, or the shop closed"),
    Happening.OTHER: Text("其他", "Something else"),
}
DEMANDS: Final = {
    Demand.REFUND: Text("退款", "A refund"),
    Demand.REPLACE: Text("换一个能用的", "A working replacement"),
    Demand.PERFORM: Text("按约定交付", "Delivery as agreed"),
    Demand.COMPENSATION: Text("退款并赔偿", "A refund and damages"),
}
TERMS: Final = {
    TermsKind.PAGE: Text("商品页", "Goods page"),
    TermsKind.NOTICE: Text("公告、售后说明", "Notice, after-sales terms"),
    TermsKind.AGREEMENT: Text("协议、平台规则", "Agreement, platform rules"),
}
ANSWERS: Final = {
    Answer.YES: Text("是", "Yes"),
    Answer.NO: Text("不是", "No"),
    Answer.UNKNOWN: Text("不清楚", "Not sure"),
}
KINDS: Final = {
    "merchant": Text("商家的问题", "The merchant’s doing"),
    "buyer": Text("自己的原因", "My own doing"),
    "rules": Text("规则的问题", "The rules’ doing"),
    "platform": Text("平台、付款的问题", "The platform’s or the payment’s doing"),
}
SPOKEN: Final = {
    Happening.OTHER: Text("只引原话", "Only quote it"),
    Happening.COMPLAINED: Text("我提出问题、要求退款", "I complained or asked for a refund"),
    Happening.PROMISED: Text("对方承诺", "They promised"),
    Happening.ANSWERED: Text("对方答复", "They answered"),
    Happening.REFUSED: Text("对方拒绝", "They refused"),
}
"""What words of a chat may be."""
NOT_OURS: Final = frozenset(MERCHANT_CLAIMS)
"""Claims that only a merchant brings."""
PACK: Final = Text("维权证据包", "evidence pack")
FOLDER: Final = Text("维权文件夹", "self-help folder")
CALENDAR: Final = Text("别错过的日子", "days not to miss")
"""What files are called."""
MOODS: Final = {Strength.STRONG: "ok", Strength.FAIR: "info", Strength.WEAK: "warn"}


def in_a_line(story: Story) -> Text:
    """Say in a line what a case is: when, where, what, for how much; nothing of what was not told."""
    paid, amount = story.payment.at, story.payment.amount
    if paid is None or not story.shop.name:
        return Text("", "")
    sum_zh, sum_en = (f"，付了 {amount.words()} 元", f" for {amount.words()} yuan") if amount else ("", "")
    if amount and amount.currency != CURRENCY:
        sum_zh, sum_en = f"，付了 {amount.words()}", f" for {amount.words()}"
    title_zh, title_en = (f"买“{story.title}”", f" “{story.title}”") if story.title else ("买东西", "")
    return Text(
        f"你的案子：{paid.day.month} 月 {paid.day.day} 日在“{story.shop.name}”{title_zh}{sum_zh}。",
        f"Your case: bought{title_en} from “{story.shop.name}” on {paid.day}{sum_en}.",
    )


__all__ = [
    "ADDRESSEES", "ANSWERS", "CALENDAR", "CHANNELS", "DEMANDS", "FOLDER", "GOODS", "HAPPENINGS", "KINDS", "MOODS",
    "PACK", "PATHS", "SIDES", "SPOKEN", "STRENGTHS", "TERMS",
]  # fmt: skip
