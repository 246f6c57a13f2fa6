"""Signs of fraud, goods that may not be sold, and what to do first, as data; each with law whose text was read."""

from typing import Final

import msgspec

from kabao.adjudication.model import Text
from kabao.selfhelp.model import Goods

NONE: Final = "none"
"""Answers the question for signs where there is none."""


class SignEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A sign. One `grave` one is enough; of the others it takes two."""

    grave: bool
    text: Text
    why: Text
    cites: tuple[str, ...]


SIGNS: Final = {
    "pay_to_unlock": SignEntry(
        grave=True,
        text=Text(
            "要你再付一笔（解冻费、保证金、刷流水、手续费）才退款或发货",
            "You are asked for a further payment (to unlock, as a deposit, to raise turnover) before anything happens",
        ),
        why=Text(
            "正常退款从来不需要先付钱。再付的钱多半也拿不回来。",
            "No honest refund asks for money first. What is paid on top is mostly lost too.",
        ),
        cites=("反诈法 20", "反诈法 25(1)"),
    ),
    "remote_control": SignEntry(
        grave=True,
        text=Text(
            "让你装远程、会议软件，或者共享屏幕",
            "You are told to install remote control or meeting software, or to share your screen",
        ),
        why=Text(
            "对方能看到并操作你的支付和验证码。", "The other side can then see and use your payment apps and codes."
        ),
        cites=("反诈法 20", "电商法 57"),
    ),
    "codes_asked": SignEntry(
        grave=True,
        text=Text("索要短信验证码、支付密码、人脸", "You are asked for text-message codes, passwords or your face"),
        why=Text("有了这些就能动你的钱和账号。", "With these your money and accounts can be moved."),
        cites=("反诈法 20", "电商法 57"),
    ),
    "called_about_refund": SignEntry(
        grave=True,
        text=Text(
            "有人自称客服、平台、公安，主动打来说要给你退款或销案",
            "Somebody who says to be support, the platform or the police called you about a refund",
        ),
        why=Text(
            "真客服在订单里处理，不会让你离开订单操作。",
            "Real support works inside the order and never leads you out of it.",
        ),
        cites=("反诈法 20", "反诈法 26"),
    ),
    "account_lent": SignEntry(
        grave=True,
        text=Text(
            "让你出借银行卡、支付账户、账号，或替别人收款转账",
            "You are to lend a bank card, payment account or other account, or to pass on money for others",
        ),
        why=Text(
            "出借本身就违法，还可能被卷进别人的案子。",
            "Lending them is unlawful by itself and draws you into other people’s crimes.",
        ),
        cites=("反诈法 31(1)", "反诈法 44"),
    ),
    "charged_unasked": SignEntry(
        grave=True,
        text=Text(
            "账户里有不是你本人操作的扣款", "Money left your account that neither you nor yours had ordered"
        ),
        why=Text(
            "要立刻让支付机构停住，通知得越早，损失越可能由它承担。",
            "The payment institution must stop it now; the earlier it is told, the more of the loss may be its own.",
        ),
        cites=("电商法 57", "反诈法 20"),
    ),
    "taken_back_secretly": SignEntry(
        grave=True,
        text=Text(
            "账号、卡密到手不久被偷偷收回或用掉，对方随即拉黑你",
            "Soon after delivery the account or key was secretly taken back or used, and you were blocked at once",
        ),
        why=Text(
            "这可能是盗窃或诈骗，先报警留住线索。",
            "This may be theft or swindle; report it first, while the traces are fresh.",
        ),
        cites=("反诈法 20", "反诈法 26"),
    ),
    "paid_privately": SignEntry(
        grave=False,
        text=Text(
            "钱是在平台外转给个人的（私人收款码、红包、银行卡、虚拟币）",
            "You paid outside the platform to a private person (own QR code, red packet, card, crypto)",
        ),
        why=Text(
            "平台不掌握这笔钱，追回难；但店家引导站外付款的，不能拿这个推责。",
            "The platform does not hold it, so it is hard to get back; a shop that led you there has no excuse in it.",
        ),
        cites=("法释〔2022〕8号 5",),
    ),
    "vanished": SignEntry(
        grave=False,
        text=Text("店铺或对方不见了：关店、拉黑、群解散", "The shop or person is gone: closed, or you are blocked"),
        why=Text(
            "钱还能止付的时间很短。", "The time in which the money can still be stopped is short."
        ),
        cites=("反诈法 20", "消法 44(1)"),
    ),
    "nothing_came": SignEntry(
        grave=False,
        text=Text(
            "付了钱一直没有收到东西，催了也没有回音", "You paid, nothing ever came, and reminders went unanswered"
        ),
        why=Text(
            "光是没发货是违约；和别的迹象一起，就可能是骗局。",
            "Alone it is a breach of contract; together with other signs it may be a fraud.",
        ),
        cites=("反诈法 20", "民法典 509"),
    ),
    "price_absurd": SignEntry(
        grave=False,
        text=Text(
            "价格低得离谱，还催你赶紧付", "The price was absurdly low and you were pressed to pay at once"
        ),
        why=Text("这是常见的引诱办法。", "It is a common way to lure people."),
        cites=("反诈法 25(2)",),
    ),
}  # fmt: skip


class DoneEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A first step, and the question whether it was done."""

    text: Text
    why: Text
    asked: Text
    cites: tuple[str, ...]


FIRST: Final = {
    "police_called": DoneEntry(
        text=Text(
            "现在就打 110 报警（也可打 96110 反诈专线），说要紧急止付；报出收款账户、金额、时间。",
            "Call 110 now (or 96110, the anti-fraud line) and ask for an emergency stop of the payment; give the "
            "payee’s account, the sum and the time.",
        ),
        why=Text(
            "涉诈资金可以紧急止付、冻结，越快越有用。",
            "Fraud money can be stopped and frozen, and every minute counts.",
        ),
        asked=Text("报警了吗？", "Have you called the police?"),
        cites=("反诈法 20",),
    ),
    "payment_stopped": DoneEntry(
        text=Text(
            "马上联系付款的银行或支付平台：申请止付、冻结，改密码，解绑卡。不要再付任何钱。",
            "Tell your bank or payment app at once: ask it to stop or freeze the payment, change passwords, unbind "
            "cards. Pay nothing more.",
        ),
        why=Text(
            "未经授权的支付，支付机构要负责；通知之前扩大的损失可能算你的。",
            "For payments you did not authorise the institution answers; what grows before you tell it may be yours.",
        ),
        asked=Text("向银行或支付平台申请止付了吗？", "Have you asked your bank or payment app to stop the payment?"),
        cites=("反诈法 20", "电商法 57"),
    ),
}  # fmt: skip

KEEP: Final = DoneEntry(
    text=Text(
        "别删聊天、别退群、别打草惊蛇；账号、收款码、网址、转账记录都截下来，报警时要用。",
        "Delete no chat, leave no group, do not warn them; capture accounts, QR codes, addresses and transfers for the "
        "police.",
    ),
    why=Text(
        "这些是查清钱去了哪里的线索。", "These are the traces that show where the money went."
    ),
    asked=Text("", ""),
    cites=("反诈法 26",),
)  # fmt: skip

UNLAWFUL: Final = frozenset({Goods.REAL_NAME, Goods.CHEAT})

UNLAWFUL_SAID: Final = Text(
    "你买的这类东西，法律不许买卖（实名账号、电话卡、支付账户、验证码、外挂、破解、来路不明的卡密、个人信息）。"
    "这样的买卖无效，谁也不能要求交货，这里不会帮你写要求发货的信。钱怎么返还由法律和办案机关决定；被骗的请报警。"
    "不要再买，也不要转手。",
    "What you bought may not be traded by law (real-name accounts, phone cards, payment accounts, codes, cheats, "
    "cracks, keys of unclear origin, personal data). Such a sale is void, nobody can demand delivery, and no letter "
    "demanding it is written here. What becomes of the money is for the law and the authorities; if you were cheated, "
    "go to the police. Buy no more of it and do not pass it on.",
)
UNLAWFUL_CITES: Final = ("民法典 153", "民法典 157", "电商法 13", "反诈法 31(1)")
