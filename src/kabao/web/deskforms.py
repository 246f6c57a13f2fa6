"""Reads the forms of those who decide; what is wrong is told field by field."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from kabao.adjudication import Rulebook
from kabao.cases import CaseView, CastVote, Outcome, Rule, SayFact, Shares
from kabao.cases.facts import BEIJING
from kabao.cases.ladder.awards import outcome_of
from kabao.cases.ladder.grounds import Point
from kabao.cases.ladder.model import Answer, Award, Grounds, Take
from kabao.kernel import parse_yuan
from kabao.law import citable, load_catalogue
from kabao.web.http import NOT_WORDS, Visit
from kabao.web.words import SURENESS, WAYS

CITED: Final = range(1, 5)
"""How many articles, and how many laws, the form has room for."""
FIELDS: Final = (
    "outcome",
    "refund",
    "facts",
    "reasons",
    "body",
    "fact",
    "shows",
    "kind",
    "confidence",
    "item_no",
    "note",
    "share_buyer",
    "share_merchant",
    "share_platform",
    "sentence",
    "differs_reason",
    "upholds",
    "damages",
    "replaces",
    "to",
    "question",
    "why",
    "summary",
    "reason",
    "unanswered",
    *(f"{name}_{place}" for name in ("article", "law") for place in CITED),
)
NOT_DRAFTED: Final = NOT_WORDS | {"step"}
NOT_KEPT: Final = NOT_DRAFTED | {"read"}
"""What a draft leaves out: a form that is opened again shows, and so has read, all there is by then."""
SHARES_WRONG: Final = "三方加起来要是 100"
REFUND_WRONG: Final = "填 0.01 元以上、这单还能退的金额以下的数"
REFUND_NOT_MEANT: Final = {
    Outcome.NO_REFUND: "选了不支持，这里要空着；要退一部分，上面选部分退",
    Outcome.FULL_REFUND: "选了全额退，这里要空着；只退一部分，上面选部分退",
}
"""What to say of an amount beside an outcome that needs none: which of the two was meant cannot be guessed."""
DAMAGES_WRONG: Final = "填 0.01 元以上的数，没有赔偿就空着"
NEEDED: Final = {"facts": "写查明的事实", "reasons": "写理由"}


def read_fact(visit: Visit) -> SayFact | dict[str, str]:
    """Read the form of a fact; answers what is wrong with each field instead where something is."""
    form, errors = visit.form, {}
    if not form.text("fact"):
        errors["fact"] = "选一个事实"
    if form.text("shows") not in WAYS:
        errors["shows"] = "选成立还是不成立"
    if not form.text("kind"):
        errors["kind"] = "选一种证据"
    sure = form.text("confidence")
    if sure not in SURENESS:
        errors["confidence"] = "选把握有多大"
    if form.text("item_no") and form.number("item_no") is None:
        errors["item_no"] = "没有这个编号的证据"
    if errors:
        return errors
    return SayFact(
        fact=form.text("fact"),
        shows=form.text("shows") == "yes",
        kind=form.text("kind"),
        confidence=int(sure),
        item_no=form.number("item_no"),
        note=form.text("note"),
    )


class Citing(NamedTuple):
    """What a ruling may name: articles as the form writes them with their ids, and so the law."""

    articles: dict[str, str]
    laws: dict[str, str]


def citing_of(book: Rulebook | None, case: CaseView) -> Citing:
    """List what a ruling of a case may name: its rulebook's articles, and law in force as it was ordered or filed."""
    days = [moment.astimezone(BEIJING).date() for moment in (case.order.placed_at, case.opened_at)]
    found = [] if book is None else sorted(book.articles.values(), key=lambda one: one.number)
    return Citing(
        {f"第 {one.number} 条 {one.title.zh}": one.article_id for one in found},
        {one.text_zh(): one.id for one in load_catalogue() if any(citable(one, day) for day in days)},
    )


def read_points(visit: Visit) -> list[str] | None:
    """Read which points the form had shown; None where it tells nothing, which stands for all there are."""
    return visit.form.text("read").split() or None


def read_grounds(visit: Visit, points: Sequence[Point], citing: Citing, errors: dict[str, str]) -> Grounds:
    """Read answers to points, and the articles and law named, by the words the form offers or an article's number."""
    form, takes = visit.form, {take.value: take for take in Take}
    answers = []
    for point in points:
        take, why = form.text(f"take_{point.key}"), form.text(f"why_{point.key}")
        if why and take not in takes:
            errors[f"take_{point.key}"] = "选采纳、不采纳还是不影响结论"
        elif take in takes:
            answers.append(Answer(point=point.key, take=takes[take], why=why))
    numbers = {
        way: name
        for text, name in citing.articles.items()
        for way in (text.split()[1], f"第 {text.split()[1]} 条", f"{text.split()[1]} 条")
    }
    articles = _named(visit, "article", citing.articles | numbers, errors, "没有这一条，从列表里选")
    laws = _named(visit, "law", citing.laws, errors, "目录里没有这一条，从列表里选")
    return Grounds(answers=answers, articles=articles, laws=laws, unanswered=form.text("unanswered"))


def _named(visit: Visit, name: str, offered: dict[str, str], errors: dict[str, str], wrong: str) -> list[str]:
    """Find what was typed among what is offered; where the spaces stand does not matter."""
    found: list[str] = []
    offered = {"".join(text.split()): one for text, one in offered.items()}
    for place in CITED:
        field = f"{name}_{place}"
        typed = "".join(visit.form.text(field).split())
        if typed and typed not in offered:
            errors[field] = wrong
        elif typed and offered[typed] not in found:
            found.append(offered[typed])
    return found


def read_ruling(
    visit: Visit, case: CaseView, points: Sequence[Point], citing: Citing
) -> tuple[Rule | None, dict[str, str]]:
    """Read the ruling form, as far as it can be read, and what is wrong with each field."""
    form, errors = visit.form, dict[str, str]()
    outcome = form.text("outcome")
    if outcome not in set(Outcome):
        errors["outcome"] = "选裁决结果"
    refund, damages = read_refund(form.text("outcome"), form.text("refund"), case), read_damages(visit)
    if refund is None:
        errors["refund"] = refund_wrong(outcome)
    if damages is None:
        errors["damages"] = DAMAGES_WRONG
    errors |= {name: text for name, text in NEEDED.items() if not form.text(name)}
    if not read_shares(visit).is_whole:
        errors["shares"] = SHARES_WRONG
    grounds = read_grounds(visit, points, citing, errors)
    if "outcome" in errors or refund is None or damages is None:
        return None, errors
    wish = Rule(
        outcome=Outcome(outcome),
        refund_minor=refund,
        damages_minor=damages,
        shares=read_shares(visit),
        facts=form.text("facts"),
        reasons=form.text("reasons"),
        differs_reason=form.text("differs_reason"),
        grounds=grounds,
        read=read_points(visit),
    )
    return wish, errors


def read_refund(outcome: str, typed: str, case: CaseView) -> int | None:
    """Read what a partial refund, or one in the place of a replacement, comes to; None where that is no amount for it.

    Left empty for a replacement it is 0, which stands for everything. Other outcomes need none: beside them only what
    says the same is taken.
    """
    amount = parse_yuan(typed)
    if outcome in REFUND_NOT_MEANT and typed:
        same = 0 if outcome == Outcome.NO_REFUND else case.held_minor
        return 0 if amount is not None and amount.minor == same else None
    if outcome == Outcome.PARTIAL_REFUND:
        return amount.minor if amount is not None and 0 < amount.minor < case.held_minor else None
    if outcome == Outcome.REPLACEMENT and typed:
        return amount.minor if amount is not None and 0 < amount.minor <= case.held_minor else None
    return 0


def refund_wrong(outcome: str) -> str:
    """Say what is wrong with an amount that `read_refund` did not take."""
    return {str(one): text for one, text in REFUND_NOT_MEANT.items()}.get(outcome, REFUND_WRONG)


def read_damages(visit: Visit) -> int | None:
    """Read damages; 0 where nothing was typed, None where it is no amount."""
    typed = visit.form.text("damages")
    amount = parse_yuan(typed)
    return 0 if not typed else None if amount is None else amount.minor


def read_shares(visit: Visit) -> Shares:
    """Read who is responsible; what is no number counts as none, and the sum is checked by who takes it."""
    parts = {name: visit.form.number(f"share_{name}") or 0 for name in ("buyer", "merchant", "platform")}
    return Shares(**parts)


def wished_by(vote: CastVote, case: CaseView) -> Rule:
    """Write a vote as the ruling it asks for."""
    award = Award(vote.refund_minor, vote.damages_minor, vote.replaces) if vote.upholds else Award(0)
    return Rule(
        outcome=outcome_of(award, case.held_minor),
        refund_minor=award.refund_minor,
        damages_minor=award.damages_minor,
        shares=vote.shares,
        facts=vote.facts,
        reasons=vote.reasons,
        differs_reason=vote.differs_reason,
        grounds=vote.grounds,
        read=vote.read,
    )


def given_by(wish: Rule, case: CaseView) -> Award:
    """Tell what a ruling would give."""
    replaces = wish.outcome is Outcome.REPLACEMENT
    everything = wish.outcome is Outcome.FULL_REFUND or (replaces and not wish.refund_minor)
    return Award(case.held_minor if everything else wish.refund_minor, wish.damages_minor, replaces)
