"""Days that cannot be counted from, put where they are asked about: for stories saved before such were refused.

Nothing is dropped: the event or the payment stays, dated to the last day that may be entered; that is still to come, so
the person is asked for the right one.
"""

from datetime import date, datetime
from typing import Any, Final

import msgspec

from kabao.selfhelp.model import CHINA, Moment, Story
from kabao.selfhelp.rules import MOST_HOURS
from kabao.selfhelp.storyfile import LAST_YEAR, is_likely

TO_BE_ASKED: Final = Moment(datetime(LAST_YEAR, 12, 31, tzinfo=CHINA), exact=False)


def mended(story: Story) -> Story:
    """Return the story with days that can be counted from; the same one where it has no others."""
    fixed: Story = _mended(story)
    clauses = tuple(
        msgspec.structs.replace(one, hours=None) if one.hours is not None and one.hours > MOST_HOURS else one
        for one in fixed.clauses
    )
    return fixed if clauses == fixed.clauses else msgspec.structs.replace(fixed, clauses=clauses)


def _mended(value: Any) -> Any:
    if isinstance(value, Moment):
        return value if _is_likely(value.at) else TO_BE_ASKED
    if isinstance(value, datetime):
        return value if _is_likely(value) else TO_BE_ASKED.at
    if isinstance(value, date):
        return value if is_likely(value) else None
    if isinstance(value, tuple):
        items = tuple(map(_mended, value))
        return items if items != value else value
    if isinstance(value, msgspec.Struct):
        held = {name: getattr(value, name) for name in value.__struct_fields__}
        changed = {name: new for name, old in held.items() if (new := _mended(old)) is not old}
        return msgspec.structs.replace(value, **changed) if changed else value
    return value


def _is_likely(at: datetime) -> bool:
    try:
        return is_likely(at.astimezone(CHINA).date())
    except OverflowError:
        return False
