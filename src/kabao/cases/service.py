"""The use cases of a case between its parties, one transaction each; deciding it is `ladder.service`."""

from collections.abc import AsyncIterable
from typing import Final

from kabao.adjudication import Adjudicator
from kabao.adjudication.service import RulebookService
from kabao.cases import rules, store, words
from kabao.cases.claims import CLAIMS, MERCHANT_CLAIMS
from kabao.cases.cover.service import CoverService
from kabao.cases.desk.model import QueueWish
from kabao.cases.desk.service import DeskService
from kabao.cases.green.service import Certain, GreenChannel
from kabao.cases.inbox.service import InboxService
from kabao.cases.ladder.service import LadderService
from kabao.cases.model import (
    MAX_NOTE_CHARS,
    MAX_STATEMENT_CHARS,
    Asked,
    CaseCard,
    CaseView,
    Decision,
    Flood,
    MakeOffer,
    OfferState,
    OpenCase,
    Side,
)
from kabao.cases.ports import Notices, Orders
from kabao.cases.steps import NOT_FOUND, Actor, CaseSteps, Undo
from kabao.cases.store import NEWEST, CaseRow, ToOpen
from kabao.cases.texts.service import TextService
from kabao.evidence import EvidenceService, FileBody, Item, Original, SealedFile, clean_text
from kabao.identity import Person, Role
from kabao.kernel import Clock, IdSource, OrderId, Refusal, Refused, ShopId, format_ref, parse_ref
from kabao.postgres import Connection, Database

PAGE: Final = 50
QUEUE: Final = 200


class CaseService:
    """Opens cases, leads them through negotiation and ends them together with the money; `ladder` decides them."""

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
        self._steps = CaseSteps(
            database=database,
            clock=clock,
            ids=ids,
            orders=orders,
            evidence=evidence,
            notices=notices,
            rulebook=rulebook,
        )
        self.ladder = LadderService(self._steps)
        self.desk = DeskService(self._steps)
        self.inbox = InboxService(self._steps)
        self.texts = TextService(self._steps)
        self.cover = CoverService(self._steps)
        self.green = GreenChannel(self._steps)

    # ---- reading

    async def case(self, person: Person, ref: str) -> CaseView | Refused:
        """Show a case to its buyer, the shop's owner and those who decide it; NOT_FOUND for everybody else."""
        return await self._steps.case(person, ref)

    async def my_cases(self, buyer: Person, before: str | None = None) -> list[CaseCard]:
        """List a buyer's cases, newest first, 50 a page; `before` is the last case's reference."""
        async with self._database.connection() as conn:
            return await store.cases_of_buyer(conn, buyer.account_id, _older_than(before), PAGE, self._clock.instant())

    async def shop_cases(self, owner: Person, shop_id: int, before: str | None = None) -> list[CaseCard] | Refused:
        """List a shop's cases for its owner, newest first, 50 a page; NOT_FOUND for everybody else."""
        async with self._database.connection() as conn:
            if await store.owner_of(conn, shop_id) != owner.account_id:
                return NOT_FOUND
            return await store.cases_of_shop(conn, shop_id, _older_than(before), PAGE, self._clock.instant())

    async def queue(self, staff: Person) -> list[CaseCard] | Refused:
        """List what waits for a member of staff by his roles, overdue first; refuses NOT_ALLOWED for anybody else."""
        page = await self.desk.queue(staff, QueueWish(), QUEUE)
        return page if isinstance(page, Refused) else [one.card for one in page.cards]

    async def preview(self, person: Person, ref: str, item_id: int) -> FileBody | Refused:
        """Return what everybody in the case sees of a file."""
        found = await self._steps.seen_by(person, ref)
        if isinstance(found, Refused):
            return found
        case, _ = found
        return await self._evidence.preview(case.shop_id, case.order_id, item_id)

    async def original(self, person: Person, ref: str, item_id: int) -> SealedFile | Refused:
        """Let who gave a file, and those who decide, have its original."""
        found = await self._steps.seen_by(person, ref)
        if isinstance(found, Refused):
            return found
        case, side = found
        as_who = side if side.is_party else Side.SUPPORT
        return await self._evidence.original(case.shop_id, case.order_id, item_id, person.account_id, as_who)

    # ---- opening

    async def open(self, person: Person, order_ref: str, wish: OpenCase) -> CaseView | Refused:
        """Open a case and stop the release clock, or claim on a released order, in one transaction.

        The shop's owner may, too: while money is held and every key is opened, once an order. What the records alone
        decide for a buyer is decided and refunded in it, see `cases.green`.

        Refuses NOT_FOUND, INVALID_FIELDS (claim, demand, statement), NOT_PAID, IN_CASE, ALREADY_REFUNDED,
        CASE_CLOSED (a case has decided it), CLAIM_DAYS_OVER, REFUND_OUT_OF_RANGE (a partial demand outside what is at
        stake), CASE_LIMIT; to the owner also ALREADY_RELEASED and STILL_SEALED.
        """
        found = parse_ref(order_ref)
        if found is None:
            return NOT_FOUND
        async with self._database.connection() as conn:
            order = await store.order_to_open(conn, found.shop_id, found.object_id, self._clock.instant())
        if order is None:
            return NOT_FOUND
        # What was ordered is bound for good, so the book can be made ready before anything is locked.
        judge = await self._rulebook.binding(order.placed_at)
        try:
            async with self._database.transaction() as conn:
                ref = await self._open(conn, person, found.shop_id, OrderId(found.object_id), wish, judge)
        except Undo as undo:
            return undo.refused
        return await self.case(person, ref)

    async def why_not_open(self, buyer: Person, order_ref: str) -> Refused | None:
        """Say before a claim is written that no more can be opened on this order; the opening itself asks again.

        Refusals: not_found, case_limit.
        """
        at = parse_ref(order_ref)
        if at is None:
            return NOT_FOUND
        async with self._database.connection() as conn:
            order = await store.order_to_open(conn, at.shop_id, OrderId(at.object_id), self._clock.instant())
            if order is None or order.buyer_id != buyer.account_id:
                return NOT_FOUND
            earlier = await store.earlier_cases(conn, at.shop_id, at.object_id, Side.BUYER)
        return rules.may_open(Side.BUYER, *earlier, is_held=order.is_held, has_sealed=order.has_sealed)

    async def _open(
        self,
        conn: Connection,
        person: Person,
        shop_id: ShopId,
        order_id: OrderId,
        wish: OpenCase,
        judge: Adjudicator | Refused,
    ) -> str:
        order, statement, by, held = await self._frozen(conn, person, shop_id, order_id, wish)
        decision = rules.decide_open(held, wish.demand, wish.demand_minor, order.now, by)
        if isinstance(decision, Refused):
            raise Undo(decision)
        case_id = self._ids.next()
        ref = format_ref(shop_id, case_id)
        who = (person.account_id, by)
        statement = await self._evidence.masked(conn, shop_id, order_id, *who, statement, order.now)
        asked = Asked.first(ref, case_id, wish.claim, wish.demand, order.now, demand_minor=wish.demand_minor)
        opening = await self._steps.opening(conn, judge, order, asked, decision, by)
        if isinstance(opening, Refused):
            raise Undo(opening)
        certain = None
        if by is Side.BUYER and not wish.by_person:
            certain = await self.green.certain(judge, opening.order, wish.demand, opening.found)
        limit_by = None if certain is None else await self.green.take_use(conn, opening.order)
        at_once = certain if limit_by is None else None
        windows = opening.windows
        decision = rules.open_until(decision, order.now, windows, is_decided=at_once is not None)
        await store.add_case(
            conn,
            shop_id=shop_id,
            case_id=case_id,
            order_id=order_id,
            buyer_id=order.buyer_id,
            claim=wish.claim,
            statement=statement,
            decision=decision,
            windows=windows,
            limit_by=limit_by,
            at=order.now,
            opened_by=by,
        )
        await store.log_case(
            conn,
            shop_id,
            case_id,
            decision,
            from_stage="none",
            actor_id=person.account_id,
            actor_role=by,
            body=statement,
            offer_id=None,
            basis=await self._steps.basis(conn, shop_id, order_id, order.placed_at),
            at=order.now,
        )
        if at_once is not None:
            await self._decide_at_once(conn, shop_id, case_id, at_once)
            return ref
        demand = words.remedy_label(wish.demand, decision.refund_minor)
        subject = words.notice_subject(decision.kind, order.title, by, demand, windows.reply)
        to = order.owner_id if by is Side.BUYER else order.buyer_id
        await self._notices.tell(conn, to, "case_opened", subject, f"/c/{ref}")
        if wish.by_person:
            await self._want_a_person(conn, person, ref)
        return ref

    async def _frozen(
        self, conn: Connection, person: Person, shop_id: ShopId, order_id: OrderId, wish: OpenCase
    ) -> tuple[ToOpen, str, Side, int]:
        """Stop the clock for who may open a case; answers order, statement, side and what is at stake."""
        found = await store.order_to_open(conn, shop_id, order_id, self._clock.instant())
        order, statement, by = _may_open(person, found, wish)
        held = await self._orders.freeze(conn, shop_id, order_id, person.account_id, by)
        if isinstance(held, Refused):
            raise Undo(held)
        # Read anew: under the lock of the money nothing of it changes any more.
        order = await store.order_to_open(conn, shop_id, order_id, self._clock.instant()) or order
        earlier = await store.earlier_cases(conn, shop_id, order_id, by)
        refused = rules.may_open(by, *earlier, is_held=order.is_held, has_sealed=order.has_sealed)
        if refused is not None:
            raise Undo(refused)
        return order, statement, by, held

    async def _decide_at_once(self, conn: Connection, shop_id: ShopId, case_id: int, certain: Certain) -> None:
        case = await store.case(conn, shop_id, case_id, self._clock.instant())
        refused = NOT_FOUND if case is None else await self.green.decide(conn, case, certain)
        if refused is not None:
            raise Undo(refused)

    async def _want_a_person(self, conn: Connection, buyer: Person, ref: str) -> None:
        found = await self._steps.found(conn, buyer, ref)
        if isinstance(found, Refused):
            raise Undo(found)
        case, side = found
        decision = rules.decide_ask_person(case.state, side)
        if isinstance(decision, Refused):
            raise Undo(decision)
        await self._steps.take(conn, case, decision, Actor(buyer.account_id, side))

    # ---- talking

    async def say(self, person: Person, ref: str, body: str) -> CaseView | Refused:
        """Say something in the case, at any time, also after its end; refuses NOT_FOUND, INVALID_FIELDS (body)."""
        found = await self._steps.seen_by(person, ref)
        if isinstance(found, Refused):
            return found
        case, side = found
        if side in {Side.PANEL, Side.DUTY}:
            return Refused(Refusal.NOT_ALLOWED)
        async with self._database.transaction() as conn:
            if side is Side.SUPPORT:
                await store.lock_case(conn, case.shop_id, case.case_id)
            said = await self._evidence.say(conn, case.shop_id, case.order_id, person.account_id, side, body)
            if isinstance(said, Refused):
                await self._flooded(conn, case, side, said)
                return said
            if side is Side.SUPPORT:
                await store.say_first_word(conn, case, self._clock.instant())
            await self._steps.tell(conn, case, "said", side)
        return await self.case(person, ref)

    async def add_file(self, person: Person, ref: str, file_name: str, stream: AsyncIterable[bytes]) -> Item | Refused:
        """Hand in a file for the case, at any time; refuses NOT_FOUND and what `EvidenceService.add_file` does."""
        found = await self._steps.seen_by(person, ref)
        if isinstance(found, Refused):
            return found
        case, side = found
        if side in {Side.PANEL, Side.DUTY}:
            return Refused(Refusal.NOT_ALLOWED)
        return await self._evidence.add_file(
            case.shop_id, case.order_id, case.case_id, person.account_id, side, file_name, stream
        )

    async def flooded(self, person: Person, ref: str | None, refused: Refused) -> None:
        """Let staff look where a party was refused to say more in the order of an open case; otherwise nothing."""
        if ref is None:
            return
        async with self._database.transaction() as conn:
            found = await self._steps.found(conn, person, ref)
            if not isinstance(found, Refused):
                await self._flooded(conn, *found, refused)

    async def _flooded(self, conn: Connection, case: CaseRow, side: Side, refused: Refused) -> None:
        if refused.code is Refusal.SAID_ENOUGH and side.is_party:
            await store.add_flood(conn, case, side)

    async def floods(self, staff: Person) -> list[Flood] | Refused:
        """List the sides that wrote so much that somebody of the staff is to look; refuses NOT_ALLOWED."""
        if not _is_support(staff):
            return Refused(Refusal.NOT_ALLOWED)
        async with self._database.connection() as conn:
            return await store.floods(conn, staff.account_id)

    async def flood_seen(self, staff: Person, ref: str) -> Refused | None:
        """Note that somebody of the staff has looked at the floods of a case; refuses NOT_ALLOWED, NOT_FOUND."""
        at = parse_ref(ref)
        if not _is_support(staff):
            return Refused(Refusal.NOT_ALLOWED)
        async with self._database.transaction() as conn:
            seen = at is not None and await store.flood_seen(conn, *at, staff.account_id, self._clock.instant())
        return None if seen else NOT_FOUND

    async def originals(self, staff: Person, ref: str) -> list[Original] | Refused:
        """Show those who decide what a party wrote where both sides read it masked; refuses NOT_FOUND, NOT_ALLOWED."""
        found = await self._steps.seen_by(staff, ref)
        if isinstance(found, Refused):
            return found
        case, side = found
        if side.is_party:
            return Refused(Refusal.NOT_ALLOWED)
        return await self._evidence.originals(case.shop_id, case.order_id)

    # ---- steps

    async def answer(self, person: Person, ref: str, body: str) -> CaseView | Refused:
        """Contest the claim with a statement; refuses NOT_ALLOWED, INVALID_FIELDS, CASE_CLOSED, NOT_YOUR_TURN."""
        text = clean_text(body, MAX_STATEMENT_CHARS)

        def decide(case: CaseRow, side: Side) -> Decision | Refused:
            decision = rules.decide_answer(case.state, side, case.now)
            wrong = {"body": f"写 1 到 {MAX_STATEMENT_CHARS} 个字。"} if text is None else {}
            return _checked(decision, wrong)

        return await self._steps.step(person, ref, decide, body=text)

    async def offer(self, person: Person, ref: str, wish: MakeOffer) -> CaseView | Refused:
        """Make an offer or counter-offer in the place of the open one.

        Refuses NOT_ALLOWED (support), INVALID_FIELDS (note), CASE_CLOSED, REFUND_OUT_OF_RANGE, OFFERS_FULL.
        """
        note = clean_text(wish.note, MAX_NOTE_CHARS) if wish.note.strip() else ""

        def decide(case: CaseRow, side: Side) -> Decision | Refused:
            decision = rules.decide_offer(case.state, side, wish.kind, wish.refund_minor, case.now)
            return _checked(decision, {"note": f"最多 {MAX_NOTE_CHARS} 个字。"} if note is None else {})

        return await self._steps.step(person, ref, decide, body=note, new_offer=OfferState.OPEN)

    async def accept(self, person: Person, ref: str, offer_id: int) -> CaseView | Refused:
        """Accept the other side's offer; the money or the new keys move in the same transaction.

        Refuses NOT_ALLOWED (one's own offer), CASE_CLOSED, OFFER_GONE, and for a replacement SOLD_OUT and
        NOTHING_TO_REPLACE.
        """
        return await self._steps.step(person, ref, lambda case, side: rules.decide_accept(case.state, side, offer_id))

    async def accept_demand(self, person: Person, ref: str) -> CaseView | Refused:
        """Grant what was demanded of one, at once; refuses like `accept`."""
        return await self._steps.step(
            person,
            ref,
            lambda case, side: rules.decide_accept_demand(case.state, side),
            new_offer=OfferState.ACCEPTED,
        )

    async def refuse_offer(self, person: Person, ref: str, offer_id: int) -> CaseView | Refused:
        """Turn the other side's offer down; it counts against nobody. Refuses NOT_ALLOWED, CASE_CLOSED, OFFER_GONE."""
        return await self._steps.step(
            person, ref, lambda case, side: rules.decide_refuse(case.state, side, offer_id, case.now)
        )

    async def escalate(self, person: Person, ref: str) -> CaseView | Refused:
        """Call support; refuses NOT_ALLOWED, CASE_CLOSED, and NOT_YOUR_TURN where it is too early or done already."""
        return await self._steps.step(person, ref, lambda case, side: rules.decide_escalate(case.state, side, case.now))

    async def ask_person(self, person: Person, ref: str) -> CaseView | Refused:
        """Want a person to decide, once; refuses NOT_ALLOWED, CASE_CLOSED, ALREADY_RULED, NOT_YOUR_TURN."""
        return await self._steps.step(person, ref, lambda case, side: rules.decide_ask_person(case.state, side))

    async def withdraw(self, person: Person, ref: str) -> CaseView | Refused:
        """Take the case back; the release clock runs on, at least 24 hours. Refuses NOT_ALLOWED, CASE_CLOSED."""
        return await self._steps.step(person, ref, lambda case, side: rules.decide_withdraw(case.state, side))

    async def tick(self) -> int:
        """Do what was promised for a merchant's absence, then what time has come for; returns how many cases moved.

        A promise comes before the deadline that it spares. See `CoverService.tick`, `LadderService.tick`.
        """
        covered = await self.cover.tick()
        return covered + await self.ladder.tick()


def _may_open(person: Person, order: ToOpen | None, wish: OpenCase) -> tuple[ToOpen, str, Side]:
    """Let an order's buyer or the shop's owner open a case on it, with a statement; everything else is undone."""
    if order is None or person.account_id not in {order.buyer_id, order.owner_id}:
        raise Undo(NOT_FOUND)
    by = Side.BUYER if person.account_id == order.buyer_id else Side.MERCHANT
    statement = _statement(wish, by)
    if isinstance(statement, Refused):
        raise Undo(statement)
    return order, statement, by


def _is_support(staff: Person) -> bool:
    return Role.SUPPORT in staff.roles and staff.staff_checked


def _statement(wish: OpenCase, by: Side) -> str | Refused:
    """Check what is claimed and written; refuses INVALID_FIELDS (claim, statement)."""
    statement = clean_text(wish.statement, MAX_STATEMENT_CHARS)
    is_known = wish.claim in CLAIMS and (wish.claim in MERCHANT_CLAIMS) is (by is Side.MERCHANT)
    wrong = {} if is_known else {"claim": "选一个最接近的原因。"}
    if statement is None:
        wrong["statement"] = f"写 1 到 {MAX_STATEMENT_CHARS} 个字，说明发生了什么。"
    return Refused(Refusal.INVALID_FIELDS, wrong) if wrong or statement is None else statement


def _checked(decision: Decision | Refused, wrong: dict[str, str]) -> Decision | Refused:
    invalid = Refused(Refusal.INVALID_FIELDS, wrong) if wrong else None
    return rules.first_refusal(decision, invalid) or decision


def _older_than(ref: str | None) -> int:
    found = parse_ref(ref or "")
    return NEWEST if found is None else found.object_id
