"""The Chinese words of a case, built from what happened: the same for both sides, without keys and without names."""

from datetime import timedelta
from typing import Final, assert_never

from kabao.cases.ladder.awards import outcome_of
from kabao.cases.ladder.model import ROUTED_OUT_FOR, Award, RulingStage, Windows
from kabao.cases.machine import Stage
from kabao.cases.model import CaseState, Decision, OfferView, Outcome, Remedy, RoseWhy, Rung, Side, Turn
from kabao.kernel import yuan_text

STAGE_LABELS: Final = {
    Stage.NEGOTIATION: "协商中",
    Stage.SUPPORT: "客服处理中",
    Stage.PANEL: "争议组处理中",
    Stage.ROUTED_OUT: "已转有关部门",
    Stage.GREEN: "已当场裁决并退款",
    Stage.RULED_OPEN: "已裁决，待生效",
    Stage.REVIEW: "复核中",
    Stage.SETTLED: "已和解",
    Stage.WITHDRAWN: "已撤回",
    Stage.EXECUTED: "已裁决，已执行",
    Stage.CHARGED_BACK: "付款被银行撤回，已结案",
}
WHO: Final = {
    "buyer": "买家",
    "merchant": "商家",
    "support": "客服",
    "panel": "争议组",
    "duty": "值班长",
    "system": "系统",
    "custodian": "托管方",
}
RULED_BY: Final = {
    RulingStage.SUPPORT: "客服的裁决",
    RulingStage.PANEL: "争议组的裁决",
    RulingStage.REVIEW: "复核的裁决",
    RulingStage.DEFAULT: "商家到时没有回应，按规则作出的裁决",
    RulingStage.GREEN: "按平台记录作出的裁决",
}
"""How a ruling is headed, by where it comes from."""

RULINGS: Final = frozenset({"ruled", "reviewed", "green", "green_kept", "green_reversed"})
"""The steps that make a ruling known."""

_ROSE: Final = {
    RoseWhy.MERCHANT_SILENT: "商家到时没有回应，已转给客服。",
    RoseWhy.BUYER_SILENT: "买家到时没有回应，已转给客服，这不影响买家的权利。",
    RoseWhy.BUYER_ASKED: "买家请客服介入。",
    RoseWhy.MERCHANT_ASKED: "商家请客服介入。",
    RoseWhy.SUPPORT_LATE: "客服到时没有结论，已转给争议组。",
    RoseWhy.SUPPORT_ASKED: "客服转给争议组处理。",
    RoseWhy.ROUTED_LONG: "转出已满 30 天，交给争议组裁决这笔钱。",
}


def silence(case: CaseState) -> str:
    """Say what a merchant left unanswered: the claim itself or, having answered that, what the buyer offered since."""
    if case.answered_at is None:
        return "商家到时没有回应。"
    return "商家答复过诉求，但到时没有回应买家后来提的方案。"


def as_demanded(given: Award, suggested: Award | None) -> str:
    """Say that what is given where no person decides ends at the demand; empty where the rules come to no more."""
    if suggested is None or (given.refund_minor >= suggested.refund_minor and not suggested.damages_minor):
        return ""
    stops = f"没有人来裁决的，只按买家提出的 {yuan(given.refund_minor)}，不超出所提的要求。"
    most = f"按这些事实，规则最多能支持退 {yuan(suggested.refund_minor)}。"
    more = f"规则还支持赔偿 {yuan(suggested.damages_minor)}，要由人来裁。" if suggested.damages_minor else ""
    return stops + (most if given.refund_minor < suggested.refund_minor else "") + more


def yuan(minor: int) -> str:
    """Write an amount as pages do: ``¥96.50``."""
    return yuan_text(minor)


def remedy_label(kind: Remedy, refund_minor: int) -> str:
    """Write a demand or an offer in a few words."""
    match kind:
        case Remedy.FULL_REFUND:
            return f"全额退款 {yuan(refund_minor)}"
        case Remedy.PARTIAL_REFUND:
            return f"部分退款 {yuan(refund_minor)}"
        case Remedy.REPLACEMENT:
            return "补发新的卡密"
        case Remedy.RELEASE:
            return "托管的钱全部付给商家"
        case _:
            assert_never(kind)


def outcome_label(outcome: Outcome, refund_minor: int, damages_minor: int = 0) -> str:
    """Write what a ruling says in a few words."""
    return _outcome(outcome, refund_minor) + (f"，另赔 {yuan(damages_minor)}" if damages_minor else "")


def _outcome(outcome: Outcome, refund_minor: int) -> str:
    match outcome:
        case Outcome.FULL_REFUND:
            return f"全额退款 {yuan(refund_minor)}"
        case Outcome.PARTIAL_REFUND:
            return f"部分退款 {yuan(refund_minor)}"
        case Outcome.NO_REFUND:
            return "不退款，钱付给商家"
        case Outcome.REPLACEMENT:
            return f"补发新的卡密（没有库存就退款 {yuan(refund_minor)}）"
        case _:
            assert_never(outcome)


def what_if_due(stage: Stage, turn: Turn, viewer: Side, *, may_stand: bool = True, is_green: bool = False) -> str:
    """Say to a viewer what happens when the deadline passes; empty where there is none.

    `may_stand` tells that a claim left unanswered may stand, `is_green` that it was refunded as the case was opened.
    """
    if stage is Stage.NEGOTIATION and turn is Turn.MERCHANT:
        who = "你" if viewer is Side.MERCHANT else "商家"
        stands = "已知事实按规则支持的，诉求成立（可以申请复核）；不支持的，" if may_stand else "会"
        return f"{who}到时没有回应，{stands}自动转给客服。"
    if stage is Stage.NEGOTIATION:
        who = "你" if viewer is Side.BUYER else "买家"
        return f"{who}到时没有回应，会自动转给客服，不影响{who}的权利。"
    if turn is Turn.NOBODY and is_green and stage.is_open:
        return "复核的裁决该执行了，但平台备付暂时不够付给商家，一分也没有动。钱到位就自动付。"
    if turn is Turn.NOBODY and stage.is_open:
        then = "把保证金交足就自动执行。" if viewer is Side.MERCHANT else "钱到位就自动执行，不用再做什么。"
        return f"该执行了，但店铺的保证金和平台备付暂时不够付，一分也没有动。{then}"
    if (stage, turn) == (Stage.REVIEW, Turn.DUTY) and is_green:
        return "值班长到时也没有结论，当场的裁决不变，结案。"
    return _IF_DUE.get((stage, turn is Turn.DUTY), "")


_IF_DUE: Final = {
    (Stage.SUPPORT, False): "客服到时没有结论，会自动转给争议组，在那以前不动钱。",
    (Stage.PANEL, False): "争议组到时没有结论，由值班长裁决，并计入公开数据。",
    (Stage.PANEL, True): "争议组到时没有结论，由值班长裁决，在那以前不动钱。",
    (Stage.ROUTED_OUT, True): "有关部门有了说法，或者到时还没有，都交给争议组裁决。在那以前钱不动，不能和解、撤回。",
    (Stage.RULED_OPEN, False): "到时没有人申请复核，就按裁决执行；双方都放弃复核，马上执行。在那以前不动钱。",
    (Stage.REVIEW, False): "复核到时没有结论，由值班长决定，并计入公开数据。",
    (Stage.REVIEW, True): "值班长到时也没有结论，就按原裁决执行。",
    (Stage.GREEN, False): "到时商家没有申请复核就结案，退款不变。",
}
"""What a deadline does above negotiation, by the stage and whether the duty officer has had to step in."""


def ladder(stage: Stage, reached: frozenset[str], windows: Windows) -> list[Rung]:
    """Write the rungs with where the case stands; the way outside is open at any time, also after a ruling.

    `reached` are the stages the case has been in.
    """

    def rung(at: Stage, label: str, hours: int) -> Rung:
        standing = "now" if stage is at else "past" if at in reached else "ahead"
        return Rung(stage=at.value, label=label, hours=hours, standing=standing)

    is_routed = stage is Stage.ROUTED_OUT or Stage.ROUTED_OUT in reached
    if Stage.GREEN in reached:
        return [
            rung(Stage.GREEN, "可申请复核", windows.ask_review),
            rung(Stage.REVIEW, "复核", windows.review),
            Rung(stage="outside", label="12315、消协、仲裁或法院", hours=None, standing="ahead"),
        ]
    return [
        rung(Stage.NEGOTIATION, "协商", windows.reply),
        rung(Stage.SUPPORT, "客服", windows.support),
        *([rung(Stage.ROUTED_OUT, "有关部门", ROUTED_OUT_FOR // timedelta(hours=1))] if is_routed else []),
        rung(Stage.PANEL, "争议组", windows.panel),
        Rung(stage="outside", label="12315、消协、仲裁或法院", hours=None, standing="ahead"),
    ]


_TAKEN_BACK: Final = "付款银行撤回了这笔付款，钱由银行退给付款人，平台不再动这笔钱。"
_OUTSIDE: Final = "对结果不认可，仍可以找 12315、消协、仲裁或法院。"


def case_event_text(
    kind: str, who: str, *, offer: OfferView | None, opening: str, body: str, ruled: str, version: str | None = None
) -> str:
    """Say what happened in a case; `opening` is claim and demand, `ruled` the ruling, `version` what bound."""
    name = WHO[who]
    label = offer.label if offer is not None else ""
    bound = f"本单适用规则 {version} 版。" if version else ""
    texts = {
        "opened": f"{name}发起纠纷：{opening}。",
        "answered": f"{name}作了答复。",
        "offered": f"{name}提出方案：{label}。",
        "accepted": f"{name}接受了方案：{label}。双方和解。",
        "granted": f"{name}同意了{WHO['merchant' if who == 'buyer' else 'buyer']}的诉求：{label}。双方和解。",
        "refused": f"{name}没有接受方案：{label}。这不影响后面的处理。",
        "person_asked": f"{name}要求由人处理，到时不按规则自动裁决，转给客服。",
        "withdrawn": f"{name}撤回了纠纷。",
        "ruled": f"{name}作出裁决：{ruled}。{bound}{_OUTSIDE}",
        "reviewed": f"{name}复核后裁决：{ruled}，马上执行。{bound}{_OUTSIDE}",
        "asked": f"{name}提问，等回答时时限暂停。",
        "replied": f"{name}回答了提问。",
        "question_withdrawn": f"{name}撤回了提问，不用再回答。",
        "overdue": "到时没有结论，交给值班长，计入公开数据。",
        "seated": "争议组成员已抽定。",
        "recused": "一名争议组成员回避，另行抽定。",
        "review_asked": f"{name}申请复核。",
        "routed_out": f"{name}按规则把这件转有关部门，等它的说法。钱不动，也不能和解、撤回。",
        "routed_back": f"{name}交给争议组，裁决这笔钱。",
        "waived": f"{name}放弃复核。",
        "waived_both": f"{name}也放弃复核，裁决马上执行。",
        "green": f"平台自己的记录已能证明，按规则当场裁决：{ruled}，马上退款。{bound}商家可以申请复核。{_OUTSIDE}",
        "green_over": "申请复核的时间已过，当场的裁决不变，结案。",
        "green_waived": f"{name}放弃复核，当场的裁决不变，结案。",
        "green_kept": f"{name}复核后维持当场的裁决：{ruled}。{bound}{_OUTSIDE}",
        "green_reversed": f"{name}复核后改判：{ruled}。买家已得的退款不追回，商家应得的由平台备付付。{bound}{_OUTSIDE}",
        "green_stood": "复核到时没有结论，当场的裁决不变，结案。",
        "executed": "申请复核的时间已过，按裁决执行。",
        "stood": "复核到时没有结论，按原裁决执行。",
        "short": "该执行了，但保证金和平台备付暂时不够付，一分也没有动。钱到位就自动执行。",
        "covered": "钱到位了，按裁决执行。",
        "no_stock": "要补发的卡密没有库存，按裁决里写明的退款。",
        "charged_back": f"{_TAKEN_BACK}纠纷到此结束，不算谁输谁赢。{_OUTSIDE}",
    }
    return _ROSE[RoseWhy(body)] if kind == "rose" else texts[kind]


def order_event_text(kind: str, who: str, *, amount_minor: int | None, reason: str | None) -> str:
    """Say what happened to the order; never with a key's text. An unknown kind is told as a plain record."""
    amount = yuan(amount_minor or 0)
    positions = "、".join((reason or "").split(","))
    texts = {
        "placed": f"买家下单，金额 {amount}。",
        "paid": f"买家付款 {amount}，钱在托管方。",
        "delivered": "卡密已交付，封存着，还没有拆封。",
        "opened": f"买家拆封了第 {positions} 张卡密。",
        "expired": "超时没有付款，订单关闭。",
        "cancelled": "买家取消了订单。",
        "wrong_amount": f"收到 {amount}，和应付金额不符，已原路退回。",
        "second_payment": f"收到第二笔付款 {amount}，已原路退回。",
        "late_refunded": f"付款 {amount} 到得太晚，已原路退回。",
        "refunded_sealed": f"买家在拆封前退了 {amount}，卡密收回。",
        "confirmed": f"到期自动确认，{amount} 付给商家。" if who == "system" else f"买家确认收货，{amount} 付给商家。",
        "frozen": f"放款时钟停住，{amount} 冻结在托管方。",
        "claimed": f"这单已经放款，最多还能退 {amount}，从店铺的保证金付。",
        "claim_ended": "放款后的纠纷结束，钱没有动。",
        "settled_claim": f"按和解从保证金退 {amount}。",
        "ruled_claim": f"按裁决退 {amount}，从保证金付，不够的平台先垫。",
        "reversed": f"复核改判，平台从备付付给商家 {amount}；买家已得的退款不追回。",
        "goodwill_claim": f"商家自愿退 {amount}，从保证金付。",
        "damages": f"按裁决另外赔 {amount}，从店铺的保证金付。",
        "damages_owed": f"保证金不够，还有 {amount} 的赔偿由店铺欠着，交足就自动付。",
        "refund_refused": f"原账户不收钱，{amount} 没能退回，还在托管方。",
        "refund_redirected": f"买家换了收款账户，{amount} 再退一次。",
        "unfrozen": "放款时钟继续走。",
        "replaced": "补发了新的卡密，封存着，放款时钟重新计时。",
        "settled_refund": f"按和解退给买家 {amount}。",
        "settled_release": f"按和解付给商家 {amount}（含平台服务费）。",
        "ruled_refund": f"按裁决退给买家 {amount}。",
        "ruled_release": f"按裁决付给商家 {amount}（含平台服务费）。",
        "refund_paid": f"托管方已把 {amount} 退到原付款账户。",
        "paid_out": f"托管方已把 {amount} 付给商家。",
        "charged_back": f"付款银行撤回了这笔付款，托管方剩下的 {amount} 由银行退给付款人，平台不再退第二次。",
        "charged_back_late": "付款银行撤回了这笔付款，但托管方早已把它付清，这单的钱没有动，由托管方和银行去算。",
        "payout_stopped": f"付款已被银行撤回，托管方没有付出 {amount}。",
        "claim_stopped": f"付款已被银行撤回，钱由银行退给买家；放款后要退的 {amount} 没有另付，记回保证金、平台备付。",
    }
    return texts.get(kind, "订单有一条新的记录。")


def message_text(who: str) -> str:
    """Say who spoke."""
    return f"{WHO[who]}说："


def file_text(who: str, item_no: int) -> str:
    """Say who handed a file in."""
    return f"{WHO[who]}提交了证据 {item_no}。"


def erased_text(record_id: int, reason: str) -> str:
    """Say that a record's content was destroyed; its place in the public log stays."""
    return f"客服删除了公开日志第 {record_id} 条记录的内容，它在日志里的位置还在。原因：{reason}"


def decided_label(decision: Decision, case: CaseState) -> str:
    """Write in a few words what a step puts forward, refuses or settles; empty where it does none of that."""
    if decision.remedy is not None:
        return remedy_label(decision.remedy, decision.refund_minor)
    if decision.kind in RULINGS and decision.award is not None:
        award = decision.award
        return outcome_label(outcome_of(award, case.held_minor), award.refund_minor, award.damages_minor)
    if decision.kind == "refused" and case.offer is not None:
        return remedy_label(case.offer.kind, case.offer.refund_minor)
    return ""


def notice_subject(kind: str, title: str, who: str, label: str = "", hours: int = 48) -> str:
    """Write the subject of a notice about a case; `label` is what was demanded, offered or settled.

    `hours` is the time to answer a case that was opened.
    """
    about = f"：{label}" if label else ""
    safe = "；不答复会转给客服，不影响你的权利" if who == Side.MERCHANT else ""
    what = {
        "opened": f"{WHO[who]}发起了纠纷{f'，要求{label}' if label else ''}，请在 {hours} 小时内答复{safe}",
        "answered": f"{WHO[who]}作了答复，轮到你",
        "offered": f"{WHO[who]}提出了方案{about}",
        "accepted": f"{WHO[who]}接受了方案，已和解{about}",
        "granted": f"{WHO[who]}同意了诉求，已和解{about}",
        "refused": f"{WHO[who]}没有接受方案{about}",
        "rose": "已转给客服处理",
        "rose_panel": "已转给争议组处理",
        "person_asked": f"{WHO[who]}要求由人处理",
        "withdrawn": f"{WHO[who]}撤回了纠纷",
        "charged_back": "付款银行撤回了这笔付款，纠纷结束，平台不再动这笔钱",
        "ruled": f"{WHO[who]}作出了裁决{about}，到期前可以申请复核",
        "reviewed": f"{WHO[who]}复核后作出了裁决{about}，正在执行",
        "green": f"平台记录已能证明，当场裁决{about}；商家可以在期限内申请复核",
        "green_over": "没有人申请复核，当场的裁决不变，已结案",
        "green_waived": f"{WHO[who]}放弃了复核，当场的裁决不变，已结案",
        "green_kept": f"{WHO[who]}复核后维持当场的裁决{about}",
        "green_reversed": f"{WHO[who]}复核后改判{about}；已退的钱不追回",
        "green_stood": "复核到时没有结论，当场的裁决不变，已结案",
        "asked": f"{WHO[who]}向你提问，请尽快回答",
        "replied": f"{WHO[who]}回答了提问",
        "question_withdrawn": f"{WHO[who]}撤回了向你的提问，不用再回答",
        "overdue": "到时没有结论，已交给值班长",
        "recused": "一名争议组成员回避，另行抽定",
        "review_asked": f"{WHO[who]}申请了复核",
        "routed_out": f"{WHO[who]}转有关部门，钱不动；该找谁、怎么找，见纠纷页",
        "routed_back": "已交给争议组，裁决这笔钱",
        "waived": f"{WHO[who]}放弃了复核",
        "waived_both": "双方放弃复核，裁决正在执行",
        "executed": "裁决正在执行",
        "stood": "复核到时没有结论，原裁决正在执行",
        "short": "裁决该执行了，但保证金和平台备付暂时不够付，钱到位就自动执行",
        "covered": "钱到位了，裁决正在执行",
        "seat": "抽到你来处理，请先写下初步意见",
        "said": f"{WHO[who]}留了言",
    }[kind]
    return f"「{title}」的纠纷：{what}"


OUTSIDE: Final = (
    ("12315", "拨 12315，或上全国 12315 平台投诉。7 个工作日内答复受不受理，受理后 60 天内调解。"),
    ("消协", "向消费者协会或其他调解组织申请调解。"),
    ("仲裁", "双方另有书面仲裁协议的，可以向约定的仲裁机构申请。"),
    ("法院", "向法院起诉。网上交付的商品，可以在买家住所地，也可以在被告住所地起诉。"),
)
"""The routes outside, which every case prints; the ruling of a platform never closes them.

Times: 市场监督管理投诉举报处理办法（令121）15, 23. Arbitration: 仲裁法（2025）4, 27. Courts: 民诉解释 20, 民诉法 24.
Mediation: 消法 37(5).
"""

AUTHORITIES: Final = (
    ("公安", "被骗、账号被盗、被敲诈的，马上报警。钱刚转走，拨 110 请求紧急止付；反诈专线 96110。"),
    ("支付机构", "付款不是自己操作的，马上通知付款的银行或支付机构。"),
    ("12315", "违法的商品和经营行为，上全国 12315 平台举报。举报和投诉要分开提。"),
)
"""Where to go first with what a platform cannot decide; the routes that every case prints stand beside them.

Urgent stop of a payment: 反电信网络诈骗法 20. A payment not authorised: 电商法 57. Reports apart from complaints:
市场监督管理投诉举报处理办法（令121）9.
"""
