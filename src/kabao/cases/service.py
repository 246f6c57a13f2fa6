"""The use cases of a case, one transaction each: lock the case, decide, move the money, write, tell the other side."""

from collections.abc import AsyncIterable, Awaitable, Callable
from datetime import datetime
from typing import Final, NamedTuple, TypeAlias, assert_never

from kabao.adjudication import Adjudicator
from kabao.adjudication.service import RulebookService
from kabao.cases import rules, store, words
from kabao.cases.claims import CLAIMS
from kabao.cases.judging import decided, file_of
from kabao.cases.machine import Stage
from kabao.cases.model import (
    MAX_NOTE_CHARS,
    MAX_RULING_CHARS,
    MAX_STATEMENT_CHARS,
    Basis,
    Beside,
    CaseCard,
    CaseView,
    Decision,
    MakeOffer,
    OfferState,
    OpenCase,
    Remedy,
    Rule,
    Side,
)
from kabao.cases.ports import Notices, Orders
from kabao.cases.store import NEWEST, CaseRow
from kabao.cases.view import build_view
from kabao.evidence import EvidenceService, FileBody, Item, SealedFile, clean_text
from kabao.identity import Person, Role
from kabao.kernel import Clock, IdSource, OrderId, Refusal, Refused, ShopId, format_ref, parse_ref
from kabao.orders import OrderView, Replaced, Resolved
from kabao.postgres import Connection, Database

PAGE: Final = 50
QUEUE: Final = 200
BATCH: Final = 100

_NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)

Decide: TypeAlias = Callable[[CaseRow, Side], Decision | Refused]
Before: TypeAlias = Callable[[Connection, CaseRow], Awaitable[None]]
Also: TypeAlias = Callable[[Connection, CaseRow, Decision], Awaitable[None]]


class _Undo(Exception):  # noqa: N818  a transaction left on purpose, not an error
    """Undoes the transaction it is raised in and carries the refusal that is answered instead."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.code)
        self.refused = refused


class _Actor(NamedTuple):
    account_id: int
    side: Side


class CaseService:
    """Opens cases, leads them through negotiation and support, and ends them together with the money."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        orders: Orders,
        evidence: EvidenceService,
        notices: Notices,
        rulebook: RulebookService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._orders = orders
        self._evidence = evidence
        self._notices = notices
        self._rulebook = rulebook

    # ---- reading

    async def case(self, person: Person, ref: str) -> CaseView | Refused:
        """Show a case to its buyer, the shop's owner and support; NOT_FOUND for everybody else."""
        found = await self._seen_by(person, ref)
        if isinstance(found, Refused):
            return found
        case, side = found
        order = await self._orders.order(person, case.order_ref)
        if isinstance(order, Refused):
            return order
        return await self._view(case, side, order)

    async def my_cases(self, buyer: Person, before: str | None = None) -> list[CaseCard]:
        """List a buyer's cases, newest first, 50 a page; `before` is the last case's reference."""
        async with self._database.connection() as conn:
            return await store.cases_of_buyer(conn, buyer.account_id, _older_than(before), PAGE, self._clock.instant())

    async def shop_cases(self, owner: Person, shop_id: int, before: str | None = None) -> list[CaseCard] | Refused:
        """List a shop's cases for its owner, newest first, 50 a page; NOT_FOUND for everybody else."""
        async with self._database.connection() as conn:
            if await store.owner_of(conn, shop_id) != owner.account_id:
                return _NOT_FOUND
            return await store.cases_of_shop(conn, shop_id, _older_than(before), PAGE, self._clock.instant())

    async def queue(self, staff: Person) -> list[CaseCard] | Refused:
        """List what waits for support, overdue first; refuses NOT_ALLOWED for anybody else than support."""
        if Role.SUPPORT not in staff.roles:
            return Refused(Refusal.NOT_ALLOWED)
        async with self._database.connection() as conn:
            return await store.queue(conn, staff.account_id, QUEUE, self._clock.instant())

    async def preview(self, person: Person, ref: str, item_id: int) -> FileBody | Refused:
        """Return what everybody in the case sees of a file."""
        found = await self._seen_by(person, ref)
        if isinstance(found, Refused):
            return found
        case, _ = found
        return await self._evidence.preview(case.shop_id, case.order_id, item_id)

    async def original(self, person: Person, ref: str, item_id: int) -> SealedFile | Refused:
        """Let who gave a file, and support, have its original."""
        found = await self._seen_by(person, ref)
        if isinstance(found, Refused):
            return found
        case, side = found
        return await self._evidence.original(case.shop_id, case.order_id, item_id, person.account_id, side)

    # ---- opening

    async def open(self, buyer: Person, order_ref: str, wish: OpenCase) -> CaseView | Refused:
        """Open a case and stop the release clock, in one transaction.

        Refuses NOT_FOUND, NOT_ALLOWED (the shop's own owner), INVALID_FIELDS (claim, statement), NOT_PAID, IN_CASE,
        ALREADY_REFUNDED, ALREADY_RELEASED, REFUND_OUT_OF_RANGE (a partial demand outside what is held), CASE_LIMIT.
        """
        found = parse_ref(order_ref)
        if found is None:
            return _NOT_FOUND
        try:
            async with self._database.transaction() as conn:
                ref = await self._open(conn, buyer, found.shop_id, OrderId(found.object_id), wish)
        except _Undo as undo:
            return undo.refused
        return await self.case(buyer, ref)

    async def _open(self, conn: Connection, buyer: Person, shop_id: ShopId, order_id: OrderId, wish: OpenCase) -> str:
        order = await store.order_to_open(conn, shop_id, order_id, self._clock.instant())
        if order is None or buyer.account_id not in {order.buyer_id, order.owner_id}:
            raise _Undo(_NOT_FOUND)
        if buyer.account_id != order.buyer_id:
            raise _Undo(Refused(Refusal.NOT_ALLOWED))
        statement = clean_text(wish.statement, MAX_STATEMENT_CHARS)
        if statement is None or wish.claim not in CLAIMS:
            wrong = {} if wish.claim in CLAIMS else {"claim": "选一个最接近的原因。"}
            if statement is None:
                wrong["statement"] = f"写 1 到 {MAX_STATEMENT_CHARS} 个字，说明发生了什么。"
            raise _Undo(Refused(Refusal.INVALID_FIELDS, wrong))
        held = await self._orders.freeze(conn, shop_id, order_id, buyer.account_id, Side.BUYER)
        if isinstance(held, Refused):
            raise _Undo(held)
        if await store.withdrawn_cases(conn, shop_id, order_id) >= rules.WITHDRAWALS_AT_MOST:
            raise _Undo(Refused(Refusal.CASE_LIMIT))
        decision = rules.decide_open(held, wish.demand, wish.demand_minor, order.now)
        if isinstance(decision, Refused):
            raise _Undo(decision)
        case_id = self._ids.next()
        await store.add_case(
            conn,
            shop_id=shop_id,
            case_id=case_id,
            order_id=order_id,
            buyer_id=buyer.account_id,
            claim=wish.claim,
            statement=statement,
            decision=decision,
            at=order.now,
        )
        await store.log_case(
            conn,
            shop_id,
            case_id,
            decision,
            from_stage="none",
            actor_id=buyer.account_id,
            actor_role=Side.BUYER,
            body=statement,
            offer_id=None,
            basis=await self._basis(conn, shop_id, order_id, order.placed_at),
            at=order.now,
        )
        ref = format_ref(shop_id, case_id)
        demand = words.remedy_label(wish.demand, decision.refund_minor)
        subject = words.notice_subject(decision.kind, order.title, Side.BUYER, demand)
        await self._notices.tell(conn, order.owner_id, "case_opened", subject, f"/c/{ref}")
        return ref

    # ---- talking

    async def say(self, person: Person, ref: str, body: str) -> CaseView | Refused:
        """Say something in the case, at any time, also after its end; refuses NOT_FOUND, INVALID_FIELDS (body)."""
        found = await self._seen_by(person, ref)
        if isinstance(found, Refused):
            return found
        case, side = found
        async with self._database.transaction() as conn:
            said = await self._evidence.say(conn, case.shop_id, case.order_id, person.account_id, side, body)
            if isinstance(said, Refused):
                return said
            await self._tell(conn, case, "said", side)
        return await self.case(person, ref)

    async def add_file(self, person: Person, ref: str, file_name: str, stream: AsyncIterable[bytes]) -> Item | Refused:
        """Hand in a file for the case, at any time; refuses NOT_FOUND and what `EvidenceService.add_file` does."""
        found = await self._seen_by(person, ref)
        if isinstance(found, Refused):
            return found
        case, side = found
        return await self._evidence.add_file(
            case.shop_id, case.order_id, case.case_id, person.account_id, side, file_name, stream
        )

    # ---- steps

    async def answer(self, merchant: Person, ref: str, body: str) -> CaseView | Refused:
        """Contest the claim with a statement; refuses NOT_ALLOWED, INVALID_FIELDS, CASE_CLOSED, NOT_YOUR_TURN."""
        text = clean_text(body, MAX_STATEMENT_CHARS)

        def decide(case: CaseRow, side: Side) -> Decision | Refused:
            decision = rules.decide_answer(case.state, side, case.now)
            wrong = {"body": f"写 1 到 {MAX_STATEMENT_CHARS} 个字。"} if text is None else {}
            return _checked(decision, wrong)

        return await self._step(merchant, ref, decide, body=text)

    async def offer(self, person: Person, ref: str, wish: MakeOffer) -> CaseView | Refused:
        """Make an offer or counter-offer in the place of the open one.

        Refuses NOT_ALLOWED (support), INVALID_FIELDS (note), CASE_CLOSED, REFUND_OUT_OF_RANGE.
        """
        note = clean_text(wish.note, MAX_NOTE_CHARS) if wish.note.strip() else ""

        def decide(case: CaseRow, side: Side) -> Decision | Refused:
            decision = rules.decide_offer(case.state, side, wish.kind, wish.refund_minor, case.now)
            return _checked(decision, {"note": f"最多 {MAX_NOTE_CHARS} 个字。"} if note is None else {})

        return await self._step(person, ref, decide, body=note, new_offer=OfferState.OPEN)

    async def accept(self, person: Person, ref: str, offer_id: int) -> CaseView | Refused:
        """Accept the other side's offer; the money or the new keys move in the same transaction.

        Refuses NOT_ALLOWED (one's own offer), CASE_CLOSED, OFFER_GONE, and for a replacement SOLD_OUT and
        NOTHING_TO_REPLACE.
        """
        return await self._step(person, ref, lambda case, side: rules.decide_accept(case.state, side, offer_id))

    async def accept_demand(self, merchant: Person, ref: str) -> CaseView | Refused:
        """Grant what the buyer demanded, at once; refuses like `accept`."""
        return await self._step(
            merchant,
            ref,
            lambda case, side: rules.decide_accept_demand(case.state, side),
            new_offer=OfferState.ACCEPTED,
        )

    async def refuse_offer(self, person: Person, ref: str, offer_id: int) -> CaseView | Refused:
        """Turn the other side's offer down; it counts against nobody. Refuses NOT_ALLOWED, CASE_CLOSED, OFFER_GONE."""
        return await self._step(
            person, ref, lambda case, side: rules.decide_refuse(case.state, side, offer_id, case.now)
        )

    async def escalate(self, person: Person, ref: str) -> CaseView | Refused:
        """Call support; refuses NOT_ALLOWED, CASE_CLOSED, and NOT_YOUR_TURN where it is too early or done already."""
        return await self._step(person, ref, lambda case, side: rules.decide_escalate(case.state, side, case.now))

    async def withdraw(self, buyer: Person, ref: str) -> CaseView | Refused:
        """Take the case back; the release clock runs on, at least 24 hours. Refuses NOT_ALLOWED, CASE_CLOSED."""
        return await self._step(buyer, ref, lambda case, side: rules.decide_withdraw(case.state, side))

    async def rule(self, staff: Person, ref: str, wish: Rule) -> CaseView | Refused:
        """Rule with facts and reasons and move the money at once; the way outside stays open.

        Refuses NOT_ALLOWED (no support, or a party itself), STAFF_CHECK_REQUIRED, INVALID_FIELDS (facts, reasons),
        CASE_CLOSED, NOT_YOUR_TURN (still negotiated), REFUND_OUT_OF_RANGE. What the rulebook says at that moment is
        kept beside the ruling, before the money moves and in the same transaction; nobody is shown it before.
        """
        if Role.SUPPORT in staff.roles and not staff.staff_checked:
            return Refused(Refusal.STAFF_CHECK_REQUIRED)
        facts = clean_text(wish.facts, MAX_RULING_CHARS)
        reasons = clean_text(wish.reasons, MAX_RULING_CHARS)
        texts = {"facts": facts, "reasons": reasons}
        wrong = {name: f"写 1 到 {MAX_RULING_CHARS} 个字。" for name, text in texts.items() if text is None}

        def decide(case: CaseRow, side: Side) -> Decision | Refused:
            decision = rules.decide_rule(case.state, wish.outcome, wish.refund_minor)
            return _checked(decision, wrong, rules.may_rule(side, staff_checked=staff.staff_checked))

        found = await self._seen_by(staff, ref)
        if isinstance(found, Refused):
            return found
        # What was ordered is bound for good, so the book can be made ready before anything is locked.
        judge = await self._rulebook.binding(found[0].placed_at)

        beside: Beside | None = None

        async def before(conn: Connection, case: CaseRow) -> None:
            nonlocal beside
            if not isinstance(judge, Refused):
                beside = await self._beside(conn, staff, case, judge)

        async def also(conn: Connection, case: CaseRow, decision: Decision) -> None:
            await store.add_ruling(
                conn, case, staff.account_id, wish.outcome, decision.refund_minor, facts or "", reasons or ""
            )
            if beside is not None:
                await store.keep_decision(conn, case, beside)

        return await self._step(staff, ref, decide, before=before, also=also)

    async def tick(self) -> int:
        """Lift every negotiation whose deadline has passed to support; returns how many. Any number of workers."""
        risen = 0
        while True:
            async with self._database.transaction() as conn:
                due = await store.due_cases(conn, self._clock.instant(), BATCH)
                for shop_id, case_id in due:
                    risen += await self._rise(conn, shop_id, case_id)
            if len(due) < BATCH:
                return risen

    async def _step(
        self,
        person: Person,
        ref: str,
        decide: Decide,
        *,
        body: str | None = None,
        new_offer: OfferState | None = None,
        before: Before | None = None,
        also: Also | None = None,
    ) -> CaseView | Refused:
        """Lock, decide, move the money, write, tell; a refusal is answered before anything is written."""
        found = parse_ref(ref)
        if found is None:
            return _NOT_FOUND
        async with self._database.transaction() as conn:
            await store.lock_case(conn, found.shop_id, found.object_id)
            case = await store.case(conn, found.shop_id, found.object_id, self._clock.instant())
            side = None if case is None else _side(person, case)
            if case is None or side is None:
                return _NOT_FOUND
            decision = decide(case, side)
            if isinstance(decision, Refused):
                return decision
            actor = _Actor(person.account_id, side)
            basis = await self._basis(conn, case.shop_id, case.order_id, case.placed_at)
            if before is not None:
                await before(conn, case)
            moved = await self._move_money(conn, case, decision, actor, basis)
            if isinstance(moved, Refused):
                return moved
            await self._write(conn, case, decision, actor, basis, body=body, new_offer=new_offer)
            if also is not None:
                await also(conn, case, decision)
            await self._tell(conn, case, decision.kind, side, words.decided_label(decision, case.state))
        return await self.case(person, ref)

    async def _basis(self, conn: Connection, shop_id: int, order_id: int, placed_at: datetime) -> Basis:
        """Tell what a step rests on: the rulebook that binds the order and the files there are."""
        return Basis(
            rulebook_version=await self._rulebook.binding_version(conn, placed_at),
            evidence_digests=[item.digest for item in await self._evidence.items(shop_id, order_id, conn)],
        )

    async def _beside(self, conn: Connection, staff: Person, case: CaseRow, judge: Adjudicator) -> Beside:
        """Let the rulebook decide the case as it stands under the lock."""
        order = await self._orders.order(staff, case.order_ref, conn)
        if isinstance(order, Refused):
            return Beside(rulebook_version=judge.book.edition.version)
        items = await self._evidence.items(case.shop_id, case.order_id, conn)
        return await decided(judge, await file_of(conn, case.asked, order, items, judge))

    async def _move_money(
        self, conn: Connection, case: CaseRow, decision: Decision, actor: _Actor, basis: Basis
    ) -> Refused | Resolved | Replaced | datetime | None:
        order = (conn, ShopId(case.shop_id), OrderId(case.order_id))
        because = (basis.rulebook_version, basis.evidence_digests)
        match decision.stage:
            case Stage.SETTLED if decision.remedy is Remedy.REPLACEMENT:
                return await self._orders.replace(*order, *actor)
            case Stage.SETTLED:
                return await self._orders.resolve(*order, decision.refund_minor, *actor, "settled", *because)
            case Stage.RULED:
                return await self._orders.resolve(*order, decision.refund_minor, *actor, "ruled", *because)
            case Stage.WITHDRAWN:
                return await self._orders.unfreeze(*order, *actor, rules.CLOCK_LEAST_AFTER_WITHDRAWAL)
            case Stage.NEGOTIATION | Stage.SUPPORT:
                return None
            case _:
                assert_never(decision.stage)

    async def _write(
        self,
        conn: Connection,
        case: CaseRow,
        decision: Decision,
        actor: _Actor | None,
        basis: Basis,
        *,
        body: str | None = None,
        new_offer: OfferState | None = None,
    ) -> None:
        offer_id = None
        if case.state.offer is not None and decision.offer_becomes is not None:
            offer_id = case.state.offer.offer_id
            await store.end_offer(conn, case, offer_id, decision.offer_becomes)
        if actor is not None and new_offer is not None:
            offer_id = self._ids.next()
            await store.add_offer(conn, case, offer_id, actor.account_id, actor.side, decision, body or "", new_offer)
        await store.move_case(conn, case, decision)
        await store.log_case(
            conn,
            case.shop_id,
            case.case_id,
            decision,
            from_stage=case.state.stage,
            actor_id=None if actor is None else actor.account_id,
            actor_role="system" if actor is None else actor.side,
            body=decision.rose_why or body or None,
            offer_id=offer_id,
            basis=basis,
            at=case.now,
        )

    async def _rise(self, conn: Connection, shop_id: int, case_id: int) -> int:
        case = await store.case(conn, shop_id, case_id, self._clock.instant())
        decision = None if case is None else rules.decide_due(case.state, case.now)
        if case is None or decision is None:
            return 0
        basis = await self._basis(conn, shop_id, case.order_id, case.placed_at)
        await self._write(conn, case, decision, None, basis)
        await self._tell(conn, case, decision.kind, None)
        return 1

    async def _tell(self, conn: Connection, case: CaseRow, kind: str, side: Side | None, label: str = "") -> None:
        """Tell the other side; both where support or time moved the case."""
        subject = words.notice_subject(kind, case.title, side or "system", label)
        for account_id, of in ((case.buyer_id, Side.BUYER), (case.owner_id, Side.MERCHANT)):
            if of is not side:
                await self._notices.tell(conn, account_id, f"case_{kind}", subject, f"/c/{case.ref}")

    async def _seen_by(self, person: Person, ref: str) -> tuple[CaseRow, Side] | Refused:
        found = parse_ref(ref)
        if found is None:
            return _NOT_FOUND
        async with self._database.connection() as conn:
            case = await store.case(conn, found.shop_id, found.object_id, self._clock.instant())
        side = None if case is None else _side(person, case)
        return _NOT_FOUND if case is None or side is None else (case, side)

    async def _view(self, case: CaseRow, side: Side, order: OrderView) -> CaseView:
        shop_id, case_id = case.shop_id, case.case_id
        async with self._database.connection() as conn:
            offers = await store.offers(conn, shop_id, case_id)
            ruling = await store.ruling(conn, shop_id, case_id)
            events = await store.events(conn, shop_id, case_id)
            erasures = await store.erasures(conn, shop_id, case.order_id)
        return build_view(
            case,
            side,
            order,
            offers=offers,
            ruling=ruling,
            events=events,
            messages=await self._evidence.messages(shop_id, case.order_id),
            items=await self._evidence.items(shop_id, case.order_id),
            erasures=erasures,
        )


def _side(person: Person, case: CaseRow) -> Side | None:
    return rules.side_of(
        person.account_id,
        buyer_id=case.buyer_id,
        owner_id=case.owner_id,
        is_support=Role.SUPPORT in person.roles and person.staff_checked,
    )


def _checked(decision: Decision | Refused, wrong: dict[str, str], also: Refused | None = None) -> Decision | Refused:
    invalid = Refused(Refusal.INVALID_FIELDS, wrong) if wrong else None
    return rules.first_refusal(decision, invalid, also) or decision


def _older_than(ref: str | None) -> int:
    found = parse_ref(ref or "")
    return NEWEST if found is None else found.object_id
