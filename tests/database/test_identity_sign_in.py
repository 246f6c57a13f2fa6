import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher

from kabao.identity import IdentityService, NewSession, Role, Visitor, visitor_of
from kabao.kernel import DatabaseClock, FixedClock, IdSource, Refusal, Refused
from kabao.postgres import Database

PHONE = "+8613800138000"
HOME = visitor_of("Mozilla/5.0", "203.0.113.7")
SECRET = b"a secret of the server, 32 bytes"


class Outbox:
    """Keeps what would have been sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    delivers = True

    async def send(self, phone: str, code: str) -> None:
        self.sent.append((phone, code))


def make_identity(
    database: Database, clock: FixedClock | DatabaseClock, outbox: Outbox, secret: bytes = SECRET
) -> IdentityService:
    hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return IdentityService(database=database, clock=clock, ids=IdSource(), sender=outbox, secret=secret, hasher=hasher)


@pytest.fixture
def outbox() -> Outbox:
    return Outbox()


@pytest.fixture
def identity(database: Database, clock: FixedClock, outbox: Outbox) -> IdentityService:
    return make_identity(database, clock, outbox)


async def code_for(identity: IdentityService, outbox: Outbox, visitor: Visitor = HOME) -> str:
    assert await identity.request_code(PHONE, visitor) == PHONE
    return outbox.sent[-1][1]


async def begin(identity: IdentityService, outbox: Outbox, **options: str) -> NewSession:
    session = await identity.sign_in(PHONE, await code_for(identity, outbox), HOME, **options)
    assert isinstance(session, NewSession)
    return session


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


def network(number: int) -> Visitor:
    return Visitor("phone", f"198.51.{number}.0/24")


async def test_a_first_sign_in_makes_a_buyers_account(
    identity: IdentityService, outbox: Outbox, clock: FixedClock
) -> None:
    assert await identity.request_code(" 138 0013 8000 ", HOME) == PHONE
    session = await identity.sign_in("13800138000", outbox.sent[0][1], HOME)
    assert isinstance(session, NewSession)
    assert session.person.roles == {Role.BUYER}
    assert session.person.phone_masked == "138****8000"
    assert session.expires_at == clock.at + timedelta(days=30)
    known = await identity.session(session.token)
    assert known is not None
    assert (known.person, known.csrf) == (session.person, session.csrf)


async def test_the_same_phone_comes_back_to_the_same_account(
    identity: IdentityService, outbox: Outbox, clock: FixedClock
) -> None:
    first = await begin(identity, outbox)
    clock.advance(timedelta(minutes=2))
    second = await begin(identity, outbox)
    assert second.person == first.person
    assert second.token != first.token
    assert await identity.session(first.token) is not None


async def test_the_browsers_earlier_session_ends_at_sign_in(
    identity: IdentityService, outbox: Outbox, clock: FixedClock
) -> None:
    first = await begin(identity, outbox)
    clock.advance(timedelta(minutes=2))
    second = await begin(identity, outbox, replacing=first.token)
    assert await identity.session(first.token) is None
    assert await identity.session(second.token) is not None
    clock.advance(timedelta(minutes=2))
    await begin(identity, outbox, replacing="not a token")


@pytest.mark.parametrize(
    "text", ["", "10086", "+86 010-62345678", "13800138000 ext 5", "abc", "1" * 300, "138\x000013"]
)
async def test_only_phones_that_take_messages_are_taken(identity: IdentityService, outbox: Outbox, text: str) -> None:
    answer = await identity.request_code(text, HOME)
    assert isinstance(answer, Refused)
    assert (answer.code, list(answer.fields)) == (Refusal.INVALID_FIELDS, ["phone"])
    assert outbox.sent == []
    tried = await identity.sign_in(text, "123456", HOME)
    assert isinstance(tried, Refused)
    assert tried.code is Refusal.INVALID_FIELDS


async def test_five_wrong_tries_end_a_code(identity: IdentityService, outbox: Outbox) -> None:
    code = await code_for(identity, outbox)
    answers = [await identity.sign_in(PHONE, wrong(code), HOME) for _ in range(5)]
    assert answers == [Refused(Refusal.CODE_WRONG)] * 4 + [Refused(Refusal.CODE_EXPIRED)]
    assert await identity.sign_in(PHONE, code, HOME) == Refused(Refusal.CODE_EXPIRED)


async def test_a_slip_of_the_finger_costs_no_try(identity: IdentityService, outbox: Outbox) -> None:
    code = await code_for(identity, outbox)
    for text in ["", code[:5], code + "1", "abcdef", "12345\x00"] * 2:
        assert await identity.sign_in(PHONE, text, HOME) == Refused(Refusal.CODE_WRONG)
    spaced = code[:3] + " " + code[3:].translate({ord("0") + digit: ord("０") + digit for digit in range(10)})
    assert isinstance(await identity.sign_in(PHONE, spaced, HOME), NewSession)


async def test_a_code_ends_after_five_minutes(identity: IdentityService, outbox: Outbox, clock: FixedClock) -> None:
    code = await code_for(identity, outbox)
    clock.advance(timedelta(minutes=5))
    assert await identity.sign_in(PHONE, code, HOME) == Refused(Refusal.CODE_EXPIRED)


async def test_a_code_works_once_and_for_its_own_phone(identity: IdentityService, outbox: Outbox) -> None:
    code = await code_for(identity, outbox)
    assert await identity.sign_in("13900139000", code, HOME) == Refused(Refusal.CODE_EXPIRED)
    answers = await asyncio.gather(*(identity.sign_in(PHONE, code, HOME) for _ in range(6)))
    assert sum(isinstance(answer, NewSession) for answer in answers) == 1
    assert {answer.code for answer in answers if isinstance(answer, Refused)} == {Refusal.CODE_EXPIRED}


async def test_racing_guesses_never_get_more_than_five_tries(
    identity: IdentityService, outbox: Outbox, database: Database
) -> None:
    code = await code_for(identity, outbox)
    await asyncio.gather(*(identity.sign_in(PHONE, wrong(code), HOME) for _ in range(12)))
    assert await database.fetchval("SELECT attempts FROM sign_in_code") == 5
    assert await identity.sign_in(PHONE, code, HOME) == Refused(Refusal.CODE_EXPIRED)


async def test_a_phone_gets_one_code_a_minute(identity: IdentityService, outbox: Outbox, clock: FixedClock) -> None:
    await code_for(identity, outbox)
    clock.advance(timedelta(seconds=59))
    assert await identity.request_code(PHONE, network(2)) == Refused(Refusal.TOO_MANY_TRIES)
    clock.advance(timedelta(seconds=1))
    assert await identity.request_code(PHONE, HOME) == PHONE
    assert len(outbox.sent) == 2


async def test_a_spent_code_still_keeps_the_next_one_waiting(identity: IdentityService, outbox: Outbox) -> None:
    await begin(identity, outbox)
    assert await identity.request_code(PHONE, HOME) == Refused(Refusal.TOO_MANY_TRIES)


async def test_codes_asked_for_at_once_are_sent_once(identity: IdentityService, outbox: Outbox) -> None:
    answers = await asyncio.gather(*(identity.request_code(PHONE, network(n)) for n in range(6)))
    assert answers.count(PHONE) == 1
    assert len(outbox.sent) == 1
    assert isinstance(await identity.sign_in(PHONE, outbox.sent[0][1], HOME), NewSession)


async def test_a_phone_gets_five_codes_an_hour_and_refused_ones_do_not_count(
    identity: IdentityService, outbox: Outbox, clock: FixedClock
) -> None:
    clock.at = clock.at.replace(minute=0)
    for number in range(5):
        assert await identity.request_code(PHONE, network(number)) == PHONE
        assert await identity.request_code(PHONE, network(number)) == Refused(Refusal.TOO_MANY_TRIES)
        clock.advance(timedelta(seconds=61))
    assert await identity.request_code(PHONE, network(9)) == Refused(Refusal.TOO_MANY_TRIES)
    assert len(outbox.sent) == 5
    clock.at = clock.at.replace(hour=clock.at.hour + 1)
    assert await identity.request_code(PHONE, network(9)) == PHONE


async def test_a_network_gets_twenty_codes_an_hour(identity: IdentityService) -> None:
    answers = [await identity.request_code(f"138001380{number:02d}", HOME) for number in range(21)]
    assert [answer for answer in answers if isinstance(answer, Refused)] == [Refused(Refusal.TOO_MANY_TRIES)]
    assert await identity.request_code("13900139000", network(1)) == "+8613900139000"


async def test_a_network_gets_so_many_sign_in_tries(identity: IdentityService, outbox: Outbox) -> None:
    code = await code_for(identity, outbox)
    for _ in range(60):
        assert await identity.sign_in("13900139000", "000000", HOME) == Refused(Refusal.CODE_EXPIRED)
    assert await identity.sign_in(PHONE, code, HOME) == Refused(Refusal.TOO_MANY_TRIES)
    assert await identity.sign_in_by_link("x" * 43, HOME) == Refused(Refusal.TOO_MANY_TRIES)
    assert isinstance(await identity.sign_in(PHONE, code, network(1)), NewSession)


async def test_asking_for_a_code_tells_nothing_about_the_phone(identity: IdentityService, outbox: Outbox) -> None:
    await identity.find_or_create(PHONE, "林间", [Role.BUYER])
    frozen = await identity.find_or_create("13900139000", "停用", [Role.BUYER])
    await identity.set_frozen(frozen, frozen=True)
    for phone in (PHONE, "+8613900139000", "+8613700137000"):
        assert await identity.request_code(phone, HOME) == phone
        assert await identity.sign_in(phone, wrong(outbox.sent[-1][1]), HOME) == Refused(Refusal.CODE_WRONG)
        assert await identity.request_code(phone, HOME) == Refused(Refusal.TOO_MANY_TRIES)
    assert await identity.sign_in("13600136000", "123456", HOME) == Refused(Refusal.CODE_EXPIRED)


async def test_a_frozen_account_gets_in_nowhere(identity: IdentityService, outbox: Outbox, clock: FixedClock) -> None:
    session = await begin(identity, outbox)
    account_id = session.person.account_id
    link = await identity.make_link(account_id, Role.BUYER)
    assert await identity.set_frozen(account_id, frozen=True) is None
    assert await identity.session(session.token) is None
    clock.advance(timedelta(minutes=2))
    assert await identity.sign_in(PHONE, await code_for(identity, outbox), HOME) == Refused(Refusal.ACCOUNT_FROZEN)
    assert await identity.sign_in_by_link(link, HOME) == Refused(Refusal.ACCOUNT_FROZEN)
    assert await identity.set_frozen(account_id, frozen=False) is None
    clock.advance(timedelta(minutes=2))
    await begin(identity, outbox)
    assert await identity.set_frozen(1, frozen=True) == Refused(Refusal.NOT_FOUND)


async def test_a_session_begun_before_the_freeze_was_seen_is_refused_too(
    identity: IdentityService, outbox: Outbox, database: Database
) -> None:
    session = await begin(identity, outbox)
    await database.execute("UPDATE account SET frozen_at = now()")
    assert await identity.session(session.token) is None


async def test_new_accounts_of_one_phone_made_at_once_are_one(identity: IdentityService, database: Database) -> None:
    made = await asyncio.gather(*(identity.find_or_create(PHONE, "林间", [Role.MERCHANT]) for _ in range(6)))
    assert len(set(made)) == 1
    assert await database.fetchval("SELECT count(*) FROM account") == 1


async def test_staff_do_not_become_buyers_by_signing_in(identity: IdentityService, outbox: Outbox) -> None:
    await identity.find_or_create(PHONE, "客服小周", [Role.SUPPORT])
    session = await begin(identity, outbox)
    assert session.person.roles == {Role.SUPPORT}
    assert not session.person.staff_checked


async def test_a_link_signs_in_once_whoever_comes_at_the_same_moment(identity: IdentityService) -> None:
    account_id = await identity.find_or_create(PHONE, "卡铺", [Role.MERCHANT, Role.BUYER])
    link = await identity.make_link(account_id, Role.MERCHANT)
    answers = await asyncio.gather(*(identity.sign_in_by_link(link, HOME) for _ in range(6)))
    (session,) = [answer for answer in answers if isinstance(answer, NewSession)]
    assert (session.role, session.person.account_id) == (Role.MERCHANT, account_id)
    assert answers.count(Refused(Refusal.LINK_SPENT)) == 5
    assert await identity.session(session.token) is not None


@pytest.mark.parametrize("token", ["", "x" * 43, "x" * 10_000, "链" * 43, "\x00" * 43])
async def test_an_unknown_link_is_spent(identity: IdentityService, token: str) -> None:
    assert await identity.sign_in_by_link(token, HOME) == Refused(Refusal.LINK_SPENT)


async def test_a_link_ends_after_a_day_or_with_the_role(
    identity: IdentityService, clock: FixedClock, database: Database
) -> None:
    account_id = await identity.find_or_create(PHONE, "卡铺", [Role.MERCHANT])
    old, taken = [await identity.make_link(account_id, Role.MERCHANT) for _ in range(2)]
    await database.execute("DELETE FROM account_role")
    assert await identity.sign_in_by_link(taken, HOME) == Refused(Refusal.LINK_SPENT)
    await identity.grant(account_id, Role.MERCHANT)
    clock.advance(timedelta(hours=24))
    assert await identity.sign_in_by_link(old, HOME) == Refused(Refusal.LINK_SPENT)


async def test_a_link_is_made_only_for_a_role_the_account_has(identity: IdentityService) -> None:
    account_id = await identity.find_or_create(PHONE, "林间", [Role.BUYER])
    with pytest.raises(LookupError):
        await identity.make_link(account_id, Role.OPERATOR)
    with pytest.raises(LookupError):
        await identity.make_link(1, Role.BUYER)


async def test_nothing_that_opens_a_door_is_stored_in_the_clear(
    identity: IdentityService, outbox: Outbox, database: Database
) -> None:
    code = await code_for(identity, outbox)
    session = await identity.sign_in(PHONE, code, HOME)
    assert isinstance(session, NewSession)
    link = await identity.make_link(session.person.account_id, Role.BUYER)
    token = await identity.create_token(PHONE, Role.BUYER)
    assert isinstance(token, str)
    rows: list[object] = []
    for table in ("sign_in_code", "session", "sign_in_link", "api_token", "rate_window"):
        rows += await database.fetch(f"SELECT t::text FROM {table} t")  # noqa: S608  names from here
    stored = repr(rows)
    assert len(rows) >= 6
    for secret in (f"({code},", f",{code},", session.token, link, token, session.csrf):
        assert secret not in stored
    shown = repr((session, await identity.session(session.token)))
    for secret in (code, session.token, session.csrf, PHONE, PHONE[3:]):
        assert secret not in shown


async def test_another_servers_secret_opens_nothing(
    identity: IdentityService, outbox: Outbox, database: Database, clock: FixedClock
) -> None:
    session = await begin(identity, outbox)
    other = make_identity(database, clock, outbox, b"x" * 32)
    assert await other.session(session.token) is None


async def test_the_databases_clock_decides_where_no_instant_is_given(database: Database, outbox: Outbox) -> None:
    identity = make_identity(database, DatabaseClock(), outbox)
    session = await begin(identity, outbox)
    assert timedelta(days=29) < session.expires_at - datetime.now(UTC) <= timedelta(days=30)
    known = await identity.session(session.token)
    assert known is not None
    assert await identity.request_code(PHONE, HOME) == Refused(Refusal.TOO_MANY_TRIES)
    link = await identity.make_link(session.person.account_id, Role.BUYER)
    assert isinstance(await identity.sign_in_by_link(link, HOME), NewSession)


async def test_a_limit_counts_each_bucket_and_window_by_itself(identity: IdentityService, clock: FixedClock) -> None:
    clock.at = clock.at.replace(minute=0)
    assert [await identity.allow("lookup:7", 3, 60) for _ in range(5)] == [True] * 3 + [False] * 2
    assert await identity.allow("lookup:8", 3, 60)
    clock.advance(timedelta(seconds=60))
    assert await identity.allow("lookup:7", 3, 60)
    answers = await asyncio.gather(*(identity.allow("race", 4, 3600) for _ in range(10)))
    assert answers.count(True) == 4


async def test_what_has_ended_is_purged_and_nothing_else(
    identity: IdentityService, outbox: Outbox, clock: FixedClock, database: Database
) -> None:
    session = await begin(identity, outbox)
    await identity.make_link(session.person.account_id, Role.BUYER)
    assert await identity.purge() == 0
    clock.advance(timedelta(days=29))
    kept = await identity.session(session.token)
    assert kept is not None
    assert await identity.purge() == 5  # three rate windows, the code, the link
    assert await identity.session(session.token) is not None
    clock.advance(timedelta(days=30, seconds=1))
    assert await identity.purge() == 1
    assert await database.fetchval("SELECT count(*) FROM session") == 0
