"""Mail: queued in the transaction that made it true, sent by any number of runners, each letter leased and fenced.

A lease hides a letter from other runners for longer than a try may take; where its runner dies, the letter is due
again, under the same Message-ID. Nothing is sent twice knowingly.
"""

import base64
import hmac
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlencode

import structlog

from kabao.identity import MailUnavailable, Person
from kabao.kernel import Clock, IdSource, Refusal, Refused
from kabao.notices import rules, store, words
from kabao.notices.compose import compose_code, compose_letter
from kabao.notices.model import Attachment, Letter, QuietHours, Sender, Topic
from kabao.notices.ports import Addresses, MailTransport, NotTaken
from kabao.notices.rules import Failure
from kabao.postgres import Connection, Database

LEASE: Final = timedelta(seconds=120)
MAC_BYTES: Final = 16
MAX_TOKEN: Final = 80

Tell = Callable[[Connection, int, str, str, str], Awaitable[None]]
"""Leaves a notice on the site: account, kind, subject, link."""

_log = structlog.get_logger(__name__)


class Mailer:
    """Letters to people who confirmed an address. Without a transport nothing is queued: mail is off.

    `secret` signs the links by which anybody who holds a letter stops its topic.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        addresses: Addresses,
        transport: MailTransport | None,
        sender: Sender,
        secret: bytes,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._addresses = addresses
        self._transport = transport
        self._sender = sender
        self._secret = secret

    @property
    def is_on(self) -> bool:
        """Whether this site sends mail at all."""
        return self._transport is not None

    @property
    def is_delivered(self) -> bool:
        """Whether letters leave this machine, and are not only shown on the server's terminal."""
        return self._transport is not None and self._transport.delivers

    async def queue(
        self,
        conn: Connection,
        account_id: int,
        kind: str,
        subject: str,
        text: str,
        attachments: Sequence[Attachment] = (),
        *,
        by: datetime | None = None,
    ) -> bool:
        """Queue a letter in the caller's transaction; answers False where the account gets none of that kind.

        In the account's quiet hours it is held to their end, unless it would come too late to be read before `by`.

        It gets one where mail is on, an address is confirmed and works, and the kind's topic is wanted: `case…` is
        cases, `receipt…` evidence receipts, `due…` reminders, `digest` the letter to staff,
        anything else orders. Raises ValueError for a text over 64 KiB, more than 20 attachments or 256 KiB of them, or
        a name that is not 1 to 80 of `A-Za-z0-9._-`.
        """
        text = rules.clean_body(text)
        fault, topic = rules.letter_fault(text, attachments), rules.topic_of(kind)
        if fault is not None:
            raise ValueError(fault)
        if self._transport is None or topic is None:
            return False
        if await self._addresses.working_address(conn, account_id) is None:
            return False
        if not await store.is_wanted(conn, account_id, topic):
            return False
        line, at = rules.fit_subject(subject) or words.NO_SUBJECT, self._clock.instant()
        quiet = await store.quiet_hours(conn, account_id, at)
        held = None if quiet is None else rules.held_until(quiet[0], kind, by, quiet[1])
        await store.add_mail(conn, account_id, self._ids.next(), kind, topic, line, text, attachments, at, held)
        return True

    async def tell(
        self, conn: Connection, account_id: int, kind: str, subject: str, link: str, *, by: datetime | None = None
    ) -> bool:
        """Queue the letter that tells a notice; `link` is a path of this site, `by` as `queue` has it."""
        text = words.notice_text(subject, self._sender.origin + link)
        return await self.queue(conn, account_id, kind, subject, text, by=by)

    # ---- choices

    async def choices(self, person: Person) -> dict[Topic, bool]:
        """Answer which topics a person wants by mail; all of them until said otherwise."""
        async with self._database.connection() as conn:
            off = await store.topics_off(conn, person.account_id)
        return {topic: topic not in off for topic in Topic}

    async def choose(self, person: Person, wanted: frozenset[Topic]) -> None:
        """Set which topics a person wants by mail."""
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            for topic in Topic:
                await store.choose(conn, person.account_id, topic, at, is_on=topic in wanted)

    async def quiet_hours(self, person: Person) -> QuietHours | None:
        """Answer in which hours a person wants no letter; None: in none."""
        async with self._database.connection() as conn:
            found = await store.quiet_hours(conn, person.account_id, self._clock.instant())
        return found[0] if found else None

    async def keep_quiet(self, person: Person, hours: QuietHours | None) -> Refused | None:
        """Set a person's quiet hours, or end them, and with them the wait of what they hold.

        Refuses INVALID_FIELDS: zone (not of the list), from, to (no time of day, or more than 12 hours later).
        """
        at, wrong = self._clock.instant(), None if hours is None else rules.quiet_fault(hours)
        if wrong is not None:
            return Refused(Refusal.INVALID_FIELDS, {wrong: words.QUIET_WRONG[wrong]})
        async with self._database.transaction() as conn:
            if hours is None:
                await store.end_quiet_hours(conn, person.account_id, at)
            else:
                await store.set_quiet_hours(conn, person.account_id, hours, at)
        return None

    # ---- the link in every letter

    def unsubscribe_url(self, account_id: int, topic: Topic, address: str) -> str:
        """Make the link that stops a topic for an account, good as long as that is its address."""
        mac = base64.urlsafe_b64encode(self._mac(account_id, topic, address)).decode().rstrip("=")
        token = f"{account_id:x}.{topic}.{mac}"
        return f"{self._sender.origin}/mail/unsubscribe?{urlencode({'t': token})}"

    async def topic_of_link(self, token: str) -> Topic | None:
        """Say which topic a link stops; None for one that is none, or of an address given up since."""
        async with self._database.connection() as conn:
            found = await self._read_token(conn, token)
        return found[1] if found else None

    async def unsubscribe(self, token: str) -> Topic | None:
        """Stop the topic a link is for; once is as good as twice. None as `topic_of_link`."""
        async with self._database.transaction() as conn:
            found = await self._read_token(conn, token)
            if found is None:
                return None
            account_id, topic = found
            await store.choose(conn, account_id, topic, self._clock.instant(), is_on=False)
            return topic

    async def _read_token(self, conn: Connection, token: str) -> tuple[int, Topic] | None:
        parts = token.split(".") if len(token) <= MAX_TOKEN and token.isascii() else []
        try:
            account_text, topic_text, mac_text = parts
            account_id, topic = int(account_text, 16), Topic(topic_text)
            mac = base64.urlsafe_b64decode(mac_text + "=" * (-len(mac_text) % 4))
        except ValueError:
            return None
        if not 0 < account_id < 2**63:
            return None
        address = await self._addresses.working_address(conn, account_id)
        if address is None or not hmac.compare_digest(mac, self._mac(account_id, topic, address)):
            return None
        return account_id, topic

    def _mac(self, account_id: int, topic: Topic, address: str) -> bytes:
        signed = f"unsubscribe\0{account_id}\0{topic}\0{address}".encode()
        return hmac.digest(self._secret, signed, "sha256")[:MAC_BYTES]

    # ---- sending

    async def run(self, tell: Tell, limit: int = 20) -> int:
        """Send what is due, at most `limit`; returns how many letters were dealt with, whatever came of each.

        Stops at the first that shows the server to be away: the rest would only wait for it in turn. `tell` leaves
        the notice for who has an address that no longer works.
        """
        if self._transport is None:
            return 0
        for done in range(limit):
            letter, address = await self._claim()
            if letter is None:
                return done
            if not await self._deal_with(letter, address, tell, self._transport):
                return done + 1
        return limit

    async def empty_old(self) -> int:
        """Empty letters that ended seven days ago of text and attachments; returns how many."""
        async with self._database.transaction() as conn:
            return await store.empty_old(conn, rules.EMPTIED_AFTER, self._clock.instant())

    async def _claim(self) -> tuple[Letter | None, str | None]:
        async with self._database.transaction() as conn:
            letter = await store.claim(conn, LEASE, self._clock.instant())
            if letter is None or not await store.is_wanted(conn, letter.account_id, letter.topic):
                return letter, None
            return letter, await self._addresses.working_address(conn, letter.account_id)

    async def _deal_with(self, letter: Letter, address: str | None, tell: Tell, transport: MailTransport) -> bool:
        """Send one letter or drop it; answers whether the next one is worth trying."""
        if address is None:
            await self._end(letter, "dropped", "no address, or not wanted any more")
            return True
        link = self.unsubscribe_url(letter.account_id, letter.topic, address)
        try:
            await transport.send(compose_letter(letter, address, self._sender, link))
        except NotTaken as refused:
            await self._failed(letter, address, refused, tell)
            return refused.failure is not Failure.SERVER
        await self._end(letter, "sent", None)
        return True

    async def _failed(self, letter: Letter, address: str, refused: NotTaken, tell: Tell) -> None:
        why = str(refused)
        wait = rules.next_try(refused.failure, attempt=letter.attempt, made_at=letter.made_at, now=letter.now)
        if refused.failure is Failure.SERVER:
            _log.warning("mail waits for its server", why=refused.why)
        if wait is not None:
            async with self._database.connection() as conn:
                await store.postpone(conn, letter, self._clock.instant(), wait, why)
            return
        async with self._database.transaction() as conn:
            is_ours = await store.end(conn, letter, "failed", why, self._clock.instant())
            if not is_ours or refused.failure is not Failure.ADDRESS:
                return
            if await self._addresses.mark_failed(conn, letter.account_id, address):
                await tell(conn, letter.account_id, rules.ADDRESS_FAILED, words.ADDRESS_FAILED_SUBJECT, "/me/notices")

    async def _end(self, letter: Letter, state: str, why: str | None) -> None:
        async with self._database.connection() as conn:
            await store.end(conn, letter, state, why, self._clock.instant())


class CodeMail:
    """Takes identity's codes to mailboxes at once, past the queue: a code is stored nowhere but as its hash."""

    def __init__(self, *, clock: Clock, ids: IdSource, transport: MailTransport, sender: Sender) -> None:
        self._clock = clock
        self._ids = ids
        self._transport = transport
        self._sender = sender

    async def send(self, email: str, code: str, seconds: int) -> bool:
        """Send a code; False where the server never takes the address. Raises MailUnavailable."""
        at = self._clock.instant() or datetime.now(UTC)
        message_id = f"kabao.code.{self._ids.next()}"
        try:
            await self._transport.send(compose_code(self._sender, email, code, seconds, message_id=message_id, at=at))
        except NotTaken as refused:
            _log.warning("a code could not be mailed", why=str(refused))
            if refused.failure is Failure.ADDRESS:
                return False
            raise MailUnavailable from refused
        return True
