"""How long a buyer had the notices before the eyes: measured by the page, or by the server from showing to sending.

The page's word counts only within what the server saw pass, and a form that was never shown by us counts for nothing.
"""

import hmac
from datetime import UTC, datetime
from typing import Final

from kabao.orders import Dwell
from kabao.web.http import Form

SLACK_MS: Final = 2_000
"""A page's clock may begin a moment before ours ends."""
MOST_NOTICES: Final = 20
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def shown_mark(key: bytes, listing_ref: str, now: datetime) -> str:
    """Mark a form with the moment it was shown."""
    at = str(_millis(now))
    return f"{at}.{_mac(key, listing_ref, at)}"


def dwell_of(form: Form, key: bytes, listing_ref: str, now: datetime) -> Dwell | None:
    """Read how long the ticked notices were shown; None where the form has no mark of ours."""
    at, _, mac = form.text("shown").partition(".")
    if not hmac.compare_digest(mac.encode(), _mac(key, listing_ref, at).encode()):
        return None
    passed = max(0, _millis(now) - int(at))
    ticked = form.every("notice")[:MOST_NOTICES]
    told = _told(form.every("dwell")[:MOST_NOTICES])
    if ticked and all(told.get(notice, passed + SLACK_MS + 1) <= passed + SLACK_MS for notice in ticked):
        return Dwell(millis={notice: told[notice] for notice in ticked}, measured_by="page")
    return Dwell(millis=dict.fromkeys(ticked, passed), measured_by="server")


def _told(values: list[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for value in values:
        notice, _, millis = value.rpartition(":")
        if millis.isascii() and millis.isdigit() and len(millis) <= 9:  # noqa: PLR2004  digits of a day and more
            found[notice] = int(millis)
    return found


def _millis(at: datetime) -> int:
    return round((at - _EPOCH).total_seconds() * 1000)


def _mac(key: bytes, listing_ref: str, at: str) -> str:
    return hmac.digest(key, f"kabao form shown\n{listing_ref}\n{at}".encode(), "sha256").hex()[:32]
