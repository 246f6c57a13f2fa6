"""A text that anybody pastes to have it checked: read within limits and forgotten. Two pages show what was found."""

import asyncio
from enum import StrEnum
from typing import Final, NamedTuple

from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.terms import Document, Kind, Report, check
from kabao.web.http import Page, PageRequest, Visit, enter, is_large, is_own_form, read_form, stale_page

LONGEST: Final = 20_000
"""Characters; as a form sends them they stay below what a stranger may send."""
TOO_OFTEN: Final = Refused(Refusal.TOO_MANY_TRIES)
"""What somebody hears who checks more than his limit lets him."""


class Problem(StrEnum):
    """Why a text was not checked."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    TOO_OFTEN = "too_often"


class Pasted(NamedTuple):
    """A text as it was sent, its line ends counted once, with its report or the problem (never both)."""

    visit: Visit
    text: str
    kind: Kind
    report: Report | None = None
    problem: Problem | None = None

    @property
    def status(self) -> int:
        """The status the answer has."""
        if self.problem is None:
            return 200
        return TOO_OFTEN.status if self.problem is Problem.TOO_OFTEN else 422


async def read_pasted(request: PageRequest, usual: Kind) -> Pasted | Page:
    """Check the text of a form; `usual` is its kind where none was chosen.

    Answers with the page for a stale form where the form is not the visitor's own.
    """
    visit = await enter(request)
    if is_large(request):
        return Pasted(visit, "", usual, problem=Problem.TOO_LONG)
    visit.form = await read_form(request)
    if not is_own_form(visit):
        return stale_page(visit)
    # A browser sends each line end as two characters; places are told in one.
    text = visit.form.raw("text").replace("\r\n", "\n")
    kind = Kind(visit.form.text("kind")) if visit.form.text("kind") in set(Kind) else usual
    if not text.strip() or len(text) > LONGEST:
        return Pasted(visit, text[:LONGEST], kind, problem=Problem.TOO_LONG if text.strip() else Problem.EMPTY)
    who = "net:" + visit.visitor.network if visit.signed_in is None else visit.me.account_id
    if not await visit.services.identity.may(Act.CHECK_TERMS, who):
        return Pasted(visit, text, kind, problem=Problem.TOO_OFTEN)
    return Pasted(visit, text, kind, await asyncio.to_thread(check, [Document(text, kind)], waivers=False))
