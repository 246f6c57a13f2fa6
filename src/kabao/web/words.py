"""The sentences pages say about states: what happened, where the money is, whose turn, what happens then."""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from kabao.cases.words import AUTHORITIES as AUTHORITY_ROUTES
from kabao.cases.words import OUTSIDE as OUTSIDE_ROUTES
from kabao.kernel import yuan_text
from kabao.orders import Move
from kabao.web.render import Step

OUTSIDE: Final = OUTSIDE_ROUTES
AUTHORITIES: Final = AUTHORITY_ROUTES


class Flash(NamedTuple):
    """One sentence shown once on the next page; the key travels in a cookie, the words never do."""

    key: str
    kind: str
    text: str


SAVED: Final = Flash("saved", "ok", "已保存。")
HOOK_REMOVED: Final = Flash("hook_removed", "ok", "已删除，不再往那里发。")
HOOK_TESTED: Final = Flash("hook_tested", "ok", "测试消息已排队，几秒后刷新看结果。")
MAIL_CODE_SENT: Final = Flash("mail_code_sent", "ok", "验证码已发出，填在下面。")
MAIL_CONFIRMED: Final = Flash("mail_confirmed", "ok", "邮箱已确认，通知会同时发到这里。")
MAIL_REMOVED: Final = Flash("mail_removed", "ok", "邮箱已删除，不会再往那里发信。")
TEXT_GONE: Final = Flash("text_gone", "ok", "已删掉，发过的不受影响。")
DRAFT_KEPT: Final = Flash("draft_kept", "ok", "草稿已存，只有你看得到。")
COVER_SET: Final = Flash("cover_set", "ok", "已设好，到时间自动生效。")
COVER_ENDED: Final = Flash("cover_ended", "ok", "已停用，以后的都等你自己办。")
SEEN: Final = Flash("seen", "ok", "已记下，看过了。")
SIGNED_OUT: Final = Flash("signed_out", "info", "已退出。")
PLACED: Final = Flash("placed", "ok", "已下单，库存给你留 15 分钟。")
CANCELLED: Final = Flash("cancelled", "ok", "已取消，没有扣你的钱。")
REFUNDED: Final = Flash("refunded", "ok", "已全额退，托管方会退到原付款账户。")
REFUNDED_PART: Final = Flash("refunded_part", "ok", "没拆的已退，托管方会退到原付款账户。退了哪几张，下面写着。")
CONFIRMED: Final = Flash("confirmed", "ok", "已确认，托管方会把钱付给商家。")
SENT: Final = Flash("sent", "ok", "已发送。")
FACT_SAID: Final = Flash("fact_said", "ok", "已加上这个事实，按规则推出的结果重新算过了。")
NOTHING_KEPT: Final = Flash("nothing_kept", "warn", "什么也没有存下。")
FILE_ADDED: Final = Flash("file_added", "ok", "已存证。")
LINK_KEPT: Final = Flash("link_kept", "ok", "网址已存证。网页会变，最好再截一张图。")
BLACKED_OUT: Final = Flash("blacked_out", "ok", "已遮住，双方和客服看到的预览都换了。原件封存不变。")
CASE_OPENED: Final = Flash("case_opened", "ok", "已提交，这笔钱冻结在托管方，商家拿不走。")
AT_ONCE: Final = Flash("at_once", "ok", "已按平台的记录当场裁决，钱正在原路退给你。")
MERCHANT_CASE_OPENED: Final = Flash("merchant_case_opened", "ok", "已提交，这笔钱冻结在托管方，买家已收到通知。")
CLAIM_OPENED: Final = Flash("claim_opened", "ok", "已提交。钱已付给商家，该退的从店铺的保证金付。")
REDIRECTED: Final = Flash("redirected", "ok", "已收到新账户，托管方正在再退一次。")
GAVE_BACK: Final = Flash("gave_back", "ok", "已办退款，从店铺的保证金付，托管方会退给买家。")
DEPOSIT_ASKED: Final = Flash("deposit_asked", "ok", "已申请退回，托管方会退到原付款账户。")
PAID_DEPOSIT: Final = Flash("deposit_paid", "ok", "托管方收到了保证金。")
PAID_CURRENCY: Final = Flash("wrong_currency", "warn", "付的币种不对，这笔钱正在原路退给你。")
PAYER_CLOSED: Final = Flash("payer_closed", "warn", "这个付款账户已注销（演示），退到它的钱会退不出去。")
PAYMENT_TAKEN_BACK: Final = Flash("payment_taken_back", "warn", "付款银行撤回了这笔付款（演示）。")
ANSWERED: Final = Flash("answered", "ok", "已回应，双方都能看到。")
OFFERED: Final = Flash("offered", "ok", "方案已发出，等对方决定。")
ACCEPTED: Final = Flash("accepted", "ok", "已接受，正在按方案办。")
REFUSED: Final = Flash("refused", "ok", "已拒绝，不影响后面的处理。")
ESCALATED: Final = Flash("escalated", "ok", "已请客服介入。")
PERSON_ASKED: Final = Flash("person_asked", "ok", "已记下，到时由人来看，不按规则自动裁决。")
WITHDRAWN: Final = Flash("withdrawn", "ok", "已撤回，订单接着走。")
RULED: Final = Flash("ruled", "ok", "裁决已提交，10 秒内可以撤回，之后双方看得到。")
DRAFT_SAVED: Final = Flash("draft_saved", "ok", "草稿已存，只有你看得到。")
DRAFT_DROPPED: Final = Flash("draft_dropped", "ok", "草稿已丢掉。")
VIEWED: Final = Flash("viewed", "ok", "初步意见已写下，可以看按规则推出的结果了。")
ASKED: Final = Flash("asked", "ok", "已提问，等回答时时限暂停。")
REPLIED: Final = Flash("replied", "ok", "已回答。")
PASSED_ON: Final = Flash("passed_on", "ok", "已转给争议组。")
ROUTED_OUT: Final = Flash("routed_out", "ok", "已转有关部门，双方已收到通知。钱不动。")
QUESTION_WITHDRAWN: Final = Flash("question_withdrawn", "ok", "已撤回这个问题，时限接着走。")
ROUTED_BACK: Final = Flash("routed_back", "ok", "已交给争议组裁决。")
VOTED: Final = Flash("voted", "ok", "已投票。")
TAKEN_BACK: Final = Flash("taken_back", "ok", "已撤回，双方没有看到。")
RECUSED: Final = Flash("recused", "ok", "已回避，另行抽人。")
REVIEW_ASKED: Final = Flash("review_asked", "ok", "已申请复核，由没有参与过裁决的人来办。")
WAIVED: Final = Flash("waived", "ok", "已放弃复核。")
PUBLISHED: Final = Flash("published", "ok", "已上架。")
PAUSED: Final = Flash("paused", "ok", "已下架，已有的订单不受影响。")
SHOP_OPENED: Final = Flash("shop_opened", "ok", "店铺已开。接着写第一件商品。")
STAFF_OK: Final = Flash("staff_ok", "ok", "已验证，12 小时内不用再验。")
PAID: Final = Flash("paid", "ok", "托管方收到了你的付款。")
PAID_LATE: Final = Flash("paid_late", "warn", "付款来晚了，这笔钱正在原路退给你。")
PAID_WRONG: Final = Flash("paid_wrong", "warn", "付的金额和应付的不一样，这笔钱正在原路退给你。")
PAID_TWICE: Final = Flash("paid_twice", "warn", "这一单已经付过，多付的这笔正在原路退给你。")
HELP_SAVED: Final = Flash("help_saved", "ok", "已保存到你的账户，加密存放，只有你看得到。")
HELP_NOTED: Final = Flash("help_noted", "ok", "已记下。")
HELP_DELETED: Final = Flash("help_deleted", "ok", "已删除，连同解密的钥匙，找不回来了。")

FLASHES: Final[dict[str, Flash]] = {flash.key: flash for flash in list(globals().values()) if isinstance(flash, Flash)}

ORDER_TABS: Final = (
    ("unpaid", "待付款"),
    ("sealed", "待拆封"),
    ("opened", "待确认"),
    ("in_case", "纠纷中"),
    ("all", "全部"),
)

ORDER_STATES: Final[dict[str, tuple[str, str]]] = {
    "placed": ("等你付款", "warn"),
    "expired": ("超时关闭", ""),
    "cancelled": ("已取消", ""),
    "delivered": ("未拆封", "bad"),
    "opened": ("已拆封", "info"),
    "confirmed": ("已确认", "ok"),
    "settled": ("已结清", "ok"),
    "refunded": ("已退款", "ok"),
    "partly_refunded": ("部分退款", "ok"),
}
"""The tag of a state: its word and its colour."""

_HEADLINES: Final[dict[str, str]] = {
    "placed": "等你付款",
    "expired": "订单超时关闭了",
    "cancelled": "订单取消了",
    "delivered": "卡密已送达，等你拆封",
    "opened": "去充值，好用再确认",
    "confirmed": "你已确认，钱付给商家",
    "settled": "订单结清了",
    "refunded": "已全额退款",
    "partly_refunded": "已部分退款",
}

_FOR_OTHERS: Final[dict[str, str]] = {
    "placed": "等买家付款",
    "delivered": "卡密已送达，等买家拆封",
    "opened": "买家已拆封，等确认",
    "confirmed": "已确认，钱付给商家",
}

WAYS: Final[dict[str, str]] = {"yes": "成立", "no": "不成立"}
"""Which way a fact is said."""

SURENESS: Final[dict[str, str]] = {
    "50": "五成，说不准",
    "65": "六成多，比较像",
    "80": "八成，很可能",
    "95": "九成五，几乎可以肯定",
}
"""How sure support is, in percent and in words."""

FAVOURS: Final[dict[str, str]] = {"buyer": "对买家有利", "merchant": "对商家有利", "platform": "对平台有利"}
"""Whom a fact helps when it is true."""

PARTIES: Final[dict[str, tuple[str, str, str]]] = {
    "buyer": ("me", "message-square", "买家"),
    "merchant": ("mer", "store", "商家"),
    "support": ("cs", "headset", "客服"),
    "panel": ("cs", "scale", "争议组"),
    "duty": ("cs", "gavel", "值班长"),
    "system": ("sys", "lock", "系统"),
    "custodian": ("sys", "landmark", "托管方"),
}
"""Who speaks or acts: the place in the timeline, its icon, its name."""

PAYMENT_ENDS: Final[dict[str, Flash]] = {
    "applied": PAID,
    "late_refunded": PAID_LATE,
    "wrong_amount": PAID_WRONG,
    "second_payment": PAID_TWICE,
    "deposit_paid": PAID_DEPOSIT,
    "wrong_currency": PAID_CURRENCY,
}
"""What became of a payment, in the words of the payment notice's outcome."""


def money_move(kind: str, *, is_done: bool, viewer: str, is_refused: bool = False, is_stopped: bool = False) -> str:
    """Say a move of money, while it is on its way, once it is done, refused or stopped, to who reads it."""
    if kind in {"payment", "chargeback"}:
        return "托管方收到付款" if kind == "payment" else "付款银行撤回，由银行退给付款人"
    buyer, merchant = "你" if viewer == "buyer" else "买家", "你" if viewer == "merchant" else "商家"
    if is_refused or is_stopped:
        return "付款被银行撤回，没有付出" if is_stopped else f"没能退给{buyer}，原账户不收钱"
    if kind == "damages":
        return f"已赔给{buyer}" if is_done else f"正在赔给{buyer}"
    if kind in {"refund", "claim_refund"}:
        return f"已退给{buyer}" if is_done else f"正在退给{buyer}"
    return f"已付给{merchant}" if is_done else f"正在付给{merchant}"


def stray_money(moves: Sequence[Move], viewer: str) -> list[str]:
    """Say of each payment that was not taken for the order why, and that it goes back; none where all is well."""
    buyer = "你" if viewer == "buyer" else "买家"
    # A refund does not name its payment, so "done" is only said once none is on its way.
    is_back = not any(move.kind == "refund" and move.state == "pending" for move in moves)
    goes = f"已经原路退给{buyer}" if is_back else f"正在原路退给{buyer}"
    why = {"late_refunded": "付款来晚了", "wrong_amount": "付的金额和应付的不一样", "second_payment": "多付了一笔"}
    return [
        f"{why[move.outcome]}，{yuan_text(move.amount_minor)} {goes}。"
        for move in moves
        if move.kind == "payment" and move.outcome in why
    ]


EVENTS: Final[dict[str, str]] = {
    "placed": "下单，库存留 15 分钟",
    "paid": "托管方收到付款",
    "delivered": "卡密封存送达",
    "opened": "拆封",
    "confirmed": "确认，放款给商家",
    "refunded_sealed": "没拆封，直接退款",
    "cancelled": "取消",
    "expired": "超时没有付款，关闭",
    "due": "到时自动确认，放款给商家",
    "settled": "按和解放款给商家",
    "settled_refund": "按和解退款",
    "ruled": "按裁决放款给商家",
    "ruled_refund": "按裁决退款",
    "refund_paid": "托管方已退款",
    "paid_out": "托管方已付到商家账户",
    "frozen": "冻结这笔钱，停下自动确认",
    "unfrozen": "解冻，接着计时",
    "replaced": "换了新的卡密，封存送达",
    "claimed": "放款后提出纠纷，最多还能退",
    "claim_ended": "放款后的纠纷结束，钱没有动",
    "settled_claim": "按和解从保证金退款",
    "ruled_claim": "按裁决从保证金、平台备付退款",
    "reversed": "复核改判，平台从备付付给商家，买家已得的退款不追回",
    "goodwill_claim": "商家自愿退款，从保证金付",
    "damages": "按裁决另外赔偿，从保证金付",
    "damages_owed": "赔偿里店铺还欠的，保证金交足就付",
    "refund_refused": "原账户不收钱，没能退回，钱还在托管方",
    "refund_redirected": "买家换了收款账户，再退一次",
    "charged_back": "付款银行撤回了付款，钱由银行退给付款人",
    "charged_back_late": "付款银行撤回了付款，托管方早已付清，这单的钱没有动",
    "payout_stopped": "付款已被银行撤回，托管方没有付出",
    "claim_stopped": "付款已被银行撤回，钱由银行退给买家；放款后要退的没有另付，记回保证金、平台备付",
    "wrong_amount": "付款金额不对，整笔退回",
    "second_payment": "重复付款，退回",
    "late_refunded": "付款来晚了，退回",
}

KEY_STATES: Final[dict[str, tuple[str, str]]] = {
    "sealed": ("未拆封", "bad"),
    "opened": ("已拆封", "ok"),
    "replaced": ("已换新", ""),
    "withdrawn": ("已收回", ""),
    "returned": ("已退回", ""),
}

REMEDIES: Final = (
    ("full_refund", "全额退款", "退到原付款账户，卡密作废"),
    ("partial_refund", "部分退款", "卡密留着，退一部分"),
    ("replacement", "补发一张", "换一张新的卡密"),
)

OUTCOMES: Final = (("full_refund", "全额退"), ("partial_refund", "部分退"), ("no_refund", "不支持"))
REPLACING: Final = (("replacement", "补发"), *OUTCOMES)
"""What may be ruled where a replacement was demanded."""


def headline(
    state: str,
    *,
    in_case: bool,
    viewer: str,
    is_replaced: bool = False,
    is_charged_back: bool = False,
    is_stranded: bool = False,
) -> str:
    """Say where an order stands, to the buyer or to others."""
    if is_charged_back:
        return "付款被银行撤回了"
    if in_case:
        return "这单在处理纠纷"
    if is_stranded and viewer != "merchant":
        return "退款没退到，换个账户就能退" if viewer == "buyer" else "退款没退到，等买家换账户"
    if is_replaced and state == "delivered":
        return "补发的卡密已送达，等你拆封" if viewer == "buyer" else "补发的卡密已送达，等买家拆封"
    if viewer == "buyer":
        return _HEADLINES.get(state, state)
    return _FOR_OTHERS.get(state, _HEADLINES.get(state, state))


def order_flow(state: str) -> list[tuple[str, Step]] | None:
    """Return the steps of a paid order; None for one that never got so far."""
    reached = {"placed": 0, "delivered": 2, "opened": 3, "confirmed": 4, "settled": 4}.get(state)
    if reached is None:
        return None
    return [(name, _standing(place, reached)) for place, name in enumerate(("付款", "送达", "拆封", "确认"))]


def _standing(place: int, reached: int) -> Step:
    if place < reached:
        return "done"
    return "now" if place == reached else "todo"


def duration(seconds: int) -> str:
    """Write a length of time as terms do: 72 小时, 3 天, 15 分钟."""
    if seconds % 86400 == 0 and seconds >= 3 * 86400:
        return f"{seconds // 86400} 天"
    if seconds % 3600 == 0:
        return f"{seconds // 3600} 小时"
    return f"{max(1, seconds // 60)} 分钟"


Mood = Literal["", "t-warn", "t-bad"]


def time_left(seconds: int) -> tuple[str, Mood]:
    """Write what is left of a deadline for a list, and how urgent it is."""
    if seconds <= 0:
        return "已到时", "t-bad"
    hours, minutes = seconds // 3600, seconds // 60 % 60
    text = f"{hours // 24} 天 {hours % 24} 小时" if hours >= 48 else f"{hours}:{minutes:02d}"  # noqa: PLR2004
    return text, "t-bad" if hours < 2 else "t-warn" if hours < 24 else ""  # noqa: PLR2004


_SYSTEMS: Final = (
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Mac OS", "Mac"),
    ("Linux", "Linux"),
)
_BROWSERS: Final = (
    ("MicroMessenger", "微信"),
    ("Edg", "Edge"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
"""Marks of a User-Agent in the order they are looked for: later ones are also claimed by earlier browsers."""


def device_words(device: str) -> str:
    """Write a device in two words, Linux，Chrome; the record itself keeps the whole."""
    found = [next((name for mark, name in marks if mark in device), "") for marks in (_SYSTEMS, _BROWSERS)]
    return "，".join(name for name in found if name) or "其他设备"


_WHY_LEFT: Final[dict[str, str]] = {
    "file_too_large": "太大了，图片 25 MB、PDF 50 MB、文本 5 MB 以内，视频请在能用脚本的浏览器里传",
    "file_type_unknown": "只收图片、视频、录音、PDF 和纯文本",
    "file_name_misleads": "后缀和内容不是一回事，改对后缀再选",
    "file_heic": "HEIC 图片先存成 JPEG，或者截一张屏再选",
    "file_encoding": "文字文件要用 UTF-8 编码，另存为 UTF-8 再选",
    "file_empty": "是空文件",
    "file_unreadable": "打不开，可能不完整",
    "file_already_there": "这个文件你已经交过",
    "too_many_files": "你这一方在这一单里已经交满 40 个文件或 2 GB",
    "files_before_payment": "付款之前每一方一共只收 10 MB，付款以后可以再交",
    "help_files_full": "放不下，一个文件最大 200 MB，一件维权 40 个、共 400 MB，一个人共 1 GB",
    "files_today_full": "你 24 小时里交的已满 4 GB，明天再交",
}


def left_sentence(name: str, why: str) -> str:
    """Say that a file was not taken, and why."""
    return f"「{name}」没有收下：{_WHY_LEFT.get(why, '没有存好，请再选一次')}。"


def size_text(size: int) -> str:
    """Write a file's size, as the papers of a pack do."""
    if size < 1024:  # noqa: PLR2004
        return f"{size} 字节"
    return f"{size / 1048576:.1f} MB" if size >= 1048576 else f"{size / 1024:.0f} KB"  # noqa: PLR2004
