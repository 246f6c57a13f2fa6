"""Read a sentence as frames: segments, what is denied, who acts, under which condition, with which exception."""

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Final

from kabao.terms.bits import bit, bits_of, width
from kabao.terms.causes import own_causes
from kabao.terms.model import NOBODY, Frame, Quantity, Sentence, Token
from kabao.terms.packed import packed
from kabao.terms.polarity import PREDICATES, REMEDIES, deny
from kabao.terms.scopes import grant, held_by, narrow, reported
from kabao.terms.widening import lists

SEGMENT_END: Final = re.compile(r"[,:()|\[\]]")
OPENING, CLOSING = frozenset("“《"), frozenset("”》")
QUOTE: Final = re.compile("[“《”》]")
PARTIES: Final = ("BUYER", "SHOP", "MERCHANT", "PLATFORM", "GUARDIAN", "PUBLIC")
STRONG: Final = frozenset({"SHOP", "MERCHANT", "PLATFORM"})
NOT_ACTING: Final = re.compile(
    "[对向给为与和就从替被经因及在](?:任何|任意|有关|相关|当地|其他|其它|各级|上级|上述|第三方|您的|其|该)*$"
)
SPOKEN_OF: Final = frozenset("对向给为与和就从替被经因及在何意关地他它级述方的其该")
"""What such words end in, so that most parties are passed over without a search."""
FARTHEST_PREPOSITION: Final = 7
ISSUED: Final = re.compile(
    "(?:依法)?(?:立案|受案|出具|开具|证明|通知书|回执|判决|裁定|文书|盖章|认可的|鉴定|检测|签发|核发)"
)
HANDED_IN: Final = re.compile("(?:提供|提交|出示|取得|持有?|凭|附上|寄送|上传)$")
SAID: Final = re.compile("[会再来]?(?:说|写|讲|标|搞|玩|挂)[^,。;“”]{0,4}“")
"""Words that are said not to be said: 我们从来不说“售出不退”."""
CAUSES: Final = frozenset({"因", "由于", "对于", "对", "针对"})
BORNE: Final = frozenset({"SELFBEAR", "LIABLE"})
GROUNDS: Final = re.compile("(?:根据|按照|依据|因|由于|配合)[^,。;]{0,16}$")
GROUNDS_REACH: Final = 18
"""Characters of its longest match: nothing before them is looked through."""
PLAN_SAID: Final = re.compile("账?号?[,:]?(?:长期|长久|永久|终身|一直|稳定|有效|不掉|包稳|质保)")
LONGEST_CONDITION: Final = 3
SHORT_SEGMENT: Final = 6
FARTHEST_SPEECH: Final = 5
MODALS: Final = frozenset({"MAY", "MUST", "ONLY", "RECOMMEND", "OFFER", "FORBID"})
NOUNS: Final = frozenset({"VIRTUAL", "CONTRACT", "GIFT", "BALANCE", "PLAN"})
PLANS: Final = frozenset({"PLAN"})
NAMED: Final = re.compile(
    r"的?(?:情况|情形|政策|声明|规则|说明|须知|条款|范围|公告|事项|项目|清单|条件)(?:说明|如下)?[\s:)\]。;]*$"
)
"""How a heading ends that only names what is told below it: 不可退款的情形."""
ADOPTS: Final = re.compile("实行|执行|采[用取]|遵[循守]|坚持|奉行|适用|[是为属按]")
REMARKED: Final = re.compile(
    "[^“”]{0,12}”(?:[^,。;]{0,4}?(?:是|属于)|等(?:说法|字样|标语|话术|话|表述|类似|霸王)|之类|这[类种些样])"
)
"""What is said about quoted words that are not one's own: “售出不退”是常见的说法."""
SWEEPING: Final = frozenset({"SOLD", "ALLCASES", "SHOP", "PLATFORM"})
WILL_NOT: Final = frozenset({"不会", "不", "绝不", "决不"})
OPENERS: Final = frozenset({"IF", "EXC_OPEN"})
MARKERS: Final = frozenset({"IF", "THEN", "EXPIRE", "EXC_OPEN", "EXC_CLOSE"})


def read(sentence: Sentence, text: str, anchors: frozenset[str], inherited: str) -> str:
    """Fill a sentence's segments and frames; return who acts at its end, for the next sentence."""
    _segment(sentence, text)
    own_causes(sentence.tokens, text, sentence.start, sentence.end)
    held = held_by(sentence)
    narrow(sentence, text, held)
    deny(sentence.tokens, text)
    grant(sentence, text, held)
    tokens = sentence.tokens
    sentence.everything = _bits(tokens) | _derived(tokens)
    anchored = bits_of(anchors)
    if not any(token.bits & anchored for token in tokens):
        return _actor(tokens, inherited, text)
    excepted = _exceptions(sentence, text)
    meta = _meta(sentence, text)
    by_segment: list[list[Token]] = [[] for _ in sentence.segments]
    for token in tokens:
        by_segment[token.segment].append(token)
    segments = [
        _Segment(
            segment,
            excepted,
            is_condition=_is_condition(sentence, number, by_segment, text),
            is_label=text[sentence.segments[number][1] - 1] == ":" or lists(sentence, number, text),
        )
        for number, segment in enumerate(by_segment)
    ]
    exceptions = _bits(token for token in tokens if id(token) in excepted)
    actor = inherited
    for token in tokens:
        if token.bits & anchored and (id(token) not in excepted or "VAGUE_TRIGGER" in token.names):
            sentence.frames.append(_frame(sentence, token, segments, exceptions, actor, meta, text))
        if token.bits & parties():
            actor = _actor((token,), actor, text)
    for start, end in reported(sentence, text, held):
        for frame in sentence.frames:
            frame.meta = frame.meta or start <= frame.token.start < end
    _share_conditions(sentence.frames)
    return actor


def _derived(tokens: list[Token]) -> int:
    """Return the concepts made by one word before another in a segment."""
    found = 0
    for name, first, second in packed().derived:
        ends = {token.segment: token.end for token in reversed(tokens) if first in token.names}
        if ends and any(
            second in token.names and not token.neg and ends.get(token.segment, token.end) < token.end
            for token in tokens
        ):
            found |= bit(name)
    return found


def _segment(sentence: Sentence, text: str) -> None:
    """Part the sentence at commas, colons, brackets, and before 但."""
    cuts = {found.end() for found in SEGMENT_END.finditer(text, sentence.start, sentence.end)}
    cuts.update(token.start for token in sentence.tokens if "BUT" in token.names)
    edges = sorted(cut for cut in cuts if sentence.start < cut < sentence.end)
    sentence.segments = list(zip([sentence.start, *edges], [*edges, sentence.end], strict=True))
    number, depth = 0, 0
    scanned = sentence.start
    quotes = bool(QUOTE.search(text, sentence.start, sentence.end))
    for token in sentence.tokens:
        while token.start >= sentence.segments[number][1]:
            number += 1
        token.segment = number
        if quotes:
            for character in text[scanned : token.start]:
                depth += (character in OPENING) - (character in CLOSING)
            scanned = token.start
            token.quoted = depth > 0


def _exceptions(sentence: Sentence, text: str) -> set[int]:
    """Return the tokens (by identity) that the sentence takes out of its rule: 除…外, …的除外."""
    taken: set[int] = set()
    tokens = sentence.tokens
    for number, token in enumerate(tokens):
        if "EXC_CLOSE" in token.names:
            opening = next(
                (
                    each
                    for each in reversed(range(number))
                    if "EXC_OPEN" in tokens[each].names and tokens[each].segment >= token.segment - LONGEST_CONDITION
                ),
                None,
            )
            after = text[token.end : token.end + 4]
            if opening is not None:
                if "还" in after or "也" in after:
                    continue
                taken.update(id(each) for each in tokens[opening:number])
            elif text[token.start : token.end] != "外":
                first = token.segment - (
                    sentence.segments[token.segment][1] - sentence.segments[token.segment][0] < SHORT_SEGMENT
                )
                taken.update(id(each) for each in tokens[:number] if each.segment >= first)
        elif text[token.start : token.end] in {"除非", "unless", "except"} or _only_but(sentence, token, text):
            taken.update(id(each) for each in tokens[number:] if each.segment == token.segment)
    return taken


def _only_but(sentence: Sentence, token: Token, text: str) -> bool:
    """Whether 除了 takes something out of the rule, and nothing is added to it: 除了…, 还…."""
    if text[token.start : token.end] != "除了" or any("EXC_CLOSE" in each.names for each in sentence.tokens):
        return False
    end = sentence.segments[token.segment][1]
    return not re.match("[^,。;]{0,4}[还也更]", text[end : end + 6])


def _meta(sentence: Sentence, text: str) -> int:
    """Return from where on the sentence forbids, judges or denies such terms instead of making one, or -1.

    What the stronger side must not do, what a notice must not say, and what "不等于" or "不会要求" takes back.
    """
    tokens = sentence.tokens
    held = sentence.everything | sentence.everything >> width()
    if held & bit("DISOWN") or (sentence.everything & bit("VOIDWORD") and held & remedies()):
        return sentence.start
    if not held & denials():
        return -1
    party = NOBODY
    for number, token in enumerate(tokens):
        party = next((each for each in PARTIES if each in token.names), party)
        if "EITHER" in token.names:
            party = NOBODY
        if "NOTEQ" in token.names:
            return token.end
        if "FORBID" in token.names and (
            (party in STRONG and not _silences_merchant(tokens[number:]))
            or any(each.quoted for each in tokens[number:])
        ):
            return token.end
        if ("FORBID" in token.names and party != "BUYER") or "NEG" in token.names:
            following = tokens[number + 1 : number + FARTHEST_SPEECH]
            on_grounds = party in STRONG and _on_grounds(tokens[number + 1 :], token, text)
            speech = token.end if on_grounds else _speech(following, token, text)
            if speech >= 0:
                return speech
    return -1


def _on_grounds(following: list[Token], denial: Token, text: str) -> bool:
    """Whether the stronger side says on which ground it will not act: 我们不会以缺货为由."""
    if text[denial.start : denial.end] not in WILL_NOT or text[denial.end : denial.end + 1] not in {"以", "因", "再"}:
        return False
    return any("REASON_PP" in each.names and each.segment == denial.segment for each in following)


def _speech(following: list[Token], denial: Token, text: str) -> int:
    """Return where a denial takes back what somebody would say or press for: 禁止标注, 不会要求; or -1."""
    forbids = "FORBID" in denial.names
    said = SAID.match(text, denial.end)
    if said is not None:
        return said.end()
    if forbids and any("HINDER" in each.names and each.segment == denial.segment for each in following):
        return denial.end
    for each in following:
        if each.segment != denial.segment:
            break
        if "PRESSING" in each.names and not forbids:
            return each.end
        if "STATE" in each.names and (
            (forbids and _long_word(each)) or text[each.end : each.end + 1] in {"“", ":", "《"}
        ):
            return each.end
        if each.names & PREDICATES:
            break
    return -1


def _silences_merchant(tokens: list[Token]) -> bool:
    """Whether what is forbidden is to object or to take back one's consent, which is a term against the weaker side."""
    return any(token.names & {"APPEAL", "UNCONDITIONAL", "UNSUBSCRIBE"} for token in tokens[1:4])


def _long_word(token: Token) -> bool:
    return token.end - token.start > 1


def _is_condition(sentence: Sentence, number: int, by_segment: list[list[Token]], text: str) -> bool:
    """Whether a segment says when something happens, and a later one what."""
    segment = by_segment[number]
    if number == len(by_segment) - 1 or not segment:
        return False
    start, end = sentence.segments[number]
    if text[end - 1] == ":":
        return False
    if text[start:end].rstrip(", ").endswith(("的", "者", "情况", "情形", "的问题")):
        return True
    acts = [each for each in segment if each.names & PREDICATES]
    marks = [each.start for each in segment if "THEN" in each.names and text[each.start : each.end] != "的"]
    if marks and any(each.start > marks[-1] and (each.quantity or each.names & PREDICATES) for each in segment):
        return False
    if marks or not acts:
        return bool(marks) or bool(segment[0].names & OPENERS)
    later = any(each.names & PREDICATES for following in by_segment[number + 1 :] for each in following)
    return later and bool(segment[0].names & OPENERS) and not _tells_who_bears(segment, acts, text)


def _tells_who_bears(segment: list[Token], acts: list[Token], text: str) -> bool:
    """Whether a segment that begins with a cause also says who bears what came of it: 因…产生的损失由您承担."""
    if text[segment[0].start : segment[0].end] not in CAUSES or not any(each.names & BORNE for each in acts):
        return False
    described = text.find("的", segment[0].end, acts[-1].start)
    return described >= 0


class _Segment:
    """A segment's tokens, what they mean together, and how it stands to its neighbours."""

    __slots__ = ("asserts", "held", "is_condition", "is_label", "modal", "opens", "tokens")

    def __init__(self, tokens: list[Token], excepted: set[int], *, is_condition: bool, is_label: bool) -> None:
        self.tokens = [token for token in tokens if id(token) not in excepted] if excepted else tokens
        self.held = _bits(self.tokens)
        self.is_condition = is_condition
        self.is_label = is_label
        acting, banned = predicates(), bit("BAN")
        self.asserts = not (is_condition or is_label) and any(
            token.bits & acting and not token.bits & banned for token in tokens
        )
        self.opens = _opens(tokens)
        self.modal = _names(tokens) & MODALS


def _describes(sentence: Sentence, token: Token, text: str) -> bool:
    """Whether a denied remedy refuses nothing: it did not happen (未处理), or tells which goods (不退换的商品)."""
    if not (token.neg and token.names & REMEDIES):
        return False
    if token.fact or _is_named(sentence, token, text):
        return True
    noun = token.end + (text[token.end : token.end + 1] == "的")
    names = next((each.names for each in sentence.tokens if each.start == noun), frozenset())
    return bool(names & (NOUNS if noun > token.end else PLANS))


def _is_named(sentence: Sentence, token: Token, text: str) -> bool:
    """Whether a refusal is only named, by a heading or as words in quotes of which something is said."""
    if token.quoted and REMARKED.match(text, token.end):
        return not sentence.everything & bits_of(STRONG)
    if not NAMED.match(text, token.end, sentence.end) or sentence.everything & bits_of(SWEEPING):
        return False
    return ADOPTS.search(text, sentence.start, token.start) is None


def _frame(
    sentence: Sentence, token: Token, segments: list[_Segment], exceptions: int, actor: str, meta: int, text: str
) -> Frame:
    number = token.segment
    first, last = _reach(segments, number)
    before = after = 0
    quantities: list[Quantity] = []
    for segment in segments[first:number]:
        before |= segment.held
    for segment in segments[number + 1 : last + 1]:
        after |= segment.held
    denied = width()
    for each in segments[number].tokens:
        held = each.bits << denied if each.neg else each.bits
        if each.start < token.start:
            before |= held
        elif each is not token:
            after |= held
    for segment in segments[first : last + 1]:
        quantities += [each.quantity for each in segment.tokens if each.quantity]
    near = before | after
    for neighbour in (first - 1, last + 1):
        if 0 <= neighbour < len(segments):
            near |= segments[neighbour].held
    return Frame(
        sentence=sentence,
        token=token,
        act=token.names,
        own_act=None,
        neg=token.neg,
        before=before,
        after=after,
        scope=before | after,
        near=near,
        exceptions=exceptions,
        modal=segments[number].modal,
        actor=actor,
        quantities=tuple(quantities),
        conditional=segments[number].is_condition or _describes(sentence, token, text),
        meta=0 <= meta <= token.start,
        item=False,
        segment=number,
        start=sentence.segments[first][0],
        end=max(sentence.segments[number][1], token.end),
    )


def _reach(segments: list[_Segment], number: int) -> tuple[int, int]:
    """Return the first and last segment that belong to what one segment says."""
    first = last = number
    while first > 0 and not segments[first - 1].asserts:
        first -= 1
    while last + 1 < len(segments) and not segments[last + 1].asserts:
        if segments[last + 1].opens and not segments[last].is_label:
            break
        last += 1
    return first, last


def _opens(segment: list[Token]) -> bool:
    """Whether a segment begins a new condition or a turn."""
    if not segment or segment[0].bits & bit("ALLCASES"):
        return False
    then = bit("THEN")
    return bool(segment[0].bits & turns()) or any(each.bits & then for each in segment)


def _share_conditions(frames: list[Frame]) -> None:
    """A later act of the same kind stands under the condition stated once: 卡密发出后,不退,不换."""
    for earlier, later in pairwise(frames):
        if (
            later.segment > earlier.segment
            and later.neg == earlier.neg
            and not later.before & markers()
            and later.act & REMEDIES
            and earlier.act & REMEDIES
            and not later.before & (bit("BUT") | bit("NO:BUT"))
        ):
            later.before = later.before | earlier.before
            later.scope = later.scope | earlier.before
            later.near = later.near | earlier.before
            later.exceptions = later.exceptions | earlier.exceptions
            later.quantities = (*earlier.quantities, *later.quantities)


def _actor(tokens: Iterable[Token], inherited: str, text: str) -> str:
    """Return the last party named that is not only spoken of (对您, 向平台): the reading order's subject."""
    found = inherited
    for token in tokens:
        party = next((each for each in PARTIES if each in token.names), NOBODY)
        if not party or _is_spoken_of(token, party, text) or _is_plan(token, text):
            continue
        near = max(0, token.start - GROUNDS_REACH)
        if not (party == "PUBLIC" and found in STRONG and GROUNDS.search(text, near, token.start)):
            found = party
    return found or NOBODY


def _is_spoken_of(token: Token, party: str, text: str) -> bool:
    """Whether a party does not act where it is named: 对您, 向任何平台, 提交公安机关出具的证明."""
    if text[token.start - 1 : token.start] in SPOKEN_OF and NOT_ACTING.search(
        text, max(0, token.start - FARTHEST_PREPOSITION), token.start
    ):
        return True
    handed_in = party == "PUBLIC" and HANDED_IN.search(text, max(0, token.start - 4), token.start)
    return bool(handed_in) or (party == "PUBLIC" and ISSUED.match(text, token.end) is not None)


def _is_plan(token: Token, text: str) -> bool:
    """Whether 会员 is what is sold, told by what is said of it (会员长期有效), and nobody who acts."""
    return "SUBSCRIBE" in token.names and PLAN_SAID.match(text, token.end) is not None


def _names(tokens: Iterable[Token]) -> frozenset[str]:
    names: set[str] = set()
    for token in tokens:
        if not token.neg:
            names |= token.names
    return frozenset(names)


def _bits(tokens: Iterable[Token]) -> int:
    held = 0
    denied = width()
    for token in tokens:
        held |= token.bits << denied if token.neg else token.bits
    return held


@cache
def predicates() -> int:
    """Return the bits of every act that a term may be about."""
    return bits_of(PREDICATES)


@cache
def turns() -> int:
    """Return the bits of what opens a condition or a turn."""
    return bits_of(frozenset({"IF", "BUT", "EXC_OPEN"}))


@cache
def remedies() -> int:
    """Return the bits of every remedy."""
    return bits_of(REMEDIES)


@cache
def denials() -> int:
    """Return the bits of what a sentence must hold to forbid or to take back."""
    return bits_of(frozenset({"FORBID", "NEG", "NOTEQ"}))


@cache
def parties() -> int:
    """Return the bits of whoever may act."""
    return bits_of(frozenset(PARTIES))


@cache
def markers() -> int:
    """Return the bits of what marks a condition."""
    return bits_of(MARKERS)
