"""What is named only to say that it does not matter, or that it is one example: 不论A还是B, 包括但不限于….

Such words limit nothing and excuse nobody; what each concept holds is in the lexicon.
"""

import re
from itertools import pairwise
from typing import Final

from kabao.terms.bits import bit, bits_of
from kabao.terms.model import Sentence, Token

WIDENING: Final = re.compile("(?:不论|无论|不管|不分|甭管|任凭).*(?:还是|或|与否|是否|是不是|什么|何种|哪)")
WIDENED: Final = re.compile("不论|无论|不管|不分|甭管|任凭|管他|管你")
GOES_ON: Final = ("还是", "或者", "或是", "抑或", "亦或", "也不论", "也不管", "或")
WIDENERS: Final = frozenset({"ALLCASES", "CONCESSIVE"})
NOT_HIS_DOING: Final = frozenset({"DEFECT", "BAN", "SHOP", "MERCHANT", "PLATFORM", "STOCK", "LATE", "ENDED", "INTENT"})
LIMITING: Final = frozenset(
    {"DIGITAL_LEGAL", "THISITEM", "SEALED", "CUSTOM", "ACCOUNT_GOODS", "CODE_GOODS", "SERVICE_GOODS"}
)
LISTS: Final = re.compile(r"[(\[, ]*(?:即)?(?:包括|包含|含|诸如|例如|比如|譬如|including|such as)(?!在内)")
EXCUSED: Final = frozenset({"OWN_REASON", "BUYER_FAULT", "LAW_BREACH", "FORCE_MAJEURE", "LINKS", "MALICE", "FAKE"})
EXAMPLES: Final = EXCUSED | LIMITING
LOOKED_AT: Final = frozenset({"VIEWED", "USED"})
LINKED: Final = re.compile("[^,。;:]{0,2}(?:、|或者?|以及|及|和)[^,。;:]{0,2}")
GOODS_FAIL: Final = re.compile("无法|不能|用不了|无效|失效|面值|发错|漏发|缺货|没货|已被|不符|封|质量|打不开|到账")
HAPPENING: Final = frozenset({"LOSS", "DISPUTES", "DEFECT", "BAN"})


def pass_over(sentence: Sentence, text: str, held: int) -> None:
    """Let whatever a sentence only widens by limit nothing and excuse nobody."""
    if held & bit("DEFECT") and held & bits_of(EXCUSED):
        _list_both(sentence.tokens, text)
    if not held & bits_of(WIDENERS):
        return
    if held & bits_of(EXAMPLES):
        _list_all(sentence, text)
        _list_along(sentence.tokens, text)
    _widen(sentence, text, LIMITING | LOOKED_AT if held & bit("NO_REASON") else LIMITING)


def rename(token: Token, names: frozenset[str]) -> None:
    """Let a word mean other concepts than the lexicon says."""
    token.names = names
    token.bits = bits_of(names)


def lists(sentence: Sentence, number: int, text: str) -> bool:
    """Whether a segment only names examples of what the one before it says: 包括但不限于封号、回收."""
    start, end = sentence.segments[number]
    return number > 0 and LISTS.match(text, start, end) is not None


def _list_all(sentence: Sentence, text: str) -> None:
    """Let examples of whatever happens excuse nobody: 任何问题(包括但不限于封号、操作不当)."""
    for number in range(1, len(sentence.segments)):
        if not lists(sentence, number, text):
            continue
        before = [token for token in sentence.tokens if token.segment == number - 1]
        earlier = (token for token in sentence.tokens if token.segment < number)
        if any(token.names & WIDENERS for token in before) and not any(token.names & EXAMPLES for token in earlier):
            for token in sentence.tokens:
                if token.segment == number and token.names & EXAMPLES:
                    rename(token, token.names - EXAMPLES)


def _list_along(tokens: list[Token], text: str) -> None:
    """Let what is listed with any loss excuse nobody: 发生的任何损失、诈骗、货不对板."""
    widened = listed = False
    segment = -1
    for token in tokens:
        if token.segment != segment:
            segment, widened, listed = token.segment, False, False
        widened = widened or bool(token.names & WIDENERS)
        listed = listed or (widened and bool(token.names & HAPPENING))
        is_excuse = bool(token.names & EXCUSED) and not token.names & {"LOSS", "DISPUTES"}
        if listed and is_excuse and text[token.start - 1] in "、或":
            rename(token, token.names - EXCUSED)


def _list_both(tokens: list[Token], text: str) -> None:
    """Let a reason of one's own excuse nobody where it is listed with a defect: 不合心意、无法使用等情况."""
    for one, other in pairwise(tokens):
        if one.segment != other.segment or not LINKED.fullmatch(text, one.end, other.start):
            continue
        fails = [each for each in (one, other) if _fails(each, text)]
        own = [each for each in (one, other) if each not in fails and each.names & EXCUSED]
        if fails and own and not _buyers(tokens, own[0]):
            rename(own[0], own[0].names - EXCUSED)


def _fails(token: Token, text: str) -> bool:
    return "DEFECT" in token.names and GOODS_FAIL.search(text, token.start, token.end) is not None


def _buyers(tokens: list[Token], own: Token) -> bool:
    """Whether the buyer is named before a reason in its segment."""
    return any("BUYER" in each.names for each in tokens if each.segment == own.segment and each.start < own.start)


def _widen(sentence: Sentence, text: str, limiting: frozenset[str]) -> None:
    """Let 不论A还是B limit nothing: what stands in it is named only to say that it does not matter."""
    widening = set[int]()
    for number, (start, end) in enumerate(sentence.segments):
        said = text[start:end].lstrip()
        goes_on = number - 1 in widening and said.startswith(GOES_ON)
        if goes_on or WIDENING.match(said) or (WIDENED.match(said) and _goes_on(sentence, number, text)):
            widening.add(number)
    if not widening:
        return
    inside = [token for token in sentence.tokens if token.segment in widening]
    if any(token.names & NOT_HIS_DOING and not token.names & EXCUSED for token in inside):
        limiting |= EXCUSED
    for token in inside:
        if token.names & limiting:
            rename(token, token.names - limiting)


def _goes_on(sentence: Sentence, number: int, text: str) -> bool:
    """Whether the segment after names the other case: 不管是您不想要了,还是我们发错了."""
    if number + 1 >= len(sentence.segments):
        return False
    start, end = sentence.segments[number + 1]
    return text[start:end].lstrip().startswith(GOES_ON)
