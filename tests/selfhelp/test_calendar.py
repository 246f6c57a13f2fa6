"""The days of a case: where each comes from, how they are counted, and the calendar file that carries them."""

from datetime import UTC, date, datetime, timedelta

import pytest
import vobject
from icalendar import Calendar

from kabao.selfhelp import (
    CHINA,
    Answer,
    DueSource,
    Ending,
    EndKind,
    Event,
    Goods,
    Happening,
    Language,
    Moment,
    Payment,
    RuleClause,
    SentLetter,
    Side,
    Story,
    To,
)
from kabao.selfhelp.calendar import deadlines, remaining
from kabao.selfhelp.ics import ics
from kabao.selfhelp.workdays import PUBLISHED_TO, end_on_working_day, is_published, is_working_day, working_days_after


def moment(text: str) -> Moment:
    at = datetime.fromisoformat(text).replace(tzinfo=CHINA)
    return Moment(at, exact=len(text) > len("2026-11-14"))


NOW = moment("2026-11-20 10:00").at
STORY = Story(
    case_id="c7",
    created_at=NOW,
    goods=Goods.KEY,
    claim="already_used",
    payment=Payment(at=moment("2026-11-14 20:51")),
    answers={"opened": Answer.YES},
    events=(
        Event(at=moment("2026-11-14 21:06"), kind=Happening.DELIVERED, by=Side.MERCHANT),
        Event(at=moment("2026-11-14 21:10"), kind=Happening.TRIED, by=Side.ME),
        Event(at=moment("2026-11-15"), kind=Happening.COMPLAINED, by=Side.ME),
    ),
)


def change(**fields: object) -> Story:
    kept = {name: getattr(STORY, name) for name in STORY.__struct_fields__}
    return Story(**{**kept, **fields})  # type: ignore[arg-type]


def days(story: Story) -> dict[str, tuple[date, DueSource]]:
    return {one.deadline_id: (one.at.astimezone(CHINA).date(), one.source) for one in deadlines(story, NOW)}


def test_working_days_skip_holidays_and_count_weekends_that_were_moved_to_work() -> None:
    # National Day 2026 is 1 to 7 October; 20 September and 10 October are worked for it.
    assert [is_working_day(date(2026, 10, day)) for day in (1, 7, 8, 10, 11)] == [False, False, True, True, False]
    assert working_days_after(date(2026, 9, 29), 7) == date(2026, 10, 14)
    assert end_on_working_day(date(2026, 10, 4)) == date(2026, 10, 8)
    assert is_published(date(PUBLISHED_TO, 12, 31))
    assert not is_published(date(PUBLISHED_TO + 1, 1, 1))


def test_the_law_counts_from_the_first_day_the_fault_was_known_and_the_earliest_day_stands_first() -> None:
    found = days(STORY)
    assert found["limitation"] == (date(2029, 11, 14), DueSource.LAW)
    assert found["complaint-limit"] == (date(2029, 11, 14), DueSource.LAW)
    assert found["stalling"] == (date(2026, 11, 30), DueSource.LAW)
    assert found["no-reason"] == (date(2026, 11, 21), DueSource.LAW)
    assert found["capture-first"][1] is DueSource.ADVICE
    assert "tell-the-merchant" not in found
    assert "rescission" not in found
    instants = [one.at for one in deadlines(STORY, NOW)]
    assert instants == sorted(instants)
    assert all((one.cite is not None) is (one.source is DueSource.LAW) for one in deadlines(STORY, NOW))
    assert all(one.cite.mark in {"V", "V2"} for one in deadlines(STORY, NOW) if one.cite is not None)


def test_rights_that_do_not_apply_are_not_counted_down() -> None:
    assert "no-reason" not in days(change(answers={"exclusion_confirmed": Answer.YES}))
    assert "no-reason" not in days(change(answers={"used_up": Answer.YES}))
    service = days(change(goods=Goods.SUBSCRIPTION))
    assert "no-reason" not in service
    assert service["prepaid-seven-days"] == (date(2026, 11, 21), DueSource.LAW)
    assert "prepaid-seven-days" not in days(
        change(goods=Goods.SUBSCRIPTION, answers={"same_service_before": Answer.YES})
    )
    assert days(change(claim="wrong_purchase"))["rescission"][0] == date(2027, 2, 12)
    assert days(change(answers={"deceit": Answer.YES}))["rescission"][0] == date(2027, 11, 14)
    assert deadlines(change(ending=Ending(kind=EndKind.REFUNDED, at=moment("2026-11-19"))), NOW) == ()
    assert deadlines(Story(case_id="empty", created_at=NOW, evidence=()), NOW)[0].deadline_id == "capture-first"


def test_a_rule_as_entered_is_marked_by_whose_it_is_and_said_to_be_unchecked() -> None:
    def rule(of: Side, hours: int | None, since: Happening = Happening.PAID) -> RuleClause:
        return RuleClause(of=of, where="第 5 条", says="付款后 14 天内可以申请。", hours=hours, counts_from=since)

    story = change(
        clauses=(
            rule(Side.PLATFORM, 14 * 24),
            rule(Side.MERCHANT, 5, Happening.COMPLAINED),
            rule(Side.OTHER, 30),
            rule(Side.PLATFORM, None),
            rule(Side.PLATFORM, 24, Happening.REFUNDED),
        )
    )
    found = {one.deadline_id: one for one in deadlines(story, NOW)}
    assert found["rule-1"].source is DueSource.PLATFORM_RULE
    assert found["rule-1"].at == moment("2026-11-28 20:51").at
    assert "没有核对" in found["rule-1"].why.zh
    assert "天内可以申请。从" in found["rule-1"].why.zh
    assert found["rule-2"].source is DueSource.MERCHANT_RULE
    assert found["rule-2"].all_day, "a day without an hour is not given one"
    assert found["rule-3"].source is DueSource.CHANNEL_RULE
    assert "30 小时" in found["rule-3"].why.zh
    assert {"rule-4", "rule-5"}.isdisjoint(found)


def test_letters_sent_bring_their_own_days_and_those_of_the_office_and_the_court() -> None:
    sent = (
        SentLetter(to=To.MERCHANT, sent=moment("2026-11-16 09:00"), due=moment("2026-11-17 09:00")),
        SentLetter(to=To.PLATFORM, sent=moment("2026-11-17"), due=moment("2026-11-19"), answered=moment("2026-11-18")),
        SentLetter(to=To.OFFICE, sent=moment("2026-12-28")),
        SentLetter(to=To.COURT, sent=moment("2026-11-20")),
        SentLetter(to=To.ASSOCIATION, sent=moment("2026-11-17"), due=moment("2026-11-27")),
    )
    found = {one.deadline_id: one for one in deadlines(change(letters=sent), NOW)}
    assert found["letter-1-due"].source is DueSource.OWN_LETTER
    assert "letter-2-due" not in found
    # Seven working days from Monday 28 December cross New Year's Day.
    assert found["letter-3-acceptance"].at.date() == date(2027, 1, 7)
    assert "还没有核对" in found["letter-3-acceptance"].why.zh
    assert found["letter-3-mediation"].at.date() == date(2027, 3, 8)
    assert found["letter-4-docket"].at.date() == date(2026, 11, 27)
    assert found["letter-5-due"].all_day
    accepted = (SentLetter(to=To.OFFICE, sent=moment("2026-11-20"), answered=moment("2026-11-25")),)
    assert days(change(letters=accepted))["letter-1-mediation"][0] == date(2027, 1, 25)
    agreed = (SentLetter(to=To.OFFICE, sent=moment("2026-11-20"), answered=moment("2026-12-05"), settled=True),)
    settled = days(change(letters=agreed))
    assert settled["letter-1-confirmation"] == (date(2027, 1, 4), DueSource.LAW)
    assert {"letter-1-mediation", "stalling"}.isdisjoint(settled)


def test_three_years_from_a_leap_day_end_with_february() -> None:
    tried = Event(at=moment("2028-02-29"), kind=Happening.TRIED)
    assert days(change(events=(tried,), payment=Payment()))["limitation"][0] == date(2031, 2, 28)


@pytest.mark.parametrize(
    ("now", "zh", "en"),
    [
        ("2026-11-21 09:00", "就是今天", "today"),
        ("2026-11-19 23:00", "还剩 2 天", "2 days left"),
        ("2026-11-23 00:30", "已过 2 天", "2 days ago"),
    ],
)
def test_what_remains_of_a_day_is_told_in_days(now: str, zh: str, en: str) -> None:
    day = next(one for one in deadlines(STORY, NOW) if one.deadline_id == "no-reason")
    assert (remaining(day, moment(now).at, Language.ZH), remaining(day, moment(now).at, Language.EN)) == (zh, en)


@pytest.mark.parametrize(
    ("now", "zh", "en"),
    [
        ("2026-11-18 08:00", "还剩 25 小时", "25 hours left"),
        ("2026-11-19 08:30", "不到 1 小时", "less than an hour"),
        ("2026-11-19 12:00", "已过 3 小时", "3 hours ago"),
        ("2026-11-12 12:00", "还剩 7 天", "7 days left"),
    ],
)
def test_what_remains_of_an_hour_is_told_in_hours_while_it_is_near(now: str, zh: str, en: str) -> None:
    sent = (SentLetter(to=To.MERCHANT, sent=moment("2026-11-18 09:00"), due=moment("2026-11-19 09:00")),)
    due = next(one for one in deadlines(change(letters=sent), NOW) if one.deadline_id == "letter-1-due")
    assert (remaining(due, moment(now).at, Language.ZH), remaining(due, moment(now).at, Language.EN)) == (zh, en)


@pytest.mark.parametrize("language", Language)
def test_the_calendar_file_is_read_by_two_readers_and_keeps_its_identities(language: Language) -> None:
    sent = (SentLetter(to=To.MERCHANT, sent=moment("2026-11-20 09:00"), due=moment("2026-11-21 09:00")),)
    clause = RuleClause(of=Side.PLATFORM, where="第3条；a,b\n第二行", says="14 天内", hours=336)
    story = change(letters=sent, clauses=(clause,))
    written = ics(story, deadlines(story, NOW), NOW, language)
    assert all(len(line) <= 75 for line in written.split(b"\r\n"))
    calendar = Calendar.from_ical(written)
    assert not calendar.errors
    events = {str(one["uid"]): one for one in calendar.walk("VEVENT")}
    assert all(not one.errors for one in events.values())
    whole, hour = events["limitation.c7@selfhelp.kabao"], events["letter-1-due.c7@selfhelp.kabao"]
    assert whole["dtstart"].dt == date(2029, 11, 14)
    assert hour["dtstart"].dt.astimezone(UTC) == moment("2026-11-21 09:00").at
    assert hour["dtstart"].params["TZID"] == "Asia/Shanghai"
    assert [zone["tzid"] for zone in calendar.walk("VTIMEZONE")] == ["Asia/Shanghai"]
    assert [alarm["trigger"].dt for alarm in hour.walk("VALARM")] == [timedelta(hours=-24), timedelta(hours=-2)]
    assert not any("stalling" in uid and one["dtstart"].dt < NOW.date() for uid, one in events.items())

    read = vobject.readOne(written.decode())
    assert read.validate(raiseException=True)
    assert {event.uid.value for event in read.vevent_list} == set(events)
    ruled = next(event for event in read.vevent_list if event.uid.value.startswith("rule-1."))
    assert "第3条；a,b\n第二行" in ruled.summary.value

    later = ics(story, deadlines(story, NOW), NOW + timedelta(days=1), language)
    assert {str(one["uid"]) for one in Calendar.from_ical(later).walk("VEVENT")} <= set(events)
