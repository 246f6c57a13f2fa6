"""A rulebook made quick: for each claim packed facts, burdens as masks, and one table per issue of what wins.

A table has a bit per base fact that the issue's articles use for the claim. Past TABLE_BITS the articles are tested one
by one on the packed facts instead; the answer is the same.
"""

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from typing import Final

import msgspec
import numpy as np

from kabao.adjudication.clauses import Closure, closure
from kabao.adjudication.model import (
    UNDECIDED,
    Article,
    Damages,
    Derived,
    Issue,
    Literal,
    Outcome,
    Party,
    Payer,
    Price,
    Rulebook,
    Shares,
    Source,
    Value,
)
from kabao.adjudication.overrides import beaten_by
from kabao.adjudication.planes import Columns, by_value, effective, numbers, state_bit

TABLE_BITS: Final = 18
CLASH: Final = 255
MAX_VALUES: Final = 254
CHUNK_BITS: Final = 11
MAX_REMEMBERED: Final = 50_000

Masks = tuple[int, int]


class Rule(msgspec.Struct, frozen=True):
    """An article on one issue: its condition, the positions of the rules that defeat it, its value's index.

    It holds where ``packed & care == want``.
    """

    article_id: str
    condition: tuple[Literal, ...]
    beaten_by: tuple[int, ...]
    value: int
    care: int
    want: int


class IssuePlan(msgspec.Struct):
    """One claim and one issue. Rules come after those that defeat them."""

    issue: Issue
    facts: tuple[str, ...]
    rules: tuple[Rule, ...]
    values: tuple[Value, ...]
    offset: int
    mask: int
    table: bytes | None = None

    def number(self, packed: int) -> int:
        """Return 0 where no article decides, 1 + the value's index, or CLASH."""
        if self.table is not None:
            return self.table[packed >> self.offset & self.mask]
        found = 0
        for position in self.shape(packed)[0]:
            value = self.rules[position].value + 1
            if found not in (0, value):
                return CLASH
            found = value
        return found

    def shape(self, packed: int) -> tuple[list[int], list[tuple[int, tuple[int, ...]]]]:
        """Return the positions of winning rules, and of defeated ones with what defeated them."""
        standing: set[int] = set()
        defeated: list[tuple[int, tuple[int, ...]]] = []
        for position, rule in enumerate(self.rules):
            if packed & rule.care == rule.want:
                by = tuple(winner for winner in rule.beaten_by if winner in standing)
                if by:
                    defeated.append((position, by))
                else:
                    standing.add(position)
        return sorted(standing), defeated


class Verdict(msgspec.Struct, frozen=True):
    """What the winning articles say together. ``undecided`` tells why a person must decide: gap or clash."""

    price: Price
    shares: Shares
    damages: Damages
    payer: Payer
    undecided: str = ""


_PERSON = Price(Outcome.NEEDS_PERSON)
_NOBODY = Payer(Party.NOBODY)
CONFLICT: Final = Verdict(Price(Outcome.CONFLICT), Shares(), Damages(), _NOBODY)


class ClaimPlan:
    """Everything needed to decide one claim."""

    def __init__(self, book: Rulebook, claim: str, follows: Closure, table_bits: int = TABLE_BITS) -> None:
        self.book = book
        self.claim = claim
        self.follows = follows
        self._table_bits = table_bits
        articles = [article for article in book.articles.values() if claim in article.claims]
        used = {issue: _facts_of(articles, issue, book.derived) for issue in Issue}
        self.decisive = frozenset[str]().union(*used.values())
        conditions = {one.fact for name in self.decisive for shift in book.facts[name].shifts for one in shift.when}
        core = self.decisive | conditions
        around = {one.fact for one, after in follows.items() if any(other.fact in core for other in after)}
        self.facts = tuple(name for name in book.facts if name in core or name in around)
        self._bit = {name: 1 << index for index, name in enumerate(self.facts)}
        needed = _derived_of(articles, book.derived)
        self._derived_bit = {name: 1 << len(self.facts) + index for index, name in enumerate(needed)}
        offset = len(self.facts) + len(needed)
        self.base_mask = (1 << len(self.facts)) - 1
        self.issues: dict[Issue, IssuePlan] = {}
        self._copies: dict[str, int] = dict(self._bit)
        for issue in Issue:
            plan = self._issue_plan(articles, issue, used[issue], offset)
            for index, name in enumerate(plan.facts):
                self._copies[name] |= 1 << offset + index
            offset += len(plan.facts)
            self.issues[issue] = plan
        self.literals = self._literal_masks(follows)
        self.defaults = self._mask(n for n in self.facts if book.facts[n].by_default(book.facts[n].burden))
        self.shifts = self._shift_masks()
        self._derived = [(self._derived_bit[name], *self._derived_mask(book.derived[name])) for name in needed]
        self._plans = tuple(self.issues[issue] for issue in Issue)
        self._verdicts: dict[tuple[int, int, int, int], Verdict] = {}
        self._interned: dict[Verdict, Verdict] = {}
        self._needs_derived = any(plan.table is None for plan in self._plans)
        self._chunks = _chunks(self._plans, len(self.facts) + len(needed))
        self._by_holding: dict[int, tuple[int, int, int, int]] = {}
        self._quick: tuple[tuple[bytes, int, int], ...] | None = (
            None if self._needs_derived else tuple((plan.table or b"", plan.offset, plan.mask) for plan in self._plans)
        )

    def bare(self, known: Mapping[str, bool]) -> Verdict:
        """Decide from the facts shown either way, without reasons. Facts of other claims do not count."""
        proved = disproved = 0
        masks = self.literals
        for item in known.items():
            found = masks.get(item)
            if found is not None:
                proved |= found[0]
                disproved |= found[1]
        if proved & disproved:
            return CONFLICT
        return self.verdict(self.settle(proved, disproved))

    def masks(self, known: Mapping[str, bool]) -> Masks:
        """Return the packed facts that are proved and disproved, with all that follows."""
        proved = disproved = 0
        for item in known.items():
            found = self.literals.get(item)
            if found is not None:
                proved |= found[0]
                disproved |= found[1]
        return proved, disproved

    def settle(self, proved: int, disproved: int) -> int:
        """Settle what is unknown by burden and return the packed facts that hold."""
        defaults = self.defaults
        for need_proved, need_disproved, bits, value in self.shifts:
            if proved & need_proved == need_proved and disproved & need_disproved == need_disproved:
                defaults = defaults | bits if value else defaults & ~bits
        packed = proved | (defaults & ~disproved)
        return self.with_derived(packed) if self._needs_derived else packed

    def with_derived(self, packed: int) -> int:
        """Add the bits of derived facts."""
        for bit, is_any, holding, failing in self._derived:
            if is_any:
                hit = packed & holding or ~packed & failing
            else:
                hit = packed & holding == holding and not packed & failing
            if hit:
                packed |= bit
        return packed

    def verdict(self, packed: int) -> Verdict:
        """Look up what the settled facts lead to."""
        if self._quick is not None:
            (t0, o0, m0), (t1, o1, m1), (t2, o2, m2), (t3, o3, m3) = self._quick
            key = (t0[packed >> o0 & m0], t1[packed >> o1 & m1], t2[packed >> o2 & m2], t3[packed >> o3 & m3])
        else:
            key = self._numbers(packed)
        found = self._verdicts.get(key)
        if found is None:
            built = self._build(key)
            found = self._verdicts[key] = self._interned.setdefault(built, built)
        return found

    def _numbers(self, packed: int) -> tuple[int, int, int, int]:
        """Look up the issues that have a table; for the others find which rules hold, and what that set leads to."""
        holds = -1
        for shift, mask, satisfied in self._chunks:
            holds &= satisfied[packed >> shift & mask]
        part = self._by_holding.get(holds)
        if part is None:
            if len(self._by_holding) >= MAX_REMEMBERED:
                self._by_holding.clear()
            found = [0 if plan.table is not None else plan.number(packed) for plan in self._plans]
            part = self._by_holding[holds] = (found[0], found[1], found[2], found[3])
        one, two, three, four = self._plans
        return (
            part[0] if one.table is None else one.table[packed >> one.offset & one.mask],
            part[1] if two.table is None else two.table[packed >> two.offset & two.mask],
            part[2] if three.table is None else three.table[packed >> three.offset & three.mask],
            part[3] if four.table is None else four.table[packed >> four.offset & four.mask],
        )

    def bit(self, fact: str) -> int:
        """Return the bit of a base fact in the packed facts."""
        return self._bit[fact]

    def known_facts(self, mask: int) -> list[str]:
        """List the base facts whose bits are set."""
        return [name for name, bit in self._bit.items() if mask & bit]

    def build_verdict(self, key: tuple[int, int, int, int]) -> Verdict:
        """Build the verdict of four issue numbers."""
        return self._build(key)

    def _build(self, key: tuple[int, int, int, int]) -> Verdict:
        price, shares, damages, payer = (
            plan.values[number - 1] if 0 < number < CLASH else None
            for plan, number in zip(self._plans, key, strict=True)
        )
        if isinstance(price, Price) and price.outcome in UNDECIDED:
            return Verdict(price, Shares(), Damages(), _NOBODY)
        why = "clash" if CLASH in key else "gap"
        if not isinstance(price, Price) or not isinstance(shares, Shares) or CLASH in key:
            return Verdict(_PERSON, Shares(), Damages(), _NOBODY, why)
        usual = Payer(Party.BUYER if price.outcome is Outcome.BUYER_PAYS else Party.MERCHANT)
        return Verdict(
            price,
            shares,
            damages if isinstance(damages, Damages) else Damages(),
            payer if isinstance(payer, Payer) else usual,
        )

    def _issue_plan(self, articles: list[Article], issue: Issue, used: frozenset[str], offset: int) -> IssuePlan:
        here = [article for article in articles if issue in article.values]
        names = {article.article_id for article in here}
        edges = self.book.beaten_by[issue]
        losers = {a.article_id: [w for w in edges.get(a.article_id, ()) if w in names] for a in here}
        order = list(TopologicalSorter(losers).static_order())
        place = {name: index for index, name in enumerate(order)}
        by_id = {article.article_id: article for article in here}
        values: list[Value] = []
        for article in here:
            if article.values[issue] not in values:
                values.append(article.values[issue])
        if len(values) > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} different values for {issue}")
        rules = []
        for name in order:
            article = by_id[name]
            care, want = self._condition_mask(article.condition)
            beaten = tuple(sorted(place[winner] for winner in losers[name]))
            rules.append(Rule(name, article.condition, beaten, values.index(article.values[issue]), care, want))
        facts = tuple(name for name in self.facts if name in used)
        plan = IssuePlan(issue, facts, tuple(rules), tuple(values), offset, (1 << len(facts)) - 1)
        if len(facts) <= self._table_bits:
            plan.table = _table(plan, self.book.derived)
        return plan

    def _condition_mask(self, literals: Iterable[Literal]) -> Masks:
        care = want = 0
        for literal in literals:
            bit = self._bit.get(literal.fact) or self._derived_bit[literal.fact]
            care |= bit
            want |= bit if literal.holds else 0
        return care, want

    def _mask(self, names: Iterable[str]) -> int:
        mask = 0
        for name in names:
            mask |= self._copies[name]
        return mask

    def _literal_masks(self, follows: Closure) -> dict[tuple[str, bool], Masks]:
        found: dict[tuple[str, bool], Masks] = {}
        for name in self.book.facts:
            for value in (True, False):
                one = Literal(name, value)
                after = [other for other in follows.get(one, {one}) if other.fact in self._copies]
                if after:
                    proved = self._mask(other.fact for other in after if other.holds)
                    disproved = self._mask(other.fact for other in after if not other.holds)
                    found[(name, value)] = (proved, disproved)
        return found

    def _shift_masks(self) -> tuple[tuple[int, int, int, bool], ...]:
        found = []
        for name in self.facts:
            fact = self.book.facts[name]
            if name not in self.decisive:
                continue
            for shift in reversed(fact.shifts):
                need_proved = sum(self._bit[one.fact] for one in shift.when if one.holds)
                need_disproved = sum(self._bit[one.fact] for one in shift.when if not one.holds)
                found.append((need_proved, need_disproved, self._copies[name], fact.by_default(shift.to)))
        return tuple(found)

    def _derived_mask(self, derived: Derived) -> tuple[bool, int, int]:
        bits = self._bit | self._derived_bit
        holding = sum(bits[one.fact] for one in derived.of if one.holds)
        failing = sum(bits[one.fact] for one in derived.of if not one.holds)
        return derived.is_any, holding, failing


class Compiled:
    """A rulebook ready to decide. ``plans`` has one entry per claim."""

    def __init__(self, book: Rulebook, table_bits: int = TABLE_BITS) -> None:
        self.book = book
        self.follows = closure(book.impossible)
        self.plans = {claim: ClaimPlan(book, claim, self.follows, table_bits) for claim in book.claims}


def compile_book(book: Rulebook, *, table_bits: int = TABLE_BITS) -> Compiled:
    """Compile a rulebook; half a second or less for one of the usual size."""
    return Compiled(book, table_bits)


def only_law(book: Rulebook) -> Rulebook:
    """Return the book with the law's articles alone, for purchases made elsewhere."""
    articles = {name: article for name, article in book.articles.items() if article.source is Source.LAW}
    kept = {
        name: msgspec.structs.replace(
            article,
            overrides=tuple(
                one for one in article.overrides if one.target in articles or "/" in one.target or one.target == "all"
            ),
        )
        for name, article in articles.items()
    }
    return msgspec.structs.replace(book, articles=kept, beaten_by=beaten_by(kept, book.chapters))


def base_facts(names: Iterable[str], derived: Mapping[str, Derived]) -> frozenset[str]:
    """Return the base facts behind facts and derived facts."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in derived:
            todo.extend(one.fact for one in derived[name].of)
        else:
            found.add(name)
    return frozenset(found)


def _facts_of(articles: Iterable[Article], issue: Issue, derived: Mapping[str, Derived]) -> frozenset[str]:
    return base_facts((one.fact for a in articles if issue in a.values for one in a.condition), derived)


def _derived_of(articles: Iterable[Article], derived: Mapping[str, Derived]) -> list[str]:
    todo = [one.fact for article in articles for one in article.condition]
    found: set[str] = set()
    while todo:
        name = todo.pop()
        if name in derived and name not in found:
            found.add(name)
            todo.extend(one.fact for one in derived[name].of)
    return [name for name in derived if name in found]


def _chunks(plans: Iterable[IssuePlan], bits: int) -> tuple[tuple[int, int, list[int]], ...]:
    """For issues without a table: per chunk of the packed facts and each of its states, the rules not ruled out.

    The rules that hold are those that no chunk rules out, so a few look-ups and ANDs find them all.
    """
    rules = [rule for plan in plans if plan.table is None for rule in plan.rules]
    found = []
    for shift in range(0, bits if rules else 0, CHUNK_BITS):
        width = min(CHUNK_BITS, bits - shift)
        mask = (1 << width) - 1
        states = np.arange(1 << width, dtype=np.uint64)
        satisfied = [0] * (1 << width)
        for start in range(0, len(rules), 64):
            word = np.zeros(1 << width, dtype=np.uint64)
            for index, rule in enumerate(rules[start : start + 64]):
                care, want = (np.uint64(part >> shift & mask) for part in (rule.care, rule.want))
                word |= ((states & care) == want).astype(np.uint64) << np.uint64(index)
            satisfied = [have | more << start for have, more in zip(satisfied, word.tolist(), strict=True)]
        found.append((shift, mask, satisfied))
    return tuple(found)


def _table(plan: IssuePlan, derived: Mapping[str, Derived]) -> bytes:
    bits = len(plan.facts)
    where = {name: index for index, name in enumerate(plan.facts)}
    if not plan.rules:
        return bytes(1)
    columns = Columns(lambda name: state_bit(where[name], bits), derived)
    values, clash = by_value(plan, effective(plan, columns))
    return numbers(values, clash, 1 << bits).tobytes()
