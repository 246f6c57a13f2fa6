"""Short messages: SMS and WeChat for who switched them on, queued, leased and fenced as letters are.

They cost the operator money and the reader attention, so cases and time limits alone go by them, at most so many a day;
everything stands on the site as well.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from kabao.identity import Person
from kabao.kernel import Clock, IdSource
from kabao.notices import rules, store, words
from kabao.notices.mailer import Tell
from kabao.notices.model import Channel, ShortLetter, ShortMessage, Topic
from kabao.notices.ports import NotTaken, Phones, ShortMessages
from kabao.notices.rules import Failure
from kabao.postgres import Connection, Database

LEASE: Final = timedelta(seconds=60)
TOPICS: Final = frozenset({Topic.CASES, Topic.REMINDERS})
A_DAY: Final = 20
"""Messages to one account by one channel within 24 hours; what is beyond stands on the site."""

_log = structlog.get_logger(__name__)


class Texter:
    """Short messages to people who switched a channel on; one without a transport is off, and no page offers it."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        phones: Phones,
        transports: Mapping[Channel, ShortMessages],
        origin: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._phones = phones
        self._transports = transports
        self._origin = origin

    @property
    def channels(self) -> list[Channel]:
        """Which channels this site has."""
        return [channel for channel in Channel if channel in self._transports]

    async def tell(
        self, conn: Connection, account_id: int, kind: str, subject: str, link: str, *, by: datetime | None = None
    ) -> None:
        """Queue what tells a notice in the caller's transaction, for each channel that is on; quiet hours hold it."""
        if not self._transports or rules.topic_of(kind) not in TOPICS:
            return
        at = self._clock.instant()
        for channel in await store.short_on(conn, account_id):
            if channel not in self._transports:
                continue
            quiet = await store.quiet_hours(conn, account_id, at)
            held = None if quiet is None else rules.held_until(quiet[0], kind, by, quiet[1])
            line = rules.fit_subject(subject)
            await store.add_short(conn, account_id, self._ids.next(), channel, kind, line, link, at, held, A_DAY)

    async def choices(self, person: Person) -> dict[Channel, bool]:
        """Answer which of the site's channels a person has on; none until said otherwise."""
        async with self._database.connection() as conn:
            on = await store.short_on(conn, person.account_id)
        return {channel: channel in on for channel in self.channels}

    async def choose(self, person: Person, wanted: frozenset[Channel]) -> None:
        """Switch the site's channels on or off for a person; what waits for one that is off is dropped in its turn."""
        at = self._clock.instant()
        async with self._database.transaction() as conn:
            for channel in self.channels:
                await store.choose_short(conn, person.account_id, channel, at, is_on=channel in wanted)

    async def run(self, tell: Tell, limit: int = 20) -> int:
        """Send what is due, at most `limit` a channel; returns how many were dealt with, whatever came of each.

        A channel stops at the first message that shows its gateway to be away, and holds up no other.
        """
        done = 0
        for channel, transport in self._transports.items():
            for _ in range(limit):
                letter, phone = await self._claim(channel)
                if letter is None:
                    break
                done += 1
                if not await self._deal_with(letter, phone, tell, transport):
                    break
        return done

    async def empty_old(self) -> int:
        """Delete messages that ended seven days ago; returns how many."""
        async with self._database.transaction() as conn:
            return await store.drop_short(conn, rules.EMPTIED_AFTER, self._clock.instant())

    async def _claim(self, channel: Channel) -> tuple[ShortLetter | None, str | None]:
        async with self._database.transaction() as conn:
            letter = await store.claim_short(conn, channel, LEASE, self._clock.instant())
            if letter is None or channel not in await store.short_on(conn, letter.account_id):
                return letter, None
            return letter, await self._phones.reachable_phone(conn, letter.account_id)

    async def _deal_with(self, letter: ShortLetter, phone: str | None, tell: Tell, transport: ShortMessages) -> bool:
        """Send one message or drop it; answers whether the next one is worth trying."""
        if phone is None:
            await self._end(letter, "dropped", "switched off, or no account any more")
            return True
        message = ShortMessage(
            message_id=letter.message_id,
            to=phone,
            kind=letter.kind,
            line=letter.subject,
            url=self._origin + letter.link,
        )
        try:
            await transport.send(message)
        except NotTaken as refused:
            await self._failed(letter, refused, tell)
            return refused.failure is not Failure.SERVER
        await self._end(letter, "sent", None)
        return True

    async def _failed(self, letter: ShortLetter, refused: NotTaken, tell: Tell) -> None:
        wait = rules.next_try(refused.failure, attempt=letter.attempt, made_at=letter.made_at, now=letter.now)
        if refused.failure is Failure.SERVER:
            _log.warning("short messages wait for their gateway", channel=letter.channel.value, why=refused.why)
        at = self._clock.instant()
        if wait is not None:
            async with self._database.connection() as conn:
                await store.postpone_short(conn, letter, at, wait, str(refused))
            return
        async with self._database.transaction() as conn:
            is_ours = await store.end_short(conn, letter, "failed", str(refused), at)
            if is_ours and refused.failure is Failure.ADDRESS:
                await store.choose_short(conn, letter.account_id, letter.channel, at, is_on=False)
                subject = words.SHORT_FAILED[letter.channel]
                await tell(conn, letter.account_id, rules.ADDRESS_FAILED, subject, "/me/notices")

    async def _end(self, letter: ShortLetter, state: str, why: str | None) -> None:
        async with self._database.connection() as conn:
            await store.end_short(conn, letter, state, why, self._clock.instant())
