"""The letters that are kept as files for people to read; `python tests/helpletters.py` writes them anew."""

from pathlib import Path
from typing import Final

from helpstories import NO, NOW, YES, asked_out, at, shown, told
from kabao.selfhelp import (
    Event,
    Goods,
    Happening,
    Kind,
    Language,
    Letter,
    Person,
    RuleClause,
    SentLetter,
    Side,
    Story,
    TermsKind,
    TermsText,
    To,
)
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.letters import letter

FOLDER: Final = Path(__file__).parent / "selfhelp" / "letters"
NO_REFUND: Final = TermsText(
    file="terms/公告.txt", of=Side.MERCHANT, kind=TermsKind.NOTICE, text="虚拟商品一经售出，概不退换。"
)


def event(kind: Happening, day: int, hour: int, by: Side, text: str = "") -> Event:
    return Event(at=at(day, hour), kind=kind, by=by, text=text)


DEAD_KEY: Final = told(
    "key_invalid", "delivered", "opened", "key_failed", "-redeemed_by_buyer", "-wrong_use", yuan=268,
    title="点卡 268 元", order_no="2026111400017", terms=(NO_REFUND,),
    events=(
        event(Happening.DELIVERED, 14, 20, Side.MERCHANT),
        event(Happening.TRIED, 14, 21, Side.ME, "在官网兑换，提示卡密已失效，卡密是 ABCD-1234-EFGH"),
        event(Happening.COMPLAINED, 15, 12, Side.ME, "卡用不了，请退款。"),
        event(Happening.REFUSED, 15, 13, Side.MERCHANT, "虚拟商品不退不换"),
    ),
    evidence=(shown(Kind.RECORDING, "key_failed"), shown(Kind.CHAT_RECORD)),
    clauses=(RuleClause(of=Side.PLATFORM, where="《售后规则》第三条", says="卡密无效的，7 天内可以申请退款。"),),
    letters=(SentLetter(to=To.MERCHANT, sent=at(16), due=at(17)),
             SentLetter(to=To.PLATFORM, sent=at(18), due=at(20), answered=at(19), answer="让我等商家处理。")),
)  # fmt: skip
RECLAIMED: Final = told(
    "reclaimed", "access_lost", "risk_known", "delivered", yuan=3500, goods=Goods.ACCOUNT, title="游戏账号",
    events=(event(Happening.OTHER, 20, 9, Side.OTHER, "登录时提示密码已被修改"),
            event(Happening.BLOCKED, 20, 10, Side.MERCHANT)),
)  # fmt: skip
OWN_MISTAKE: Final = asked_out(told(
    "wrong_purchase", "opened", "exclusion_confirmed", "restriction_prominent", "-used_up", title="另一个地区的点卡",
    person=Person(name="某人", phone="13800000000"),
))  # fmt: skip
MINOR: Final = told(
    "minor_purchase", "child_acted", "under_18", "-guardian_agreed", yuan=648, goods=Goods.TOP_UP, title="游戏点数"
)
BUNDLE: Final = told(
    "bundle_item_failed", "mismatch", "one_item_affected", yuan=5500, title="礼包",
    amounts={"failed_minor": 60000}, order_no="A17", summary="礼包里三样，一样打不开。",
)  # fmt: skip
SWINDLE: Final = told(
    "not_delivered", "-delivered", yuan=900,
    signs={"pay_to_unlock": YES, "police_called": YES, "payment_stopped": NO},
)  # fmt: skip

ZH, EN = Language.ZH, Language.EN
KEPT: Final[dict[str, tuple[Story, To, Language]]] = {
    **{f"dead-key.{to.value}.zh": (DEAD_KEY, to, ZH) for to in To},
    "dead-key.merchant.en": (DEAD_KEY, To.MERCHANT, EN),
    "dead-key.12315.en": (DEAD_KEY, To.OFFICE, EN),
    "reclaimed.merchant.zh": (RECLAIMED, To.MERCHANT, ZH),
    "reclaimed.court.zh": (RECLAIMED, To.COURT, ZH),
    "own-mistake.merchant.zh": (OWN_MISTAKE, To.MERCHANT, ZH),
    "own-mistake.merchant.en": (OWN_MISTAKE, To.MERCHANT, EN),
    "minor.merchant.zh": (MINOR, To.MERCHANT, ZH),
    "bundle.platform.zh": (BUNDLE, To.PLATFORM, ZH),
    "swindle.payment.zh": (SWINDLE, To.PAYMENT, ZH),
    "swindle.platform.zh": (SWINDLE, To.PLATFORM, ZH),
}


def written(name: str) -> str:
    story, to, language = KEPT[name]
    made = letter(story, assess(story, law_rules(), NOW), to, language, NOW)
    assert isinstance(made, Letter)
    return f"{made.title}\n\n{made.body}\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name in KEPT:
        (FOLDER / f"{name}.txt").write_text(written(name), "utf-8")
