"""Abusive words are masked, however they are spaced; an accusation, a fact and a word inside a word stay."""

import pytest

from kabao.evidence import mask_abuse


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("你这个傻逼，退钱", "你这个＊＊，退钱"),
        ("傻 * 逼", "＊＊＊＊＊"),
        ("FUCK you, f.u.c.k", "＊＊＊＊ you, ＊＊＊＊＊＊＊"),
        ("全家死光", "＊＊＊＊"),
        ("操\n你妈", "＊＊＊＊"),
        ("傻\u200b\u200b\u200b\u200b逼", "＊＊＊＊＊＊"),
        ("傻\u2060 \ufeff逼", "＊＊＊＊＊"),
        ("Ｆｕｃｋ you", "＊＊＊＊ you"),
    ],
)
def test_what_abuses_a_person_is_masked(text: str, read: str) -> None:
    assert mask_abuse(text) == read


@pytest.mark.parametrize(
    "text",
    ["你是骗子，发的是假货", "傻，再逼我就投诉", "motherfuckery", "ATMD12", "第 60 条", "", "CNMX-1234"],
)
def test_accusations_facts_and_keys_stay_as_they_are(text: str) -> None:
    assert mask_abuse(text) == text
