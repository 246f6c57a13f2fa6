import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kabao.kernel import (
    DatabaseClock,
    FixedClock,
    Refusal,
    Refused,
    canonical_bytes,
    digest_of,
    refuse,
    short_digest,
)
from kabao.kernel.refusals import SENTENCES

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_canonical_bytes_read_back_and_are_one_per_value(value: Any) -> None:
    encoded = canonical_bytes(value)
    assert json.loads(encoded) == value
    assert canonical_bytes(json.loads(encoded)) == encoded


def by_utf16(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: by_utf16(value[key]) for key in sorted(value, key=lambda key: key.encode("utf-16-be"))}
    return [by_utf16(item) for item in value] if isinstance(value, list) else value


@given(values)
def test_canonical_bytes_are_those_of_the_plain_way(value: Any) -> None:
    """The fast encoder is taken for most values; it may not write one byte otherwise than json does."""
    plain = json.dumps(by_utf16(value), ensure_ascii=False, separators=(",", ":")).encode()
    assert canonical_bytes(value) == plain


def test_a_word_of_an_enumeration_is_written_as_its_text() -> None:
    assert canonical_bytes({"refused": Refusal.NOT_FOUND}) == b'{"refused":"' + Refusal.NOT_FOUND.value.encode() + b'"}'


def test_canonical_bytes_know_no_order_and_no_spaces() -> None:
    assert canonical_bytes({"b": [1, None, True], "a": "卡\n"}) == '{"a":"卡\\n","b":[1,null,true]}'.encode()
    assert canonical_bytes([{"b": 1, "a": 2}]) == b'[{"a":2,"b":1}]'


def test_keys_are_sorted_as_a_browser_sorts_them() -> None:
    """RFC 8785, section 3.2.3: by UTF-16 code units, so that the emoji stands before U+FB33."""
    example = {"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\u00f6": 7}
    assert list(json.loads(canonical_bytes(example)).values()) == [2, 4, 6, 7, 1, 5, 3]


@pytest.mark.parametrize("value", [1.0, b"x", (1,), {1: "x"}, {"x": {"y": 1.5}}, [object()], datetime.now(UTC)])
def test_what_has_no_canonical_form_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_bytes(value)


@pytest.mark.parametrize("value", ["\ud800", {"\ud800": 1}])
def test_half_a_surrogate_pair_is_a_value_error(value: Any) -> None:
    with pytest.raises(ValueError, match="surrogates not allowed"):
        canonical_bytes(value)


def test_a_digest_is_of_the_canonical_bytes_or_of_bytes_as_they_are() -> None:
    assert digest_of(b"key") == hashlib.sha256(b"key").digest()
    assert digest_of({"a": 1}) == hashlib.sha256(b'{"a":1}').digest()
    assert short_digest(bytes.fromhex("a3f9" + "00" * 28 + "71c2")) == "a3f9…71c2"


def test_clocks_stand_still_or_leave_it_to_the_database() -> None:
    clock = FixedClock(datetime(2026, 3, 2, tzinfo=UTC))
    clock.advance(timedelta(minutes=1))
    clock.advance(timedelta(seconds=-30))
    assert clock.instant() == datetime(2026, 3, 2, 0, 0, 30, tzinfo=UTC)
    assert DatabaseClock().instant() is None


@pytest.mark.parametrize("code", Refusal)
def test_every_refusal_has_its_sentences(code: Refusal) -> None:
    refused = Refused(code)
    assert 400 <= refused.status < 600
    assert refused.zh.endswith("。")
    assert refused.en.endswith(".")
    assert not set(refused.zh + refused.en) & set("!！您")
    assert list(SENTENCES).index(code) == list(Refusal).index(code)


def test_a_refusal_is_read_from_the_databases_word() -> None:
    assert refuse("sold_out") == Refused(Refusal.SOLD_OUT)
    with pytest.raises(ValueError, match="no_such"):
        refuse("no_such")


def test_a_refusal_carries_what_is_wrong_with_each_field() -> None:
    refused = Refused(Refusal.INVALID_FIELDS, {"title": "要有标题。"})
    assert msgspec.to_builtins(refused) == {"code": "invalid_fields", "fields": {"title": "要有标题。"}}
    assert Refused(Refusal.NOT_FOUND).fields == {}
