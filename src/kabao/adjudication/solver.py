"""The same questions as ``universe``, asked of Z3 where a claim has too many facts to try every combination."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import z3

from kabao.adjudication.compiler import Compiled, IssuePlan
from kabao.adjudication.findings import for_buyer
from kabao.adjudication.model import Issue, Literal, Outcome, Party, Price
from kabao.adjudication.universe import scope

_STOP: Final = {Outcome.ROUTE_OUT, Outcome.NEEDS_PERSON}
_AT_MOST: Final = 3


class Symbolic:
    """One claim and one issue as formulas; ``facts`` widens or narrows the facts in scope."""

    def __init__(
        self,
        compiled: Compiled,
        claim: str,
        issue: Issue,
        more: Iterable[str] = (),
        facts: tuple[str, ...] | None = None,
    ) -> None:
        self.compiled = compiled
        self.claim = claim
        self.issue = issue
        self.plan = compiled.plans[claim].issues[issue]
        self.facts = scope(compiled, claim, issue, more) if facts is None else facts
        self.names = {name: z3.Bool(name) for name in self.facts}
        self._terms = {
            Literal(name, value): term if value else z3.Not(term)
            for name, term in self.names.items()
            for value in (True, False)
        }
        self.reachable = self._reachable(self.names)
        self._solver = z3.Solver()
        self._solver.add(self.reachable)
        self.formulas = self._effective(self.plan, self.names)
        self.standing = [self._named(formula) for formula in self.formulas]
        self.unstopped = z3.Not(self._stopped(self.names))
        self.open = self._named(self.unstopped)

    def effective_somewhere(self) -> list[str]:
        """List the articles that decide the issue in some reachable state."""
        return [
            rule.article_id
            for rule, formula in zip(self.plan.rules, self.standing, strict=True)
            if self._solver.check(formula) == z3.sat
        ]

    def gap_examples(self) -> list[tuple[Literal, ...]]:
        """Return small examples of states that no article decides."""
        return self.examples(z3.And(self.open, z3.Not(z3.Or(self.standing))), _AT_MOST)

    def clash_examples(self) -> Iterator[tuple[int, int, list[tuple[Literal, ...]]]]:
        """Return pairs of clashing rules, each with a small example."""
        pairs = [
            (first, second)
            for second in range(len(self.standing))
            for first in range(second)
            if self.plan.rules[first].value != self.plan.rules[second].value
        ]
        either = z3.Or([z3.And(self.standing[first], self.standing[second]) for first, second in pairs])
        if self._solver.check(self._named(z3.And(self.open, either))) != z3.sat:
            return
        for first, second in pairs:
            if self._solver.check(self.open, self.standing[first], self.standing[second]) == z3.sat:
                both = z3.And(self.open, self.standing[first], self.standing[second])
                yield first, second, self.examples(both, 1)

    def broken(self, position: int, condition: tuple[Literal, ...]) -> list[tuple[Literal, ...]]:
        """Return a small example in which the rule stands under the condition."""
        holds = [self._literal(one, self.names) for one in condition]
        return self.examples(z3.And(self.standing[position], *holds), 1)

    def examples(self, formula: Any, at_most: int) -> list[tuple[Literal, ...]]:
        """Return small sets of literals under which every reachable state satisfies the formula."""
        target = self._named(formula)
        found: list[tuple[Literal, ...]] = []
        blocked: list[Any] = []
        while len(found) < at_most and self._solver.check(target, *blocked) == z3.sat:
            model = self._solver.model()
            literals = [
                Literal(name, z3.is_true(model.eval(term, model_completion=True))) for name, term in self.names.items()
            ]
            needed = self._core(z3.Not(target), literals)
            for one in tuple(needed):
                fewer = [other for other in needed if other != one]
                if len(needed) > len(fewer) and self._refuted(z3.Not(target), fewer):
                    needed = self._core(z3.Not(target), fewer)
            found.append(tuple(one for one in literals if one in needed))
            blocked.append(self._named(z3.Not(z3.And([self._terms[one] for one in needed]))))
        return found

    def hurt(self) -> tuple[tuple[Literal, ...], tuple[Literal, ...], int, int] | None:
        """Find evidence better for the buyer that leaves the buyer worse, as ``Universe.hurt`` does."""
        ranks = [for_buyer(value) for value in self.plan.values]
        other = {name: z3.Bool(f"{name}'") for name in self.facts}
        before = self._decided(self.standing)
        after = self._decided(self._effective(self.plan, other))
        worse = []
        for first in before:
            for second in after:
                low, high = ((0, 0) if index < 0 else ranks[index] for index in (first, second))
                if low is not None and high is not None and low[0] > high[1]:
                    worse.append((first, second))
        if not worse:
            return None
        solver = z3.Solver()
        solver.add(self.reachable, self._reachable(other), z3.Not(self._stopped(self.names)))
        solver.add(z3.Not(self._stopped(other)), *self._better(other))
        for name, formula in zip(self.standing, self.formulas, strict=True):
            solver.add(name == formula)
        solver.add(z3.Or([z3.And(before[first], after[second]) for first, second in worse]))
        if solver.check() != z3.sat:
            return None
        model = solver.model()
        first, second = next(
            pair
            for pair in worse
            if z3.is_true(model.eval(z3.And(before[pair[0]], after[pair[1]]), model_completion=True))
        )
        return (*self._told(model, other), first, second)

    def _named(self, formula: Any) -> Any:
        """Give a formula a name that the solver can assume or deny."""
        name = z3.FreshBool()
        self._solver.add(name == formula)
        return name

    def _refuted(self, denied: Any, literals: Iterable[Literal]) -> bool:
        return bool(self._solver.check(denied, *(self._terms[one] for one in literals)) == z3.unsat)

    def _core(self, denied: Any, literals: list[Literal]) -> list[Literal]:
        """Return those of the literals that already refute what is denied."""
        terms = {self._terms[one].get_id(): one for one in literals}
        if self._solver.check(denied, *(self._terms[one] for one in literals)) != z3.unsat:
            return literals
        return [terms[term.get_id()] for term in self._solver.unsat_core() if term.get_id() in terms]

    def _told(self, model: Any, other: dict[str, Any]) -> tuple[tuple[Literal, ...], tuple[Literal, ...]]:
        old = {name: z3.is_true(model.eval(term, model_completion=True)) for name, term in self.names.items()}
        new = {name: z3.is_true(model.eval(term, model_completion=True)) for name, term in other.items()}
        return (
            tuple(Literal(name, value) for name, value in old.items()),
            tuple(Literal(name, value) for name, value in new.items() if value is not old[name]),
        )

    def _better(self, other: dict[str, Any]) -> list[Any]:
        found = []
        for name in self.facts:
            favours = self.compiled.book.facts[name].favours
            if favours is Party.BUYER:
                found.append(z3.Implies(self.names[name], other[name]))
            elif favours is Party.MERCHANT:
                found.append(z3.Implies(other[name], self.names[name]))
            else:
                found.append(self.names[name] == other[name])
        return found

    def _decided(self, standing: list[Any]) -> dict[int, Any]:
        """Return for each value, and -1 for none where none may stand, where it alone decides."""
        by_value: dict[int, list[Any]] = {}
        for rule, formula in zip(self.plan.rules, standing, strict=True):
            by_value.setdefault(rule.value, []).append(formula)
        either = {value: z3.Or(formulas) for value, formulas in by_value.items()}
        found = {
            value: z3.And(formula, *(z3.Not(rest) for other, rest in either.items() if other != value))
            for value, formula in either.items()
        }
        if self.issue is Issue.DAMAGES:
            found[-1] = z3.Not(z3.Or(*either.values()))
        return found

    def _fact(self, name: str, names: dict[str, Any]) -> Any:
        derived = self.compiled.book.derived.get(name)
        if derived is None:
            return names[name]
        parts = [self._literal(one, names) for one in derived.of]
        return z3.Or(parts) if derived.is_any else z3.And(parts)

    def _literal(self, literal: Literal, names: dict[str, Any]) -> Any:
        fact = self._fact(literal.fact, names)
        return fact if literal.holds else z3.Not(fact)

    def _reachable(self, names: dict[str, Any]) -> Any:
        found = [
            z3.Implies(self._literal(one, names), self._literal(other, names))
            for one, after in self.compiled.follows.items()
            if one.fact in names
            for other in after
            if other.fact in names and other != one
        ]
        return z3.And(found) if found else z3.BoolVal(val=True)

    def _effective(self, plan: IssuePlan, names: dict[str, Any], only: set[int] | None = None) -> list[Any]:
        found: list[Any] = []
        for position, rule in enumerate(plan.rules):
            if only is not None and position not in only:
                found.append(None)
                continue
            holds = [self._literal(one, names) for one in rule.condition]
            found.append(z3.And(*holds, *(z3.Not(found[winner]) for winner in rule.beaten_by)))
        return found

    def _stopped(self, names: dict[str, Any]) -> Any:
        if self.issue is Issue.PRICE:
            return z3.BoolVal(val=False)
        price = self.compiled.plans[self.claim].issues[Issue.PRICE]
        stops = [
            position
            for position, rule in enumerate(price.rules)
            for value in [price.values[rule.value]]
            if isinstance(value, Price) and value.outcome in _STOP
        ]
        needed: set[int] = set()
        todo = list(stops)
        while todo:
            position = todo.pop()
            if position not in needed:
                needed.add(position)
                todo.extend(price.rules[position].beaten_by)
        formulas = self._effective(price, names, needed)
        return z3.Or([formulas[position] for position in stops])
