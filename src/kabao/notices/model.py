"""A notice: one line that tells a person what happened and where to look; and a letter that tells it by mail."""

from datetime import datetime
from enum import StrEnum

import msgspec


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One line in a person's inbox; `link` is a path on this site, `read_at` None while unread."""

    notice_id: int
    kind: str
    subject: str
    link: str
    made_at: datetime
    read_at: datetime | None


class Topic(StrEnum):
    """What a person may choose to get by mail, or not."""

    ORDERS = "orders"
    CASES = "cases"
    RECEIPTS = "receipts"
    REMINDERS = "reminders"
    """A time limit that is about to pass."""
    DIGEST = "digest"
    """What waits for a member of staff, once a day."""


class Channel(StrEnum):
    """Where short messages go, beside letters."""

    SMS = "sms"
    WECHAT = "wechat"


class QuietHours(msgspec.Struct, frozen=True):
    """Minutes of the day by the clock of a zone between which no letter goes out; from after to: over midnight."""

    from_minute: int
    to_minute: int
    zone: str


class Attachment(msgspec.Struct, frozen=True):
    """A text file that goes with a letter, byte for byte; the name is 1 to 80 of `A-Za-z0-9._-`."""

    name: str
    content: bytes


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to be sent: leased under an attempt number that fences whoever held it before."""

    account_id: int
    mail_id: int
    topic: Topic
    subject: str
    body: str
    attachments: list[Attachment]
    attempt: int
    made_at: datetime
    now: datetime


class Sender(msgspec.Struct, frozen=True):
    """Whom mail comes from: address and name, where answers go (empty: nobody reads them), and this site's address."""

    address: str
    name: str
    reply_to: str
    origin: str


class ShortMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A notice for a phone or a chat account: one line and where to look; `to` is the account's phone (E.164).

    `kind` is what providers keep approved wordings by; `message_id` is the same at each try. `code` is of a sign-in
    code, whose line has it, too, and which links nowhere.
    """

    message_id: int
    to: str
    kind: str
    line: str
    url: str
    code: str = ""

    def __repr__(self) -> str:
        """Leave out whom it goes to and what it says: a repr ends up in logs."""
        return f"ShortMessage({self.message_id}, {self.kind})"


class ShortLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A short message to be sent: leased under an attempt number that fences whoever held it before."""

    account_id: int
    message_id: int
    channel: Channel
    kind: str
    subject: str
    link: str
    attempt: int
    made_at: datetime
    now: datetime
