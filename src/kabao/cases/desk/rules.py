"""The decisions about the desk: what is kept of a draft, how a place in the queue is written, what pause is left."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from kabao.cases.desk.model import MAX_DRAFT_CHARS, MAX_DRAFT_FIELDS, MAX_DRAFT_WHOLE, After, Pausing
from kabao.cases.ladder.model import Pause
from kabao.cases.ladder.rules import running_until
from kabao.cases.model import CaseCard
from kabao.kernel import Refusal, Refused, parse_ref

_NAME: Final = re.compile(r"[a-z_]{1,40}[0-9]{0,20}")
_PLACE: Final = re.compile(r"(\d{1,16})-(\d{1,19})-(\d{1,19})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MOST: Final = 2**63 - 1


def draft_of(fields: Mapping[str, str]) -> dict[str, str] | Refused:
    """Keep what was typed into the form of a ruling, without empty fields.

    Refuses INVALID_FIELDS for a field that no form has or that is too long: a draft is never cut short.
    """
    typed = {name: text for name, text in fields.items() if text.strip()}
    wrong = {
        name: f"最多 {MAX_DRAFT_CHARS} 个字。"
        for name, text in typed.items()
        if _NAME.fullmatch(name) is None or len(text) > MAX_DRAFT_CHARS
    }
    if wrong or len(typed) > MAX_DRAFT_FIELDS or sum(map(len, typed.values())) > MAX_DRAFT_WHOLE:
        return Refused(Refusal.INVALID_FIELDS, wrong)
    return typed


def write_after(after: After) -> str:
    """Write a place in the queue for an address."""
    return f"{(after.due_at - _EPOCH) // _MICROSECOND}-{after.shop_id}-{after.case_id}"


def read_after(text: str) -> After | None:
    """Read a place in the queue; None for what is none."""
    found = _PLACE.fullmatch(text)
    if found is None or not found[0].isascii():
        return None
    micros, shop_id, case_id = (int(part) for part in found.groups())
    if max(shop_id, case_id) > _MOST:
        return None
    return After(_EPOCH + micros * _MICROSECOND, shop_id, case_id)


def place_of(card: CaseCard) -> After | None:
    """Tell a case's place in the queue; None for one without a deadline, which stands in none."""
    found = parse_ref(card.ref)
    return None if found is None or card.due_at is None else After(card.due_at, *found)


def like(text: str) -> str:
    """Write what is searched for as a pattern that means itself."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%" if text else ""


def pausing(pauses: Sequence[Pause], hours: int, now: datetime) -> Pausing:
    """Tell how a stage's clock stands; a pause that runs counts as used to the end set for it."""
    used = sum((pause.ends_at - pause.began_at for pause in pauses), timedelta())
    return Pausing(until=running_until(pauses, now), left=max(timedelta(), timedelta(hours=hours) - used))
