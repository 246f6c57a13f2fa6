"""An address is in force once a code sent there was typed in; nobody learns whose it is besides."""

import asyncio
from datetime import timedelta

import pytest

from kabao.identity import EmailService, EmailState, MailUnavailable, Person, Visitor
from kabao.kernel import FixedClock, Refusal, Refused
from kabao.postgres import Database
from market import open_account, person

HOME = Visitor("test phone", "192.0.2.0/24")
SECRET = b"s" * 32
NONE = EmailState(email_masked=None, is_working=False, pending_masked=None)


class Postbox:
    """Takes codes to mailboxes, or fails as it is told."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}
        self.is_away = False
        self.refuses = False

    async def send(self, email: str, code: str, seconds: int) -> bool:
        assert seconds == 900
        if self.is_away:
            raise MailUnavailable
        if self.refuses:
            return False
        self.codes[email] = code
        return True


@pytest.fixture
def post() -> Postbox:
    return Postbox()


@pytest.fixture
def emails(database: Database, clock: FixedClock, post: Postbox) -> EmailService:
    return EmailService(database=database, clock=clock, sender=post, secret=SECRET)


@pytest.fixture
async def me(database: Database) -> Person:
    return person(await open_account(database))


async def address(emails: EmailService, database: Database, who: Person) -> str | None:
    async with database.connection() as conn:
        return await emails.working_address(conn, who.account_id)


async def confirmed(emails: EmailService, post: Postbox, who: Person, email: str) -> None:
    assert isinstance(await emails.request(who, email, HOME), str)
    assert await emails.confirm(who, post.codes[email]) is None


async def test_an_address_counts_from_its_code_on(
    emails: EmailService, post: Postbox, me: Person, database: Database
) -> None:
    assert await emails.state(me) == NONE
    assert await emails.request(me, " xiaoman@Example.com ", HOME) == "x***@example.com"
    assert await emails.state(me) == EmailState(email_masked=None, is_working=False, pending_masked="x***@example.com")
    assert await address(emails, database, me) is None
    code = post.codes["xiaoman@example.com"]
    assert await emails.confirm(me, f" {code[:3]} {code[3:]}") is None
    assert await emails.state(me) == EmailState(email_masked="x***@example.com", is_working=True, pending_masked=None)
    assert await address(emails, database, me) == "xiaoman@example.com"
    assert await emails.confirm(me, code) == Refused(Refusal.CODE_EXPIRED)


async def test_the_code_is_stored_as_a_hash_alone(
    emails: EmailService, post: Postbox, me: Person, database: Database
) -> None:
    await emails.request(me, "a@example.com", HOME)
    row = await database.fetchrow("SELECT * FROM email_code")
    assert row is not None
    assert post.codes["a@example.com"] not in repr(tuple(row))
    assert len(row["code_hash"]) == 32


async def test_a_change_keeps_the_old_address_until_the_new_one_is_confirmed(
    emails: EmailService, post: Postbox, me: Person, database: Database, clock: FixedClock
) -> None:
    await confirmed(emails, post, me, "old@example.com")
    await emails.request(me, "new@example.com", HOME)
    assert await address(emails, database, me) == "old@example.com"
    assert await emails.confirm(me, post.codes["new@example.com"]) is None
    assert await address(emails, database, me) == "new@example.com"
    clock.advance(timedelta(minutes=2))
    await emails.request(me, "third@example.com", HOME)
    await emails.remove(me)
    assert await emails.state(me) == NONE
    assert await emails.confirm(me, post.codes["third@example.com"]) == Refused(Refusal.CODE_EXPIRED)
    await emails.remove(me)


async def test_a_code_is_for_one_account_and_one_address(
    emails: EmailService, post: Postbox, me: Person, database: Database, clock: FixedClock
) -> None:
    other = person(await open_account(database))
    await emails.request(me, "mine@example.com", HOME)
    assert await emails.confirm(other, post.codes["mine@example.com"]) == Refused(Refusal.CODE_EXPIRED)
    clock.advance(timedelta(minutes=2))
    await emails.request(other, "other@example.com", HOME)
    assert await emails.confirm(other, post.codes["mine@example.com"]) == Refused(Refusal.CODE_WRONG)
    clock.advance(timedelta(minutes=2))
    await emails.request(me, "second@example.com", HOME)
    assert await emails.confirm(me, post.codes["mine@example.com"]) == Refused(Refusal.CODE_WRONG)


async def test_an_address_of_another_account_is_answered_like_any(
    emails: EmailService, post: Postbox, me: Person, database: Database
) -> None:
    other = person(await open_account(database))
    await confirmed(emails, post, me, "shared@example.com")
    assert await emails.request(other, "shared@example.com", HOME) == "s***@example.com"
    assert await emails.confirm(other, post.codes["shared@example.com"]) is None
    assert await address(emails, database, me) == await address(emails, database, other)


async def test_wrong_codes_end_a_code_and_time_does(
    emails: EmailService, post: Postbox, me: Person, clock: FixedClock
) -> None:
    await emails.request(me, "a@example.com", HOME)
    right = post.codes["a@example.com"]
    wrong = f"{(int(right) + 1) % 10**6:06d}"
    assert await emails.confirm(me, "12") == Refused(Refusal.CODE_WRONG)
    answers = [await emails.confirm(me, wrong) for _ in range(5)]
    assert answers == [Refused(Refusal.CODE_WRONG)] * 4 + [Refused(Refusal.CODE_EXPIRED)]
    assert await emails.confirm(me, right) == Refused(Refusal.CODE_EXPIRED)
    clock.advance(timedelta(minutes=2))
    await emails.request(me, "a@example.com", HOME)
    clock.advance(timedelta(minutes=15))
    assert await emails.confirm(me, post.codes["a@example.com"]) == Refused(Refusal.CODE_EXPIRED)
    assert await emails.state(me) == NONE


async def test_codes_are_asked_for_only_so_often(
    emails: EmailService, me: Person, database: Database, clock: FixedClock
) -> None:
    too_many = Refused(Refusal.TOO_MANY_TRIES)
    assert await emails.request(me, "a@example.com", HOME) == "a***@example.com"
    assert await emails.request(me, "b@example.com", HOME) == too_many
    for number in range(4):
        clock.advance(timedelta(minutes=1))
        assert await emails.request(me, f"b{number}@example.com", HOME) == "b***@example.com"
    clock.advance(timedelta(minutes=1))
    assert await emails.request(me, "c@example.com", HOME) == too_many
    # Another address bucket and another account: one mailbox gets five an hour, whoever asks.
    people = [person(await open_account(database)) for _ in range(6)]
    answers = [await emails.request(who, "victim@example.com", HOME) for who in people]
    assert answers == ["v***@example.com"] * 5 + [too_many]


async def test_a_network_asks_only_so_often(emails: EmailService, database: Database) -> None:
    people = [person(await open_account(database)) for _ in range(21)]
    answers = [await emails.request(who, f"a{who.account_id}@example.com", HOME) for who in people]
    assert answers == ["a***@example.com"] * 20 + [Refused(Refusal.TOO_MANY_TRIES)]


async def test_two_requests_at_once_send_one_code(emails: EmailService, me: Person) -> None:
    answers = await asyncio.gather(*(emails.request(me, "a@example.com", HOME) for _ in range(4)))
    assert sorted(map(str, answers)).count("a***@example.com") == 1


async def test_what_cannot_be_mailed_leaves_nothing_to_wait_for(
    emails: EmailService, post: Postbox, me: Person
) -> None:
    post.is_away = True
    assert await emails.request(me, "a@example.com", HOME) == Refused(Refusal.MAIL_UNREACHABLE)
    assert await emails.state(me) == NONE
    post.is_away, post.refuses = False, True
    answer = await emails.request(me, "a@example.com", HOME)
    assert isinstance(answer, Refused)
    assert "不收这个地址" in answer.fields["email"]
    post.refuses = False
    assert await emails.request(me, "a@example.com", HOME) == "a***@example.com"
    wrong = await emails.request(me, "not an address", HOME)
    assert isinstance(wrong, Refused)
    assert list(wrong.fields) == ["email"]


async def test_without_mail_no_address_is_added_but_one_can_be_removed(
    emails: EmailService, post: Postbox, me: Person, database: Database, clock: FixedClock
) -> None:
    await confirmed(emails, post, me, "a@example.com")
    off = EmailService(database=database, clock=clock, sender=None, secret=SECRET)
    assert (emails.is_on, off.is_on) == (True, False)
    assert await off.request(me, "b@example.com", HOME) == Refused(Refusal.MAIL_OFF)
    await off.remove(me)
    assert await off.state(me) == NONE


async def test_an_address_that_fails_is_marked_once_and_works_again_when_confirmed(
    emails: EmailService, post: Postbox, me: Person, database: Database, clock: FixedClock
) -> None:
    await confirmed(emails, post, me, "a@example.com")
    async with database.transaction() as conn:
        assert not await emails.mark_failed(conn, me.account_id, "another@example.com")
        assert await emails.mark_failed(conn, me.account_id, "a@example.com")
        assert not await emails.mark_failed(conn, me.account_id, "a@example.com")
    assert await address(emails, database, me) is None
    assert (await emails.state(me)).is_working is False
    clock.advance(timedelta(minutes=2))
    await confirmed(emails, post, me, "a@example.com")
    assert await address(emails, database, me) == "a@example.com"


async def test_nobody_has_no_address(emails: EmailService, database: Database) -> None:
    assert await emails.state(person(404)) == NONE
    assert await address(emails, database, person(404)) is None
