"""Hold a frame against a rule of the data."""

from functools import cache
from typing import Final, NamedTuple

from kabao.terms.bits import bits, width
from kabao.terms.frames import markers
from kabao.terms.model import Frame
from kabao.terms.packed import Entry, Rule, packed

FEW: Final = 6
"""Characters of text without meaning that a bare statement may hold before its act."""


class Compiled(NamedTuple):
    """A rule with its sets made."""

    rule: Rule
    act: int
    has: tuple[int, ...]
    before: tuple[int, ...]
    after: tuple[int, ...]
    near: tuple[int, ...]
    sentence: tuple[int, ...]
    lacks: int
    sentence_lacks: int


class CompiledEntry(NamedTuple):
    """An entry's place in the order of the data, and its rules."""

    rank: int
    entry: Entry
    when: tuple[Compiled, ...]
    fine: tuple[Compiled, ...]
    beside: int


def compiled(rule: Rule) -> Compiled:
    """Make the sets of a rule once."""

    def sets(side: tuple[tuple[str, ...], ...]) -> tuple[int, ...]:
        return tuple(bits(alternatives) for alternatives in side)

    return Compiled(
        rule,
        bits(rule.act),
        sets(rule.has),
        sets(rule.before),
        sets(rule.after),
        sets(rule.near),
        sets(rule.sentence),
        bits(rule.lacks),
        bits(rule.sentence_lacks),
    )


@cache
def entries(*, vague: bool = False) -> tuple[CompiledEntry, ...]:
    """Return the catalogue's entries, or those of the class VAGUE, in the order of the data."""
    chosen = packed().vague if vague else packed().entries
    return tuple(
        CompiledEntry(
            rank, entry, tuple(map(compiled, entry.when)), tuple(map(compiled, entry.fine)), bits(entry.beside)
        )
        for rank, entry in enumerate(chosen)
    )


@cache
def by_act(*, vague: bool = False) -> dict[str, tuple[CompiledEntry, ...]]:
    """Return for each concept the entries one of whose rules is about it."""
    found: dict[str, list[CompiledEntry]] = {}
    for each in entries(vague=vague):
        for act in sorted({act for rule in (*each.when, *each.fine) for act in rule.rule.act}):
            found.setdefault(act, []).append(each)
    return {act: tuple(several) for act, several in found.items()}


@cache
def anchors() -> frozenset[str]:
    """Return every concept that some rule takes for its act."""
    data = packed()
    rules = [
        *(rule for entry in (*data.entries, *data.vague) for rule in (*entry.when, *entry.fine)),
        *(rule for topic in data.topics for rule in topic.says),
        *(rule for row in data.profile for rule in (*row.gives, *row.refuses)),
    ]
    return frozenset(act for rule in rules for act in rule.act)


@cache
def candidates(act: frozenset[str], *, neg: bool, vague: bool = False) -> tuple[CompiledEntry, ...]:
    """Return the entries that may be about a word, denied or not, in the order of the data."""
    table = by_act(vague=vague)
    found = {each.rank: each for name in act for each in table.get(name, ())}
    held = bits(act)

    def possible(rules: tuple[Compiled, ...]) -> tuple[Compiled, ...]:
        return tuple(rule for rule in rules if rule.act & held and rule.rule.neg in {None, neg})

    left = (each._replace(when=possible(each.when), fine=possible(each.fine)) for _, each in sorted(found.items()))
    return tuple(each for each in left if each.when or each.fine)


def matches(rule: Compiled, frame: Frame) -> bool:
    """Whether a frame is what the rule speaks of."""
    act = frame.token.bits if frame.own_act is None else frame.own_act
    if (rule.rule.neg is not None and rule.rule.neg != frame.neg) or not rule.act & act:
        return False
    scope = frame.scope | act
    if rule.lacks & (scope | frame.sentence.carried):
        return False
    for alternatives in rule.has:
        if not alternatives & scope:
            return False
    for alternatives in rule.before:
        if not alternatives & frame.before:
            return False
    for alternatives in rule.after:
        if not alternatives & frame.after:
            return False
    return _around(rule, frame, act) and _slots(rule.rule, frame)


def _around(rule: Compiled, frame: Frame, act: int) -> bool:
    if rule.near:
        near = frame.near | act | (act << width() if frame.neg else 0)
        for alternatives in rule.near:
            if not alternatives & near:
                return False
    if rule.sentence or rule.sentence_lacks:
        everything = frame.sentence.everything | frame.sentence.heading | frame.sentence.carried | frame.scope
        if rule.sentence_lacks & everything:
            return False
        for alternatives in rule.sentence:
            if not alternatives & everything:
                return False
    return True


def _slots(rule: Rule, frame: Frame) -> bool:
    if rule.actor and frame.actor not in rule.actor:
        return False
    if frame.actor in rule.actor_not:
        return False
    if rule.bare and not _bare(frame):
        return False
    quantities = frame.quantities
    if rule.wide:
        quantities = tuple(token.quantity for token in frame.sentence.tokens if token.quantity)
    for unit, limit in rule.at_most.items():
        values = [each.value for each in quantities if each.unit == unit]
        if not values or min(values) > limit:
            return False
    for unit, limit in rule.at_least.items():
        values = [each.value for each in quantities if each.unit == unit]
        if not values or max(values) < limit:
            return False
    return True


def _bare(frame: Frame) -> bool:
    """Whether the act is stated without any condition, also none that the lexicon does not know."""
    if markers() & frame.scope or frame.item:
        return False
    known = sum(
        token.end - token.start for token in frame.sentence.tokens if frame.start <= token.start < frame.token.start
    )
    return frame.token.start - frame.start - known <= FEW
