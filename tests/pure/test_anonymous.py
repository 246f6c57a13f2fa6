"""What of a ruled case may be public, and what a summary must not give away."""

from datetime import UTC, datetime
from typing import Any

import pytest

from kabao.adjudication.service import packaged_book
from kabao.figures.anonymous import (
    PRICE_BANDS,
    REFUND_BANDS,
    RuledCase,
    anonymous,
    band,
    gives_away,
    quarter_of,
    settled,
)

FACTS: dict[str, Any] = {
    "delivered": "proved",
    "late": "disproved",
    "key_failed": {"evidence": [{"shows": "proved", "confidence": 95, "kind": "issuer_record"}]},
    "records_withheld": {"evidence": [{"shows": "proved", "confidence": 10, "kind": "buyer_statement", "by": "buyer"}]},
}


def ruled(**changes: Any) -> RuledCase:
    plain: dict[str, Any] = {
        "shop_id": 7,
        "case_id": 8,
        "claim": "already_used",
        "category": "game_card",
        "closed_at": datetime(2026, 12, 31, 17, 0, tzinfo=UTC),
        "amount_minor": 9650,
        "refund_minor": 9650,
        "stage": "panel",
        "outcome": "full_refund",
        "differs": True,
        "share_buyer": 20,
        "share_merchant": 80,
        "share_platform": 0,
        "rulebook_version": "1",
        "case_file": {
            "claim": "already_used",
            "demand": "refund",
            "facts": FACTS,
            "amounts": {"price_minor": 9650},
            "id": "7-8",
            "merchant": "shop-7",
        },
        "decision": {
            "articles": ["key_refund"],
            "outcome": "FULL_REFUND",
            "responsible": {"buyer": 0, "merchant": 100, "platform": 0},
        },
    }
    return RuledCase(**(plain | changes))


def test_only_settled_facts_bands_and_shares_are_kept() -> None:
    kept = anonymous(ruled(), packaged_book())
    assert list(kept.facts) == ["delivered", "key_failed", "no late"]
    assert (kept.quarter, kept.price_band, kept.refund_band) == ("2027-Q1", 50_00, 100)
    assert (kept.share_buyer, kept.share_merchant, kept.share_platform) == (20, 80, 0)
    assert (kept.outcome, kept.differs, list(kept.articles)) == ("full_refund", True, ["key_refund"])


def test_a_clause_counts_as_a_fact_and_the_shops_words_stay_out() -> None:
    words = {"fact": "clause_void", "class": "VOID", "id": "K01", "words": "本店概不退换", "why": "不行。", "law": []}
    evidence = [{"shows": "proved", "kind": "terms_record", "confidence": 95}]
    file = dict(ruled().case_file) | {
        "claim": "clause_unfair",
        "facts": {"clause_void": {"evidence": evidence}},
        "clauses": [words],
    }
    kept = anonymous(ruled(case_file=file), packaged_book())
    assert list(kept.facts) == ["clause_void"]
    assert "概不退换" not in str(kept)


def test_a_ruling_without_shares_has_those_of_the_rules() -> None:
    kept = anonymous(ruled(share_buyer=None, share_merchant=None, share_platform=None), packaged_book())
    assert (kept.share_buyer, kept.share_merchant, kept.share_platform) == (0, 100, 0)


@pytest.mark.parametrize(("refund", "begins"), [(0, 0), (1, 1), (4824, 1), (4825, 50), (9649, 50), (9650, 100)])
def test_refunds_are_told_by_their_band(refund: int, begins: int) -> None:
    assert anonymous(ruled(refund_minor=refund), packaged_book()).refund_band == begins


def test_bands_begin_where_they_say() -> None:
    assert [band(n, PRICE_BANDS) for n in (1, 4999, 5000, 99_999, 100_000, 10**9)] == [
        0,
        0,
        5000,
        50_000,
        100_000,
        100_000,
    ]
    assert band(99, REFUND_BANDS) == 50
    assert quarter_of(datetime(2026, 3, 31, 15, 59, tzinfo=UTC)) == "2026-Q1"
    assert quarter_of(datetime(2026, 3, 31, 16, 0, tzinfo=UTC)) == "2026-Q2"
    assert settled(ruled().case_file, packaged_book()) == ["delivered", "key_failed", "no late"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("买家 138 0000 0000 说过", "138 0000 0000"),
        ("订单 7-1H8K2M9QXV3D0 的卡", "7-1H8K2M9QXV3D0"),
        ("卡密 ABCD-1234-EFGH 无效", "ABCD-1234-EFGH"),
        ("写信到 someone@example.test", "someone@example.test"),
        ("测 试 店铺没有答复", "测试店铺"),
        ("买家证明了卡密无法兑换，商家没有回应，退全款。", None),
        ("退了 50% 左右，第 47 条", None),
    ],
)
def test_a_summary_must_not_name_anybody(text: str, found: str | None) -> None:
    assert gives_away(text, ["测试店铺", "王"]) == found
