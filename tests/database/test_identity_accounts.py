import asyncio
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from argon2 import PasswordHasher

from kabao.identity import IdentityService, NewSession, Role, SignedIn, TokenCache, visitor_of
from kabao.kernel import FixedClock, IdSource, Refusal, Refused
from kabao.postgres import Database, load_queries

PHONE = "+8613800138000"
PASSWORD = "correct horse battery"
STEP = timedelta(seconds=30)
HOME = visitor_of("Mozilla/5.0", "203.0.113.7")


class NoSender:
    """Links are used to sign in here."""

    delivers = True

    async def send(self, phone: str, code: str) -> None:
        raise AssertionError(phone + code)


class Seconds:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def identity(database: Database, clock: FixedClock, ids: IdSource, seconds: Seconds) -> IdentityService:
    return IdentityService(
        database=database,
        clock=clock,
        ids=ids,
        sender=NoSender(),
        secret=b"a secret of the server, 32 bytes",
        hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
        token_cache=TokenCache(seconds),
    )


async def signed_in(identity: IdentityService, role: Role, phone: str = PHONE) -> tuple[NewSession, SignedIn]:
    account_id = await identity.find_or_create(phone, "客服小周", [role])
    session = await identity.sign_in_by_link(await identity.make_link(account_id, role), HOME)
    assert isinstance(session, NewSession)
    known = await identity.session(session.token)
    assert known is not None
    return session, known


async def with_credential(identity: IdentityService, account_id: int, password: str = PASSWORD) -> pyotp.TOTP:
    uri = await identity.set_staff_credential(account_id, password)
    assert isinstance(uri, str)
    return pyotp.TOTP(parse_qs(urlsplit(uri).query)["secret"][0])


async def is_checked(identity: IdentityService, token: str) -> bool:
    known = await identity.session(token)
    assert known is not None
    return known.person.staff_checked


# Sessions


async def test_a_session_slides_while_it_is_used(
    identity: IdentityService, clock: FixedClock, database: Database
) -> None:
    session, _known = await signed_in(identity, Role.BUYER)
    began_at = clock.at
    clock.advance(timedelta(minutes=9))
    assert await identity.session(session.token) is not None
    assert await database.fetchval("SELECT seen_at FROM session") == began_at
    clock.advance(timedelta(minutes=1))
    assert await identity.session(session.token) is not None
    assert await database.fetchval("SELECT seen_at FROM session") == clock.at
    clock.advance(timedelta(days=29, hours=23))
    assert await identity.session(session.token) is not None
    clock.advance(timedelta(days=30))
    assert await identity.session(session.token) is None


async def test_signing_out_ends_one_session_and_revoking_ends_all(identity: IdentityService) -> None:
    one, known = await signed_in(identity, Role.BUYER)
    two, _ = await signed_in(identity, Role.BUYER)
    three, _ = await signed_in(identity, Role.BUYER)
    await identity.sign_out(one.token)
    await identity.sign_out("not a token")
    assert [await identity.session(s.token) is not None for s in (one, two, three)] == [False, True, True]
    assert await identity.revoke_sessions(known.person.account_id) == 2
    assert await identity.session(two.token) is None


@pytest.mark.parametrize("token", ["", "x" * 43, "x" * 100_000, "链" * 43])
async def test_an_unknown_token_is_nobody(identity: IdentityService, token: str) -> None:
    assert await identity.session(token) is None
    assert await identity.token(token) is None
    assert await identity.token("kb_" + token) is None
    assert not await identity.revoke_token(token)


async def test_where_a_session_came_from_is_kept_as_a_network(identity: IdentityService, database: Database) -> None:
    await signed_in(identity, Role.BUYER)
    assert tuple(await database.fetchrow("SELECT device, network FROM session") or ()) == (
        "Mozilla/5.0",
        "203.0.113.0/24",
    )


# Staff


async def test_password_and_code_together_make_a_checked_session(identity: IdentityService, clock: FixedClock) -> None:
    session, known = await signed_in(identity, Role.SUPPORT)
    totp = await with_credential(identity, known.person.account_id)
    assert not await is_checked(identity, session.token)
    assert await identity.staff_check(known, PASSWORD, totp.at(clock.at)) is None
    assert await is_checked(identity, session.token)
    clock.advance(timedelta(hours=12))
    assert not await is_checked(identity, session.token)


@pytest.mark.parametrize(("steps", "good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
async def test_a_code_may_be_one_step_early_or_late(
    identity: IdentityService, clock: FixedClock, *, steps: int, good: bool
) -> None:
    _, known = await signed_in(identity, Role.SUPPORT)
    totp = await with_credential(identity, known.person.account_id)
    answer = await identity.staff_check(known, PASSWORD, totp.at(clock.at + steps * STEP))
    assert answer == (None if good else Refused(Refusal.WRONG_CREDENTIALS))


async def test_a_code_checks_once_whoever_comes_at_the_same_moment(
    identity: IdentityService, clock: FixedClock
) -> None:
    _, known = await signed_in(identity, Role.SUPPORT)
    totp = await with_credential(identity, known.person.account_id)
    code = totp.at(clock.at)
    answers = await asyncio.gather(*(identity.staff_check(known, PASSWORD, code) for _ in range(4)))
    assert answers.count(None) == 1
    assert answers.count(Refused(Refusal.WRONG_CREDENTIALS)) == 3
    assert await identity.staff_check(known, PASSWORD, code) == Refused(Refusal.WRONG_CREDENTIALS)


async def test_an_earlier_code_is_void_after_a_later_one(identity: IdentityService, clock: FixedClock) -> None:
    _, known = await signed_in(identity, Role.OPERATOR)
    totp = await with_credential(identity, known.person.account_id)
    assert await identity.staff_check(known, PASSWORD, totp.at(clock.at)) is None
    assert await identity.staff_check(known, PASSWORD, totp.at(clock.at + -1 * STEP)) == Refused(
        Refusal.WRONG_CREDENTIALS
    )
    assert await identity.staff_check(known, PASSWORD, totp.at(clock.at + 1 * STEP)) is None


async def test_a_wrong_password_spends_no_code(identity: IdentityService, clock: FixedClock) -> None:
    _, known = await signed_in(identity, Role.SUPPORT)
    totp = await with_credential(identity, known.person.account_id)
    code = totp.at(clock.at)
    for password in ("", "wrong", PASSWORD + "x" * 300):
        assert await identity.staff_check(known, password, code) == Refused(Refusal.WRONG_CREDENTIALS)
    assert await identity.staff_check(known, "\ud800", code) == Refused(Refusal.WRONG_CREDENTIALS)
    assert await identity.staff_check(known, PASSWORD, f" {code[:3]} {code[3:]}") is None


async def test_staff_checks_are_limited(identity: IdentityService, clock: FixedClock) -> None:
    _, known = await signed_in(identity, Role.SUPPORT)
    totp = await with_credential(identity, known.person.account_id)
    for _ in range(5):
        assert await identity.staff_check(known, PASSWORD, "") == Refused(Refusal.WRONG_CREDENTIALS)
    assert await identity.staff_check(known, PASSWORD, totp.at(clock.at)) == Refused(Refusal.TOO_MANY_TRIES)
    clock.advance(timedelta(minutes=15))
    assert await identity.staff_check(known, PASSWORD, totp.at(clock.at)) is None


class CountingHasher(PasswordHasher):
    """Writes down the cost and the thread of each check."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.checks: list[tuple[str, bool]] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  the library's word
        on_event_loop = threading.current_thread() is threading.main_thread()
        self.checks.append((str(hash).rsplit("$", 2)[0], on_event_loop))
        return super().verify(hash, password)


async def test_who_is_no_staff_member_gets_the_same_answer_after_the_same_work(
    database: Database, clock: FixedClock, ids: IdSource
) -> None:
    hasher = CountingHasher()
    identity = IdentityService(
        database=database,
        clock=clock,
        ids=ids,
        sender=NoSender(),
        secret=b"a secret of the server, 32 bytes",
        hasher=hasher,
    )
    _, staff = await signed_in(identity, Role.SUPPORT)
    await with_credential(identity, staff.person.account_id)
    _, stranger = await signed_in(identity, Role.BUYER, "+8613900139000")
    for who in (staff, stranger):
        assert await identity.staff_check(who, "wrong password", "000000") == Refused(Refusal.WRONG_CREDENTIALS)
    assert hasher.checks == [("$argon2id$v=19$m=8,t=1,p=1", False)] * 2


async def test_a_role_taken_away_takes_the_credential_with_it(
    identity: IdentityService, clock: FixedClock, database: Database
) -> None:
    session, known = await signed_in(identity, Role.SUPPORT)
    totp = await with_credential(identity, known.person.account_id)
    assert await identity.staff_check(known, PASSWORD, totp.at(clock.at)) is None
    await database.execute("UPDATE account_role SET role = 'buyer'")
    assert not await is_checked(identity, session.token)
    assert await identity.staff_check(known, PASSWORD, totp.at(clock.at + 1 * STEP)) == Refused(
        Refusal.WRONG_CREDENTIALS
    )


async def test_a_session_that_ended_meanwhile_is_not_checked(identity: IdentityService, clock: FixedClock) -> None:
    session, known = await signed_in(identity, Role.SUPPORT)
    totp = await with_credential(identity, known.person.account_id)
    await identity.sign_out(session.token)
    assert await identity.staff_check(known, PASSWORD, totp.at(clock.at)) == Refused(Refusal.SIGN_IN_REQUIRED)


async def test_a_new_credential_ends_the_checks_of_the_old_one(
    identity: IdentityService, clock: FixedClock, database: Database
) -> None:
    session, known = await signed_in(identity, Role.SUPPORT)
    old = await with_credential(identity, known.person.account_id)
    assert await identity.staff_check(known, PASSWORD, old.at(clock.at)) is None
    await with_credential(identity, known.person.account_id, "another good password")
    assert not await is_checked(identity, session.token)
    assert await identity.staff_check(known, PASSWORD, old.at(clock.at + 1 * STEP)) == Refused(
        Refusal.WRONG_CREDENTIALS
    )
    row = await database.fetchrow("SELECT password_hash, totp_sealed FROM staff_credential")
    assert row is not None
    assert row["password_hash"].startswith("$argon2id$")
    assert old.secret.encode() not in row["totp_sealed"]


async def test_only_staff_get_a_credential_and_only_with_a_long_password(identity: IdentityService) -> None:
    buyer = await identity.find_or_create(PHONE, "林间", [Role.BUYER])
    assert await identity.set_staff_credential(buyer, PASSWORD) == Refused(Refusal.NOT_ALLOWED)
    assert await identity.set_staff_credential(1, PASSWORD) == Refused(Refusal.NOT_FOUND)
    answer = await identity.set_staff_credential(buyer, "short")
    assert isinstance(answer, Refused)
    assert list(answer.fields) == ["password"]


# Accounts


async def test_roles_are_added_and_kept(identity: IdentityService, database: Database) -> None:
    account_id = await identity.find_or_create("13800138000", " 林间 ", [Role.BUYER])
    assert await identity.find_or_create(PHONE, "别的名字", [Role.MERCHANT]) == account_id
    await identity.grant(account_id, Role.SUPPORT)
    await identity.grant(account_id, Role.SUPPORT)
    async with database.transaction() as conn:
        for role in (Role.PANEL, Role.DUTY, Role.OPERATOR):
            await identity.grant(account_id, role, conn)
    session, _ = await signed_in(identity, Role.BUYER)
    assert session.person.roles == set(Role)
    assert session.person.display_name == "林间"
    with pytest.raises(LookupError):
        await identity.grant(1, Role.BUYER)
    for phone, name in (("10086", "林间"), (PHONE, "")):
        with pytest.raises(ValueError, match="mobile number"):
            await identity.find_or_create(phone, name, [Role.BUYER])


async def test_a_name_is_changed_or_refused(identity: IdentityService, database: Database) -> None:
    account_id = await identity.find_or_create(PHONE, "林间", [Role.BUYER])
    assert await identity.rename(account_id, "  林 间 ") is None
    assert await database.fetchval("SELECT display_name FROM account") == "林 间"
    answer = await identity.rename(account_id, "\u200b")
    assert answer is not None
    assert list(answer.fields) == ["display_name"]
    assert await identity.rename(1, "林间") == Refused(Refusal.NOT_FOUND)


# API tokens


async def test_a_token_acts_as_its_role_alone(identity: IdentityService) -> None:
    account_id = await identity.find_or_create(PHONE, "卡铺", [Role.BUYER, Role.MERCHANT, Role.SUPPORT])
    for role in (Role.BUYER, Role.MERCHANT, Role.SUPPORT):
        token = await identity.create_token("卡铺", role)
        assert isinstance(token, str)
        assert re.fullmatch(r"kb_[A-Za-z0-9_-]{43}", token)
        person = await identity.token(token)
        assert person is not None
        assert (person.account_id, person.roles) == (account_id, frozenset({role}))
        assert person.staff_checked is (role is Role.SUPPORT)


async def test_a_token_needs_one_account_that_holds_the_role(identity: IdentityService) -> None:
    one = await identity.find_or_create(PHONE, "同名", [Role.BUYER])
    await identity.find_or_create("13900139000", "同名", [Role.BUYER])
    answer = await identity.create_token("同名", Role.BUYER)
    assert isinstance(answer, Refused)
    assert list(answer.fields) == ["account"]
    assert isinstance(await identity.create_token("13800138000", Role.BUYER), str)
    assert await identity.create_token(PHONE, Role.OPERATOR) == Refused(Refusal.NOT_ALLOWED)
    for account in ("没有这个人", "13700137000", "", "\ud800", "x" * 1000):
        assert await identity.create_token(account, Role.BUYER) == Refused(Refusal.NOT_FOUND)
    await identity.set_frozen(one, frozen=True)
    assert await identity.create_token(PHONE, Role.BUYER) == Refused(Refusal.ACCOUNT_FROZEN)


async def test_a_revoked_token_is_dead_here_at_once(identity: IdentityService) -> None:
    await identity.find_or_create(PHONE, "林间", [Role.BUYER])
    token = await identity.create_token(PHONE, Role.BUYER)
    assert isinstance(token, str)
    assert await identity.token(token) is not None
    assert await identity.revoke_token(token)
    assert await identity.token(token) is None
    assert not await identity.revoke_token(token)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE api_token SET revoked_at = now()",
        "UPDATE account SET frozen_at = now()",
        "DELETE FROM account_role",
    ],
)
async def test_a_token_ended_elsewhere_lives_two_seconds_at_most(
    identity: IdentityService, database: Database, seconds: Seconds, change: str
) -> None:
    await identity.find_or_create(PHONE, "林间", [Role.BUYER])
    token = await identity.create_token(PHONE, Role.BUYER)
    assert isinstance(token, str)
    known = await identity.token(token)
    await database.execute(change)
    seconds.now += 1.9
    assert await identity.token(token) == known
    seconds.now += 0.1
    assert await identity.token(token) is None


async def test_freezing_stops_tokens_at_once(identity: IdentityService) -> None:
    account_id = await identity.find_or_create(PHONE, "林间", [Role.BUYER])
    token = await identity.create_token(PHONE, Role.BUYER)
    assert isinstance(token, str)
    assert await identity.token(token) is not None
    await identity.set_frozen(account_id, frozen=True)
    assert await identity.token(token) is None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("session", (b"x", None)),
        ("token", (b"x",)),
        ("lock_code", (PHONE, None)),
        ("account_by_phone", (PHONE,)),
        ("account_by_id", (1,)),
        ("use_link", (b"x", None)),
        ("touch_session", (b"x", datetime(2026, 3, 2, tzinfo=UTC), 1)),
        ("end_sessions", (1,)),
        ("spend_step", (1, 1, "x")),
    ],
)
async def test_what_is_asked_often_reads_indexes(
    owner_database: Database, name: str, arguments: tuple[object, ...]
) -> None:
    """Empty tables are always scanned, so scanning is priced out: what still scans has no index."""
    async with owner_database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        plan = await conn.fetch("EXPLAIN " + load_queries("kabao.identity")[name], *arguments)
    assert "Seq Scan" not in repr(plan)
