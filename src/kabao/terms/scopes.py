"""How far a word reaches: what only widens, only tells a purpose or a manner, is granted late, or is another's word.

Each is told by how words stand to each other, never by a whole sentence; what each concept holds is in the lexicon.
"""

import re
from itertools import pairwise
from typing import Final

from kabao.terms.bits import bit, bits_of
from kabao.terms.model import Sentence, Token
from kabao.terms.widening import EXCUSED, pass_over, rename

BREACH: Final = frozenset({"OWN_REASON", "LAW_BREACH"})
OF_HIS: Final = frozenset({"", "的", "方", "方的", "自身", "自身的", "根本", "严重", "存在", "构成", "自己"})
GIVEN: Final = re.compile("发货|发卡|发码|发出|发送|发放|交付|出货|出卡|推送|下发|到账|充值|派发")
ASKED: Final = frozenset({"CLAIM", "SERVICE", "REFUND", "EXCHANGE", "SAY", "COMPENSATE"})
ABOUT_REMEDIES: Final = frozenset(
    {
        "CLAIM", "SERVICE", "SERVICEWORD", "REFUND", "EXCHANGE", "COMPENSATE", "COMPLAINT", "DISPUTES", "DEFECT",
        "CONTACT", "CREDIT_ONLY", "OFFPLATFORM", "SAY",
    }
)  # fmt: skip
MANNERS: Final = frozenset({"AUTOWORD", "HUMAN", "BY_HAND"})
LOST: Final = frozenset({"CLEAR", "BAN"})
TOLD: Final = frozenset({"OTHERS", "HEARSAY", "NOT_SO"})
STRONG: Final = frozenset({"SHOP", "MERCHANT", "PLATFORM"})
PERMITS: Final = frozenset({"MAY", "STILL", "ALTERNATIVE"})
LIMITED: Final = frozenset({"ONLY", "NEG", "FORBID", "REFUSE", "SHOP", "MERCHANT", "PLATFORM"})
LIMITS: Final = frozenset({"EXPIRE", "BEYOND", "OVERDUE"})
AFTER_A_TIME: Final = frozenset({"后", "之后", "以后", "过后"})
BEGINNINGS: Final = frozenset({"后", "之后", "以后", "后的", "之日起", "日起", "起"})
PASSIVE: Final = re.compile("[被遭让][^,。;、的]{0,6}$")
TAKEN_BACK: Final = re.compile("收回|召回|找回|追回|回收|收走|找走|封|冻结|停用|锁")
NOT_GOODS: Final = frozenset({"BALANCE", "MONEYWORD", "DEPOSIT", "POINTS", "PLATFORM", "SHOP", "MERCHANT"})
PURPOSE: Final = re.compile("供|用于|用来|作为?|做为|为了")
SHORTEST_PURPOSE: Final = 2
TOGETHER: Final = frozenset("跟和与像同比如")
ALSO: Final = re.compile("(?:也|亦|同样|一样)(?:一样|是|不|概|没|无|如此|这样|同)")
BOUGHT_THERE: Final = re.compile("[的处]?(?:店铺|店|平台)?(?:购|买|拍|下单|的)")


def held_by(sentence: Sentence) -> int:
    """Return the bits of every word of a sentence, by which most sentences are passed over."""
    held = 0
    for token in sentence.tokens:
        held |= token.bits
    return held


def narrow(sentence: Sentence, text: str, held: int) -> None:
    """Take from words what they do not mean where they stand; before it is told what is denied."""
    tokens = sentence.tokens
    pass_over(sentence, text, held)
    if held & bits_of(STRONG) and held & bits_of(BREACH):
        _put_to_seller(tokens, text)
    if held & bits_of(MANNERS):
        _tell_manner(tokens, text)
    if held & bits_of(LIMITS) and held & bit("TIME"):
        _begin_times(tokens, text)
    if held & bit("ONLY") and held & bit("OFFPLATFORM"):
        _tell_purpose(sentence, text)
    if held & bits_of(LOST):
        for number, token in enumerate(tokens):
            if token.names & LOST and _is_recall(sentence, token, text):
                _recalled(tokens, number)


def grant(sentence: Sentence, text: str, held: int) -> None:
    """Mark what may still be asked for once a time is over (超过24小时的,可以申请售后); after denials are told."""
    if not (held & bits_of(LIMITS) and held & bits_of(PERMITS) and held & bits_of(ASKED)):
        return
    tokens = sentence.tokens
    limit = permit = -1
    for number, token in enumerate(tokens):
        if _ends_time(tokens, number, text):
            limit, permit = number, -1
        elif "WITHIN" in token.names:
            limit = permit = -1
        elif token.names & LIMITED:
            permit = -1
        if limit < 0:
            continue
        if token.names & PERMITS and not token.neg and number != limit:
            permit = number
        is_granted = permit >= 0 and tokens[permit].segment == token.segment and not token.neg
        if is_granted and token.names & ASKED:
            rename(token, token.names | {"GRANTED_LATE"})


def reported(sentence: Sentence, text: str, held: int) -> tuple[tuple[int, int], ...]:
    """Return the stretches that are another's words: what 别家 says, and what is told to be denied (本店不是这样)."""
    if not held & bits_of(TOLD):
        return ()
    spans: list[tuple[int, int]] = []
    opened, told = -1, False
    for token in sentence.tokens:
        if "NOT_SO" in token.names:
            if told or any(each.quoted for each in sentence.tokens if each.start < token.start):
                spans.append((sentence.start, token.start))
            opened = -1
        elif "OTHERS" in token.names and _is_subject(token, text):
            opened, told = token.start, True
        elif "HEARSAY" in token.names:
            told = True
        elif opened >= 0 and not token.quoted and token.names & STRONG:
            if not ALSO.match(text, token.end):
                spans.append((opened, token.start))
            opened = -1
    if opened >= 0:
        spans.append((opened, sentence.end))
    return tuple(spans)


def take_back(sentence: Sentence, before: Sentence | None) -> None:
    """Let a sentence that begins by denying what others say make no term of the one before it, which tells it."""
    if before is None or before.paragraph != sentence.paragraph:
        return
    denies = any("NOT_SO" in token.names for token in sentence.tokens if token.segment == 0)
    if denies and any(token.quoted or token.names & {"HEARSAY", "OTHERS"} for token in before.tokens):
        for frame in before.frames:
            frame.meta = True


def _put_to_seller(tokens: list[Token], text: str) -> None:
    """Let a breach that is said to be the seller's be a defect and no reason of the buyer's own: 甲方违约."""
    for token, following in pairwise(tokens):
        if token.names & STRONG and following.names & BREACH and text[token.end : following.start] in OF_HIS:
            rename(following, following.names - EXCUSED | {"DEFECT"})


def _begin_times(tokens: list[Token], text: str) -> None:
    """Let no time that only begins another be a limit."""
    for token, following in pairwise(tokens):
        if token.names & LIMITS and _begins_time(token, following, text):
            rename(token, token.names - LIMITS - {"ENDED"})


def _tell_purpose(sentence: Sentence, text: str) -> None:
    for number, token in enumerate(sentence.tokens):
        if "ONLY" in token.names and _is_purpose(sentence, number, text):
            rename(token, token.names - {"ONLY"})


def _tell_manner(tokens: list[Token], text: str) -> None:
    """Take 自动 or 人工 before what is delivered for the way it is given."""
    for token, following in pairwise(tokens):
        if token.names & MANNERS and _is_manner(token, following, text):
            rename(token, frozenset({"BY_MACHINE" if "AUTOWORD" in token.names else "BY_HAND"}))


def _is_manner(token: Token, following: Token, text: str) -> bool:
    """Whether a word tells how goods are given, as in 自动发货 or 人工发货."""
    near = following.start == token.end and "DELIVERED" in following.names
    return near and GIVEN.match(text, following.start) is not None


def _is_purpose(sentence: Sentence, number: int, text: str) -> bool:
    """Whether 仅 says what a channel is for (QQ群仅供交流) and not that it is the only one."""
    token = sentence.tokens[number]
    here = [each for each in sentence.tokens if each.segment == token.segment and each is not token]
    if not any("OFFPLATFORM" in each.names for each in here if each.start < token.start):
        return False
    after = [each for each in here if each.start > token.start]
    said = text[token.end : sentence.segments[token.segment][1]].strip(" ,。;!")
    barred = ABOUT_REMEDIES - {"CONTACT", "SAY"} if PURPOSE.match(said) else ABOUT_REMEDIES
    return len(said) >= SHORTEST_PURPOSE and not any(each.names & barred for each in after)


def _is_recall(sentence: Sentence, token: Token, text: str) -> bool:
    """Whether somebody takes the goods back from whoever has them (被收回, 遭官方收回), not a shop a balance."""
    if not (TAKEN_BACK.match(text, token.start) and PASSIVE.search(text, sentence.start, token.start)):
        return False
    return not any(
        each.names & NOT_GOODS for each in sentence.tokens if each.segment == token.segment and each.start < token.start
    )


def _recalled(tokens: list[Token], number: int) -> None:
    """Read 被官方收回 as a loss of the goods, not as forfeiture, and its agent not as one to whom blame is passed."""
    token = tokens[number]
    agent = tokens[number - 1] if number else token
    rename(token, token.names - {"CLEAR"} | {"BAN"})
    if "UPSTREAM" in agent.names and "AGENT" in agent.names and agent.end == token.start:
        rename(agent, agent.names - {"UPSTREAM"})


def _ends_time(tokens: list[Token], number: int, text: str) -> bool:
    """Whether a word says that a time is over: 超过24小时, 24小时后, 逾期."""
    token = tokens[number]
    if not token.names & LIMITS or token.neg:
        return False
    if text[token.start : token.end] in AFTER_A_TIME:
        return number > 0 and tokens[number - 1].quantity is not None and tokens[number - 1].end == token.start
    return not token.names & {"DELIVERED", "SOLD", "VIEWED"}


def _begins_time(token: Token, following: Token, text: str) -> bool:
    """Whether a time only begins when another is over: 租期届满后24小时内退还."""
    between = text[token.end : following.start]
    return following.quantity is not None and between in BEGINNINGS and text.startswith(("内", "之内"), following.end)


def _is_subject(token: Token, text: str) -> bool:
    """Whether others are spoken of as those who do something, not as who sold the goods or is compared with."""
    return text[max(0, token.start - 1) : token.start] not in TOGETHER and not BOUGHT_THERE.match(text, token.end)
