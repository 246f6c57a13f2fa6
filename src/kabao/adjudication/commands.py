"""What ``kabao rulebook …`` does, as functions that return what to print and the exit code. Binding is the CLI's work.

Exit codes: 0 fine, 1 findings or differences, 2 something cannot be read.
"""

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any, Final, NamedTuple

from kabao.adjudication import findings
from kabao.adjudication.bench import bench_decide
from kabao.adjudication.cards import article_card
from kabao.adjudication.casefile import AMOUNTS, load_case
from kabao.adjudication.check import check, notes
from kabao.adjudication.compiler import Compiled, compile_book, only_law
from kabao.adjudication.decide import Adjudicator, Decision, plain
from kabao.adjudication.diff import diff
from kabao.adjudication.fields import nearest
from kabao.adjudication.golden import Runner, load_folder
from kabao.adjudication.loader import load_book, load_file
from kabao.adjudication.model import Article, Fact, Rulebook, Unreadable
from kabao.adjudication.overrides import OverrideCycle
from kabao.adjudication.reasons import OUTCOMES, PARTIES, yuan
from kabao.adjudication.replay import Progress, as_csv, as_svg, read_cases, replay
from kabao.adjudication.yamlread import read_bytes

SHIPPED: Final = "rulebook.yaml"


class Said(NamedTuple):
    """What to print, and the exit code."""

    text: str
    code: int = 0


def shipped() -> bytes:
    """Return the text of the packaged rulebook."""
    return (files("kabao.adjudication") / SHIPPED).read_bytes()


def shipped_book() -> Rulebook:
    """Load the packaged rulebook."""
    return load_book(shipped(), SHIPPED)


def _book(path: Path | None) -> Rulebook:
    return shipped_book() if path is None else load_file(path)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def _readable(work: Callable[[], Said], *, as_json: bool = False) -> Said:
    try:
        return work()
    except Unreadable as error:
        if not as_json:
            return Said("\n".join(error.lines()), 2)
        problems = [
            {"line": one.line, "column": one.column, "message": one.message, "hint": one.hint or None}
            for one in error.problems
        ]
        return Said(_json({"file": error.name, "errors": problems}), 2)


def check_command(path: Path | None, *, as_json: bool = False) -> Said:
    """Check a rulebook file."""

    def work() -> Said:
        name = path.name if path else SHIPPED
        try:
            book = _book(path)
        except OverrideCycle as error:
            cycles = [findings.Finding(findings.Kind.OVERRIDE_CYCLE, one.message, one.line) for one in error.problems]
            return _findings(cycles, None, name, as_json=as_json)
        compiled = compile_book(book)
        return _findings([*check(compiled), *notes(compiled)], book, name, as_json=as_json)

    return _readable(work, as_json=as_json)


def _findings(found: list[findings.Finding], book: Rulebook | None, name: str, *, as_json: bool) -> Said:
    code = 1 if any(one.kind is not findings.Kind.NOTE for one in found) else 0
    if as_json:
        return Said(_json({"file": name, "findings": [findings.plain(one) for one in found]}), code)
    if not found and book is not None:
        return Said(
            f"{name}: clean ({len(book.articles)} articles, {len(book.facts)} facts, {len(book.claims)} claims)"
        )
    return Said("\n".join(findings.told(one, book, name) for one in found), code)


def decide_command(path: Path | None, case: Path, *, as_json: bool = False, book: str = "all") -> Said:
    """Decide a case; ``book`` is ``all`` or ``law``."""

    def work() -> Said:
        rules = _book(path)
        wanted = load_case(case, rules)
        compiled = compile_book(only_law(rules) if book == "law" else rules)
        decision = Adjudicator(compiled).decide(wanted)
        return Said(_json(plain(decision)) if as_json else told(decision, compiled))

    return _readable(work, as_json=as_json)


def told(decision: Decision, compiled: Compiled) -> str:
    """Write a decision for people, Chinese first."""
    lines = [f"{decision.outcome} · {OUTCOMES[decision.outcome].zh} · {OUTCOMES[decision.outcome].en}", ""]
    for text in decision.reasons:
        lines += [text.zh, f"  {text.en}"]
    if decision.payer.value != "nobody":
        lines += ["", f"payer: {decision.payer} · {PARTIES[decision.payer].zh}"]
    if decision.authorities:
        lines += ["", "cites:"]
        lines += [f"  {one.citation.text_zh() if one.citation else one.cite}" for one in decision.authorities]
    for one in decision.defeated:
        number = compiled.book.articles[one.article].number
        lines.append(f"yielded on {one.issue}: article {number} ({one.article}) to {', '.join(one.by)}")
    if decision.missing:
        lines += ["", "would change the decision:"]
        for missing in decision.missing:
            changes = [
                f"{word} → {result}"
                for word, result in (("proved", missing.if_proved), ("disproved", missing.if_disproved))
                if result
            ]
            lines.append(f"  {missing.fact} · {missing.label.zh}: {'; '.join(changes) or 'needed'}")
    return "\n".join(lines)


def explain_command(path: Path | None, article: str, *, as_json: bool = False) -> Said:
    """Explain one article, by id or number."""

    def work() -> Said:
        book = _book(path)
        found = book.articles.get(article) or next(
            (one for one in book.articles.values() if str(one.number) == article), None
        )
        if found is None:
            hint = nearest(article, book.articles)
            return Said(f"there is no article {article}" + (f" ({hint})" if hint else ""), 2)
        card = article_card(book, found)
        return Said(_json(card) if as_json else _card(book, found, card))

    return _readable(work, as_json=as_json)


def _card(book: Rulebook, article: Article, card: dict[str, Any]) -> str:
    def facts(literals: Any) -> list[str]:
        return [f"    {one}  ({(book.facts.get(one.fact) or book.derived[one.fact]).label.zh})" for one in literals]

    lines = [
        f"第 {article.number} 条 {article.title.zh} · article {article.number} {article.title.en}",
        article.message.zh,
        article.message.en,
        f"  source: {article.source}; claims: {', '.join(article.claims)}",
        "  when all of:",
        *facts(article.when),
    ]
    if article.unless:
        lines += ["  unless any of:", *facts(article.unless)]
    lines += [f"  {issue}: {value}" for issue, value in card["decides"].items()]
    for word, name in (("beats", "beats"), ("yields to", "yields_to")):
        lines += [f"  {word} on {issue}: {', '.join(others)}" for issue, others in card[name].items() if others]
    lines += [f"  law: {one['zh'] or one['cite']} {one['summary_zh'] or one['fault'] or ''}" for one in card["cites"]]
    lines += [f"  例：{one.zh} · {one.en}" for one in article.examples]
    return "\n".join(lines)


def diff_command(old: Path | None, new: Path, *, as_json: bool = False) -> Said:
    """Compare two versions; exit 1 where they differ."""

    def work() -> Said:
        found = diff(_book(old), _book(new))
        code = 0 if found.empty else 1
        if as_json:
            changes = [
                {"claims": list(one.claims), "issue": one.issue.value, "before": one.before, "after": one.after,
                 "facts": {fact.fact: "proved" if fact.holds else "disproved" for fact in one.facts}}
                for one in found.changes
            ]  # fmt: skip
            value = {
                "added": list(found.added), "removed": list(found.removed), "reworded": list(found.reworded),
                "rules": list(found.rules), "facts": list(found.facts), "changes": changes,
            }  # fmt: skip
            return Said(_json(value), code)
        lines = [
            f"{title}: {', '.join(names)}"
            for title, names in (
                ("new articles", found.added), ("removed articles", found.removed), ("reworded", found.reworded),
                ("changed rules", found.rules),
            )
            if names
        ]  # fmt: skip
        lines += [f"fact {one}" for one in found.facts]
        for change in found.changes:
            lines.append(f"{change.issue}: {change.before} → {change.after}")
            lines.append(f"    claim: {', '.join(change.claims)}")
            lines += [f"    {one.fact}: {'proved' if one.holds else 'disproved'}" for one in change.facts]
        return Said("\n".join(lines) or "no difference", code)

    return _readable(work, as_json=as_json)


def replay_command(
    old: Path | None,
    new: Path,
    cases: Path,
    *,
    as_json: bool = False,
    csv_path: Path | None = None,
    picture: Path | None = None,
    progress: Progress | None = None,
) -> Said:
    """Replay a folder of cases by two versions; exit 1 where any case would end otherwise."""

    def work() -> Said:
        before, after = _book(old), _book(new)
        found = replay(compile_book(before), compile_book(after), read_cases(cases, before, progress), progress)
        if csv_path is not None:
            csv_path.write_text(as_csv(found), encoding="utf-8")
        if picture is not None:
            picture.write_text(as_svg(found), encoding="utf-8")
        code = 1 if found.moved else 0
        totals = {by: found.totals(by) for by in ("claim", "merchant")}
        if as_json:
            value = {
                "cases": found.count,
                "changed": len(found.moved),
                "by_claim": {k: {"cases": v[0], "moved_minor": v[1]} for k, v in totals["claim"].items()},
                "by_merchant": {k: {"cases": v[0], "moved_minor": v[1]} for k, v in totals["merchant"].items()},
            }
            return Said(_json(value), code)
        lines = [f"{found.count:,} cases, {len(found.moved):,} would end otherwise"]
        for by, entries in totals.items():
            lines += [
                f"  {by} {name or '—'}: {n} cases, {_signed(minor)} to buyers" for name, (n, minor) in entries.items()
            ]
        return Said("\n".join(lines), code)

    return _readable(work, as_json=as_json)


def _signed(minor: int) -> str:
    return f"{'-' if minor < 0 else '+'}{yuan(abs(minor))}"


def facts_command(path: Path | None, *, as_json: bool = False) -> Said:
    """List every fact, derived fact and claim, well enough explained to encode a case."""

    def work() -> Said:
        book = _book(path)
        value = facts_card(book)
        return Said(_json(value) if as_json else _facts_text(value))

    return _readable(work, as_json=as_json)


def facts_card(book: Rulebook) -> dict[str, Any]:
    """Return facts, claims, standards, evidence kinds and amounts as plain values."""
    return {
        "version": book.edition.version,
        "claims": {
            name: {"zh": one.label.zh, "en": one.label.en, "kind": one.kind, "family": one.family,
                   "meaning": one.meaning and {"zh": one.meaning.zh, "en": one.meaning.en}}
            for name, one in book.claims.items()
        },
        "facts": {name: _fact_card(book, one) for name, one in book.facts.items()},
        "derived": {
            name: {"zh": one.label.zh, "en": one.label.en, "any" if one.is_any else "all": [str(x) for x in one.of]}
            for name, one in book.derived.items()
        },
        "impossible": [[str(one), str(two)] for one, two in book.impossible],
        "standards": {n: {"percent": o.value, "zh": o.label.zh, "en": o.label.en} for n, o in book.standards.items()},
        "evidence_kinds": {
            n: {"cap": o.value, "zh": o.label.zh, "en": o.label.en} for n, o in book.evidence_kinds.items()
        },
        "amounts": list(AMOUNTS),
        "demands": ["refund", "replace", "perform", "compensation", "none"],
    }  # fmt: skip


def _fact_card(book: Rulebook, fact: Fact) -> dict[str, Any]:
    meaning = fact.meaning or fact.label
    used = sorted({claim for a in book.articles.values() if _uses(book, a, fact.fact_id) for claim in a.claims})
    return {
        "zh": fact.label.zh,
        "en": fact.label.en,
        "meaning": {"zh": meaning.zh, "en": meaning.en},
        "favours": fact.favours.value,
        "burden": fact.burden.value,
        "if_unknown": "proved" if fact.by_default(fact.burden) else "disproved",
        "standard": fact.standard,
        "percent": book.standards[fact.standard].value,
        "set_by": fact.set_by,
        "shown_by": list(fact.shown_by),
        "shift": [{"to": one.to.value, "when": [str(literal) for literal in one.when]} for one in fact.shifts],
        "claims": used,
    }


def _uses(book: Rulebook, article: Article, fact: str) -> bool:
    todo = [one.fact for one in article.condition]
    while todo:
        name = todo.pop()
        if name == fact:
            return True
        if name in book.derived:
            todo.extend(one.fact for one in book.derived[name].of)
    return False


def _facts_text(card: dict[str, Any]) -> str:
    lines = ["claims:"]
    lines += [f"  {name}  {one['zh']} · {one['en']}" for name, one in card["claims"].items()]
    lines.append("facts (burden, standard, if unknown):")
    for name, one in card["facts"].items():
        lines.append(f"  {name}  {one['zh']} · {one['en']}")
        lines.append(f"      {one['meaning']['zh']} ({one['burden']}, {one['standard']}, {one['if_unknown']})")
    return "\n".join(lines)


def show_command(path: Path | None, *, as_json: bool = False) -> Said:
    """Print the articles in the order of their numbers."""

    def work() -> Said:
        book = _book(path)
        ordered = sorted(book.articles.values(), key=lambda one: one.number)
        if as_json:
            edition = book.edition
            value = {
                "title": {"zh": edition.title.zh, "en": edition.title.en},
                "version": edition.version,
                "published": edition.published.isoformat(),
                "effective": edition.effective.isoformat(),
                "chapters": {name: {"zh": one.zh, "en": one.en} for name, one in book.chapters.items()},
                "parameters": {
                    n: {"value": p.value, "unit": p.unit, "zh": p.label.zh} for n, p in book.parameters.items()
                },
                "articles": [article_card(book, one) for one in ordered],
            }
            return Said(_json(value))
        lines = [f"《{book.edition.title.zh}》{book.edition.version}，{book.edition.effective} 起施行"]
        for name, chapter in book.chapters.items():
            lines += ["", chapter.zh]
            lines += [
                f"  第 {one.number} 条 {one.title.zh}：{one.message.zh}" for one in ordered if one.chapter == name
            ]
        return Said("\n".join(lines))

    return _readable(work, as_json=as_json)


def golden_command(path: Path | None, folder: Path, *, as_json: bool = False) -> Said:
    """Run the golden cases of a folder; exit 1 where one differs."""

    def work() -> Said:
        book = _book(path)
        golden = load_folder(folder, book)
        runner = Runner(compile_book(book))
        problems = [problem for one in golden for problem in runner.run(one)]
        if as_json:
            return Said(_json({"cases": len(golden), "problems": problems}), 1 if problems else 0)
        return Said("\n".join([*problems, f"{len(golden)} golden cases, {len(problems)} problems"]), bool(problems) * 1)

    return _readable(work, as_json=as_json)


def bench_command(path: Path | None, *, as_json: bool = False, progress: Callable[[str], None] | None = None) -> Said:
    """Time decisions against the naive interpreter; exit 1 where a bar is missed."""

    def work() -> Said:
        found = bench_decide(shipped() if path is None else read_bytes(path), progress=progress)
        code = 0 if found["passed"] else 1
        if as_json:
            return Said(_json(found), code)
        lines = [f"{name}: {value}" for name, value in found.items() if not isinstance(value, dict)]
        for name, rate in found["per_second"].items():
            ratio = found["ratio_to_naive"].get(name, 1)
            lines.append(f"{name}: {rate:,} per second, {ratio} × naive")
        return Said("\n".join(lines), code)

    return _readable(work, as_json=as_json)
