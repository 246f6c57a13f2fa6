"""Golden cases: cases a lawyer can read, with what the rulebook must say to each."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from kabao.adjudication.casefile import case_of
from kabao.adjudication.compiler import Compiled, compile_book, only_law
from kabao.adjudication.decide import Adjudicator, Decision
from kabao.adjudication.fields import Fields, items, mapping, text, whole, word
from kabao.adjudication.model import Case, Outcome, Party, Problem, Rulebook, Shares, Unreadable
from kabao.adjudication.yamlread import Node, TextNode, parse, read_bytes

_EXPECT: Final = (
    "responsible refund_minor refund_percent damages_minor buyer_pays_minor payer articles missing remedy law_book"
)


class Expected(msgspec.Struct, frozen=True):
    """What a golden case must lead to; None is not compared."""

    outcome: Outcome
    shares: Shares | None = None
    refund_minor: int | None = None
    refund_percent: int | None = None
    damages_minor: int | None = None
    buyer_pays_minor: int | None = None
    payer: Party | None = None
    remedy: str | None = None
    articles: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    law_book: "Expected | None" = None


class Golden(msgspec.Struct, frozen=True):
    """One golden case."""

    golden_id: str
    title: str
    story: str
    difference: str
    case: Case
    expected: Expected
    line: int


def load_golden(path: Path, book: Rulebook) -> list[Golden]:
    """Load a file of golden cases. Raises Unreadable with every faulty case."""
    found: list[Golden] = []
    problems: list[Problem] = []
    try:
        for item in items(Fields(parse(read_bytes(path)), "cases")["cases"], at_least=1):
            try:
                found.append(_golden(item, book))
            except Unreadable as error:
                problems.extend(error.problems)
    except Unreadable as error:
        problems.extend(error.problems)
    if problems:
        raise Unreadable(problems, path.name)
    return found


def load_folder(folder: Path, book: Rulebook) -> list[Golden]:
    """Load every ``*.yaml`` of a folder. Raises Unreadable, also for an id that stands twice."""
    found: dict[str, Golden] = {}
    for path in sorted(folder.glob("*.yaml")):
        for golden in load_golden(path, book):
            if golden.golden_id in found:
                raise Unreadable([Problem(golden.line, 1, f"{golden.golden_id} stands twice")], path.name)
            found[golden.golden_id] = golden
    return list(found.values())


def _golden(node: Node, book: Rulebook) -> Golden:
    fields = Fields(node, "id title story case expect", "court difference")
    if "court" in fields:
        court = Fields(fields["court"], "", "responsible outcome share note")
        for name in court.node.entries:
            _court(court[name])
    return Golden(
        text(fields["id"]),
        text(fields["title"]),
        text(fields["story"]),
        fields.maybe("difference", text, ""),
        case_of(fields["case"], book),
        _expected(fields["expect"], book),
        node.line,
    )


def _court(node: Node) -> None:
    if not isinstance(node, TextNode):
        mapping(node)


def _expected(node: Node, book: Rulebook) -> Expected:
    fields = Fields(node, "outcome", _EXPECT)

    def number(name: str, high: int = 100_000_000_000) -> int | None:
        return whole(fields[name], 0, high) if name in fields else None

    return Expected(
        Outcome(word(fields["outcome"], list(Outcome))),
        _shares(fields["responsible"]) if "responsible" in fields else None,
        number("refund_minor"),
        number("refund_percent", 100),
        number("damages_minor"),
        number("buyer_pays_minor"),
        Party(word(fields["payer"], ["buyer", "merchant", "platform", "nobody"])) if "payer" in fields else None,
        word(fields["remedy"], ["refund", "replace", "perform"]) if "remedy" in fields else None,
        tuple(word(item, book.articles) for item in items(fields["articles"])) if "articles" in fields else (),
        tuple(text(item) for item in items(fields["missing"])) if "missing" in fields else (),
        _expected(fields["law_book"], book) if "law_book" in fields else None,
    )


def _shares(node: Node) -> Shares:
    if isinstance(node, TextNode):
        word(node, ["none"])
        return Shares()
    fields = Fields(node, "", "buyer merchant platform")
    parts = [whole(fields[name], 0, 100) if name in fields else 0 for name in ("buyer", "merchant", "platform")]
    if sum(parts) not in (0, 100):
        raise node.problem(f"the shares sum to {sum(parts)}")
    return Shares(*parts)


class Runner:
    """Runs golden cases against a compiled book and, where asked, its law articles alone."""

    def __init__(self, compiled: Compiled) -> None:
        self._full = Adjudicator(compiled)
        self._law: Adjudicator | None = None

    def run(self, golden: Golden) -> list[str]:
        """Return in words what differs; nothing where all is as expected."""
        found = list(_differences(self._full.decide(golden.case), golden.expected))
        if golden.expected.law_book is not None:
            if self._law is None:
                self._law = Adjudicator(compile_book(only_law(self._full.book)))
            by_law = _differences(self._law.decide(golden.case), golden.expected.law_book)
            found.extend(f"law alone: {problem}" for problem in by_law)
        return [f"{golden.golden_id}: {problem}" for problem in found]


def run_golden(compiled: Compiled, golden: Golden) -> list[str]:
    """Run one golden case; many are quicker by one ``Runner``."""
    return Runner(compiled).run(golden)


def _differences(decision: Decision, expected: Expected) -> Iterator[str]:
    pairs = (
        ("outcome", decision.outcome, expected.outcome),
        ("responsible", decision.shares, expected.shares),
        ("refund_minor", decision.refund_minor, expected.refund_minor),
        ("damages_minor", decision.damages_minor, expected.damages_minor),
        ("buyer_pays_minor", decision.buyer_pays_minor, expected.buyer_pays_minor),
        ("payer", decision.payer, expected.payer),
        ("remedy", decision.remedy, expected.remedy),
    )
    for name, got, wanted in pairs:
        if wanted is not None and got != wanted:
            yield f"{name} is {got}, expected {wanted} (articles {', '.join(decision.articles) or 'none'})"
    percent = expected.refund_percent
    if percent is not None and abs(decision.refund_minor * 100 - decision.price_minor * percent) > decision.price_minor:
        yield f"refund is {decision.refund_share:.3f} of the price, expected {percent} %"
    for article in expected.articles:
        if article not in decision.articles:
            yield f"article {article} did not win (won: {', '.join(decision.articles) or 'none'})"
    missing = {one.fact for one in decision.missing}
    for name in expected.missing:
        if name not in missing:
            yield f"{name} is not among what would change the outcome ({', '.join(sorted(missing)) or 'nothing'})"
