"""Clauses on one topic whose values cannot both hold, inside a document or between several; and which prevails."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

from kabao.terms.bits import bit
from kabao.terms.matching import Compiled, compiled, matches
from kabao.terms.model import Finding, FindingClass, Frame, Kind, Quantity, Severity, Spot
from kabao.terms.packed import Topic, packed
from kabao.terms.spots import Reading

MOST_STATEMENTS: Final = 40
"""Of one topic that are compared with each other; a document that says more is told of the first."""
LONG: Final = "LONG"
YES, NO = "yes", "no"
CUSTOM: Final = "custom"
"""Goods made to order, which by law are an exception to what is said of all."""
GIVEN_SO: Final = frozenset({"machine", "hand"})
GIVEN_BY: Final = frozenset({"by machine", "by hand"})
ALWAYS: Final = frozenset({"jurisdiction"})
MONTH: Final = 28 * 86400
HUNDRED, UNEVEN = 100, 3
"""Percent by which months and years differ from the same time in days."""
UNITS: Final = frozenset({"TIME", "PERCENT", "MONEY", "MULTIPLE", "TIMES"})


class Statement(NamedTuple):
    """What a clause says on a topic, and for which case; no case is every case."""

    topic: Topic
    case: str
    value: str
    shown: str
    spot: Spot
    kind: Kind
    document: int
    paragraph: int
    about: frozenset[str]
    """Which goods or plans it speaks of; none is all of them."""
    is_exception: bool
    is_promise: bool
    is_void: bool


@cache
def _topics() -> tuple[tuple[Topic, tuple[Compiled, ...]], ...]:
    return tuple((topic, tuple(map(compiled, topic.says))) for topic in packed().topics)


@cache
def _by_act() -> dict[str, tuple[tuple[Topic, Compiled], ...]]:
    table: dict[str, list[tuple[Topic, Compiled]]] = {}
    for topic, rules in _topics():
        for rule in rules:
            for act in rule.rule.act:
                table.setdefault(act, []).append((topic, rule))
    return {act: tuple(rules) for act, rules in table.items()}


def find(readings: Sequence[Reading], found: Sequence[Finding]) -> list[Finding]:
    """Return the clauses that contradict each other, by topic, at the one that yields.

    A term already ``found`` void needs no rule of its own document to yield to; a promise made elsewhere it contradicts
    all the same.
    """
    void: dict[int, list[tuple[int, int]]] = {}
    for finding in found:
        if finding.kind is FindingClass.VOID:
            void.setdefault(finding.document, []).append((finding.start, finding.end))
    by_topic: dict[str, list[Statement]] = {}
    for reading in readings:
        for statement in _statements(reading, sorted(void.get(reading.number, []))):
            said = by_topic.setdefault(statement.topic.id, [])
            if len(said) < MOST_STATEMENTS:
                said.append(statement)
    return [_finding(cluster) for said in by_topic.values() for cluster in _clusters(said)]


def _clusters(said: list[Statement]) -> Iterator[list[Statement]]:
    """Yield the statements that contradict each other, all that hang together at once."""
    left = list(range(len(said)))
    while left:
        cluster, waiting = [], [left.pop(0)]
        while waiting:
            one = waiting.pop()
            cluster.append(one)
            joined = [other for other in left if _contradict(said[one], said[other])]
            left = [other for other in left if other not in joined]
            waiting += joined
        if len(cluster) > 1:
            yield [said[each] for each in sorted(cluster)]


def _statements(reading: Reading, void: Sequence[tuple[int, int]] = ()) -> Iterator[Statement]:
    table = _by_act()
    for sentence in reading.sentences:
        seen: set[tuple[str, str]] = set()
        for frame in sentence.frames:
            if frame.meta or frame.conditional:
                continue
            for act in sorted(frame.act):
                for topic, rule in table.get(act, ()):
                    if (topic.id, rule.rule.case) in seen or not matches(rule, frame):
                        continue
                    statement = _statement(reading, frame, topic, rule, void)
                    if statement is not None:
                        seen.add((topic.id, rule.rule.case))
                        yield statement


def _statement(
    reading: Reading, frame: Frame, topic: Topic, rule: Compiled, void: Sequence[tuple[int, int]]
) -> Statement | None:
    value = shown = rule.rule.value
    if value in UNITS:
        quantity = _nearest(frame, value)
        if quantity is None:
            return None
        value, shown = f"{quantity.unit}:{quantity.value}", quantity.text
    held = frame.scope | frame.sentence.heading
    case = rule.rule.case or next((name for concept, name in packed().prevails["cases"] if bit(concept) & held), "")
    spot = reading.spot(*reading.trimmed(frame.start, frame.end))
    near = void[max(0, bisect_left(void, (spot.start, 0)) - 1) : bisect_left(void, (spot.end, 0))]
    return Statement(
        topic=topic,
        case=case,
        value=value,
        shown=shown,
        spot=spot,
        kind=reading.kind,
        document=reading.number,
        paragraph=frame.sentence.paragraph,
        about=frozenset(
            name for concept, name in packed().prevails["about"] if bit(concept) & (held | frame.token.bits)
        ),
        is_exception=bool(frame.exceptions or frame.scope & bit("BUT")),
        is_promise=rule.rule.reason == "promise",
        is_void=any(start < spot.end and spot.start < end for start, end in near),
    )


def _nearest(frame: Frame, unit: str) -> Quantity | None:
    """Return the quantity that belongs to the act: of its own segment the nearest, else the first within its reach."""
    own = [
        token
        for token in frame.sentence.tokens
        if token.quantity and token.quantity.unit == unit and token.segment == frame.segment
    ]
    if own:
        return min(own, key=lambda token: abs(token.start - frame.token.start)).quantity
    return next((each for each in frame.quantities if each.unit == unit), None)


def _contradict(one: Statement, other: Statement) -> bool:
    values = {one.value, other.value}
    if _same_time(one.value, other.value):
        return False
    same = one.document == other.document
    if len(values) == 1 or one.spot == other.spot or (YES in values and NO not in values):
        return False
    if not _same_case(one, other, same=same) or not _same_goods(one, other, same=same):
        return False
    promised = one.is_promise or other.is_promise or one.topic.id in ALWAYS
    if same and (LONG in values or ((one.is_void or other.is_void) and not promised)):
        return False
    near = same and abs(one.paragraph - other.paragraph) <= 1
    return not ((one.is_exception or other.is_exception) and (near or one.case != other.case))


def _same_time(one: str, other: str) -> bool:
    """Whether two times are one, counted in months or in days: 一年 and 12个月, 30天 and 一个月."""
    if not (one.startswith("TIME:") and other.startswith("TIME:")):
        return False
    shorter, longer = sorted((int(one.removeprefix("TIME:")), int(other.removeprefix("TIME:"))))
    return longer * HUNDRED <= shorter * (HUNDRED + UNEVEN) if shorter >= MONTH else shorter == longer


def _same_case(one: Statement, other: Statement, *, same: bool) -> bool:
    """Whether two statements are for the same case; what one document says for one case is its exception."""
    if one.case == other.case:
        return True
    if one.case and other.case:
        return False
    return not same or one.is_promise or other.is_promise


def _same_goods(one: Statement, other: Statement, *, same: bool) -> bool:
    """Whether both may speak of the same goods; what one document says of some of them is its exception."""
    if (CUSTOM in one.about) != (CUSTOM in other.about):
        return False
    left, right = _goods(one, other, same=same), _goods(other, one, same=same)
    if left and right:
        return bool(left & right)
    return not same or not (left or right)


def _goods(one: Statement, other: Statement, *, same: bool) -> frozenset[str]:
    """Return what one speaks of; 自动 and 人工 tell goods apart in one document, or where goods are named by them."""
    if not same and not (one.about | other.about) & GIVEN_SO:
        return one.about - GIVEN_BY
    return frozenset(name.removeprefix("by ") for name in one.about)


def _finding(cluster: list[Statement]) -> Finding:
    winner = cluster[0]
    why = ""
    for other in cluster[1:]:
        winner, _, because = _prevailing(winner, other)
        why = why or because
    loser = next(each for each in reversed(cluster) if each.value != winner.value)
    winner, loser, why = _prevailing(winner, loser)
    topic = winner.topic
    return Finding(
        kind=FindingClass.CONFLICT,
        id="K29" if topic.id == "refund" else f"C-{topic.id}",
        words=loser.spot.words,
        line=loser.spot.line,
        start=loser.spot.start,
        end=loser.spot.end,
        severity=Severity.HIGH,
        title=f"{topic.title}前后不一：{_short(winner)}／{_short(loser)}",
        why=why,
        law=topic.law,
        rewrite=topic.rewrite,
        confidence=0.9,
        lawful_if="几处写成同一个意思，或写明各自适用的情形",
        topic=topic.id,
        document=loser.document,
        other=(winner.spot, *(each.spot for each in cluster if each is not loser and each is not winner)),
    )


def _short(statement: Statement) -> str:
    return {"yes": "有", "no": "没有"}.get(statement.shown, statement.shown)


def _prevailing(one: Statement, other: Statement) -> tuple[Statement, Statement, str]:
    """Return which of two holds, which yields, and why.

    What was said to this buyer or shown on the page beats the general text; otherwise boilerplate is read against
    whoever wrote it.
    """
    order: list[str] = packed().prevails["order"]
    first, second = order.index(one.kind.value), order.index(other.kind.value)
    if first != second:
        winner, loser = (one, other) if first < second else (other, one)
        return winner, loser, packed().prevails["by_kind"]
    generous = {"yes": 2, "no": 0}
    winner, loser = (one, other) if generous.get(one.value, 1) >= generous.get(other.value, 1) else (other, one)
    return winner, loser, packed().prevails["by_drafter"]
