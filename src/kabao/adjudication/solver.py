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
    """One claim and one issue as formulas."""

    def __init__(self, compiled: Compiled, claim: str, issue: Issue, more: Iterable[str] = ()) -> None:
        self.compiled = compiled
        self.claim = claim
        self.issue = issue
        self.plan = compiled.plans[claim].issues[issue]
        self.facts = scope(compiled, claim, issue, more)
        self.names = {name: z3.Bool(name) for name in self.facts}
        self.reachable = self._reachable(self.names)
        self.standing = self._effective(self.plan, self.names)
        self.open = z3.And(self.reachable, z3.Not(self._stopped(self.names)))

    def effective_somewhere(self) -> list[str]:
        """List the articles that decide the issue in some reachable state."""
        return [
            rule.article_id
            for rule, formula in zip(self.plan.rules, self.standing, strict=True)
            if self._model(self.reachable, formula) is not None
        ]

    def gap_examples(self) -> list[tuple[Literal, ...]]:
        """Return small examples of states that no article decides."""
        return self._examples(z3.And(self.open, z3.Not(z3.Or(self.standing))), _AT_MOST)

    def clash_examples(self) -> Iterator[tuple[int, int, list[tuple[Literal, ...]]]]:
        """Return pairs of clashing rules, each with a small example."""
        for second, later in enumerate(self.standing):
            for first in range(second):
                if self.plan.rules[first].value != self.plan.rules[second].value:
                    found = self._examples(z3.And(self.open, self.standing[first], later), 1)
                    if found:
                        yield first, second, found

    def broken(self, position: int, condition: tuple[Literal, ...]) -> list[tuple[Literal, ...]]:
        """Return a small example in which the rule stands under the condition."""
        holds = [self._literal(one, self.names) for one in condition]
        return self._examples(z3.And(self.reachable, self.standing[position], *holds), 1)

    def hurt(self) -> tuple[tuple[Literal, ...], tuple[Literal, ...], int, int] | None:
        """Find evidence better for the buyer that leaves the buyer worse, as ``Universe.hurt`` does."""
        ranks = [for_buyer(value) for value in self.plan.values]
        other = {name: z3.Bool(f"{name}'") for name in self.facts}
        order = self._better(other)
        both = z3.And(self.open, self._reachable(other), z3.Not(self._stopped(other)), *order)
        later = self._effective(self.plan, other)
        before, after = self._decided(self.standing), self._decided(later)
        for first, one in before.items():
            for second, two in after.items():
                ranked = [(0, 0) if index < 0 else ranks[index] for index in (first, second)]
                low, high = ranked
                if low is None or high is None or low[0] <= high[1]:
                    continue
                model = self._model(both, one, two)
                if model is not None:
                    return (*self._told(model, other), first, second)
        return None

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

    def _model(self, *formulas: Any) -> Any:
        solver = z3.Solver()
        solver.add(*formulas)
        return solver.model() if solver.check() == z3.sat else None

    def _examples(self, formula: Any, at_most: int) -> list[tuple[Literal, ...]]:
        found: list[tuple[Literal, ...]] = []
        left = formula
        while len(found) < at_most:
            model = self._model(left)
            if model is None:
                break
            literals = [
                Literal(name, z3.is_true(model.eval(term, model_completion=True))) for name, term in self.names.items()
            ]
            for one in tuple(literals):
                fewer = [other for other in literals if other != one]
                holds = [self._literal(other, self.names) for other in fewer]
                if self._model(self.reachable, *holds, z3.Not(formula)) is None:
                    literals = fewer
            found.append(tuple(literals))
            left = z3.And(left, z3.Not(z3.And([self._literal(one, self.names) for one in literals])))
        return found
