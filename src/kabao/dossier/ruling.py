"""Shows the rulings of a case to those it concerns, prints them, and signs what was printed."""

import asyncio
from datetime import datetime, timedelta

import msgspec

from kabao.adjudication import Rulebook
from kabao.cases import CaseView, DecisionService, Outcome, Rule, RulingStage, RulingView, Stage
from kabao.cases import store as cases
from kabao.cases.judging import decided
from kabao.cases.ladder.grounding import named, unread_of
from kabao.cases.ladder.model import Award
from kabao.cases.model import Beside, Side
from kabao.cases.store import CaseEvent
from kabao.cases.words import outcome_label
from kabao.dossier.access import Cases
from kabao.dossier.model import RulingFacts
from kabao.dossier.ports import Log
from kabao.dossier.reading import CaseRead, OrderRead, read_order
from kabao.dossier.receipts import ReceiptFile
from kabao.dossier.rules import ruling_document
from kabao.dossier.sheet import Basis, RulingSheet, RulingState, sheet_of, state_of
from kabao.dossier.sheet_papers import ruling_json, ruling_sheet_paper, signed_text
from kabao.identity import Person
from kabao.kernel import Clock, Refusal, Refused, digest_of, parse_ref
from kabao.packs import PackSigner
from kabao.paper import Press
from kabao.postgres import Database


class RulingCard(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling in a list of a case's rulings."""

    no: int
    stage: RulingStage
    label: str
    made_at: datetime
    state: RulingState


class RulingFile(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling that was printed and signed, as three files that belong together."""

    pdf: ReceiptFile
    document: ReceiptFile
    signature: ReceiptFile


class RulingShown(msgspec.Struct, frozen=True, kw_only=True):
    """A ruling with what became of it; `cards` are all rulings of the case, the latest first.

    `record_id` is where the log has the record of it, None while it does not; `case` is the viewer's own view.
    """

    sheet: RulingSheet
    state: RulingState
    cards: list[RulingCard]
    record_sha256: str
    record_id: int | None
    case: CaseView


class _Found(msgspec.Struct, frozen=True):
    view: CaseView
    read: OrderRead
    case: CaseRead
    ruling: RulingView
    event_id: int
    facts: RulingFacts
    sheet: RulingSheet


class RulingService:
    """Rulings as documents; only of those that are made known, so never inside the time to take one back."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        cases: Cases,
        decisions: DecisionService,
        log: Log,
        press: Press,
        signer: PackSigner,
        site: str,
    ) -> None:
        self._database = database
        self._clock = clock
        self._cases = cases
        self._decisions = decisions
        self._log = log
        self._press = press
        self._signer = signer
        self._site = site

    async def ruling(self, person: Person, ref: str, no: int | None = None) -> RulingShown | Refused:
        """Show one ruling of a case, the latest where no number is given.

        Refuses NOT_FOUND for a stranger and where there is no such ruling, FIRST_VIEW_NEEDED to staff who have to write
        a first view yet, since a ruling tells what the rulebook suggested.
        """
        found = await self._found(person, ref, no)
        if isinstance(found, Refused):
            return found
        head = await self._log.head()
        record = next(
            (one for one in found.read.records if one.source == "case_event" and one.source_id == found.event_id), None
        )
        return RulingShown(
            sheet=found.sheet,
            state=state_of(found.case, found.ruling),
            cards=[
                RulingCard(
                    no=one.ruling_no,
                    stage=one.stage,
                    label=one.label,
                    made_at=one.made_at,
                    state=state_of(found.case, one),
                )
                for one in reversed(found.case.rulings)
            ],
            record_sha256=digest_of(ruling_document(found.facts)).hex(),
            record_id=record.record_id if record is not None and record.position < head.size else None,
            case=found.view,
        )

    async def files(self, person: Person, ref: str, no: int | None = None) -> RulingFile | Refused:
        """Print a ruling and sign it: the same bytes whoever asks and whenever. Refuses as `ruling`."""
        found = await self._found(person, ref, no)
        if isinstance(found, Refused):
            return found
        sheet, facts = found.sheet, found.facts
        pdf = await self._pdf(sheet, facts)
        document = ruling_json(sheet, facts)
        name = f"kabao-{sheet.ref.lower()}-ruling-{sheet.no}"
        return RulingFile(
            pdf=ReceiptFile(name=f"{name}.pdf", content=pdf),
            document=ReceiptFile(name=f"{name}.json", content=document),
            signature=ReceiptFile(name=f"{name}.sig", content=self._signer.note(signed_text(document, pdf))),
        )

    async def paper(self, read: OrderRead, case: CaseRead) -> bytes | None:
        """Print a case's latest ruling from what was read for somebody else, as `files` does; None where none is."""
        if not case.rulings:
            return None
        ruling, (event, facts) = case.rulings[-1], case.made[-1]
        beside = await self._kept(case, ruling)
        sheet = await self._sheet(read, case, ruling, event, beside)
        return await self._pdf(sheet, facts)

    async def preview(self, staff: Person, ref: str, wish: Rule) -> RulingSheet | Refused:
        """Show what both parties would read if a ruling were handed in as it stands.

        Refuses NOT_FOUND, NOT_ALLOWED (a party), FIRST_VIEW_NEEDED.
        """
        view = await self._cases.case(staff, ref)
        if isinstance(view, Refused):
            return view
        if view.viewer.is_party:
            return Refused(Refusal.NOT_ALLOWED)
        if not view.has_first_view:
            return Refused(Refusal.FIRST_VIEW_NEEDED)
        read, case = await self._read(view)
        judge = await self._decisions.judge(view)
        beside = None
        async with self._database.connection() as conn:
            unread = await unread_of(conn, case.row, wish.read, wish.grounds)
        if not isinstance(judge, Refused):
            beside = await decided(judge, await self._decisions.case_file(view, judge, unread))
        refund = wish.refund_minor if wish.outcome in {Outcome.PARTIAL_REFUND, Outcome.REPLACEMENT} else 0
        if wish.outcome is Outcome.FULL_REFUND or (wish.outcome is Outcome.REPLACEMENT and not refund):
            refund = view.held_minor
        # Why an answer is not waited for is told only where one is.
        is_waiting = any(one.is_open and one.stage == view.stage for one in view.questions)
        grounds = wish.grounds if is_waiting else msgspec.structs.replace(wish.grounds, unanswered="")
        award = Award(refund, wish.damages_minor, replaces=wish.outcome is Outcome.REPLACEMENT)
        ruling = RulingView(
            outcome=wish.outcome,
            label=outcome_label(wish.outcome, refund, wish.damages_minor),
            refund_minor=refund,
            damages_minor=wish.damages_minor,
            facts=wish.facts,
            reasons=wish.reasons,
            made_at=read.now,
            ruling_no=len(case.rulings) + 1,
            stage=RulingStage(view.stage.value),
            by_duty=view.viewer is Side.DUTY,
            shares=wish.shares,
            differs_reason=wish.differs_reason,
            rulebook_version=None if beside is None else beside.rulebook_version,
            grounds=msgspec.structs.replace(named(grounds, beside, case.row, award), unread=unread),
        )
        hours = timedelta(hours=case.row.state.windows.ask_review)
        until = None if view.stage is Stage.REVIEW else read.now + hours
        return sheet_of(read, case, ruling, await self._basis(case, beside), review_until=until)

    async def _found(self, person: Person, ref: str, no: int | None) -> _Found | Refused:
        view = await self._cases.case(person, ref)
        if isinstance(view, Refused):
            return view
        if not view.rulings:
            return Refused(Refusal.NOT_FOUND)
        if not view.reads_rules:
            return Refused(Refusal.FIRST_VIEW_NEEDED)
        read, case = await self._read(view)
        # A ruling's event and its row are written together, the oldest first.
        made = {one.ruling_no: (one, known) for one, known in zip(case.rulings, case.made, strict=True)}
        found = made.get(no or case.rulings[-1].ruling_no)
        if found is None:
            return Refused(Refusal.NOT_FOUND)
        ruling, (event, facts) = found
        sheet = await self._sheet(read, case, ruling, event, await self._kept(case, ruling))
        return _Found(view, read, case, ruling, event.event_id, facts, sheet)

    async def _pdf(self, sheet: RulingSheet, facts: RulingFacts) -> bytes:
        paper = ruling_sheet_paper(sheet, facts, key=self._signer.verifier_key, site=self._site)
        return await asyncio.to_thread(self._press.ruling, paper, at=sheet.made_at)

    async def _sheet(
        self,
        read: OrderRead,
        case: CaseRead,
        ruling: RulingView,
        event: CaseEvent,
        beside: Beside | None,
    ) -> RulingSheet:
        basis = await self._basis(case, beside)
        until = event.due_at if ruling.stage is not RulingStage.REVIEW else None
        return sheet_of(read, case, ruling, basis, review_until=until)

    async def _kept(self, case: CaseRead, ruling: RulingView) -> Beside | None:
        async with self._database.connection() as conn:
            return await cases.kept_decision(conn, case.row.shop_id, case.row.case_id, ruling.ruling_no)

    async def _read(self, view: CaseView) -> tuple[OrderRead, CaseRead]:
        at = parse_ref(view.ref)
        assert at is not None  # noqa: S101  the view made this reference
        async with self._database.transaction(isolation="repeatable_read", readonly=True) as conn:
            # Always as the buyer: the same for every reader.
            read = await read_order(conn, view.order.shop_id, view.order.order_id, "buyer", self._clock.instant())
        assert read is not None  # noqa: S101  the view has this order
        return read, next(case for case in read.cases if case.row.case_id == at.object_id)

    async def _basis(self, case: CaseRead, beside: Beside | None) -> Basis:
        async with self._database.connection() as conn:
            said = await cases.said_with_notes(conn, case.row.shop_id, case.row.case_id)
        book: Rulebook | Refused | None = None
        if beside is not None:
            book = await self._decisions.book(beside.rulebook_version)
        return Basis(said, beside, None if isinstance(book, Refused) else book)
