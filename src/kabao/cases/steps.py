"""What every step of a case shares: find it under its lock, move the money, write, tell; and what a viewer sees."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeAlias, assert_never

from msgspec.structs import replace

from kabao.adjudication import Adjudicator
from kabao.adjudication.service import RulebookService
from kabao.cases import rules, store, words
from kabao.cases.clauses.service import keep_reading
from kabao.cases.green.rules import of_records
from kabao.cases.judging import decided, file_of
from kabao.cases.ladder import store as ladder_store
from kabao.cases.ladder.awards import supported_of
from kabao.cases.ladder.model import Award, Windows
from kabao.cases.ladder.rules import allowed_actions, decide_wait, is_short, running_until, windows_of
from kabao.cases.machine import Stage
from kabao.cases.model import Asked, Basis, Beside, CaseView, Decision, OfferState, Remedy, Side, Turn
from kabao.cases.ports import Notices, Orders
from kabao.cases.store import CaseRow
from kabao.cases.view import build_view, may_read_rules, readable
from kabao.evidence import EvidenceService
from kabao.identity import Person, Role
from kabao.kernel import AccountId, Clock, IdSource, OrderId, Refusal, Refused, ShopId, parse_ref
from kabao.orders import OrderView, Replaced, Resolved
from kabao.postgres import Connection, Database

NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)
SMALL_MINOR: Final = 50_00
"""A small amount where the binding rulebook names none."""
OFFERS_AT_MOST: Final = 20
"""Offers that one side may make in one case; it can still accept, refuse and call for a person."""

LAPSING: Final = frozenset({Stage.SETTLED, Stage.WITHDRAWN, Stage.CHARGED_BACK})
"""The ends of a case that a ruling handed in and not yet known does not outlive."""

NO_STOCK: Final = frozenset({Refusal.SOLD_OUT, Refusal.NOTHING_TO_REPLACE})
"""Why a replacement that was ruled becomes the refund that stands beside it."""

Decide: TypeAlias = Callable[[CaseRow, Side], Decision | Refused]


class Undo(Exception):  # noqa: N818  a transaction left on purpose, not an error
    """Undoes the transaction it is raised in and carries the refusal that is answered instead."""

    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.code)
        self.refused = refused


class Actor(NamedTuple):
    """Who takes a step, and in which role; nobody where time does."""

    account_id: int | None
    role: str


SYSTEM: Final = Actor(None, "system")


class Opening(NamedTuple):
    """What is fixed as a case is opened: its times, and what the rulebook says of it on the records alone."""

    order: OrderView
    windows: Windows
    found: Beside | None


class CaseSteps:
    """The machinery of a case's steps, over one database and one clock."""

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
        self.database = database
        self.clock = clock
        self.ids = ids
        self.orders = orders
        self.evidence = evidence
        self.notices = notices
        self.rulebook = rulebook

    # ---- finding

    async def seen_by(self, person: Person, ref: str) -> tuple[CaseRow, Side] | Refused:
        """Find a case for somebody it concerns; NOT_FOUND for everybody else."""
        async with self.database.connection() as conn:
            return await self.found(conn, person, ref)

    async def locked(self, conn: Connection, person: Person, ref: str) -> tuple[CaseRow, Side] | Refused:
        """Find a case and lock it for one step; what is read after this cannot change under it."""
        at = parse_ref(ref)
        if at is None:
            return NOT_FOUND
        await store.lock_case(conn, at.shop_id, at.object_id)
        return await self.found(conn, person, ref)

    async def found(self, conn: Connection, person: Person, ref: str) -> tuple[CaseRow, Side] | Refused:
        """Read a case with the side somebody stands on; NOT_FOUND for a stranger."""
        at = parse_ref(ref)
        if at is None:
            return NOT_FOUND
        case = await store.case(conn, at.shop_id, at.object_id, self.clock.instant())
        side = None if case is None else side_of(person, case)
        return NOT_FOUND if case is None or side is None else (case, side)

    # ---- stepping

    async def step(
        self, person: Person, ref: str, decide: Decide, *, body: str | None = None, new_offer: OfferState | None = None
    ) -> CaseView | Refused:
        """Lock, decide, move the money, write, tell; a refusal is answered before anything is written."""
        async with self.database.transaction() as conn:
            found = await self.locked(conn, person, ref)
            if isinstance(found, Refused):
                return found
            case, side = found
            decision = decide(case, side)
            if isinstance(decision, Refused):
                return decision
            if new_offer is OfferState.OPEN:
                made = [one for one in await store.offers(conn, case.shop_id, case.case_id) if one.by_role is side]
                if len(made) >= OFFERS_AT_MOST:
                    return Refused(Refusal.OFFERS_FULL)
            actor = Actor(person.account_id, side)
            said = None if body is None else await self.masked(conn, case, actor, body)
            refused = await self.take(conn, case, decision, actor, body=said, new_offer=new_offer)
            if refused is not None:
                return refused
        return await self.case(person, ref)

    async def take(
        self,
        conn: Connection,
        case: CaseRow,
        decision: Decision,
        actor: Actor,
        *,
        body: str | None = None,
        new_offer: OfferState | None = None,
    ) -> Refused | None:
        """Carry a decided step out under the case's lock: money, rows, notices. A refusal has written nothing."""
        basis = await self.basis(conn, case.shop_id, case.order_id, case.placed_at)
        moved = await self._move_money(conn, case, decision, actor, basis)
        if isinstance(moved, Refused):
            return moved
        await self._write(conn, case, decision, actor, basis, body=body, new_offer=new_offer)
        await self.tell(
            conn, case, decision.kind, actor.role, words.decided_label(decision, case.state), decision.stage
        )
        return None

    async def masked(self, conn: Connection, case: CaseRow, actor: Actor, text: str) -> str:
        """Mask abusive words in what a party says with a step; what was written is kept for staff."""
        if actor.account_id is None or not Side(actor.role).is_party:
            return text
        return await self.evidence.masked(
            conn, case.shop_id, case.order_id, actor.account_id, actor.role, text, case.now
        )

    async def carry_out(self, conn: Connection, case: CaseRow, decision: Decision, actor: Actor) -> Refused | None:
        """Take a step that may carry a ruling out; where the reserve does not reach, the ruling waits for money.

        Refuses as `take`; RESERVE_SHORT only where it waited before.
        """
        refused = await self.take(conn, case, decision, actor)
        if refused is None or refused.code is not Refusal.RESERVE_SHORT:
            return refused
        waits = decide_wait(case.state, decision, case.now)
        return refused if waits is None else await self.take(conn, case, waits, actor)

    async def basis(self, conn: Connection, shop_id: int, order_id: int, placed_at: datetime) -> Basis:
        """Tell what a step rests on: the rulebook that binds the order and the files there are."""
        return Basis(
            rulebook_version=await self.rulebook.binding_version(conn, placed_at),
            evidence_digests=[item.digest for item in await self.evidence.items(shop_id, order_id, conn)],
        )

    async def beside(
        self, conn: Connection, case: CaseRow, judge: Adjudicator | Refused, unread: Collection[str] = ()
    ) -> Beside | None:
        """Let the rulebook decide the case as it stands under the lock; None before any rulebook binds.

        Facts whose points are `unread` by whoever rules are left out.
        """
        if isinstance(judge, Refused):
            return None
        order = await self._as_its_buyer_sees(conn, case.buyer_id, case.order_ref)
        if isinstance(order, Refused):
            return Beside(rulebook_version=judge.book.edition.version)
        asked = replace(case.asked, unread=frozenset(unread))
        return await decided(judge, await self._file(conn, judge, order, asked))

    async def opening(
        self,
        conn: Connection,
        judge: Adjudicator | Refused,
        order: store.ToOpen,
        asked: Asked,
        opening: Decision,
        by: Side,
    ) -> Opening | Refused:
        """Fix a new case's times by the rulebook that binds it; refuses what reading the order does.

        Where a buyer opens it, negotiation is shortened for a small amount, a first purchase, and where the platform's
        own records, without anything people say, support the demand already.
        """
        seen = await self._as_its_buyer_sees(conn, order.buyer_id, order.ref)
        if isinstance(seen, Refused):
            return seen
        await keep_reading(conn, seen)
        if isinstance(judge, Refused):
            named, found = {}, None
        else:
            named = {name: one.value for name, one in judge.book.parameters.items()}
            found = await decided(judge, of_records(await self._file(conn, judge, seen, asked)))
        proved = supported_of(
            None if found is None else found.decision, asked.demand, opening.refund_minor, held_minor=order.held_minor
        )
        had = await store.had_order_before(conn, order.shop_id, order.buyer_id, order.order_id, order.placed_at)
        short = by is Side.BUYER and is_short(
            order.held_minor,
            named.get("small_amount", SMALL_MINOR),
            is_first_purchase=not had,
            is_proved=proved is not None,
        )
        return Opening(seen, windows_of(named, is_short=short), found)

    async def _as_its_buyer_sees(self, conn: Connection, buyer_id: int, order_ref: str) -> OrderView | Refused:
        """Let the platform itself read an order."""
        buyer = Person(account_id=AccountId(buyer_id), display_name="", phone_masked="", roles=frozenset({Role.BUYER}))
        return await self.orders.order(buyer, order_ref, conn)

    async def _file(self, conn: Connection, judge: Adjudicator, order: OrderView, asked: Asked) -> dict[str, Any]:
        return await file_of(conn, asked, order, judge)

    async def tell(
        self, conn: Connection, case: CaseRow, kind: str, role: str, label: str = "", stage: Stage | None = None
    ) -> None:
        """Tell the other side; both where staff or time moved the case."""
        named = "rose_panel" if kind == "rose" and stage is Stage.PANEL else kind
        subject = words.notice_subject(named, case.title, role, label)
        for account_id, of in ((case.buyer_id, Side.BUYER), (case.owner_id, Side.MERCHANT)):
            if of != role:
                await self.notices.tell(conn, account_id, f"case_{kind}", subject, f"/c/{case.ref}")

    async def log(
        self,
        conn: Connection,
        case: CaseRow,
        kind: str,
        actor: Actor,
        *,
        body: str | None = None,
        due_at: datetime | None,
    ) -> None:
        """Add to a case's history what leaves its stage and turn as they are."""
        state = case.state
        decision = Decision(kind=kind, stage=state.stage, turn=state.turn, due_at=due_at)
        basis = await self.basis(conn, case.shop_id, case.order_id, case.placed_at)
        await self._log(conn, case, decision, actor, basis, body=body)

    async def _move_money(
        self, conn: Connection, case: CaseRow, decision: Decision, actor: Actor, basis: Basis
    ) -> Refused | Resolved | Replaced | datetime | int | None:
        order = (conn, ShopId(case.shop_id), OrderId(case.order_id))
        because = (basis.rulebook_version, basis.evidence_digests)
        match decision.stage:
            case Stage.SETTLED if decision.remedy is Remedy.REPLACEMENT:
                return await self.orders.replace(*order, *actor)
            case Stage.SETTLED:
                return await self.orders.resolve(*order, decision.refund_minor, *actor, "settled", *because)
            case Stage.GREEN | Stage.EXECUTED:
                return await self._carry_out_ruling(conn, case, decision, actor, basis)
            case Stage.WITHDRAWN:
                return await self.orders.unfreeze(*order, *actor, rules.CLOCK_LEAST_AFTER_WITHDRAWAL)
            case Stage.NEGOTIATION | Stage.SUPPORT | Stage.PANEL | Stage.ROUTED_OUT | Stage.RULED_OPEN | Stage.REVIEW:
                return None
            case Stage.CHARGED_BACK:
                return None
            case _:
                assert_never(decision.stage)

    async def _carry_out_ruling(
        self, conn: Connection, case: CaseRow, decision: Decision, actor: Actor, basis: Basis
    ) -> Refused | Resolved | Replaced | int | None:
        """Give what was ruled: new keys or, where there is no stock, the refund in their place; damages beside it.

        What was refunded as the case was opened stays with the buyer, whatever a review finds.
        """
        order = (conn, ShopId(case.shop_id), OrderId(case.order_id))
        because = (basis.rulebook_version, basis.evidence_digests)
        award = decision.award or Award(decision.refund_minor)
        moved: Refused | Resolved | Replaced | int | None = None
        refunded = case.state.green_minor
        if award.replaces:
            moved = await self.orders.replace(*order, *actor)
        is_short = isinstance(moved, Refused) and moved.code in NO_STOCK
        if refunded is not None:
            back = refunded - award.refund_minor
            moved = await self.orders.reverse(*order, back, *actor, *because) if back > 0 else None
        elif moved is None or is_short:
            moved = await self.orders.resolve(*order, award.refund_minor, *actor, "ruled", *because)
        if isinstance(moved, Refused):
            return moved
        if is_short:
            await self.log(conn, case, "no_stock", SYSTEM, due_at=None)
        if award.damages_minor:
            step = f"case:{case.case_id}"
            paid = await self.orders.award_damages(*order, step, award.damages_minor, *actor, *because)
            assert not isinstance(paid, Refused), paid  # noqa: S101  what is short is owed, never refused
        return moved

    async def _write(
        self,
        conn: Connection,
        case: CaseRow,
        decision: Decision,
        actor: Actor,
        basis: Basis,
        *,
        body: str | None = None,
        new_offer: OfferState | None = None,
    ) -> None:
        offer_id = None
        if case.state.offer is not None and decision.offer_becomes is not None:
            offer_id = case.state.offer.offer_id
            await store.end_offer(conn, case, offer_id, decision.offer_becomes)
        if actor.account_id is not None and new_offer is not None:
            offer_id = self.ids.next()
            await store.add_offer(
                conn, case, offer_id, actor.account_id, Side(actor.role), decision, body or "", new_offer
            )
        if case.state.pending is not None and decision.stage in LAPSING:
            await store.lapse_submission(conn, case)
        await store.move_case(conn, case, decision)
        await self._log(conn, case, decision, actor, basis, body=decision.rose_why or body or None, offer_id=offer_id)

    async def _log(
        self,
        conn: Connection,
        case: CaseRow,
        decision: Decision,
        actor: Actor,
        basis: Basis,
        *,
        body: str | None,
        offer_id: int | None = None,
    ) -> None:
        await store.log_case(
            conn,
            case.shop_id,
            case.case_id,
            decision,
            from_stage=case.state.stage,
            actor_id=actor.account_id,
            actor_role=actor.role,
            body=body,
            offer_id=offer_id,
            basis=basis,
            at=case.now,
        )

    # ---- showing

    async def case(self, person: Person, ref: str) -> CaseView | Refused:
        """Show a case to those it concerns; NOT_FOUND for everybody else."""
        found = await self.seen_by(person, ref)
        if isinstance(found, Refused):
            return found
        case, side = found
        order = await self.orders.order(person, case.order_ref)
        if isinstance(order, Refused):
            return order
        return await self._view(person, case, side, order)

    async def _view(self, person: Person, case: CaseRow, side: Side, order: OrderView) -> CaseView:
        shop_id, case_id, account_id = case.shop_id, case.case_id, person.account_id
        async with self.database.connection() as conn:
            offers = await store.offers(conn, shop_id, case_id)
            rulings = await store.rulings(conn, shop_id, case_id)
            events = await store.events(conn, shop_id, case_id)
            questions = await ladder_store.questions(conn, shop_id, case_id)
            viewed = await ladder_store.viewed_stages(conn, shop_id, case_id, account_id)
            votes = [] if side.is_party else await ladder_store.votes(conn, shop_id, case_id)
            erasures = await store.erasures(conn, shop_id, case.order_id)
            pauses = await ladder_store.pauses(conn, case)
        barred, has_view = frozenset(case.barred), case.state.stage in viewed
        allowed = rules.allowed_actions(case.state, side, case.now) | allowed_actions(
            case.state,
            side,
            account_id,
            barred,
            has_first_view=has_view,
            has_voted=account_id in {vote.panellist_id for vote in votes},
            is_asked=any(one.to_role == side and one.is_open for one in questions),
            now=case.now,
        )
        pending = case.state.pending
        is_barred, is_free = account_id in barred, not order.in_case
        reads_rules = may_read_rules(case, side, viewed, is_barred=is_barred, is_order_free=is_free)
        return build_view(
            case,
            side,
            order,
            offers=offers,
            rulings=readable(rulings, reads_rules=reads_rules),
            events=events,
            questions=questions,
            messages=await self.evidence.messages(shop_id, case.order_id),
            items=await self.evidence.items(shop_id, case.order_id),
            erasures=erasures,
            # A ruling not yet visible is its author's alone.
            pending=pending if pending is not None and pending.staff_id == account_id else None,
            paused_until=None if case.closed_at else running_until(pauses, case.now),
            has_first_view=has_view,
            reads_rules=reads_rules,
            allowed=allowed,
        )


def side_of(person: Person, case: CaseRow) -> Side | None:
    """Tell in which role somebody stands in a case; staff only once checked."""
    roles, account_id = person.roles, person.account_id
    is_checked = person.staff_checked
    has_sat = account_id in case.heard_by
    sits_now = account_id in case.seated
    # Who sat on the panel reads what became of the case; in a review nobody of it may have a hand in again.
    may_look_back = case.closed_at is not None or case.state.stage is Stage.RULED_OPEN
    on_duty = Role.DUTY in roles and (case.state.turn is Turn.DUTY or has_sat)
    return rules.side_of(
        account_id,
        buyer_id=case.buyer_id,
        owner_id=case.owner_id,
        is_support=is_checked and Role.SUPPORT in roles,
        is_seated=is_checked and Role.PANEL in roles and (sits_now or (has_sat and may_look_back)),
        is_duty=is_checked and on_duty,
    )
