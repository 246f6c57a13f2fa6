"""The words of a case: complete, plain, and never a key."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kabao import postgres
from kabao.cases import words
from kabao.cases.claims import CLAIMS, KIND_LABELS, ClaimKind
from kabao.cases.ladder.model import RulingStage, Windows
from kabao.cases.machine import Stage
from kabao.cases.model import OfferState, OfferView, Outcome, Remedy, RoseWhy, Side, Turn
from kabao.postgres import load_queries

OFFER = OfferView(
    offer_id=1,
    by_role=Side.MERCHANT,
    kind=Remedy.PARTIAL_REFUND,
    label=words.remedy_label(Remedy.PARTIAL_REFUND, 6000),
    refund_minor=6000,
    note="",
    state=OfferState.OPEN,
    made_at=datetime(2026, 11, 23, tzinfo=UTC),
    decided_at=None,
)


def text(kind: str, who: str = "merchant", body: str = "") -> str:
    return words.case_event_text(kind, who, offer=OFFER, opening="卡密无效，要求补发", body=body, ruled="全额退款")


def test_amounts_and_remedies_read_as_on_the_pages() -> None:
    assert words.yuan(123456705) == "¥1,234,567.05"
    assert [words.remedy_label(kind, 6000) for kind in Remedy] == [
        "全额退款 ¥60.00",
        "部分退款 ¥60.00",
        "补发新的卡密",
        "托管的钱全部付给商家",
    ]
    assert [words.outcome_label(outcome, 6000) for outcome in Outcome] == [
        "全额退款 ¥60.00",
        "部分退款 ¥60.00",
        "不退款，钱付给商家",
        "补发新的卡密（没有库存就退款 ¥60.00）",
    ]
    assert words.outcome_label(Outcome.FULL_REFUND, 6000, 50000) == "全额退款 ¥60.00，另赔 ¥500.00"


def test_every_step_of_a_case_has_its_sentence() -> None:
    kinds = ["opened", "answered", "offered", "accepted", "granted", "refused", "withdrawn", "ruled", "reviewed"]
    kinds += ["asked", "replied", "overdue", "seated", "recused", "review_asked", "waived", "waived_both", "executed"]
    kinds += ["stood", "short", "covered", "no_stock", "person_asked", "routed_out", "routed_back"]
    said = [text(kind) for kind in kinds] + [text("rose", "system", why.value) for why in RoseWhy]
    assert len(set(said)) == len(said)
    assert text("offered") == "商家提出方案：部分退款 ¥60.00。"
    assert "最终" not in text("ruled") + text("reviewed")
    assert words.case_event_text("withdrawn", "buyer", offer=None, opening="", body="", ruled="") == "买家撤回了纠纷。"


def test_every_order_event_the_database_writes_has_its_sentence() -> None:
    folder = Path(postgres.__file__).parent / "migrations" / "versions"
    sql = (folder / "0002_money_steps.sql").read_text("utf-8")
    kinds = set(re.findall(r"log_order_v1\(p_shop, [\w.]+, '(\w+)'", sql)) | {
        "expired",
        "confirmed",
        "paid",
        "delivered",
        "wrong_amount",
        "second_payment",
        "late_refunded",
        *(why + end for why in ("settled", "ruled") for end in ("_refund", "_release")),
    }
    fallback = words.order_event_text("unheard_of", "system", amount_minor=None, reason=None)
    for kind in kinds:
        assert words.order_event_text(kind, "buyer", amount_minor=9650, reason="1,2") != fallback, kind


def test_an_opening_names_positions_and_a_confirmation_its_author() -> None:
    assert words.order_event_text("opened", "buyer", amount_minor=None, reason="1,2") == "买家拆封了第 1、2 张卡密。"
    by_time = words.order_event_text("confirmed", "system", amount_minor=9650, reason="due")
    by_hand = words.order_event_text("confirmed", "buyer", amount_minor=9650, reason="confirmed")
    assert (by_time, by_hand) == ("到期自动确认，¥96.50 付给商家。", "买家确认收货，¥96.50 付给商家。")


def test_a_message_and_a_file_name_the_role_only() -> None:
    assert words.message_text("support") == "客服说："
    assert words.file_text("buyer", 3) == "买家提交了证据 3。"


@pytest.mark.parametrize(
    ("stage", "reached", "standings"),
    [
        (Stage.NEGOTIATION, [], ["now", "ahead", "ahead", "ahead"]),
        (Stage.SUPPORT, [Stage.NEGOTIATION], ["past", "now", "ahead", "ahead"]),
        (Stage.PANEL, [Stage.NEGOTIATION, Stage.SUPPORT], ["past", "past", "now", "ahead"]),
        (Stage.SETTLED, [Stage.NEGOTIATION], ["past", "ahead", "ahead", "ahead"]),
        (Stage.RULED_OPEN, [Stage.NEGOTIATION, Stage.SUPPORT], ["past", "past", "ahead", "ahead"]),
    ],
)
def test_the_ladder_shows_where_a_case_stands(stage: Stage, reached: list[Stage], standings: list[str]) -> None:
    rungs = words.ladder(stage, frozenset(reached) | {stage}, Windows(reply=24))
    assert [rung.standing for rung in rungs] == standings
    assert [rung.hours for rung in rungs] == [24, 48, 72, None]


def test_an_authority_stands_on_the_ladder_only_where_it_has_the_case() -> None:
    before = frozenset({Stage.NEGOTIATION, Stage.SUPPORT})
    rungs = words.ladder(Stage.ROUTED_OUT, before, Windows())
    assert [(rung.stage, rung.standing, rung.hours) for rung in rungs[2:4]] == [
        ("routed_out", "now", 720),
        ("panel", "ahead", 72),
    ]
    assert words.ladder(Stage.PANEL, before | {Stage.ROUTED_OUT}, Windows())[2].standing == "past"


@pytest.mark.parametrize("viewer", Side)
def test_every_deadline_says_what_it_does(viewer: Side) -> None:
    turns = {
        Stage.NEGOTIATION: [Turn.MERCHANT, Turn.BUYER],
        Stage.SUPPORT: [Turn.SUPPORT],
        Stage.PANEL: [Turn.PANEL, Turn.DUTY],
        Stage.ROUTED_OUT: [Turn.DUTY],
        Stage.RULED_OPEN: [Turn.PARTIES],
        Stage.REVIEW: [Turn.PANEL, Turn.DUTY],
    }
    for stage in Stage:
        said = [words.what_if_due(stage, turn, viewer) for turn in turns.get(stage, [Turn.NOBODY])]
        assert all(bool(text) is stage.is_open for text in said)
        assert len(set(said)) == len(said)


def test_a_silent_buyer_is_told_that_nothing_is_lost() -> None:
    late = words.what_if_due(Stage.REVIEW, Turn.DUTY, Side.BUYER, is_green=True)
    assert late == "值班长到时也没有结论，当场的裁决不变，结案。"
    assert "不影响买家的权利" in words.what_if_due(Stage.NEGOTIATION, Turn.BUYER, Side.MERCHANT)
    assert words.what_if_due(Stage.NEGOTIATION, Turn.BUYER, Side.BUYER).startswith("你到时没有回应")
    silent = words.what_if_due(Stage.NEGOTIATION, Turn.MERCHANT, Side.MERCHANT, may_stand=False)
    assert silent == "你到时没有回应，会自动转给客服。"
    assert words.what_if_due(Stage.NEGOTIATION, Turn.MERCHANT, Side.BUYER).startswith("商家到时没有回应")
    assert "诉求成立" in words.what_if_due(Stage.NEGOTIATION, Turn.MERCHANT, Side.BUYER)


@pytest.mark.parametrize("stage", [Stage.RULED_OPEN, Stage.REVIEW])
def test_a_ruling_that_waits_for_money_says_so_until_its_end(stage: Stage) -> None:
    assert "钱到位就自动执行" in words.what_if_due(stage, Turn.NOBODY, Side.BUYER)
    assert "把保证金交足就自动执行" in words.what_if_due(stage, Turn.NOBODY, Side.MERCHANT)
    assert "平台备付暂时不够" in words.what_if_due(stage, Turn.NOBODY, Side.BUYER, is_green=True)
    for is_green in (False, True):
        assert words.what_if_due(Stage.EXECUTED, Turn.NOBODY, Side.BUYER, is_green=is_green) == ""


def test_every_notice_has_a_subject() -> None:
    kinds = ["opened", "answered", "offered", "accepted", "granted", "refused", "rose", "withdrawn", "ruled", "said"]
    kinds += [
        "rose_panel",
        "reviewed",
        "asked",
        "replied",
        "overdue",
        "recused",
        "review_asked",
        "waived",
        "waived_both",
    ]
    kinds += ["executed", "stood", "short", "covered", "seat", "person_asked", "routed_out", "routed_back"]
    subjects = {words.notice_subject(kind, "点卡", "merchant") for kind in kinds}
    assert len(subjects) == len(kinds)
    assert set(words.STAGE_LABELS) == set(Stage)
    assert set(words.RULED_BY) == set(RulingStage)
    assert set(words.WHO) >= set(Side)


def test_claims_cover_the_three_kinds_without_exclamation_marks() -> None:
    assert {claim.kind for claim in CLAIMS.values()} == set(ClaimKind) == set(KIND_LABELS)
    assert all(claim_id == claim.claim_id for claim_id, claim in CLAIMS.items())
    assert not any("！" in claim.label + claim.hint for claim in CLAIMS.values())


def test_the_queries_of_cases_are_well_formed() -> None:
    assert "lock_case" in load_queries("kabao.cases")
