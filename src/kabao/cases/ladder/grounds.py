"""What a ruling rests on: the parties' points and whose have to be answered, the articles and the law named. Pure."""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final, NamedTuple

import msgspec

from kabao.adjudication import Rulebook, make_case
from kabao.cases.ladder.model import CITED_AT_MOST, MAX_ANSWER_CHARS, READ_WITHIN, Answer, Award, Grounds, Take
from kabao.cases.model import Beside, CaseState, Remedy, Side
from kabao.law import Catalogue, citable

TAKES: Final = {Take.ACCEPTED: "采纳", Take.NOT_ACCEPTED: "不采纳", Take.NOT_DECISIVE: "不影响结论"}
"""How an answer is called on pages and paper."""
UNANSWERED: Final = "这一方没有全部得到支持，每一点都要回答。"
WHY_WRONG: Final = f"用一句话写为什么，最多 {MAX_ANSWER_CHARS} 个字。"
NO_POINT: Final = "没有这一点，或者回答了两次。"
NOT_THERE: Final = "读过的点里有这件案子没有的。"
CAME_MEANWHILE: Final = "这一点在你打开表单以后提出，已经超过一小时，先看过再提交。"
NAME_ONE: Final = "和按规则推出的结果不同，至少选一条条文或者一条法律作依据。"
WAITING: Final = "还有问题没有人回答：等回答、撤回问题，或者写明为什么不等就裁决。"


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """Something a party brought forward in a case; `key` names it for good.

    `kind` is claim, answered, offered, fact or review_asked; `said` are the party's own words. Of a fact `fact` is its
    name and `shows` which way it was said, `item_id` the file that is to show it.
    """

    key: str
    by: str
    kind: str
    said: str
    at: datetime
    fact: str = ""
    shows: bool = False
    item_id: int | None = None


def losing(case: CaseState, award: Award) -> frozenset[str]:
    """Tell which sides do not get all they want; of a refund of a part that is both, where all was demanded.

    Who opened the case wants what he demands; a buyer else wants everything back, a merchant that nothing is given.
    """
    demanded = case.demand_minor if case.demand is Remedy.PARTIAL_REFUND else case.held_minor
    is_buyers = case.opened_by is Side.BUYER
    wanted = demanded if is_buyers else case.held_minor
    at_most = case.demand_minor if not is_buyers and case.demand is Remedy.PARTIAL_REFUND else 0
    lost = set()
    if not award.replaces and award.refund_minor < wanted:
        lost.add("buyer")
    if award.replaces or award.damages_minor or award.refund_minor > at_most:
        lost.add("merchant")
    return frozenset(lost)


def check_answers(
    points: Sequence[Point], answers: Sequence[Answer], sides: frozenset[str], standing: Container[str]
) -> tuple[list[Answer], dict[str, str]]:
    """Put answers in the order of the points, each in one line; what is wrong is told by field.

    Every point of the `sides` named that is `standing` has to be answered; the others may be.
    """
    known, wrong, by_key = {point.key for point in points}, {}, dict[str, Answer]()
    for one in answers:
        why = " ".join(one.why.split())
        if one.point not in known or one.point in by_key:
            wrong[f"take_{one.point}"] = NO_POINT
        if not 1 <= len(why) <= MAX_ANSWER_CHARS:
            wrong[f"why_{one.point}"] = WHY_WRONG
        by_key[one.point] = msgspec.structs.replace(one, why=why)
    for point in points:
        if point.by in sides and point.key in standing and point.key not in by_key:
            wrong[f"take_{point.key}"] = UNANSWERED
    return [by_key[point.key] for point in points if point.key in by_key], wrong


def check_read(
    points: Sequence[Point],
    standing: Container[str],
    named: Sequence[str] | None,
    answered: Collection[str],
    now: datetime,
) -> tuple[list[str], dict[str, str]]:
    """Return the keys of the standing points that whoever decides has read, and by field what is wrong with that.

    `named` are the keys he was shown, None for all there are; whatever he answers he has read, too. What came after may
    be left unread for an hour, so that nobody puts a ruling off by speaking again and again, and none rests on an old
    look at the case.
    """
    known = {point.key for point in points}
    read = known if named is None else known & {*named, *answered}
    wrong = {"read": NOT_THERE} if named is not None and set(named) - known else {}
    for point in points:
        if point.key in standing and point.key not in read and now - point.at > READ_WITHIN:
            wrong[f"take_{point.key}"] = CAME_MEANWHILE
    return [point.key for point in points if point.key in standing and point.key in read], wrong


def check_cited(
    wish: Grounds, articles: Iterable[str], catalogue: Catalogue, days: Sequence[date], *, differs: bool
) -> dict[str, str]:
    """Tell what is wrong with what a ruling names: articles of the binding rulebook, law in force on one of the days.

    One that differs from what the rulebook suggests has to name something.
    """
    wrong = {}
    known = set(articles)
    if set(wish.articles) - known or _overfull(wish.articles):
        wrong["articles"] = f"选这一版规则里的条文，不重复，最多 {CITED_AT_MOST} 条。"
    if _overfull(wish.laws) or not all(_is_law(law, catalogue, days) for law in wish.laws):
        wrong["laws"] = f"选目录里下单或提出纠纷时有效的法律，不重复，最多 {CITED_AT_MOST} 条。"
    if differs and not wish.articles and not wish.laws:
        wrong["articles"] = NAME_ONE
    return wrong


def _overfull(named: Sequence[str]) -> bool:
    return len(named) > CITED_AT_MOST or len(set(named)) < len(named)


def _is_law(law: str, catalogue: Catalogue, days: Sequence[date]) -> bool:
    citation = catalogue.get(law)
    return citation is not None and any(citable(citation, day) for day in days)


class Deciding(NamedTuple):
    """Why the rulebook comes to its result: facts that its deciding articles ask for, by article, and in a sentence."""

    articles: Mapping[str, Sequence[int]]
    because: str


def deciding(book: Rulebook, said: Mapping[str, Any]) -> Deciding:
    """Find in a decision which facts decided, and by which articles: those that settle the price, else all."""
    price = [name for name, issues in said["decided"].items() if "price" in issues]
    articles = sorted((book.articles[name] for name in price or said["articles"]), key=lambda one: one.number)
    asks: dict[str, list[int]] = {}
    labels: dict[str, str] = {}
    for article in articles:
        for literal in article.condition:
            named = book.facts.get(literal.fact) or book.derived[literal.fact]
            labels[literal.fact] = f"「{named.label.zh}」{'成立' if literal.holds else '不成立'}"
            for fact in _base(book, literal.fact):
                asks.setdefault(fact, []).append(article.number)
    numbers = "、".join(f"第 {article.number} 条" for article in articles)
    title = f"《{book.edition.title.zh}》"
    return Deciding(asks, f"决定结果的事实：{'、'.join(labels.values())}；依{title}{numbers}。" if numbers else "")


def _base(book: Rulebook, fact: str) -> list[str]:
    derived = book.derived.get(fact)
    return [fact] if derived is None else [base for literal in derived.of for base in _base(book, literal.fact)]


def by_the_book(points: Sequence[Point], beside: Beside, book: Rulebook) -> Grounds:
    """Answer the points of a case that the rulebook decides by itself: by which fact, and which article asks for it."""
    said, file = beside.decision or {}, beside.file or {}
    why, known = deciding(book, said), make_case(file, book).known
    taken = [(point.key, *_taken(point, known, why)) for point in points]
    answers = [Answer(point=key, take=take, why=text) for key, take, text in taken]
    return Grounds(answers=answers, articles=list(said["articles"]))


def _taken(point: Point, known: Mapping[str, bool], why: Deciding) -> tuple[Take, str]:
    if point.kind != "fact":
        return (Take.ACCEPTED if point.by == "buyer" else Take.NOT_ACCEPTED), why.because
    found, numbers = known.get(point.fact), why.articles.get(point.fact)
    told = {True: "认定成立", False: "认定不成立", None: "没有达到证明标准"}[found]
    if numbers is None:
        return Take.NOT_DECISIVE, f"{told}；决定结果的条文不看它。"
    asked = "、".join(f"第 {number} 条" for number in sorted(set(numbers)))
    take = Take.ACCEPTED if found is point.shows else Take.NOT_ACCEPTED
    return take, f"{told}，{asked}看它。"
