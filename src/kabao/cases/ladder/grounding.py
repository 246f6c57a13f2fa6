"""Reads what a ruling has to rest on, and holds what somebody is about to hand in against it."""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from kabao.adjudication import Adjudicator
from kabao.cases import store as cases
from kabao.cases.facts import BEIJING
from kabao.cases.ladder import awards, store
from kabao.cases.ladder.grounds import WAITING, Point, check_answers, check_cited, check_read, losing
from kabao.cases.ladder.model import Award, Grounds, Question
from kabao.cases.model import MAX_RULING_CHARS, Beside
from kabao.cases.store import CaseRow
from kabao.evidence import clean_text
from kabao.kernel import Refused
from kabao.law import load_catalogue
from kabao.postgres import Connection

BOTH: frozenset[str] = frozenset({"buyer", "merchant"})
POINTS: frozenset[str] = frozenset({"answered", "replied", "review_asked"})
"""Steps whose words are a party's point; what the newest offer of a side says for itself is one, too."""


class Grounded(NamedTuple):
    """What a ruling will rest on, what is wrong with it by field, and which points had been read."""

    grounds: Grounds
    wrong: dict[str, str]
    seen: list[str]


async def points_of(conn: Connection, case: CaseRow, *, with_replaced: bool = False) -> list[Point]:
    """List what each party brought forward in a case, oldest first: claim, answers, replies, reasons of offers, facts.

    Of the offers of a side the newest counts; those that it replaced are listed `with_replaced` only.
    """
    place = (case.shop_id, case.case_id)
    by, at = case.state.opened_by.value, case.state.opened_at
    points = [Point(key="claim", by=by, kind="claim", said=case.statement, at=at)]
    points += [
        Point(key=f"e{one.event_id}", by=one.actor_role, kind=one.kind, said=one.body or "", at=one.at)
        for one in await cases.events(conn, *place)
        if one.kind in POINTS
    ]
    offers = await cases.offers(conn, *place)
    newest = {one.by_role: one.offer_id for one in offers}
    points += [
        Point(key=f"o{one.offer_id}", by=one.by_role, kind="offered", said=one.note, at=one.made_at)
        for one in offers
        if one.note and (with_replaced or newest[one.by_role] == one.offer_id)
    ]
    points += [
        Point(
            key=f"f{one.said_id}",
            by=one.by,
            kind="fact",
            said=note,
            at=one.at,
            fact=one.fact,
            shows=one.shows,
            item_id=item_id,
        )
        for one, item_id, note in await cases.said_with_notes(conn, *place)
        if one.by in BOTH
    ]
    return sorted(points, key=lambda point: point.at)


async def unread_of(
    conn: Connection, case: CaseRow, read: Collection[str] | None, grounds: Grounds | None = None
) -> list[str]:
    """Name the points that are neither among those `read` nor answered, oldest first; none where everything was."""
    if read is None:
        return []
    seen = {*read, *(() if grounds is None else (one.point for one in grounds.answers))}
    return [point.key for point in await points_of(conn, case) if point.key not in seen]


async def open_questions(conn: Connection, case: CaseRow) -> list[Question]:
    """Return the questions of the stage a case is in that nobody has answered."""
    asked = await store.questions(conn, case.shop_id, case.case_id)
    return [one for one in asked if one.is_open and one.stage == case.state.stage]


async def grounded(
    conn: Connection,
    case: CaseRow,
    judge: Adjudicator | Refused,
    beside: Beside | None,
    wish: Grounds,
    award: Award,
    *,
    read: Sequence[str] | None = None,
    sides: frozenset[str] | None = None,
) -> Grounded:
    """Hold grounds against the case: points answered, articles and law named, open questions told of.

    The points of the sides that lose have to be answered, or those of `sides`, as far as they were `read`. Where
    nothing is named and the rulebook suggests the same, its articles are the ruling's.
    """
    suggested = suggestion(beside, case)
    is_other = awards.differs(suggested, award)
    needed = losing(case.state, award) if sides is None else sides
    # An offer may be replaced while somebody writes: the answer to it stands, and none is asked for.
    standing = {point.key for point in await points_of(conn, case)}
    ever = await points_of(conn, case, with_replaced=True)
    answered = {one.point for one in wish.answers}
    seen, unseen = check_read(ever, standing, read, answered, case.now)
    answers, wrong = check_answers(ever, wish.answers, needed, seen)
    wrong |= unseen
    book = {} if isinstance(judge, Refused) else judge.book.articles
    days = [moment.astimezone(BEIJING).date() for moment in (case.placed_at, case.state.opened_at)]
    wrong |= check_cited(wish, book, load_catalogue(), days, differs=is_other)
    unanswered = clean_text(wish.unanswered, MAX_RULING_CHARS) or ""
    is_waiting = bool(await open_questions(conn, case))
    if is_waiting and not unanswered:
        wrong["unanswered"] = WAITING
    return Grounded(
        Grounds(
            answers=answers,
            articles=list(wish.articles),
            laws=list(wish.laws),
            unanswered=unanswered if is_waiting else "",
        ),
        wrong,
        seen,
    )


def suggestion(beside: Beside | None, case: CaseRow) -> Award | None:
    """Tell what the rulebook suggests to give."""
    return awards.suggested_of(None if beside is None else beside.decision, case.state.demand, case.state.held_minor)


def named(grounds: Grounds, beside: Beside | None, case: CaseRow, award: Award) -> Grounds:
    """Name the rulebook's own articles where whoever ruled named nothing and gives what it suggests."""
    suggested = suggestion(beside, case)
    if grounds.articles or grounds.laws or suggested is None or awards.differs(suggested, award):
        return grounds
    articles: Sequence[str] = (beside.decision or {})["articles"] if beside is not None else []
    return Grounds(answers=grounds.answers, articles=list(articles), laws=grounds.laws, unanswered=grounds.unanswered)
