"""A rulebook file to a ``Rulebook``; every fault is told with its line, column and a hint."""

import hashlib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final

from kabao.adjudication.clauses import both_by_default, closure, never_true
from kabao.adjudication.fields import (
    Collector,
    Fields,
    both,
    day,
    flag,
    identifier,
    items,
    literal,
    literals,
    mapping,
    nearest,
    text,
    whole,
    word,
)
from kabao.adjudication.model import (
    Article,
    Claim,
    ConflictRule,
    Derived,
    Duty,
    Edition,
    Fact,
    Issue,
    Literal,
    Named,
    Outcome,
    Override,
    Party,
    Problem,
    Rulebook,
    Shift,
    Source,
    Text,
    Unreadable,
)
from kabao.adjudication.outcomes import values
from kabao.adjudication.overrides import beaten_by
from kabao.adjudication.yamlread import Node, TextNode, parse, read_bytes

_SIDES: Final = ["buyer", "merchant", "platform", "nobody"]
_KINDS: Final = ["buyer", "merchant", "rules", "platform"]
_UNITS: Final = ["hours", "days", "minor", "percent", "times", "count"]
_TOP: Final = (
    "format book parameters standards evidence_kinds conflict facts derived impossible claims chapters duties articles"
)
MAX_ARTICLES: Final = 500


def load_file(path: Path) -> Rulebook:
    """Load a rulebook file. Raises Unreadable."""
    return load_book(read_bytes(path), path.name)


def load_book(raw: bytes | str, name: str = "") -> Rulebook:
    """Load a rulebook from its text. Raises Unreadable with every fault found."""
    root = parse(raw, name)
    try:
        return _book(root, hashlib.sha256(raw.encode() if isinstance(raw, str) else raw).hexdigest())
    except Unreadable as error:
        raise type(error)(error.problems, name) from None


def _book(root: Node, digest: str) -> Rulebook:
    top = Fields(root, _TOP)
    whole(top["format"], 1, 1)
    faults = Collector()
    edition: Edition | None = None
    with faults.part():
        edition = _edition(top["book"])
    parameters = _numbers(top["parameters"], "value", faults, unit=True)
    standards = _numbers(top["standards"], "percent", faults, low=1)
    kinds = _numbers(top["evidence_kinds"], "cap", faults)
    conflict: ConflictRule | None = None
    with faults.part():
        conflict = _conflict(top["conflict"])
    facts = _facts(top["facts"], standards, kinds, faults)
    derived = _derived(top["derived"], facts, faults)
    impossible = _impossible(top["impossible"], facts, faults)
    claims = _claims(top["claims"], faults)
    chapters = _chapters(top["chapters"], faults)
    known = facts.keys() | derived.keys()
    duties = _duties(top["duties"], known, claims, faults)
    articles = _articles(top["articles"], known, claims, chapters, faults)
    faults.stop()
    if edition is None or conflict is None:  # pragma: no cover - stop() has raised
        raise AssertionError
    edges = beaten_by(articles, chapters)
    return Rulebook(
        edition, parameters, standards, kinds, conflict, facts, derived, impossible, claims, chapters, duties,
        articles, edges, digest,
    )  # fmt: skip


def _edition(node: Node) -> Edition:
    fields = Fields(node, "title version published effective major", "note")
    found = Edition(
        fields.get("title", both), fields.get("version", text), fields.get("published", day),
        fields.get("effective", day), fields.get("major", flag), fields.maybe("note", _both_or_none, None),
    )  # fmt: skip
    if found.effective < found.published:
        raise fields["effective"].problem("effective before it is published")
    return found


def _both_or_none(node: Node) -> Text | None:
    return both(node)


def _entries(node: Node, faults: Collector) -> list[tuple[str, TextNode, Node]]:
    found = []
    with faults.part():
        for key, value in mapping(node).entries.values():
            with faults.part():
                found.append((identifier(key), key, value))
    return found


def _numbers(node: Node, field: str, faults: Collector, *, low: int = 0, unit: bool = False) -> dict[str, Named]:
    found: dict[str, Named] = {}
    for name, _, value in _entries(node, faults):
        with faults.part():
            fields = Fields(value, f"{field} zh en" + (" unit" if unit else ""))
            number = whole(fields[field], low) if unit else whole(fields[field], low, 100)
            found[name] = Named(number, word(fields["unit"], _UNITS) if unit else "percent", fields.label())
    return found


def _conflict(node: Node) -> ConflictRule:
    fields = Fields(node, "hours then zh en")
    then = word(fields["then"], ["stronger", "burden"])
    return ConflictRule(whole(fields["hours"], 1, 720), then == "stronger", fields.label())


def _facts(node: Node, standards: Collection[str], kinds: Collection[str], faults: Collector) -> dict[str, Fact]:
    found: dict[str, Fact] = {}
    entries = _entries(node, faults)
    names = [name for name, _, _ in entries]
    for name, key, value in entries:
        with faults.part():
            found[name] = _fact(name, key, value, names, standards, kinds)
    return found


def _fact(
    name: str, key: TextNode, node: Node, names: Collection[str], standards: Collection[str], kinds: Collection[str]
) -> Fact:
    fields = Fields(node, "zh en favours burden standard", "meaning if_unknown set_by shown_by shift")
    favours = Party(word(fields["favours"], _SIDES))
    burden = Party(word(fields["burden"], _SIDES))
    settled = fields.maybe("if_unknown", _settled, None)
    if (favours is Party.NOBODY) != (settled is not None):
        raise node.problem("if_unknown belongs to favours: nobody, which needs it", "if_unknown: disproved")
    if (favours is Party.NOBODY) != (burden is Party.NOBODY):
        raise node.problem("a fact that favours nobody has nobody's burden, and only such a one")
    if "shift" in fields and favours is Party.NOBODY:
        raise fields["shift"].problem("a fact that favours nobody has no burden to shift")
    shifts = []
    for item in _maybe_items(fields, "shift"):
        shift = Fields(item, "to when")
        to = Party(word(shift["to"], _SIDES[:3]))
        when = literals(shift["when"], names)
        if any(one.fact == name for one in when):
            raise shift["when"].problem("a fact cannot shift its own burden")
        shifts.append(Shift(to, when))
    return Fact(
        name, fields.label(), fields.maybe("meaning", _both_or_none, None), favours, burden, settled,
        word(fields["standard"], standards),
        fields.maybe("set_by", lambda n: word(n, ["system", "party", "staff"]), "party"),
        tuple(word(item, kinds) for item in _maybe_items(fields, "shown_by")), tuple(shifts), key.line,
    )  # fmt: skip


def _settled(node: Node) -> bool | None:
    return word(node, ["proved", "disproved"]) == "proved"


def _derived(node: Node, facts: Mapping[str, Fact], faults: Collector) -> dict[str, Derived]:
    found: dict[str, Derived] = {}
    entries = _entries(node, faults)
    names = [*facts, *(name for name, _, _ in entries)]
    for name, key, value in entries:
        with faults.part():
            if name in facts:
                raise key.problem(f"{name} is a fact already", f"on line {facts[name].line}")
            fields = Fields(value, "zh en", "any all")
            if ("any" in fields) == ("all" in fields):
                raise key.problem("a derived fact has either any or all")
            kind = "any" if "any" in fields else "all"
            found[name] = Derived(name, fields.label(), kind == "any", literals(fields[kind], names), key.line)
    if not faults.problems:
        with faults.part():
            return _in_order(found)
    return found


def _in_order(derived: Mapping[str, Derived]) -> dict[str, Derived]:
    """Sort so that each derived fact comes after those it uses."""
    done: dict[str, Derived] = {}
    waiting = dict(derived)
    while waiting:
        ready = [d for d in waiting.values() if not any(one.fact in waiting for one in d.of)]
        if not ready:
            first = next(iter(waiting.values()))
            raise Unreadable([Problem(first.line, 3, f"derived facts go round: {', '.join(waiting)}")])
        for one in ready:
            done[one.fact_id] = waiting.pop(one.fact_id)
    return done


def _impossible(node: Node, facts: Mapping[str, Fact], faults: Collector) -> tuple[tuple[Literal, Literal], ...]:
    found: list[tuple[Literal, Literal]] = []
    places: list[Node] = []
    with faults.part():
        for item in items(node):
            with faults.part():
                parts = items(item)
                if len(parts) != 2:  # noqa: PLR2004 - a pair
                    raise item.problem("an impossible combination is a pair", "longer ones are not propagated")
                first, second = (literal(part, facts) for part in parts)
                if first.fact == second.fact:
                    raise item.problem("a pair is of two different facts")
                found.append((first, second))
                places.append(item)
        if faults.problems:
            return ()
        follows = closure(found)
        never = never_true(follows)
        if never:
            raise node.problem(f"taken together the pairs say that “{never[0]}” can never hold")
        for pair, place in zip(found, places, strict=True):
            with faults.part():
                if both_by_default(pair, facts, follows):
                    raise place.problem(
                        f"“{pair[0]}” and “{pair[1]}” would both hold while neither is known",
                        "change a burden, or drop the pair",
                    )
    return tuple(found)


def _claims(node: Node, faults: Collector) -> dict[str, Claim]:
    found: dict[str, Claim] = {}
    entries = _entries(node, faults)
    names = {name for name, _, _ in entries}
    for name, _, value in entries:
        with faults.part():
            fields = Fields(value, "zh en kind family", "meaning")
            family = identifier(fields["family"])
            if family in names:
                raise fields["family"].problem(f"{family} is a claim; a family needs another name")
            meaning = fields.maybe("meaning", _both_or_none, None)
            found[name] = Claim(name, fields.label(), meaning, word(fields["kind"], _KINDS), family)
    with faults.part():
        if not entries:
            raise node.problem("at least one claim is needed")
    return found


def _chapters(node: Node, faults: Collector) -> dict[str, Text]:
    found: dict[str, Text] = {}
    for name, _, value in _entries(node, faults):
        with faults.part():
            found[name] = both(value)
    return found


def _which_claims(node: Node, claims: Mapping[str, Claim]) -> tuple[str, ...]:
    families = {claim.family for claim in claims.values()}
    known = ["all", *claims, *sorted(families)]
    chosen = {word(item, known) for item in items(node, at_least=1)}
    return tuple(
        claim.claim_id for claim in claims.values() if not chosen.isdisjoint({"all", claim.claim_id, claim.family})
    )


def _duties(node: Node, known: Collection[str], claims: Mapping[str, Claim], faults: Collector) -> tuple[Duty, ...]:
    found = []
    for name, key, value in _entries(node, faults):
        with faults.part():
            fields = Fields(value, "zh en claims when never", "unless")
            unless = _unless(fields, known)
            condition = (*literals(fields["when"], known), *(one.denied for one in unless))
            never = tuple(Outcome(word(item, list(Outcome))) for item in items(fields["never"], at_least=1))
            found.append(
                Duty(name, fields.label(), _which_claims(fields["claims"], claims), condition, never, key.line)
            )
    return tuple(found)


def _articles(
    node: Node, known: Collection[str], claims: Mapping[str, Claim], chapters: Mapping[str, Text], faults: Collector
) -> dict[str, Article]:
    found: dict[str, Article] = {}
    numbers: dict[int, int] = {}
    with faults.part():
        for item in items(node, at_least=1, at_most=MAX_ARTICLES):
            with faults.part():
                article = _article(item, known, claims, chapters)
                if article.article_id in found:
                    raise item.problem(
                        f"the article {article.article_id} stands here twice",
                        f"first on line {found[article.article_id].line}",
                    )
                if article.article_id in chapters:
                    raise item.problem(f"{article.article_id} is a chapter; an article needs another id")
                if article.number in numbers:
                    raise item.problem(f"the number {article.number} is taken", f"on line {numbers[article.number]}")
                numbers[article.number] = article.line
                found[article.article_id] = article
    return found


_ARTICLE: Final = "id number chapter title source claims when then cites message examples"
_ARTICLE_MORE: Final = "mandatory not_claims unless overrides applies_at summary"


def _article(node: Node, known: Collection[str], claims: Mapping[str, Claim], chapters: Mapping[str, Text]) -> Article:
    fields = Fields(node, _ARTICLE, _ARTICLE_MORE)
    if next(iter(fields.node.entries)) != "id":
        raise node.problem("an article begins with its id")
    source = Source(word(fields["source"], list(Source)))
    if "mandatory" in fields and source is not Source.LAW:
        raise fields["mandatory"].problem("only a law article can be mandatory or not")
    when = literals(fields["when"], known)
    unless = _unless(fields, known)
    for one in unless:
        if any(one.fact == other.fact for other in when):
            raise fields["unless"].problem(f"{one.fact} stands in when already")
    applies = _which_claims(fields["claims"], claims)
    if "not_claims" in fields:
        dropped = set(_which_claims(fields["not_claims"], claims))
        if not dropped < set(applies):
            raise fields["not_claims"].problem("not_claims takes some, not all, of the claims away")
        applies = tuple(name for name in applies if name not in dropped)
    return Article(
        identifier(fields["id"]), whole(fields["number"], 1, 999), word(fields["chapter"], chapters),
        fields.get("title", both), source,
        source is Source.LAW and fields.maybe("mandatory", flag, default=True), applies, when, unless,
        tuple(_override(item) for item in _maybe_items(fields, "overrides")), values(fields["then"]),
        tuple(text(item) for item in items(fields["cites"], at_least=1)),
        fields.maybe("applies_at", lambda n: word(n, ["order", "filing"]), "order") == "filing",
        fields.get("message", both), fields.maybe("summary", _both_or_none, None),
        tuple(both(item) for item in items(fields["examples"], at_least=1)), node.line,
    )  # fmt: skip


def _override(node: Node) -> Override:
    words = text(node)
    target, dot, issue = words.partition(".")
    if dot and issue not in {one.value for one in Issue}:
        raise node.problem(f"{issue or 'nothing'} is not an issue", nearest(issue, [one.value for one in Issue]))
    return Override(target, Issue(issue) if dot else None, node.line, node.column)


def _maybe_items(fields: Fields, name: str) -> tuple[Node, ...]:
    return items(fields[name]) if name in fields else ()


def _unless(fields: Fields, known: Collection[str]) -> tuple[Literal, ...]:
    return literals(fields["unless"], known, at_least=0) if "unless" in fields else ()
