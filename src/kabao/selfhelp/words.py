"""What self-help calls things wherever it speaks: in the terminal, on the pages and in the pack."""

from typing import Final

from kabao.adjudication.model import Text
from kabao.selfhelp.model import Channel, Goods, Side, To
from kabao.selfhelp.results import Path, Strength

GOODS: Final = {
    Goods.KEY: Text("卡密、激活码、兑换码", "a card key, activation or voucher code"),
    Goods.ACCOUNT: Text(
        "游戏或会员账号（不是实名、社交、支付账号）", "a game or membership account (no real-name one)"
    ),
    Goods.SUBSCRIPTION: Text("会员、订阅", "a membership or subscription"),
    Goods.TOP_UP: Text("代充、直充", "a top-up done by them"),
    Goods.SERVICE: Text("代练等服务", "a service such as boosting"),
    Goods.SOFTWARE: Text("软件、授权", "software or a licence"),
    Goods.BALANCE: Text("预存的余额、点数、储值卡", "prepaid balance, points, a stored-value card"),
    Goods.REAL_NAME: Text(
        "实名账号、电话卡、支付账户、接码", "a real-name account, phone card, payment account, codes by text message"
    ),
    Goods.CHEAT: Text("外挂、破解、来路不明的卡密、个人信息", "cheats, cracks, keys of unclear origin, personal data"),
    Goods.OTHER: Text("别的虚拟商品", "something else"),
}

CHANNELS: Final = {
    Channel.ALIPAY: Text("支付宝（商家收款）", "Alipay, to a business"),
    Channel.WECHAT: Text("微信支付（商家收款）", "WeChat Pay, to a business"),
    Channel.BANK: Text("银行转账", "bank transfer"),
    Channel.CARD: Text("银行卡、信用卡", "bank or credit card"),
    Channel.PLATFORM_BALANCE: Text("平台余额", "balance on the platform"),
    Channel.TRANSFER: Text(
        "直接转账、红包、个人收款码给个人", "straight to a person: transfer, red packet, own QR code"
    ),
    Channel.CRYPTO: Text("虚拟币", "crypto"),
    Channel.OTHER: Text("别的方式", "another way"),
}
SIDES: Final = {
    Side.ME: Text("我", "Me"),
    Side.MERCHANT: Text("商家", "The merchant"),
    Side.PLATFORM: Text("平台", "The platform"),
    Side.OTHER: Text("别人", "Somebody else"),
}
ADDRESSEES: Final = {
    To.MERCHANT: Text("商家", "the merchant"),
    To.PLATFORM: Text("平台", "the platform"),
    To.SUPPORT: Text("平台客服", "the platform’s support"),
    To.PANEL: Text("平台争议处理部门", "the platform’s dispute team"),
    To.PAYMENT: Text("支付机构", "the payment institution"),
    To.ASSOCIATION: Text("消费者协会", "the consumers’ association"),
    To.OFFICE: Text("12315（市场监督管理部门）", "12315 (market supervision)"),
    To.REPORT: Text("12315 举报", "12315, report"),
    To.COURT: Text("法院", "the court"),
}
STRENGTHS: Final = {
    Strength.STRONG: Text("站得住", "strong"),
    Strength.FAIR: Text("补上证据就站得住", "stands with proof"),
    Strength.WEAK: Text("还差事实", "needs more facts"),
}
PATHS: Final = {
    Path.INCOMPLETE: Text("还差几样，才能说能要什么", "A few things are missing before anything can be said"),
    Path.FRAUD: Text("有诈骗的迹象，先保住钱", "There are signs of fraud: save the money first"),
    Path.UNLAWFUL: Text("这样的买卖法律不保护", "The law does not protect this sale"),
    Path.ORDINARY: Text("可以要求对方负责", "You can hold the other side to it"),
    Path.BUYER: Text("主要是自己的原因，可以诚恳商量", "Mostly your own matter: ask honestly"),
    Path.UNSETTLED: Text("法律没有给出明确结果", "The law gives no clear result"),
}
