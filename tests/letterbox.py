"""Mail put together as wiring does, with a transport that keeps what it is given or fails as it is told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage

from kabao.identity import EmailService, Person
from kabao.kernel import FixedClock, IdSource
from kabao.notices import CodeMail, Mailer, MailTransport, NoticeService, NotTaken, Sender
from kabao.notices.rules import Failure
from kabao.postgres import Database

ORIGIN = "https://kabao.example.org"
SENDER = Sender("no-reply@example.org", "卡保", "", ORIGIN)
SECRET = b"m" * 32


@dataclass
class Letterbox:
    """A transport; `failures` are met one after the other, then everything is taken."""

    failures: list[Failure] = field(default_factory=list)
    taken: list[EmailMessage] = field(default_factory=list)
    tries: int = 0
    delivers: bool = True

    async def send(self, message: EmailMessage) -> None:
        self.tries += 1
        if self.failures:
            raise NotTaken(self.failures.pop(0), "as the test wishes")
        self.taken.append(message)

    @property
    def subjects(self) -> list[str]:
        return [str(message["Subject"]) for message in self.taken]

    def text(self, which: int = -1) -> str:
        body = self.taken[which].get_body(("plain",))
        assert body is not None
        text: str = body.get_content()
        return text.replace("\r\n", "\n")


class Office:
    """Addresses, letters and notices on one database and one clock."""

    def __init__(
        self, database: Database, clock: FixedClock, transport: MailTransport | None, *, sender: Sender = SENDER
    ) -> None:
        ids = IdSource()
        self.database = database
        self.clock = clock
        codes = CodeMail(clock=clock, ids=ids, transport=transport, sender=sender) if transport else None
        self.emails = EmailService(database=database, clock=clock, sender=codes, secret=SECRET)
        self.mailer = Mailer(
            database=database,
            clock=clock,
            ids=ids,
            addresses=self.emails,
            transport=transport,
            sender=sender,
            secret=SECRET,
        )
        self.notices = NoticeService(database=database, clock=clock, ids=ids, mailer=self.mailer)

    async def give_address(self, person: Person, email: str) -> None:
        """Put an address in force without its code."""
        await self.database.execute(
            "UPDATE account SET email = $2, email_confirmed_at = $3 WHERE account_id = $1",
            person.account_id,
            email,
            self.clock.at,
        )

    async def tell(
        self, person: Person, kind: str = "case_answered", subject: str = "轮到你", link: str = "/c/1-2"
    ) -> None:
        async with self.database.transaction() as conn:
            await self.notices.tell(conn, person.account_id, kind, subject, link)

    async def states(self) -> list[tuple[str, int]]:
        rows = await self.database.fetch("SELECT state, attempt FROM mail ORDER BY mail_id")
        return [(row["state"], row["attempt"]) for row in rows]

    async def inbox(self, person: Person) -> Sequence[str]:
        return [notice.subject for notice in await self.notices.inbox(person)]
