"""Days that nothing can be counted from, in stories saved earlier: asked about, and no page fails over them."""

from datetime import UTC, date, datetime

import msgspec
import pytest

from helpstories import NOW, at, shown, told
from kabao.adjudication.model import Demand
from kabao.helpcases import HelpState, SavedCase
from kabao.helpcases.rules import next_reminder
from kabao.helpcases.sealing import open_case, seal_case
from kabao.selfhelp import (
    CHINA,
    Amount,
    Business,
    Ending,
    EndKind,
    Event,
    Happening,
    Kind,
    Moment,
    Payment,
    RuleClause,
    SentLetter,
    Side,
    Story,
    To,
)
from kabao.selfhelp.assessing import assess
from kabao.selfhelp.book import law_rules
from kabao.selfhelp.calendar import deadlines
from kabao.selfhelp.checklist import checklist
from kabao.selfhelp.ics import ics
from kabao.selfhelp.letters import letter
from kabao.selfhelp.mending import mended
from kabao.selfhelp.questions import questions
from kabao.selfhelp.rules import faults, most_back_minor

FIRST = datetime(1, 1, 1, tzinfo=UTC)
LAST = datetime(9999, 12, 31, 20, tzinfo=UTC)


def absurd(moment: datetime) -> Story:
    far = Moment(moment)
    return told(
        "wrong_purchase", "key_failed", "deceit",
        payment=Payment(at=far, amount=Amount(10_000)),
        shop=Business(name="一家店", since=date(9999, 1, 1)),
        events=tuple(Event(at=far, kind=kind) for kind in Happening),
        evidence=(msgspec.structs.replace(shown(Kind.RECORDING), taken=far, added_at=moment),),
        letters=tuple(SentLetter(to=to, sent=far, due=far, answered=far, settled=to is To.OFFICE) for to in To),
        clauses=(RuleClause(of=Side.PLATFORM, where="", says="x", hours=10**12),),
        ending=Ending(kind=EndKind.STOPPED, at=far),
    )  # fmt: skip


@pytest.mark.parametrize("moment", [FIRST, LAST])
def test_no_page_of_a_case_fails_over_a_day_out_of_all_reason(moment: datetime) -> None:
    key = b"k" * 32
    story = open_case(key, 1, 2, seal_case(key, 1, 2, SavedCase(state=HelpState(story=absurd(moment)), seed=b"")))
    story = story.state.story
    for one in (story, msgspec.structs.replace(story, ending=None)):
        found = assess(one, law_rules(), NOW)
        days = deadlines(one, NOW)
        ics(one, days, NOW, one.language)
        next_reminder(days, NOW, NOW)
        checklist(one, found)
        for to in To:
            letter(one, found, to, one.language, NOW)
        assert "payment.at" in [question.field for question in questions(one, law_rules(), NOW)]
    assert (len(story.events), story.clauses[0].hours, story.shop.since) == (len(Happening), None, None)


def test_a_story_with_likely_days_stays_as_it_is() -> None:
    story = told("key_invalid", "key_failed", evidence=(shown(Kind.RECORDING),), events=(Event(at=at(3)),))
    assert mended(story) is story


def test_a_rule_that_sets_an_age_is_asked_about_and_counted_nowhere() -> None:
    story = told("key_invalid", clauses=(RuleClause(of=Side.PLATFORM, where="", says="x", hours=10**12),))
    assert faults(story, NOW)[0].places == ("clauses.1.hours",)
    assert not [day for day in deadlines(story, NOW) if day.deadline_id == "rule-1"]


@pytest.mark.parametrize(
    ("ending", "more", "codes"),
    [
        (Ending(kind=EndKind.REFUNDED, at=at(20), amount=Amount(10_000)), {}, []),
        (Ending(kind=EndKind.REFUNDED, at=at(20), amount=Amount(10_001)), {}, ["more_than_paid"]),
        (Ending(kind=EndKind.REFUNDED, at=at(20), amount=Amount(60_000)), {"demand": Demand.COMPENSATION}, []),
        (Ending(kind=EndKind.REFUNDED, at=at(20), amount=Amount(60_001)), {"demand": Demand.COMPENSATION},
         ["more_than_paid"]),
        (Ending(kind=EndKind.REFUNDED, at=Moment(datetime(2026, 11, 13, tzinfo=CHINA), exact=False)), {},
         ["ended_before_paid"]),
        (Ending(kind=EndKind.REFUNDED, at=at(20), amount=Amount(99_000)), {"payment": Payment()}, []),
    ],
)  # fmt: skip
def test_an_ending_that_cannot_be_is_refused(ending: Ending, more: dict[str, object], codes: list[str]) -> None:
    story = told("key_invalid", ending=ending, **more)
    assert [fault.code for fault in faults(story, NOW)] == codes


def test_a_promised_multiple_may_come_back() -> None:
    promised = {"demand": Demand.COMPENSATION, "amounts": {"promise_multiple": 10}}
    assert most_back_minor(told("key_invalid", **promised)) == 110_000
