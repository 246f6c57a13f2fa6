"""Find out whose doing a loss or a dispute is: what the buyer brought about himself, no shop need answer for.

Told apart by how a cause is put, not by what it is: 因会员…造成的, 您因…受到的, 保管、维护不当, 不得…,由此…. What the
seller, the goods or a complaint brought about is none of it.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from kabao.terms.bits import bits_of
from kabao.terms.model import Token

OWN: Final = frozenset({"OWN_REASON", "BUYER_FAULT"})
STRONGER: Final = frozenset({"SHOP", "MERCHANT", "PLATFORM", "UPSTREAM"})
NOT_HIS: Final = frozenset(
    {
        "SHOP", "MERCHANT", "PLATFORM", "UPSTREAM", "DEFECT", "BAN", "COMPLAINT", "BAD_REVIEW", "REVIEW", "AUTHORITY",
        "SUE", "CLAIM", "REFUND", "EXCHANGE", "SERVICE", "APPEAL", "NO_REASON",
    }
)  # fmt: skip
CAUSED: Final = re.compile("致|造成|引起|引发|产生|而受|受到|遭受|损失|后果")
OWN_DOING: Final = re.compile(
    "[之的]?(?:自身|自行|个人|本人|未|提供|填写|输入|选择|操作|保管|泄露|违反|过失|过错|疏忽|设备|网络)"
)
MERE_USE: Final = re.compile(
    "(?:正常|合理)?(?:使用|访问|浏览|登录|登陆|购买|交易|下单|消费|参与|参加|接受|依赖|信赖|下载|链接|在本|在我|通过)"
    "(?![^,。;]{0,8}(?:不当|违规|违法|有误|错误|外挂|脚本|非法|插件|破解|他人))"
)
"""What everybody does who buys: a loss from it is no fault of his."""
HIMSELF: Final = re.compile("(?:自己|自行|擅自|私自|故意|不慎|主动)(?!承担|负责|解决|联系|找)")
BROUGHT: Final = re.compile("导致|造成|引起|引发|以致|致使|弄坏|弄丢")
BECAUSE: Final = ("因为", "由于", "因")
CARELESS: Final = re.compile("(?:保管|使用|维护|操作|设置|填写|保存|输入)[^,。;]{0,4}(?:不当|不善|失误|疏忽)")
REFERS: Final = re.compile("(?:对)?由此|有此(?=引|产|导|造)|因此|对此|否则|违者|如有违反|违反(?:上述|前述|本条|前款)")
FALSELY_GIVEN: Final = re.compile(
    "(?:虚假|不实|错误|不准确|不真实|有误)的?(?:信息|资料|联系方式|身份)|(?:信息|资料|联系方式)[^,。;]{0,6}(?:虚假|不实|错误|不准确|不真实|有误|无效)"
)
GIVES: Final = re.compile("(?:承诺|保证|应当?|须|必须|需要?|有义务)[^,。;]{0,14}(?:提供|填写|提交|信息|资料|联系方式)")
CONDUCT: Final = re.compile(
    "(?:自身|自己|个人)的?行为|(?:的|所)?(?:在[^,。;]{0,12})?"
    "(?:使用|利用|发布|发表|上传|传播|制作|从事|实施|经营|言)[^,。;]{0,24}?(?:行为|言行|言论|活动|内容|信息)"
)
"""What a user does, or puts out himself: 用户使用本服务从事经营的行为, 用户发布的内容."""
SPOKEN_OF: Final = ("对", "就", "对于", "对任何", "因", "由于")
EXCUSES: Final = (*OWN, "LAW_BREACH", "FAKE", "FORCE_MAJEURE", "LINKS", "OFFPLATFORM", "MALICE")
OTHERWISE: Final = re.compile(" *(?:otherwise|除此之外|除此以外|除[上前]述(?:情形|情况)?[之以]?外)")
LEAD: Final = 6
"""Characters at the head of a sentence among which it may refer to the one before."""


def own_causes(tokens: list[Token], text: str, start: int, end: int) -> None:
    """Let a buyer who is named as the cause, or what he did wrongly or against a rule, mean a reason of his own."""
    for token in _at_fault(tokens, text, start, end):
        token.names |= OWN
        token.bits = bits_of(token.names)


def refers_back(text: str, start: int) -> bool:
    """Whether a sentence speaks of what the one before says came about."""
    return REFERS.search(text, start, start + LEAD) is not None


def goes_on(text: str, start: int) -> bool:
    """Whether a sentence only says what holds where the one before it does not: Otherwise, all sales are final."""
    return OTHERWISE.match(text, start) is not None


def forbids_buyer(tokens: list[Token]) -> bool:
    """Whether a sentence forbids the buyer what is no right of his."""
    return any(
        "FORBID" in token.names and _forbids_buyer(tokens[:number], tokens[number + 1 :], token)
        for number, token in enumerate(tokens)
    )


@cache
def own() -> int:
    """Return the bits of a reason of the buyer's own."""
    return bits_of(OWN)


@cache
def excuses() -> int:
    """Return the bits of what excuses a shop, for the sentence that refers to it."""
    return bits_of(frozenset(EXCUSES))


def _at_fault(tokens: list[Token], text: str, start: int, end: int) -> Iterator[Token]:
    for number, token in enumerate(tokens):
        if "BUYER" in token.names and _is_cause(tokens[number + 1 :], token, text):
            yield token
        if "BUYER" in token.names and _by_himself(tokens[number + 1 :], token, text):
            yield token
        if "BUYER" in token.names and _is_his_conduct(tokens[number + 1 :], token, text):
            yield token
        if "BUYER" in token.names and _gave_falsely(tokens[number + 1 :], token, text, end):
            yield token
        if "FORBID" in token.names and _forbids_buyer(tokens[:number], tokens[number + 1 :], token):
            yield from _consequence(tokens[number + 1 :], text)
    for found in CARELESS.finditer(text, start, end):
        yield from (token for token in tokens if found.start() <= token.start < found.end())


def _is_cause(following: list[Token], buyer: Token, text: str) -> bool:
    """Whether because stands before or behind him, and what follows in the segment is his and was brought about."""
    if not (text.endswith(BECAUSE, 0, buyer.start) or text.startswith(BECAUSE, buyer.end)):
        return False
    if MERE_USE.match(text, buyer.end + next((len(word) for word in BECAUSE if text.startswith(word, buyer.end)), 0)):
        return False
    segment = [token for token in following if token.segment == buyer.segment]
    if not OWN_DOING.match(text, buyer.end) and any(token.names & NOT_HIS for token in segment):
        return False
    stop = max((token.end for token in segment), default=buyer.end)
    return CAUSED.search(text, buyer.end, stop + 4) is not None


def _by_himself(following: list[Token], buyer: Token, text: str) -> bool:
    """Whether what came about is said to be his own act: 您自己改了实名导致掉会员的."""
    if not HIMSELF.match(text, buyer.end):
        return False
    stop = max((token.end for token in following if token.segment == buyer.segment), default=buyer.end)
    return BROUGHT.search(text, buyer.end, stop + 2) is not None


def _is_his_conduct(following: list[Token], buyer: Token, text: str) -> bool:
    """Whether what nobody answers for is what users do or put out themselves, not what they bought."""
    if not text.endswith(SPOKEN_OF, 0, buyer.start):
        return False
    found = CONDUCT.match(text, buyer.end)
    if found is None:
        return False
    return not any(each.names & NOT_HIS for each in following if each.start < found.end())


def _gave_falsely(following: list[Token], buyer: Token, text: str, end: int) -> bool:
    """Whether the buyer owes true particulars, and what follows is that those were false."""
    if not GIVES.match(text, buyer.end):
        return False
    found = FALSELY_GIVEN.search(text, buyer.end, end)
    if found is None:
        return False
    return not any(each.names & STRONGER for each in following if each.start < found.end())


def _forbids_buyer(before: list[Token], after: list[Token], forbidden: Token) -> bool:
    """Whether the buyer must not do something that is no right of his."""
    parties = [token.names for token in before if token.names & {"BUYER", "SHOP", "MERCHANT", "PLATFORM"}]
    if not parties or "BUYER" not in parties[-1]:
        return False
    here = [token for token in after if token.segment == forbidden.segment]
    return not any(token.names & NOT_HIS for token in here)


def _consequence(after: list[Token], text: str) -> Iterator[Token]:
    for token in after:
        lead = text[max(0, token.start - 4) : token.end + 1]
        if REFERS.search(lead):
            yield token
            return
