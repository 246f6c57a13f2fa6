"""Letters: written with what made them true, sent once as far as anybody can know, and stopped by who holds one."""

import asyncio
from datetime import timedelta
from email.message import EmailMessage
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from kabao.identity import Person
from kabao.kernel import FixedClock
from kabao.notices import Attachment, Topic
from kabao.notices.mailer import LEASE
from kabao.notices.rules import Failure
from kabao.postgres import Database, load_queries
from letterbox import ORIGIN, Letterbox, Office
from market import open_account, person

ME = "xiaoman@example.com"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


@pytest.fixture
def office(database: Database, clock: FixedClock, box: Letterbox) -> Office:
    return Office(database, clock, box)


@pytest.fixture
async def me(office: Office) -> Person:
    who = person(await open_account(office.database))
    await office.give_address(who, ME)
    return who


async def test_what_is_told_on_the_site_goes_by_mail_too(office: Office, box: Letterbox, me: Person) -> None:
    await office.tell(me, subject="「点卡」的纠纷：商家作了答复，轮到你")
    assert await office.notices.send_mail() == 1
    assert await office.inbox(me) == box.subjects == ["「点卡」的纠纷：商家作了答复，轮到你"]
    assert box.taken[0]["To"] == ME
    assert box.text().startswith(f"「点卡」的纠纷：商家作了答复，轮到你。\n\n打开看：{ORIGIN}/c/1-2\n")
    assert await office.states() == [("sent", 1)]
    assert await office.notices.send_mail() == 0


async def test_a_run_sends_so_many_and_leaves_the_rest(office: Office, box: Letterbox, me: Person) -> None:
    for number in range(3):
        await office.tell(me, subject=f"第 {number} 封")
        office.clock.advance(MINUTE)
    assert await office.notices.send_mail(2) == 2
    assert box.subjects == ["第 0 封", "第 1 封"]
    assert await office.notices.send_mail(2) == 1


async def test_who_confirmed_no_address_gets_no_letter(office: Office, box: Letterbox) -> None:
    nobody = person(await open_account(office.database))
    await office.tell(nobody)
    assert await office.notices.send_mail() == 0
    assert (len(await office.inbox(nobody)), box.tries) == (1, 0)
    assert await office.states() == []


async def test_where_mail_is_off_nothing_is_queued(database: Database, clock: FixedClock, me: Person) -> None:
    off = Office(database, clock, None)
    await off.tell(me)
    assert (off.mailer.is_on, await off.notices.send_mail(), await off.states()) == (False, 0, [])
    assert len(await off.inbox(me)) == 1


async def test_a_letter_lives_and_dies_with_its_transaction(office: Office, me: Person) -> None:
    async def undone() -> None:
        async with office.database.transaction() as conn:
            await office.notices.tell(conn, me.account_id, "case_ruled", "裁决", "/c/1-2")
            await office.notices.tell(conn, 404, "case_ruled", "裁决", "/c/1-2")

    with pytest.raises(asyncpg.ForeignKeyViolationError):
        await undone()
    assert await office.states() == []


async def test_each_topic_is_a_choice_of_its_own(office: Office, box: Letterbox, me: Person) -> None:
    assert await office.mailer.choices(me) == dict.fromkeys(Topic, True)
    await office.mailer.choose(me, frozenset({Topic.ORDERS}))
    for kind in ("sale", "case_opened", "receipt"):
        await office.tell(me, kind, kind, "/o/1-2")
    await office.notices.send_mail()
    assert box.subjects == ["sale"]
    await office.mailer.choose(me, frozenset({Topic.RECEIPTS}))
    assert await office.mailer.choices(me) == dict.fromkeys(Topic, False) | {Topic.RECEIPTS: True}
    other = person(await open_account(office.database))
    assert await office.mailer.choices(other) == dict.fromkeys(Topic, True)


async def test_attachments_travel_as_they_are(office: Office, box: Letterbox, me: Person) -> None:
    proof = Attachment("1-2.tlog-proof", b"c2sp.org/tlog-proof@v1\n\x00\xff\r\n")
    async with office.database.transaction() as conn:
        assert await office.mailer.queue(conn, me.account_id, "receipt", "回执\r\nBcc: x@y.zz", "附件是凭证。", [proof])
        assert await office.mailer.queue(conn, me.account_id, "receipt", "\x00", "没有题目。")
        for text, attachments in (("长" * 30_000, []), ("", [Attachment("/etc", b"")])):
            with pytest.raises(ValueError, match=r"text is longer|name is not"):
                await office.mailer.queue(conn, me.account_id, "receipt", "回执", text, attachments)
    assert await office.notices.send_mail() == 2
    assert box.subjects == ["回执 Bcc: x@y.zz", "卡保的通知"]
    [attached] = box.taken[0].iter_attachments()
    assert (attached.get_filename(), attached.get_payload(decode=True)) == ("1-2.tlog-proof", proof.content)


async def test_a_letter_that_is_not_wanted_any_more_is_dropped(office: Office, box: Letterbox, me: Person) -> None:
    await office.tell(me)
    await office.mailer.choose(me, frozenset())
    assert await office.notices.send_mail() == 1
    await office.mailer.choose(me, frozenset(Topic))
    await office.tell(me)
    await office.emails.remove(me)
    assert await office.notices.send_mail() == 1
    assert await office.states() == [("dropped", 1), ("dropped", 1)]
    assert box.tries == 0


async def test_a_letter_goes_to_the_address_in_force_as_it_is_sent(office: Office, box: Letterbox, me: Person) -> None:
    await office.tell(me)
    await office.give_address(me, "new@example.com")
    await office.notices.send_mail()
    assert [message["To"] for message in box.taken] == ["new@example.com"]


async def test_a_busy_server_is_asked_again_ever_later(
    office: Office, box: Letterbox, me: Person, clock: FixedClock
) -> None:
    box.failures = [Failure.LATER] * 3
    await office.tell(me)
    waits = []
    while not box.taken:
        before = clock.at
        while not await office.notices.send_mail():
            clock.advance(MINUTE)
        waits.append((clock.at - before) // MINUTE)
    assert waits == [0, 1, 5, 30]
    assert await office.states() == [("sent", 4)]
    assert {str(message["Message-ID"]) for message in box.taken} == {str(box.taken[0]["Message-ID"])}


async def test_a_server_that_is_away_is_not_asked_for_every_letter(
    office: Office, box: Letterbox, me: Person, clock: FixedClock
) -> None:
    box.failures = [Failure.SERVER]
    for _ in range(3):
        await office.tell(me)
    assert await office.notices.send_mail() == 1
    assert box.tries == 1
    clock.advance(MINUTE)
    assert await office.notices.send_mail() == 3
    assert (await office.emails.state(me)).is_working


async def test_a_letter_is_given_up_after_three_days_and_the_address_is_not(
    office: Office, box: Letterbox, me: Person, clock: FixedClock
) -> None:
    box.failures = [Failure.SERVER, Failure.SERVER]
    await office.tell(me)
    await office.notices.send_mail()
    clock.advance(timedelta(days=3))
    await office.notices.send_mail()
    assert await office.states() == [("failed", 2)]
    assert (await office.emails.state(me)).is_working
    assert await office.inbox(me) == ["轮到你"]


async def test_an_address_that_is_refused_is_given_up_and_its_owner_told_on_the_site(
    office: Office, box: Letterbox, me: Person
) -> None:
    box.failures = [Failure.ADDRESS]
    for _ in range(3):
        await office.tell(me)
    await office.notices.send_mail()
    assert await office.states() == [("failed", 1), ("dropped", 1), ("dropped", 1)]
    assert not (await office.emails.state(me)).is_working
    told, *_ = await office.notices.inbox(me)
    assert (told.kind, told.link) == ("address_failed", "/me/notices")
    assert "收不到信" in told.subject
    await office.tell(me)
    assert (box.tries, len(await office.states())) == (1, 3)


async def test_a_letter_that_is_refused_for_itself_leaves_the_address_alone(
    office: Office, box: Letterbox, me: Person
) -> None:
    box.failures = [Failure.MESSAGE]
    await office.tell(me)
    await office.tell(me)
    assert await office.notices.send_mail() == 2
    assert await office.states() == [("failed", 1), ("sent", 1)]
    assert (await office.emails.state(me)).is_working


async def test_an_address_changed_while_its_letter_was_out_is_not_blamed(
    database: Database, clock: FixedClock, me: Person
) -> None:
    class Meanwhile(Letterbox):
        async def send(self, message: EmailMessage) -> None:
            await office.give_address(me, "new@example.com")
            await super().send(message)

    office = Office(database, clock, Meanwhile(failures=[Failure.ADDRESS]))
    await office.tell(me)
    await office.notices.send_mail()
    assert (await office.emails.state(me)).is_working
    assert await office.inbox(me) == ["轮到你"]


async def test_many_runners_send_each_letter_once(office: Office, box: Letterbox, me: Person) -> None:
    for number in range(20):
        await office.tell(me, subject=f"第 {number} 封")
    done = await asyncio.gather(*(office.notices.send_mail(30) for _ in range(4)))
    assert sum(done) == 20
    assert sorted(box.subjects) == sorted(f"第 {number} 封" for number in range(20))


async def test_a_letter_whose_runner_died_is_sent_by_another_and_only_after_its_lease(
    database: Database, clock: FixedClock, me: Person
) -> None:
    class Dies(Letterbox):
        async def send(self, message: EmailMessage) -> None:
            await super().send(message)
            raise RuntimeError("the process ends between DATA and COMMIT")

    dying, box = Dies(), Letterbox()
    first, second = Office(database, clock, dying), Office(database, clock, box)
    await first.tell(me)
    with pytest.raises(RuntimeError):
        await first.notices.send_mail()
    assert await second.notices.send_mail() == 0
    clock.advance(LEASE)
    assert await second.notices.send_mail() == 1
    assert await second.states() == [("sent", 2)]
    # The one case in which a letter may come twice; the other side can know it by this.
    assert dying.taken[0]["Message-ID"] == box.taken[0]["Message-ID"]


async def test_a_runner_that_lost_its_lease_writes_nothing(database: Database, clock: FixedClock, me: Person) -> None:
    class Slow(Letterbox):
        async def send(self, message: EmailMessage) -> None:
            clock.advance(LEASE)
            await second.notices.send_mail()
            await super().send(message)

    box = Letterbox()
    second = Office(database, clock, box)
    for failure in ([], [Failure.LATER], [Failure.ADDRESS]):
        first = Office(database, clock, Slow(failures=failure))
        await first.tell(me)
        await first.notices.send_mail()
    assert await second.states() == [("sent", 2)] * 3
    assert (await second.emails.state(me)).is_working


async def test_letters_are_emptied_a_week_after_their_end(
    office: Office, me: Person, clock: FixedClock, database: Database
) -> None:
    async with database.transaction() as conn:
        await office.mailer.queue(conn, me.account_id, "receipt", "回执", "正文", [Attachment("a.txt", b"x")])
    await office.notices.send_mail()
    clock.advance(timedelta(days=6))
    await office.tell(me)
    assert await office.mailer.empty_old() == 0
    clock.advance(timedelta(days=1))
    assert await office.mailer.empty_old() == 1
    assert await office.mailer.empty_old() == 0
    rows = await database.fetch("SELECT body, attachments, state FROM mail ORDER BY mail_id")
    assert [(row["state"], row["body"] is None, row["attachments"]) for row in rows] == [
        ("sent", True, []),
        ("waiting", False, []),
    ]


# The link in every letter


def token_of(message: EmailMessage) -> str:
    link = str(message["List-Unsubscribe"]).strip("<>")
    assert link.startswith(f"{ORIGIN}/mail/unsubscribe?")
    [token] = parse_qs(urlsplit(link).query)["t"]
    return token


async def test_a_link_stops_its_topic_and_no_other(office: Office, box: Letterbox, me: Person) -> None:
    await office.tell(me)
    await office.notices.send_mail()
    token = token_of(box.taken[0])
    assert token in box.text()
    assert await office.mailer.topic_of_link(token) is Topic.CASES
    assert await office.mailer.choices(me) == dict.fromkeys(Topic, True)
    for _ in range(2):
        assert await office.mailer.unsubscribe(token) is Topic.CASES
    assert await office.mailer.choices(me) == dict.fromkeys(Topic, True) | {Topic.CASES: False}


async def test_a_link_is_no_use_where_anything_of_it_was_changed(office: Office, box: Letterbox, me: Person) -> None:
    other = person(await open_account(office.database))
    await office.give_address(other, ME)
    await office.tell(me)
    await office.notices.send_mail()
    token = token_of(box.taken[0])
    account, topic, mac = token.split(".")
    for wrong in (
        f"{other.account_id:x}.{topic}.{mac}",
        f"{account}.orders.{mac}",
        f"{account}.nothing.{mac}",
        f"{account}.{topic}.{'A' * len(mac)}",
        f"{account}.{topic}.",
        f"{account}.{topic}",
        f"-{account}.{topic}.{mac}",
        f"0.{topic}.{mac}",
        f"{'f' * 20}.{topic}.{mac}",
        f"{account}.{topic}.{mac}é",
        token + "A" * 100,
        "",
    ):
        assert await office.mailer.topic_of_link(wrong) is None, wrong
        assert await office.mailer.unsubscribe(wrong) is None, wrong
    assert await office.mailer.choices(me) == dict.fromkeys(Topic, True)


async def test_a_link_of_an_address_given_up_is_no_use(office: Office, box: Letterbox, me: Person) -> None:
    await office.tell(me)
    await office.notices.send_mail()
    await office.give_address(me, "new@example.com")
    assert await office.mailer.topic_of_link(token_of(box.taken[0])) is None


async def test_looking_for_letters_reads_indexes(owner_database: Database) -> None:
    queries = load_queries("kabao.notices")
    async with owner_database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        for name, arguments, index in (
            ("claim", (LEASE, None), "mail_due"),
            ("empty_old", (timedelta(days=7), None), "mail_to_empty"),
            ("is_wanted", (1, "cases"), "mail_choice_pkey"),
        ):
            plan = repr(await conn.fetch("EXPLAIN " + queries[name], *arguments))
            assert index in plan, name
            assert "Seq Scan" not in plan, name


async def test_the_auditor_reads_no_letter(clone: object, office: Office, me: Person, postgres_server: object) -> None:
    await office.tell(me)
    dsn = postgres_server.dsn(clone.name, "kabao_audit")  # type: ignore[attr-defined]
    conn = await asyncpg.connect(dsn)
    try:
        assert await conn.fetchval("SELECT state FROM mail") == "waiting"
        for forbidden in ("SELECT body FROM mail", "SELECT code_hash FROM email_code"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.fetch(forbidden)
    finally:
        await conn.close()
