"""What the self-help pages call things, in both languages."""

from typing import Final

from kabao.adjudication.model import Demand, Text
from kabao.selfhelp import Answer, Channel, Goods, Happening, Path, Side, Strength, TermsKind

GOODS: Final = {
    Goods.KEY: Text("卡密、激活码、兑换码", "A card key, code or voucher"),
    Goods.ACCOUNT: Text("账号", "An account"),
    Goods.SUBSCRIPTION: Text("会员、订阅", "A membership or subscription"),
    Goods.TOP_UP: Text("代充", "A top-up done for me"),
    Goods.SERVICE: Text("代练、代办等服务", "A service"),
    Goods.SOFTWARE: Text("软件、授权", "Software or a licence"),
    Goods.BALANCE: Text("预存的余额、点数", "Prepaid balance or points"),
    Goods.REAL_NAME: Text("实名账号、电话卡、支付账户、验证码", "A real-name or payment account, phone card, codes"),
    Goods.CHEAT: Text("外挂、破解、来路不明的卡密、个人信息", "Cheats, cracks, keys of unclear origin, personal data"),
    Goods.OTHER: Text("别的", "Something else"),
}  # fmt: skip
CHANNELS: Final = {
    Channel.ALIPAY: Text("支付宝", "Alipay"),
    Channel.WECHAT: Text("微信支付", "WeChat Pay"),
    Channel.BANK: Text("网银、银行卡转账", "Bank transfer"),
    Channel.CARD: Text("信用卡", "Credit card"),
    Channel.PLATFORM_BALANCE: Text("平台余额", "Balance on the platform"),
    Channel.TRANSFER: Text("直接转给个人、红包", "Straight to a person, red packet"),
    Channel.CRYPTO: Text("虚拟币", "Crypto"),
    Channel.OTHER: Text("别的", "Another way"),
}
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
SIDES: Final = {
    Side.ME: Text("我", "Me"),
    Side.MERCHANT: Text("商家", "The merchant"),
    Side.PLATFORM: Text("平台", "The platform"),
    Side.OTHER: Text("别人", "Somebody else"),
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
STRENGTHS: Final = {
    Strength.STRONG: (Text("站得住", "strong"), "ok"),
    Strength.FAIR: (Text("补上证据就站得住", "stands with proof"), "info"),
    Strength.WEAK: (Text("还差事实", "needs more facts"), "warn"),
}
PATHS: Final = {
    Path.INCOMPLETE: Text("还差几样，才能说能要什么", "A few things are missing before anything can be said"),
    Path.FRAUD: Text("有诈骗的迹象，先保住钱", "There are signs of fraud: save the money first"),
    Path.UNLAWFUL: Text("这样的买卖法律不保护", "The law does not protect this sale"),
    Path.ORDINARY: Text("可以要求对方负责", "You can hold the other side to it"),
    Path.BUYER: Text("主要是自己的原因，可以诚恳商量", "Mostly your own matter: ask honestly"),
    Path.UNSETTLED: Text("法律没有给出明确结果", "The law gives no clear result"),
}
KINDS: Final = {
    "merchant": Text("商家的问题", "The merchant’s doing"),
    "buyer": Text("自己的原因", "My own doing"),
    "rules": Text("规则的问题", "The rules’ doing"),
    "platform": Text("平台、付款的问题", "The platform’s or the payment’s doing"),
}
NOT_OURS: Final = frozenset({"buyer_false_claim"})
"""Claims that only a merchant brings."""
