"""Whether a step of a saved case was saved, and if not, why: nothing is lost, the page still carries it."""

from enum import StrEnum
from typing import NamedTuple

import msgspec

from kabao.helpcases import CaseView, HelpState, SavedAs
from kabao.kernel import Refusal, Refused
from kabao.web.http import Visit


class Held(StrEnum):
    """Why a step was not saved; YES where it was, or where nothing is to be saved."""

    YES = "yes"
    CHANGED = "changed"
    """It was saved elsewhere since this page was made."""
    GONE = "gone"
    """It was deleted, or is somebody else's: the page goes on unsaved."""
    TOO_LARGE = "too_large"


class HeldStep(NamedTuple):
    """What the page goes on with, and why it was not saved."""

    state: HelpState
    why: Held


_WHY = {Refusal.HELP_CASE_CHANGED: Held.CHANGED, Refusal.HELP_CASE_TOO_LARGE: Held.TOO_LARGE}


async def hold_step(visit: Visit, state: HelpState) -> HeldStep:
    """Save what a step left, where it goes on with a saved case; `keep=over` saves over what was saved elsewhere."""
    if state.saved is None:
        return HeldStep(state, Held.YES)
    cases, me = visit.services.help_cases, visit.me.account_id
    case_id, version = state.saved.case_id, state.saved.version
    if visit.form.text("keep") == "over":
        there = await cases.find(me, case_id)
        version = version if isinstance(there, Refused) else there.version
    saved = await cases.rewrite(me, case_id, version, state)
    if isinstance(saved, Refused):
        why = _WHY.get(saved.code, Held.GONE)
        return HeldStep(msgspec.structs.replace(state, saved=None) if why is Held.GONE else state, why)
    return HeldStep(carried(saved), Held.YES)


def carried(view: CaseView) -> HelpState:
    """Give what a page carries of a saved case."""
    return msgspec.structs.replace(view.case.state, saved=SavedAs(view.case_id, view.version))
