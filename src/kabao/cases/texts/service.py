"""The use cases of texts to begin with: those of a shop for its owner, those that suit a case, and drafts."""

from typing import Final

from kabao.cases import store as case_store
from kabao.cases.model import CaseView, Side
from kabao.cases.steps import NOT_FOUND, CaseSteps
from kabao.cases.texts import store
from kabao.cases.texts.model import (
    MAX_BODY_CHARS,
    MAX_DRAFT_CHARS,
    MAX_NAME_CHARS,
    MAX_NOTE_CHARS,
    PLATFORM,
    TEXTS_AT_MOST,
    Text,
    TextKind,
    WriteText,
)
from kabao.cases.texts.rules import suiting, unknown_fields
from kabao.cases.texts.store import Draft
from kabao.evidence import clean_text
from kabao.identity import Person
from kabao.kernel import Refusal, Refused, parse_ref

OWN_KINDS: Final = frozenset({TextKind.ANSWER, TextKind.OFFER})


class TextService:
    """Keeps a shop's texts and finds those that suit a case; keeps what somebody typed and has not sent."""

    def __init__(self, steps: CaseSteps) -> None:
        self._steps = steps

    # ---- a shop's own

    async def of_shop(self, owner: Person, shop_id: int) -> list[Text] | Refused:
        """List a shop's own texts for its owner; NOT_FOUND for everybody else."""
        async with self._steps.database.connection() as conn:
            if await case_store.owner_of(conn, shop_id) != owner.account_id:
                return NOT_FOUND
            return await store.texts(conn, shop_id)

    async def write(self, owner: Person, shop_id: int, wish: WriteText, text_id: int | None = None) -> Refused | None:
        """Keep a text, or write one anew; refuses NOT_FOUND, INVALID_FIELDS (kind, name, body; more than 30)."""
        read = _read(wish)
        async with self._steps.database.transaction() as conn:
            if await store.lock_shop(conn, shop_id) != owner.account_id:
                return NOT_FOUND
            if isinstance(read, Refused):
                return read
            name, body = read
            if text_id is not None:
                return None if await store.change_text(conn, shop_id, text_id, name, body) else NOT_FOUND
            made = (self._steps.ids.next(), wish.kind, name, body)
            if await store.add_text(conn, shop_id, *made, self._steps.clock.instant()):
                return None
        return Refused(Refusal.INVALID_FIELDS, {"name": f"已经有 {TEXTS_AT_MOST} 条，先删掉用不着的。"})

    async def remove(self, owner: Person, shop_id: int, text_id: int) -> Refused | None:
        """Remove a text; refuses NOT_FOUND."""
        async with self._steps.database.transaction() as conn:
            if await store.lock_shop(conn, shop_id) != owner.account_id:
                return NOT_FOUND
            return None if await store.remove_text(conn, shop_id, text_id) else NOT_FOUND

    # ---- in a case

    async def suiting(self, case: CaseView, *kinds: TextKind) -> list[Text]:
        """List the texts that suit a party's case and a use: the shop's own first, then the platform's."""
        own: list[Text] = []
        if case.viewer is Side.MERCHANT:
            async with self._steps.database.connection() as conn:
                own = await store.texts(conn, case.order.shop_id)
        return [text for texts in (own, PLATFORM) for text in suiting(texts, case.viewer, frozenset(kinds), case.claim)]

    async def draft(self, person: Person, case: CaseView) -> Draft | None:
        """Return what somebody typed in a case and has not sent."""
        async with self._steps.database.connection() as conn:
            return await store.draft(conn, *_place(case), person.account_id)

    async def keep_draft(self, person: Person, case: CaseView, body: str) -> None:
        """Keep what somebody typed in a case, in the place of what was kept before; an empty text forgets it."""
        async with self._steps.database.transaction() as conn:
            at = self._steps.clock.instant()
            await store.save_draft(conn, *_place(case), person.account_id, body[:MAX_DRAFT_CHARS].strip(), at)


def _read(wish: WriteText) -> tuple[str, str] | Refused:
    """Check a text; refuses INVALID_FIELDS."""
    most = MAX_NOTE_CHARS if wish.kind == TextKind.OFFER else MAX_BODY_CHARS
    name, body = clean_text(wish.name, MAX_NAME_CHARS), clean_text(wish.body, most)
    wrong = {} if wish.kind in OWN_KINDS else {"kind": "选一种用处。"}
    if name is None or "\n" in name:
        wrong["name"] = f"写 1 到 {MAX_NAME_CHARS} 个字，一行。"
    if body is None:
        wrong["body"] = f"写 1 到 {most} 个字。"
    elif unknown := unknown_fields(body):
        wrong["body"] = f"不认识 {{{unknown[0][:MAX_NAME_CHARS]}}}，只能用下面列出的。"
    if wrong or name is None or body is None:
        return Refused(Refusal.INVALID_FIELDS, wrong)
    return name, body


def _place(case: CaseView) -> tuple[int, int]:
    at = parse_ref(case.ref)
    assert at is not None  # noqa: S101  the view made this reference
    return at.shop_id, at.object_id
