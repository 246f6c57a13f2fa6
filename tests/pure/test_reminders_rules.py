"""What reminders say and to whom, and when letters wait for the morning."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from kabao.cases import CaseCard, Remedy, Side, Stage, Turn
from kabao.notices import QuietHours
from kabao.notices.rules import ZONES, held_until, quiet_end, quiet_fault
from kabao.reminders.model import DueCase, OpenQuestion, Releasing
from kabao.reminders.rules import (
    case_subject,
    digest_subject,
    digest_text,
    left_text,
    parties,
    question_subject,
    release_subject,
)

NOW = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
NIGHT = QuietHours(22 * 60, 8 * 60, "Asia/Shanghai")
CASE = DueCase(
    shop_id=1,
    case_id=2,
    due_at=NOW + 24 * HOUR,
    now=NOW,
    stage=Stage.NEGOTIATION,
    turn=Turn.MERCHANT,
    title="点卡",
    buyer_id=11,
    owner_id=12,
    may_stand=True,
    was_long=True,
    waived_by=[],
)


def beijing(hour: int, minute: int = 0) -> datetime:
    """Name an hour of 24 November 2026 in Beijing."""
    return datetime(2026, 11, 23, 16, 0, tzinfo=UTC) + timedelta(hours=hour, minutes=minute)


@pytest.mark.parametrize(
    ("turn", "waived", "who"),
    [
        (Turn.BUYER, [], [Side.BUYER]),
        (Turn.MERCHANT, [], [Side.MERCHANT]),
        (Turn.PARTIES, [], [Side.BUYER, Side.MERCHANT]),
        (Turn.PARTIES, ["merchant"], [Side.BUYER]),
        (Turn.SUPPORT, [], []),
        (Turn.PANEL, [], []),
        (Turn.DUTY, [], []),
        (Turn.NOBODY, [], []),
    ],
)
def test_whose_turn_it_is_hears_of_it(turn: Turn, waived: list[str], who: list[Side]) -> None:
    case = msgspec.structs.replace(CASE, turn=turn, waived_by=waived)
    assert parties(case) == [(11 if side is Side.BUYER else 12, side) for side in who]


def test_a_reminder_says_by_when_how_long_is_left_and_what_happens_then() -> None:
    assert case_subject(CASE, Side.MERCHANT) == (
        "「点卡」的纠纷：轮到你了，11 月 25 日 09:00 截止，还剩 24 小时。"
        "你到时没有回应，已知事实按规则支持的，诉求成立（可以申请复核）；不支持的，自动转给客服。"
    )
    released = msgspec.structs.replace(CASE, may_stand=False)
    assert case_subject(released, Side.MERCHANT).endswith("你到时没有回应，会自动转给客服。")
    ruled = msgspec.structs.replace(CASE, stage=Stage.RULED_OPEN, turn=Turn.PARTIES)
    assert case_subject(ruled, Side.BUYER).startswith("「点卡」的纠纷：申请复核的时间快到了，11 月 25 日 09:00 截止")


def test_a_question_and_a_release_name_their_time() -> None:
    question = OpenQuestion(shop_id=1, case_id=2, due_at=NOW + 3 * HOUR, now=NOW, title="点卡", account_id=11)
    assert question_subject(question) == (
        "「点卡」的纠纷：有一个提问等你回答，11 月 24 日 12:00 截止，还剩 3 小时。到时没有回答，时限接着走。"
    )
    assert question.ref == CASE.ref
    order = Releasing(
        shop_id=1, order_id=3, due_at=NOW + 24 * HOUR, now=NOW, title="点卡", buyer_id=11, is_sealed=False
    )
    assert release_subject(order) == (
        "「点卡」11 月 25 日 09:00 自动确认，钱付给商家。还没试过就现在试一下，有问题在那之前申请售后"
    )
    sealed = msgspec.structs.replace(order, is_sealed=True)
    assert "还没有拆封。要用就现在拆开试一下" in release_subject(sealed)


@pytest.mark.parametrize(
    ("left", "text"),
    [
        (timedelta(seconds=5), "1 分钟"),
        (timedelta(minutes=119, seconds=59), "119 分钟"),
        (2 * HOUR, "2 小时"),
        (timedelta(hours=23, minutes=59), "23 小时"),
    ],
)
def test_what_is_left_is_never_overstated(left: timedelta, text: str) -> None:
    assert left_text(left) == text


def card(number: int, due_at: datetime | None) -> CaseCard:
    return CaseCard(
        ref=f"1-{number}",
        order_ref="1-1",
        title="只给当事人看的标题",
        shop_name="店",
        claim="already_used",
        claim_label="",
        demand=Remedy.FULL_REFUND,
        demand_label="",
        demand_minor=1,
        amount_minor=1,
        held_minor=1,
        stage=Stage.SUPPORT,
        stage_label="",
        turn=Turn.SUPPORT,
        due_at=due_at,
        is_overdue=False,
        stage_since=NOW,
        opened_at=NOW,
        closed_at=None,
        has_open_offer=False,
    )


def test_the_letter_to_staff_counts_and_lists_without_naming_anybody() -> None:
    cards = [card(1, NOW - HOUR), card(2, NOW), card(3, NOW + HOUR), card(4, NOW + 13 * HOUR), card(5, None)]
    assert digest_subject(cards, NOW) == "今天有 5 件案件等你处理：2 件已超时，1 件 12 小时内到期"
    text = digest_text(cards, NOW, "https://kabao.example.org")
    assert text.splitlines()[2:7] == [
        "1-1  已超时  https://kabao.example.org/desk/1-1",
        "1-2  已超时  https://kabao.example.org/desk/1-2",
        "1-3  还剩 60 分钟  https://kabao.example.org/desk/1-3",
        "1-4  还剩 13 小时  https://kabao.example.org/desk/1-4",
        "1-5  没有时限  https://kabao.example.org/desk/1-5",
    ]
    assert "标题" not in text
    assert "还有" not in text
    many = digest_text([card(number, None) for number in range(12)], NOW, "")
    assert "还有 2 件。" in many
    assert "1-10" not in many


@pytest.mark.parametrize(
    ("at", "end"),
    [
        (beijing(21, 59), None),
        (beijing(22), beijing(32)),
        (beijing(23, 59), beijing(32)),
        (beijing(0), beijing(8)),
        (beijing(7, 59), beijing(8)),
        (beijing(8), None),
    ],
)
def test_a_night_ends_in_the_morning(at: datetime, end: datetime | None) -> None:
    assert quiet_end(NIGHT, at) == end


def test_quiet_hours_of_one_day_and_of_another_zone() -> None:
    noon = QuietHours(12 * 60, 14 * 60 + 30, "Asia/Shanghai")
    assert quiet_end(noon, beijing(12, 5)) == beijing(14, 30)
    assert quiet_end(noon, beijing(14, 30)) is None
    assert quiet_end(QuietHours(22 * 60, 8 * 60, "Asia/Tokyo"), beijing(21)) == beijing(31)


def test_the_night_of_the_changed_clock_ends_at_the_hour_on_the_wall() -> None:
    berlin = QuietHours(22 * 60, 8 * 60, "Europe/Berlin")
    # On 29 March 2026 clocks there go from 2 to 3: eight in the morning is six in UTC, as in summer.
    assert quiet_end(berlin, datetime(2026, 3, 28, 21, 0, tzinfo=UTC)) == datetime(2026, 3, 29, 6, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("hours", "field"),
    [
        (NIGHT, None),
        (QuietHours(0, 12 * 60, ZONES[1]), None),
        (QuietHours(0, 12 * 60 + 1, ZONES[0]), "to"),
        (QuietHours(60, 60, ZONES[0]), "to"),
        (QuietHours(60, -1, ZONES[0]), "to"),
        (QuietHours(60, 1440, ZONES[0]), "to"),
        (QuietHours(-1, 60, ZONES[0]), "from"),
        (QuietHours(1440, 60, ZONES[0]), "from"),
        (QuietHours(1, 60, "Mars/Base"), "zone"),
    ],
)
def test_quiet_hours_are_of_a_known_zone_and_at_most_twelve(hours: QuietHours, field: str | None) -> None:
    assert quiet_fault(hours) == field


@pytest.mark.parametrize(
    ("kind", "by", "is_held"),
    [
        ("case_answered", None, True),
        ("due_case", beijing(11), True),
        ("due_case", beijing(10, 59), False),
        ("case_asked", None, False),
    ],
)
def test_a_letter_waits_unless_it_would_come_too_late(kind: str, by: datetime | None, *, is_held: bool) -> None:
    assert held_until(NIGHT, kind, by, beijing(1)) == (beijing(8) if is_held else None)
    assert held_until(None, kind, by, beijing(1)) is None
    assert held_until(NIGHT, kind, by, beijing(9)) is None
