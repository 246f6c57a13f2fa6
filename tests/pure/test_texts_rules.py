"""Texts to begin with: which suit, how they are filled, what has to be filled in before one is sent."""

import re

import pytest

from kabao.cases import CLAIMS, FIELDS, MAX_NOTE_CHARS, PLATFORM, Side, TextKind, fill, unfilled
from kabao.cases.texts.rules import suiting, unknown_fields

MESSAGE = frozenset({TextKind.MESSAGE})


@pytest.mark.parametrize("text", PLATFORM, ids=lambda text: str(text.key))
def test_a_text_of_the_platform_holds_fact_demand_date_and_next_step(text: object) -> None:
    assert isinstance(text, type(PLATFORM[0]))
    assert unknown_fields(text.body) == []
    assert text.claims <= set(CLAIMS)
    assert "{订单}" in text.body
    assert re.search(r"客服", text.body), "a next step"
    assert re.search(r"\{时限\}|几点前|马上", text.body), "a date"
    assert unfilled(fill(text.body, {})), "it cannot be sent as it is"
    assert text.kind is not TextKind.OFFER or len(text.body) < MAX_NOTE_CHARS


def test_every_claim_and_side_has_a_text_and_its_own_comes_first() -> None:
    for claim in CLAIMS:
        assert suiting(PLATFORM, Side.BUYER, MESSAGE, claim)
        assert suiting(PLATFORM, Side.MERCHANT, frozenset({TextKind.ANSWER}), claim)
    keys = [text.key for text in suiting(PLATFORM, Side.MERCHANT, frozenset({TextKind.ANSWER}), "late")]
    assert keys == ["answer-time", "answer"]
    assert suiting(PLATFORM, Side.SUPPORT, MESSAGE, "late") == []


def test_what_the_case_knows_is_filled_and_the_rest_stays_a_blank_to_fill() -> None:
    filled = fill("订单 {订单}：{依据}请在 {时限} 前{要求}。", {"订单": "1-2", "依据": "", "要求": "全额退款"})
    assert filled == "订单 1-2：请在 （填时限） 前全额退款。"
    assert unfilled(filled) == ["（填时限）"]
    assert fill("的{送达} 送达，{拆封}。", {"送达": " 9:00", "拆封": " 9:01 拆封"}) == "的 9:00 送达，9:01 拆封。"
    assert unfilled("我说完了（附证据几）。") == []
    assert unknown_fields("{订单} {密码} {}") == ["密码", ""]
    assert set(FIELDS) >= {"订单", "要求", "时限"}
