"""A notice: one line that tells a person what happened and where to look."""

from datetime import datetime

import msgspec


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """One line in a person's inbox; `link` is a path on this site, `read_at` None while unread."""

    notice_id: int
    kind: str
    subject: str
    link: str
    made_at: datetime
    read_at: datetime | None
