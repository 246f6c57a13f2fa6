import io
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kabao.identity import Person, Role, TerminalCodeSender, Visitor, mask_phone, normal_phone, visitor_of
from kabao.identity.rules import (
    CodeVerdict,
    clean_digits,
    clean_email,
    clean_name,
    default_name,
    is_good_password,
    is_seen_stale,
    judge_code,
    mask_email,
    network_prefix,
    totp_step,
    was_sent_just_now,
)
from kabao.identity.staff import NewCredential
from kabao.identity.token_cache import TokenCache
from kabao.identity.tokens import TokenHasher, is_api_token, is_token, new_api_token, new_code, new_token, same
from kabao.kernel import AccountId

NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def person(number: int = 1, *roles: Role) -> Person:
    return Person(account_id=AccountId(number), display_name="林间", phone_masked="138****8000", roles=frozenset(roles))


@pytest.mark.parametrize(
    ("attempts", "seconds_left", "matches", "verdict"),
    [
        (0, 1, True, CodeVerdict.RIGHT),
        (4, 1, True, CodeVerdict.RIGHT),
        (0, 1, False, CodeVerdict.WRONG),
        (3, 1, False, CodeVerdict.WRONG),
        (4, 1, False, CodeVerdict.ENDED),
        (5, 1, True, CodeVerdict.ENDED),
        (0, 0, True, CodeVerdict.ENDED),
        (0, -1, False, CodeVerdict.ENDED),
    ],
)
def test_a_code_is_judged(attempts: int, seconds_left: int, matches: bool, verdict: CodeVerdict) -> None:  # noqa: FBT001  a table
    expires_at = NOW + timedelta(seconds=seconds_left)
    assert judge_code(attempts=attempts, expires_at=expires_at, now=NOW, matches=matches) is verdict


def test_spacing_and_sightings() -> None:
    assert was_sent_just_now(sent_at=NOW, now=NOW + timedelta(seconds=59))
    assert not was_sent_just_now(sent_at=NOW, now=NOW + timedelta(seconds=60))
    assert not is_seen_stale(seen_at=NOW, now=NOW + timedelta(minutes=9, seconds=59))
    assert is_seen_stale(seen_at=NOW, now=NOW + timedelta(minutes=10))


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("123456", "123456"),
        (" 123 456\n", "123456"),
        ("１２３４５６", "123456"),
        ("12345", None),
        ("1234567", None),
        ("12345a", None),
        ("", None),
        ("一二三四五六", None),
        ("١٢٣٤٥٦", None),
        ("1" * 10_000, None),
        ("-12345", None),
    ],
)
def test_codes_are_read_as_people_type_them(text: str, digits: str | None) -> None:
    assert clean_digits(text) == digits


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("+8613800138000", "138****8000"),
        ("+85291234567", "+852****567"),
        ("+8610086", "+8****86"),
        ("+861234567", "+8****67"),
    ],
)
def test_the_middle_of_a_phone_is_hidden(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_at_least_four_digits_of_a_phone_stay_hidden_where_it_has_them(phone: str) -> None:
    shown = sum(letter.isdigit() for letter in mask_phone(phone))
    assert len(phone) - 1 - shown >= 4


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("13800138000", "+8613800138000"),
        ("+86 138-0013-8000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("+852 9123 4567", "+85291234567"),
        ("10086", None),
        ("010-62345678", None),
        ("13800138000 ext 5", None),
        ("1" * 41, None),
        ("", None),
    ],
)
def test_phones_are_read_as_people_type_them(text: str, phone: str | None) -> None:
    assert normal_phone(text) == phone


@given(st.text(max_size=50))
def test_any_text_is_a_phone_or_none(text: str) -> None:
    phone = normal_phone(text)
    assert phone is None or normal_phone(phone) == phone


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("  林间  小店 ", "林间 小店"),
        ("e\u0301", "é"),
        ("", None),
        (" \n", None),
        ("x" * 41, None),
        ("x" * 100_000, None),
        ("客服\u202e", None),
        ("a\u200bb", None),
        ("a\x00b", None),
        ("\ud800", None),
    ],
)
def test_names_are_visible_and_short(text: str, name: str | None) -> None:
    assert clean_name(text) == name


def test_a_new_account_has_a_name_that_is_one() -> None:
    assert default_name(7) == "用户000007"
    assert clean_name(default_name(2**63 - 1)) == default_name(2**63 - 1)


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (" a@example.com ", "a@example.com"),
        ("A.b+c@Mail.Example.COM", "A.b+c@mail.example.com"),
        ("卡@例子.中国", None),
        ("a>b@example.com", None),
        ("<a@example.com>", None),
        (".a@example.com", None),
        ("a@-example.com", None),
        ("a@b", None),
        ("a@b..c", None),
        ("a b@example.com", None),
        ("a@b@example.com", None),
        ("a@example.com\nBcc: b@example.com", None),
        ("a\x00@example.com", None),
        ("a" * 65 + "@example.com", None),
        ("a@" + "b" * 250 + ".com", None),
        ("", None),
    ],
)
def test_addresses_are_plausible(text: str, email: str | None) -> None:
    assert clean_email(text) == email


@pytest.mark.parametrize(
    ("email", "shown"), [("xiaoman@example.com", "x***@example.com"), ("x@example.com", "x***@example.com")]
)
def test_an_address_is_shown_by_its_first_letter_and_its_host(email: str, shown: str) -> None:
    assert mask_email(email) == shown


@pytest.mark.parametrize(("length", "good"), [(9, False), (10, True), (200, True), (201, False)])
def test_a_password_has_a_length(length: int, good: bool) -> None:  # noqa: FBT001  a table
    assert is_good_password("x" * length) is good


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2::5", "2001:db8:1::/48"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("fe80::1%eth0", "fe80::/48"),
        ("testclient", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_of_an_address_only_the_network_is_kept(address: str | None, network: str) -> None:
    assert network_prefix(address) == network


def test_a_browsers_words_are_kept_short_and_visible() -> None:
    assert visitor_of("Mozilla\x00/5.0\n", "203.0.113.7") == Visitor("Mozilla/5.0", "203.0.113.0/24")
    assert visitor_of("x" * 5000, None) == Visitor("x" * 200, "unknown")
    assert visitor_of(None, None).device == ""


def test_a_time_step_has_thirty_seconds() -> None:
    """RFC 6238, appendix B: at 1111111109 seconds the step is 0x23523EC."""
    assert totp_step(datetime.fromtimestamp(1111111109, UTC)) == 0x23523EC
    assert totp_step(NOW + timedelta(seconds=30)) == totp_step(NOW) + 1


def test_tokens_have_their_form() -> None:
    assert is_token(new_token())
    assert is_api_token(new_api_token())
    assert len({new_token() for _ in range(50)}) == 50
    assert all(clean_digits(new_code()) for _ in range(50))
    for text in ["", "x" * 42, "x" * 44, "=" * 43, "é" * 43, "x" * 42 + "\n", unicodedata.lookup("SNOWMAN") * 43]:
        assert not is_token(text)
        assert not is_api_token("kb_" + text)
    assert not is_api_token(new_token())


def test_a_hash_depends_on_secret_purpose_and_parts() -> None:
    hasher = TokenHasher(b"s" * 32)
    made = {
        hasher.hash("session", "a"),
        hasher.hash("link", "a"),
        hasher.hash("session", "a", ""),
        hasher.hash("session", "b"),
        TokenHasher(b"t" * 32).hash("session", "a"),
    }
    assert len(made) == 5
    assert {len(value) for value in made} == {32}
    assert same(hasher.hash("session", "a"), hasher.hash("session", "a"))
    assert len(hasher.csrf("a")) == 43
    with pytest.raises(ValueError, match="32 bytes"):
        TokenHasher(b"short")


def test_a_token_is_remembered_two_seconds_and_not_too_many_are() -> None:
    now = [100.0]
    cache = TokenCache(lambda: now[0], max_entries=2)
    for number in (1, 2, 3):
        cache.put(bytes([number]), person(number))
    cache.put(b"\x03", person(3))
    assert len(cache) == 2
    assert cache.get(b"\x01") is None
    assert cache.get(b"\x02") == person(2)
    now[0] += 2.0
    assert cache.get(b"\x02") is None
    assert len(cache) == 1
    cache.clear()
    assert len(cache) == 0


def test_staff_are_who_hold_a_staff_role() -> None:
    assert person(1, Role.BUYER, Role.OPERATOR).is_staff
    assert not person(1, Role.BUYER, Role.MERCHANT).is_staff


async def test_the_terminal_shows_the_code_but_not_the_whole_phone(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    await TerminalCodeSender(stream).send("+8613800138000", "042042")
    assert stream.getvalue() == "kabao: sign-in code 042042 for 138****8000, good for 5 minutes\n"
    await TerminalCodeSender().send("+8613800138000", "042042")
    assert capsys.readouterr().out == stream.getvalue()


def test_a_new_credential_shows_nothing() -> None:
    assert repr(NewCredential("hash", b"sealed", "otpauth://totp/x?secret=ABC")) == "NewCredential()"
