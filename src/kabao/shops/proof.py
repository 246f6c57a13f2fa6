"""Asks Z3 whether any terms a shop may state, in any situation, demand two outcomes that cannot both be met.

Only the command and the tests come here; the solver is slow to load.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, Final, NamedTuple

import msgspec
import z3

from kabao.shops.model import ChangedMind, Terms
from kabao.shops.promises import PROMISES, Clock, Fault, Promise, Situation, Stated
from kabao.shops.rules import TERM_BOUNDS

LONGEST: Final = 20 * 366 * 86_400
"""Seconds that a situation may look back; every window is shorter."""
FAULTS: Final = tuple(Fault)


class Clash(NamedTuple):
    """Two promises that demand different outcomes, under these terms and in this situation."""

    first: Promise
    second: Promise
    terms: Terms
    situation: Situation


class Verdict(msgspec.Struct, frozen=True):
    """What a proof came to: each contradiction with its two terms and an example, and promises that never apply."""

    promises: int
    clashes: tuple[str, ...]
    idle: tuple[str, ...]


class Proof:
    """The promises as formulas over all terms and situations; ``lawful`` holds the terms to what a shop may state."""

    def __init__(self, promises: Sequence[Promise] = PROMISES, *, lawful: bool = True) -> None:
        self.promises = promises
        self.numbers = {name: z3.Int(name) for name in TERM_BOUNDS}
        self.offers_replacement, self.keeps_all, self.has_fee = z3.Bools("replacement_offered keeps_all has_fee")
        self.states = {name: z3.Bool(name) for name in ("delivered", "opened", "held")}
        self.times = {clock: z3.Int(clock.value) for clock in Clock}
        self.fault = z3.Int("fault")
        self._solver = z3.Solver()
        self._solver.add(self._possible(), *(self._lawful() if lawful else ()))

    def clashes(self) -> Iterator[Clash]:
        """Yield an example of every pair of promises that can contradict each other."""
        for first, second in combinations(self.promises, 2):
            apart = z3.And(self.applying(first), self.applying(second), z3.Not(self._agree(first, second)))
            if self._solver.check(apart) == z3.sat:
                yield Clash(first, second, *self._read(self._solver.model()))

    def idle(self) -> list[Promise]:
        """Return the promises that never apply; a proof over such would prove nothing."""
        return [promise for promise in self.promises if self._solver.check(self.applying(promise)) != z3.sat]

    def applying(self, promise: Promise) -> Any:
        """Say as a formula when a promise holds."""
        parts = [self._stated(promise.stated)]
        for name, state in self.states.items():
            wanted = getattr(promise, name)
            if wanted is not None:
                parts.append(state == wanted)
        if promise.faults:
            parts.append(z3.Or([self.fault == FAULTS.index(fault) for fault in sorted(promise.faults)]))
        if promise.window is not None:
            window = promise.window
            is_over = self.times[window.clock] > self.numbers[window.term] * window.unit
            parts.append(is_over if window.is_over else z3.Not(is_over))
        return z3.And(parts)

    def holds(self, formula: Any, terms: Terms, now: Situation) -> bool:
        """Whether a formula is true of given terms in a given situation; for holding the formulas against the code."""
        given = [
            *((self.numbers[name], z3.IntVal(getattr(terms, name) or 0)) for name in TERM_BOUNDS),
            (self.offers_replacement, z3.BoolVal(terms.replacement_offered)),
            (self.keeps_all, z3.BoolVal(terms.changed_mind_after_open is ChangedMind.NONE)),
            (self.has_fee, z3.BoolVal(terms.partial_fee_percent is not None)),
            *((state, z3.BoolVal(getattr(now, name))) for name, state in self.states.items()),
            *((time, z3.IntVal(getattr(now, clock.value))) for clock, time in self.times.items()),
            (self.fault, z3.IntVal(FAULTS.index(now.fault))),
        ]
        return bool(z3.is_true(z3.simplify(z3.substitute(formula, *given))))

    def allowed(self) -> Any:
        """Say as a formula which terms a shop may state, in which situations an order can be."""
        return z3.And(self._possible(), *self._lawful())

    def _possible(self) -> Any:
        delivered, opened, held = self.states.values()
        sound = self.fault == FAULTS.index(Fault.NONE)
        opening, delivery, payment = (self.times[clock] for clock in (Clock.OPENING, Clock.DELIVERY, Clock.PAYMENT))
        return z3.And(
            z3.Or(delivered, z3.And(z3.Not(opened), held, sound)),
            z3.Or(opened, sound),
            *(opening >= 0, opening <= delivery, delivery <= payment, payment <= LONGEST),
            *(self.fault >= 0, self.fault < len(FAULTS)),
        )

    def _lawful(self) -> Iterator[Any]:
        for name, (least, most) in TERM_BOUNDS.items():
            within = z3.And(self.numbers[name] >= least, self.numbers[name] <= most)
            yield z3.Implies(self.has_fee, within) if name == "partial_fee_percent" else within
        yield self.has_fee == z3.Not(self.keeps_all)

    def _stated(self, stated: Stated) -> Any:
        return {
            Stated.ALWAYS: z3.BoolVal(val=True),
            Stated.WARRANTY: self.numbers["warranty_days"] > 0,
            Stated.KEEPS_ALL: self.keeps_all,
            Stated.KEEPS_FEE: self.has_fee,
        }[stated]

    def _agree(self, one: Promise, other: Promise) -> Any:
        parts = []
        if one.refund is not None and other.refund is not None:
            (low, high), (least, most) = (self._refund(promise) for promise in (one, other))
            parts += [low <= most, least <= high]
        if one.from_escrow is not None and other.from_escrow is not None:
            parts.append(z3.BoolVal(val=one.from_escrow is other.from_escrow))
        # What both say of a replacement is one term, so that it cannot differ.
        return z3.And(parts)

    def _refund(self, promise: Promise) -> tuple[Any, Any]:
        low, high = promise.refund or (0, 0)
        fee = self.numbers["partial_fee_percent"] if promise.less_fee else z3.IntVal(0)
        return z3.IntVal(low) - fee, z3.IntVal(high) - fee

    def _read(self, model: Any) -> tuple[Terms, Situation]:
        def number(term: Any) -> int:
            return int(model.eval(term, model_completion=True).as_long())

        def truth(term: Any) -> bool:
            return bool(z3.is_true(model.eval(term, model_completion=True)))

        said: dict[str, Any] = {name: number(term) for name, term in self.numbers.items()}
        if not truth(self.has_fee):
            said["partial_fee_percent"] = None
        said["replacement_offered"] = truth(self.offers_replacement)
        said["changed_mind_after_open"] = ChangedMind.NONE if truth(self.keeps_all) else ChangedMind.PARTIAL
        now: dict[str, Any] = {clock.value: number(time) for clock, time in self.times.items()}
        now |= {name: truth(state) for name, state in self.states.items()}
        return Terms(**said), Situation(**now, fault=FAULTS[number(self.fault)])


def prove(promises: Sequence[Promise] = PROMISES) -> Verdict:
    """Try all terms that a shop may state in every situation that can be."""
    proof = Proof(promises)
    return Verdict(
        promises=len(promises),
        clashes=tuple(_told(clash) for clash in proof.clashes()),
        idle=tuple(promise.promise_id for promise in proof.idle()),
    )


def _told(clash: Clash) -> str:
    first, second = clash.first, clash.second
    return (
        f"{first.term}（{first.promise_id}）和 {second.term}（{second.promise_id}）要求的结果不一样，"
        f"例如条款 {_plain(clash.terms)}；情形 {_plain(clash.situation)}"
    )


def _plain(value: Terms | Situation) -> str:
    said = {name: getattr(value, name) for name in value.__struct_fields__}
    return "，".join(f"{name}={one}" for name, one in said.items() if one not in {"", None})
