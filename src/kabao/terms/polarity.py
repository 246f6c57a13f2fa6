"""What a sentence denies: each denial is bound to the word of content that it is about.

Two denials of one word cancel each other out (不得拒绝退款); words without content of their own let a denial pass
(不支持任何形式的退款); words listed with a denied one are denied too (不退款、换货); what stands only before the act is
passed over (不得就订单向法院起诉); a denial with nothing after it is about what stands before (退换均不支持).
"""

import re
from itertools import pairwise
from typing import Final

from kabao.terms.model import Token

JOINING: Final = "、 和 或 及 与 以及 或者 / 也 也不 and or & + 又 等 或者是 、或"
BETWEEN: Final = re.compile(
    "[^的,。;:、]{0,2}(?:(?:、|或者?|以及|及|和|与)[^的,。;:、]{0,4})*(?:、|或者?|以及|及|和|与)"
)
JOINED_BESIDE: Final = frozenset({"与", "和", "及", "或", "、", "/", "以及", "或者"})
JOINING_WORDS: Final = frozenset({"或", "或者", "及", "以及", "和", "or", "and"})
LISTS: Final = frozenset(JOINING.split()) | {""}
NEGATORS: Final = frozenset({"NEG", "FORBID", "REFUSE"})
CONTENT_FREE: Final = frozenset(
    {
        "OFFER", "MAY", "MUST", "ALLCASES", "BUYER", "SHOP", "PLATFORM", "MERCHANT", "GUARDIAN", "IF", "THEN", "ONLY",
        "TIME", "PERCENT", "MONEY", "MULTIPLE", "TIMES", "BUT", "SOLE", "RECOMMEND", "LIGHT", "ANYTIME", "FORCED",
        "VAGUE_TIME", "VAGUE_AMOUNT", "VAGUE_TRIGGER",
    }
)  # fmt: skip
PREDICATES: Final = frozenset(
    {
        "REFUND", "EXCHANGE", "SERVICE", "LIABLE", "COMPENSATE", "PUNISH", "SUE", "CANCEL", "MODIFY", "SHARE",
        "DEDUCT", "INTERVENE", "DEEM", "CLEAR", "FREEZE", "INTERPRET", "RENEW", "UNRELATED", "SELFBEAR", "CLAIM",
    }
)  # fmt: skip
REMEDIES: Final = frozenset({"REFUND", "EXCHANGE", "SERVICE", "COMPENSATE", "LIABLE", "CLAIM"})
DENIED_FROM_AFAR: Final = PREDICATES - {"SELFBEAR", "UNRELATED"}
NOT_OWED: Final = frozenset(
    {"不承担", "不负", "不支持", "不提供", "不办理", "不享有", "无权", "不得", "不予", "概不", "恕不"}
)
SAID_BACK: Final = frozenset({"不适用于", "不及于"})
"""Denials of what stands before them, whatever follows: 无理由退货不适用于本店商品."""
AGAIN: Final = frozenset({"也", "亦", "且", "又", "、", "更"})
"""Words after which a denial is said once more instead of being taken back: 无义务也无能力追讨."""
COMPLETE: Final = frozenset({"不行", "没门", "没戏", "不可能"})
"""Denials that say all by themselves, so that no second one takes them back: 三次不行也不退."""
AIMED_AT: Final = PREDICATES | {"GUARANTEE"}
ACTED: Final = PREDICATES | {"REFUSE"}
PREPOSITIONS: Final = frozenset("就向对因以在从与将把按给为")
NOT_DONE: Final = frozenset({"未", "未曾", "尚未", "未能"})
"""Denials of what was done or came about; a term that refuses says 不, 概不, 恕不."""
NOT_AGREED: Final = frozenset({"不接受", "不认可", "不满意", "不愿意", "不需要", "不赞成"})
MARKS_TIME: Final = frozenset({"OVERDUE", "EXPIRE", "BEYOND", "THEN", "FIRST", "TIME_AFTER", "WITHIN", "TIME"})
ABOUT: Final = frozenset("就对向")
DENYING: Final = frozenset({"不", "不再", "不得", "不会", "不能", "不可", "不必", "无需", "无须", "概不", "恕不", "未"})
FARTHEST_ABOUT: Final = 2
FARTHEST_ABOUT_SAID: Final = 40
FARTHEST_DOUBLED: Final = 2
"""Characters between two denials that still cancel each other out."""
FARTHEST_ENDED: Final = 4
FARTHEST_DENIED: Final = 12


class _Reader:
    """Walks over a sentence's tokens once, with the denials that wait for their word."""

    def __init__(self, tokens: list[Token], text: str) -> None:
        self.tokens = tokens
        self.text = text
        self.pending: list[Token] = []
        self.last: Token | None = None
        self.within_ground = False
        self.has_ground = any("REASON_PP" in token.names for token in tokens)

    def read(self) -> None:
        for number, token in enumerate(self.tokens):
            if self.pending and token.segment != self.pending[-1].segment and not self._reaches_over(number, token):
                _bind_back(self.tokens[:number], self.pending)
                self.pending = []
            if self._passes(token):
                continue
            if not (self._in_ground(number, token) or self._denies(token) or self._is_free(token)):
                self._content(number, token)
        if self.pending:
            _bind_back(self.tokens, self.pending)

    def _is_free(self, token: Token) -> bool:
        """Whether the denial goes on to the next word; it ends at a promise that is about something (不对…作保证)."""
        promised = "GUARANTEE" in token.names and self.pending and _is_about(self.pending[-1], self.text)
        return is_free(token) and not promised

    def _reaches_over(self, number: int, token: Token) -> bool:
        """Whether what is denied comes only after a list of what it is about: 不对质量,包括来源,承担责任."""
        denial = self.pending[-1]
        if not _is_about(denial, self.text) or token.segment > denial.segment + FARTHEST_ABOUT:
            return False
        return not any(each.names & PREDICATES for each in self.tokens[:number] if each.start > denial.start)

    def _passes(self, token: Token) -> bool:
        """Whether a word only joins, or ends what was denied so far: 终止后 is no denial of what follows."""
        if "STILL" in token.names or (
            "THEN" in token.names
            and self.pending
            and self.pending[-1].names & {"REFUSE"}
            and (self.text[token.start : token.end] != "的" or token.start == self.pending[-1].end)
        ):
            self.pending, self.last = [], None
            return True
        return self.text[token.start : token.end] in JOINING_WORDS

    def _in_ground(self, number: int, token: Token) -> bool:
        """Pass over the ground that stands between what is forbidden and the refusal: 不得以没有录屏为由拒绝."""
        if "REASON_PP" in token.names:
            self.within_ground = False
            return True
        closes = self.has_ground and _closes(self.tokens, number)
        if self.within_ground and "REFUSE" in token.names and not closes:
            self.within_ground = False
        if "FORBID" in token.names and (closes or _refusal_follows(self.tokens, number, self.text)):
            self.within_ground = True
            self.pending.append(token)
            return True
        if not self.within_ground:
            return False
        return bool(token.names & {"NEG", "REFUSE"}) or (bool(self.pending) and not token.names & NEGATORS)

    def _denies(self, token: Token) -> bool:
        if not token.names & NEGATORS or (token.names & PREDICATES and self.pending):
            return False
        if self.pending and "REFUSE" not in token.names and token.start - self.pending[-1].end > FARTHEST_DOUBLED:
            self.pending = []
        if not self.pending and self.text[token.start : token.end] in SAID_BACK:
            _bind_back(self.tokens[: self.tokens.index(token)], [token])
            self.last = None
            return True
        if self.pending and (
            self.text[self.pending[-1].start : self.pending[-1].end] in COMPLETE
            or self.text[self.pending[-1].end : token.start] in AGAIN
        ):
            self.pending = []
        token.neg = bool(self.pending)
        self.pending.append(token)
        return True

    def _content(self, number: int, token: Token) -> None:
        if self.pending:
            denial = self.pending[-1]
            if _is_ground(self.tokens, number, denial, self.text):
                return
            if not token.names & PREDICATES and _qualifies(self.tokens, number, denial, self.text):
                return
            if not token.names & AIMED_AT and _aims_further(self.tokens, number, denial, self.text):
                return
            token.neg = len(self.pending) % 2 == 1 and _reaches(self.tokens, denial, token, self.text)
            token.fact = token.neg and self.text[denial.start : denial.end] in NOT_DONE
            self.pending, self.last = [], token
        elif self.last is not None and _listed(self.text, self.tokens, self.last, token):
            token.neg, self.last = self.last.neg, token
        else:
            self.last = None


def deny(tokens: list[Token], text: str) -> None:
    """Mark what a sentence denies."""
    _Reader(tokens, text).read()
    _end(tokens, text)


def is_free(token: Token) -> bool:
    """Whether a denial reaches over a word to the next one."""
    return bool(token.names & CONTENT_FREE) and not token.names & PREDICATES


def _end(tokens: list[Token], text: str) -> None:
    """Let what ends a remedy deny it (质保作废, 售后自动终止), not what stands beside it (退款与取消)."""
    for earlier, later in pairwise(token for token in tokens if token.names & REMEDIES or "ENDED" in token.names):
        is_near = earlier.segment == later.segment and 0 <= later.start - earlier.end <= FARTHEST_ENDED
        if text[earlier.end : later.start] in JOINED_BESIDE:
            continue
        if is_near and "ENDED" in later.names and not later.neg and earlier.names & REMEDIES and not earlier.neg:
            earlier.neg = True


def _is_ground(tokens: list[Token], number: int, denial: Token, text: str) -> bool:
    """Whether a word only tells why the later act is not done: 不会因为差评或者投诉取消质保."""
    if not (text.startswith(("因", "由于"), denial.end) or _is_about(denial, text)):
        return False
    segment = tokens[number].segment
    return any(each.segment == segment and each.names & ACTED for each in tokens[number + 1 :])


def _qualifies(tokens: list[Token], number: int, denial: Token, text: str) -> bool:
    """Whether a noun only says of what kind the duty right after it is: 免除质量担保义务."""
    if not (denial.names & {"REFUSE"} or text[denial.start : denial.end] in NOT_OWED):
        return False
    if tokens[number].names & {"NO_REASON", "UNSUBSCRIBE"}:
        return False
    for token, following in pairwise(tokens[number:]):
        if following.start != token.end:
            return False
        if following.names & REMEDIES:
            return True
    return False


def _aims_further(tokens: list[Token], number: int, denial: Token, text: str) -> bool:
    """Whether a noun stands in a phrase before the act that is denied: 不得就订单向法院起诉."""
    if text[denial.end : denial.end + 1] not in PREPOSITIONS:
        return False
    if _is_about(denial, text):
        limit = denial.segment + FARTHEST_ABOUT
        return any(each.names & AIMED_AT for each in tokens[number + 1 :] if each.segment <= limit)
    return any(each.names & PREDICATES for each in tokens[number + 1 :] if each.segment == denial.segment)


def _closes(tokens: list[Token], number: int) -> bool:
    """Whether 为由 stands further on, in this segment or the next."""
    limit = tokens[number].segment + 1
    return any("REASON_PP" in token.names for token in tokens[number + 1 :] if token.segment <= limit)


def _refusal_follows(tokens: list[Token], number: int, text: str) -> bool:
    """Whether a ground stands between what is forbidden and the refusal: 不得因差评拒绝售后."""
    token = tokens[number]
    return text[token.end : token.end + 1] in "以因" and any(
        "REFUSE" in each.names for each in tokens[number + 1 :] if each.segment == token.segment
    )


def _reaches(tokens: list[Token], denial: Token, token: Token, text: str) -> bool:
    """Whether a denial is near enough, and not spent on what only describes the word: 无可争议的解释权."""
    gap = token.start - denial.end - _covered(tokens, denial.end, token.start)
    if _is_about(denial, text):
        return gap <= FARTHEST_ABOUT_SAID
    described = text.rfind("的", denial.end, token.start)
    if _is_condition_over(tokens, denial, token, text):
        return False
    if described < 0:
        return gap <= FARTHEST_DENIED
    spent = described - denial.end - _covered(tokens, denial.end, described)
    return spent < FARTHEST_DOUBLED and gap <= FARTHEST_DENIED


def _is_about(denial: Token, text: str) -> bool:
    """Whether a denial is followed by what it is about before what it denies: 不对…负责, 不就…投诉."""
    return text[denial.end : denial.end + 1] in ABOUT and text[denial.start : denial.end] in DENYING


def _is_condition_over(tokens: list[Token], denial: Token, token: Token, text: str) -> bool:
    """Whether 的 or 者 made the denial a condition that ends before the act: 不接受的可以注销并退还余额."""
    described = max(text.rfind(mark, denial.end, token.start) for mark in "的者")
    if described < 0:
        return False
    if text[denial.start : described] in NOT_AGREED:
        return True
    between = [each for each in tokens if described < each.start and each.end <= token.start]
    return any(each.names & {"MAY", "SHOP", "PLATFORM", "MERCHANT"} for each in between)


def _covered(tokens: list[Token], start: int, end: int) -> int:
    """How many characters of a stretch are words of the lexicon."""
    return sum(each.end - each.start for each in tokens if start <= each.start < end)


def _listed(text: str, tokens: list[Token], last: Token, token: Token) -> bool:
    between = text[last.end : token.start]
    if last.segment != token.segment or len(between) > FARTHEST_DENIED:
        return False
    if not between and (bool(last.names & PREDICATES) != bool(token.names & PREDICATES) or "DEFINED" in token.names):
        return False
    for each in tokens:
        if last.end <= each.start < token.start and "IF" in each.names and each.end - each.start > 1:
            return False
        if last.end <= each.start and each.end <= token.start and text[each.start : each.end] != "的":
            between = between.replace(text[each.start : each.end], "", 1)
    joined = between.strip()
    alike = bool(joined) or bool(last.names & PREDICATES) == bool(token.names & PREDICATES)
    return alike and (joined in LISTS or BETWEEN.fullmatch(joined) is not None)


def _bind_back(tokens: list[Token], pending: list[Token]) -> None:
    """Let a denial after which nothing comes deny what stands before it: 退换均不支持; 没录屏免谈 stays without one."""
    if len(pending) % 2 == 0 or "ALONE_NEG" not in pending[-1].names:
        return
    segment = pending[0].segment
    near = [
        token
        for token in tokens
        if token.segment == segment and not (is_free(token) or token.names <= MARKS_TIME) and token not in pending
    ]
    if not near:
        near = [token for token in tokens if token.segment == segment - 1 and token.names & DENIED_FROM_AFAR][-2:]
    acts = [token for token in near if token.names & PREDICATES] or near[-1:]
    for token in acts:
        token.neg = not token.neg or not token.names & PREDICATES
