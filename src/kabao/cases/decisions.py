"""The rulebook's decision of a case: from what the records know and what people have shown, with its reasons.

It is a decision of the rules on the facts as they stand, not a ruling: a person decides when one is asked for. Parties
may see it at any time; those who decide once they have put down a first view, so that it is their own.
"""

from collections.abc import AsyncIterator, Collection
from enum import StrEnum
from typing import Any, Final

import msgspec

from kabao.adjudication import Adjudicator, Rulebook
from kabao.adjudication.model import UNDECIDED
from kabao.adjudication.service import RulebookService
from kabao.cases import store, words
from kabao.cases.claims import MERCHANT_CLAIMS
from kabao.cases.facts import Said
from kabao.cases.judging import decided, decided_as_claimed, file_of, in_full, is_without_fault
from kabao.cases.ladder.awards import suggested_of
from kabao.cases.ladder.model import Award
from kabao.cases.machine import Stage
from kabao.cases.model import Asked, Beside, CaseView, LimitBy, Remedy, Side
from kabao.cases.saying import STAFF, FactsView, facts_view, sayable
from kabao.cases.service import CaseService
from kabao.evidence import EvidenceService, clean_text
from kabao.identity import Person, Role
from kabao.kernel import AccountId, Clock, IdSource, Refusal, Refused, format_ref, parse_ref
from kabao.orders import OrderView
from kabao.postgres import Database

BY_THE_BOOK: Final = "依《"
"""How the sentence of an article begins."""
SAID_AT_MOST: Final = 40
"""What one side may say of facts in one case."""
MAX_NOTE: Final = 500
STATEMENT: Final = 50
PICTURE: Final = 65
STATEMENT_OF: Final = {Side.BUYER: "buyer_statement", Side.MERCHANT: "merchant_statement"}


class SayFact(msgspec.Struct, frozen=True, kw_only=True):
    """What a party says of a fact: which way, and the number of the file that shows it (none: a mere statement).

    Support also gives the kind of evidence and how sure it is, 1 to 100.
    """

    fact: str
    shows: bool
    item_no: int | None = None
    note: str = ""
    kind: str = ""
    confidence: int = 0


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of the reasoning, in both languages."""

    zh: str
    en: str


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A fact that would change the decision: who has to show it, and to what it would turn.

    `holds` tells whether its proof would; else it is its disproof. `rank` is lowest where the result becomes another
    one, higher where a person would have to decide, and highest where the result stays. `by_staff` tells of one that no
    party may say, since support alone finds it.
    """

    fact: str
    label: str
    burden: str
    turns_to: str
    holds: bool
    rank: int
    by_staff: bool = False


class Beaten(msgspec.Struct, frozen=True, kw_only=True):
    """An article that applied and was outranked: on what, and by the articles of which numbers."""

    number: int
    article: str
    title: str
    issue: str
    by: list[int]


class AtOnce(StrEnum):
    """Whether a claim would be decided the moment it is filed: by the records alone, or not for having had enough.

    `PAYER_LIMIT` where it was the account that paid which had enough, with whoever else pays from it.
    """

    YES = "yes"
    NO = "no"
    LIMIT = "limit"
    PAYER_LIMIT = "payer_limit"


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """The decision as pages show it; ``full`` is the whole of it, as `kabao rulebook decide --json` prints it.

    ``is_kept`` where it stood beside a ruling and was kept with it, and is not made from what is known today.
    """

    version: str
    outcome: str
    outcome_label: str
    refund_minor: int
    damages_minor: int
    responsible: dict[str, int]
    payer: str | None
    findings: list[Reason]
    """What the facts settled to, before any article."""
    reasons: list[Reason]
    """The articles in words, and what they come to."""
    articles: list[tuple[int, str, str]]
    cites: list[dict[str, Any]]
    missing: list["Change"]
    full: dict[str, Any]
    is_kept: bool = False
    beaten: list[Beaten] = []
    is_return: bool = False
    """Whether keys that nobody opened go back for no reason, though something else was claimed."""

    @property
    def is_without_fault(self) -> bool:
        """Whether everything goes back by a right to return the goods, which is nobody's fault."""
        return is_without_fault(self.full)

    def suggests(self, demand: Remedy, held_minor: int) -> Award | None:
        """Tell what of so much it would give; None where it suggests nothing that a ruling can give."""
        return suggested_of(self.full, demand, held_minor)

    def beyond_demand(self, demanded_minor: int) -> bool:
        """Whether it comes to more than a buyer demanded, which is given only where a person decides."""
        return not self.is_merchants and 0 < demanded_minor < self.refund_minor

    @property
    def is_merchants(self) -> bool:
        """Whether it is about what a merchant claims of a buyer."""
        return self.full["claim"] in MERCHANT_CLAIMS

    @property
    def is_decided(self) -> bool:
        """Whether it says where the money goes."""
        return self.outcome not in UNDECIDED

    def below_offer(self, back_minor: int) -> bool:
        """Whether a merchant who grants so much would by the rules give back less: more for him than he demanded."""
        return self.is_merchants and self.is_decided and self.refund_minor < back_minor


ISSUES: Final = {"price": "退多少", "responsible": "谁负责", "damages": "赔偿", "payer": "谁付"}
"""What an article may decide, as pages call it."""
OUTCOMES: Final = {
    "FULL_REFUND": "全额退款",
    "PARTIAL_REFUND": "部分退款",
    "REPLACE": "补发",
    "PERFORM": "继续履行",
    "DENY": "不支持退款",
    "VOID_RESTITUTION": "交易无效，返还",
    "DAMAGES": "赔偿损失",
    "PROMISE": "按承诺赔付",
    "BUYER_PAYS": "买家退回已得的退款",
    "CONFLICT": "证据互相矛盾，要先补证",
    "ROUTE_OUT": "不在平台处理，转交有关部门",
    "NEEDS_PERSON": "要由人来判断",
}
"""What each outcome is called on pages."""


class DecisionService:
    """Decides cases by the rulebook that bound their order."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        cases: CaseService,
        evidence: EvidenceService,
        rulebook: RulebookService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._cases = cases
        self._evidence = evidence
        self._rulebook = rulebook

    async def decision(self, person: Person, ref: str, unread: Collection[str] = ()) -> DecisionView | Refused:
        """Decide a case as it stands; after a ruling, return what stood beside it where that was kept.

        A review looks at the facts anew. Facts whose points are `unread` are left out. Refusals: not_found,
        first_view_needed (staff before their own first view, while the case is open, or another on the same order that
        it would tell of).
        """
        case = await self._cases.case(person, ref)
        if isinstance(case, Refused):
            return case
        if not case.reads_rules:
            return Refused(Refusal.FIRST_VIEW_NEEDED)
        kept = None if case.ruling is None or case.stage is Stage.REVIEW else await self._kept(case)
        if kept is None:
            return await self.decide(case, unread)
        judge = await self._rulebook.adjudicator(kept.rulebook_version)
        return judge if isinstance(judge, Refused) else _shown(kept, judge, case.viewer, case.claim, is_kept=True)

    async def decide(self, case: CaseView, unread: Collection[str] = ()) -> DecisionView | Refused:
        """Decide a case for whoever may see it.

        Refusal: not_found where no rulebook was ever published, or where the one that binds has no words for this
        case; the case itself stays open to its parties.
        """
        judge = await self.judge(case)
        if isinstance(judge, Refused):
            return judge
        made = await decided(judge, await self.case_file(case, judge, unread))
        return _shown(made, judge, case.viewer, case.claim)

    async def foresee(
        self, order: OrderView, claim: str, demand: Remedy, demand_minor: int = 0
    ) -> DecisionView | Refused:
        """Decide what a case that nobody has filed yet would come to, on what the records know of its order.

        Refusal: not_found where no rulebook binds the order or the one that does has no words for it.
        """
        judge = await self._rulebook.binding(order.placed_at)
        if isinstance(judge, Refused):
            return judge
        asked = Asked.first(order.ref, 0, claim, demand, order.now, demand_minor=demand_minor)
        async with self._database.connection() as conn:
            file = await file_of(conn, asked, order, judge)
        return _shown(await decided(judge, file), judge, Side(order.role), claim)

    async def foresee_at_once(self, order: OrderView, claim: str, demand: Remedy) -> AtOnce:
        """Tell whether a case that nobody has filed yet would be decided and refunded the moment it is filed.

        Only the buyer is told where it would be but for what was refunded at once already this month.
        """
        judge = await self._rulebook.binding(order.placed_at)
        if isinstance(judge, Refused):
            return AtOnce.NO
        asked = Asked.first(order.ref, 0, claim, demand, order.now)
        async with self._database.connection() as conn:
            file = await file_of(conn, asked, order, judge)
        if await self._cases.green.foresee(judge, order, demand, file) is None:
            return AtOnce.NO
        limit = await self._cases.green.limit_on(order) if order.role == "buyer" else None
        return AtOnce.YES if limit is None else AtOnce.LIMIT if limit is LimitBy.PERSON else AtOnce.PAYER_LIMIT

    async def foresee_file(self, judge: Adjudicator, file: dict[str, Any], viewer: Side) -> DecisionView | Refused:
        """Decide a case file that stands for no case; refusal: not_found where the book has no words for it."""
        return _shown(await decided_as_claimed(judge, file), judge, viewer, file["claim"])

    async def case_file(self, case: CaseView, judge: Adjudicator, unread: Collection[str] = ()) -> dict[str, Any]:
        """Write a case as the rulebook reads it, with what the records know and what people have shown.

        Facts whose points are `unread` by whoever rules are left out.
        """
        order, (_, case_id) = case.order, _place(case)
        asked = Asked(
            ref=case.ref,
            case_id=case_id,
            claim=case.claim,
            demand=case.demand,
            opened_at=case.opened_at,
            answered_at=case.answered_at,
            green_minor=case.green_minor or 0,
            unread=frozenset(unread),
            demand_minor=case.demand_minor,
        )
        async with self._database.connection() as conn:
            return await file_of(conn, asked, order, judge)

    async def case_files(self) -> AsyncIterator[dict[str, Any]]:
        """Write every case there is, oldest first, as the rulebook reads it: what a change of rules is replayed on.

        A case that was ruled on is written as it stood then, where that was kept: the ruling moved the money since.
        """
        async with self._database.connection() as conn:
            known = await store.every_case(conn)
        for shop_id, case_id, buyer_id in known:
            buyer = Person(
                account_id=AccountId(buyer_id), display_name="", phone_masked="", roles=frozenset({Role.BUYER})
            )
            case = await self._cases.case(buyer, format_ref(shop_id, case_id))
            if isinstance(case, Refused):
                continue
            kept = None if case.ruling is None else await self._kept(case)
            if kept is not None and kept.file is not None:
                yield kept.file
                continue
            judge = await self.judge(case)
            if not isinstance(judge, Refused):
                yield await self.case_file(case, judge)

    async def facts(self, person: Person, ref: str) -> FactsView | Refused:
        """List what was said of a case's facts, what the records prove and what may be said; no decision stands in it.

        Refusal: not_found, also where no rulebook was ever published.
        """
        case = await self._cases.case(person, ref)
        if isinstance(case, Refused):
            return case
        judge = await self.judge(case)
        if isinstance(judge, Refused):
            return judge
        items = await self._evidence.items(case.order.shop_id, case.order.order_id)
        async with self._database.connection() as conn:
            said = await store.said_with_notes(conn, *_place(case))
        numbers = {item.item_id: (item.item_no, item.file_name) for item in items}
        found = facts_view(judge, case.claim, await self.case_file(case, judge), said, numbers)
        return found if not case.viewer.is_party else msgspec.structs.replace(found, choices=sayable(judge, found))

    async def say_fact(self, person: Person, ref: str, wish: SayFact) -> DecisionView | Refused | None:
        """Add what a party or support says of a fact; a party is answered the decision anew, staff nothing.

        Nobody who rules sees what the rules say before a first view.

        Refusals: not_found, case_closed, recused (who has ruled on the case, or spoken in it as a party, adds nothing
        for its review), too_many_tries (more than 40 by one side), invalid_fields (fact, item_no, kind, confidence,
        note).
        """
        case = await self._cases.case(person, ref)
        if isinstance(case, Refused):
            return case
        if case.closed_at is not None:
            return Refused(case.stage.closed_as)
        judge = await self.judge(case)
        if isinstance(judge, Refused):
            return judge
        said = await self._weighed(case, judge, wish)
        if isinstance(said, Refused):
            return said
        refused = await self._keep(case, person, said)
        return refused or (await self.decide(case) if case.viewer.is_party else None)

    async def _keep(self, case: CaseView, person: Person, said: tuple[int | None, str, Said]) -> Refused | None:
        at, now, (item_id, note, entry) = _place(case), self._clock.instant(), said
        async with self._database.transaction() as conn:
            # Whoever closes the case holds this lock, so that nothing is said between the ruling's look and its end.
            await store.lock_case(conn, *at)
            row = await store.case(conn, *at, now)
            if row is None or row.closed_at is not None:
                return Refused((case if row is None else row.state).stage.closed_as)
            if not case.viewer.is_party and person.account_id in row.barred:
                return Refused(Refusal.RECUSED)
            if case.viewer is Side.PANEL and person.account_id not in row.seated:
                return Refused(Refusal.NOT_YOUR_TURN)
            if note and case.viewer.is_party:
                who = (person.account_id, case.viewer.value)
                note = await self._evidence.masked(conn, row.shop_id, row.order_id, *who, note, row.now)
            kept = await store.say_fact(
                conn, *at, self._ids.next(), entry, person.account_id, item_id, note, now, SAID_AT_MOST
            )
        return None if kept else Refused(Refusal.TOO_MANY_TRIES)

    async def _weighed(
        self, case: CaseView, judge: Adjudicator, wish: SayFact
    ) -> tuple[int | None, str, Said] | Refused:
        """Check a wish and weigh it: a party's file is a screenshot, its bare word a statement; support says itself."""
        wrong: dict[str, str] = {}
        fact = judge.book.facts.get(wish.fact)
        if fact is None:
            wrong["fact"] = "规则里没有这个事实"
        elif case.viewer.is_party and fact.set_by == STAFF:
            wrong["fact"] = "这个事实只能由客服查明后记下，可以写成说明请客服看"
        note = clean_text(wish.note, MAX_NOTE) if wish.note.strip() else ""
        if note is None:
            wrong["note"] = f"最多 {MAX_NOTE} 个字"
        items = {
            item.item_no: item
            for item in await self._evidence.items(case.order.shop_id, case.order.order_id)
            if not case.viewer.is_party or item.given_role.value == case.viewer.value
        }
        item = None if wish.item_no is None else items.get(wish.item_no)
        if wish.item_no is not None and item is None:
            wrong["item_no"] = "没有这个编号的证据，或者不是你交的"
        kind, confidence = wish.kind, wish.confidence
        if case.viewer.is_party:
            is_picture = item is not None and item.media_type.startswith("image/")
            kind = "screenshot" if is_picture else STATEMENT_OF[case.viewer]
            confidence = PICTURE if is_picture else STATEMENT
        elif kind not in judge.book.evidence_kinds:
            wrong["kind"] = "选一种证据"
        if not 1 <= confidence <= 100:  # noqa: PLR2004  percent
            wrong["confidence"] = "填 1 到 100"
        if wrong:
            return Refused(Refusal.INVALID_FIELDS, wrong)
        entry = Said(
            fact=wish.fact,
            shows=wish.shows,
            kind=kind,
            confidence=confidence,
            by=case.viewer.value if case.viewer.is_party else Side.SUPPORT.value,
            at=case.order.now,
        )
        return (None if item is None else item.item_id), note or "", entry

    async def label_of(self, order: OrderView, fact: str) -> str:
        """Return what the book that binds an order calls a fact; empty where it does not name it."""
        judge = await self._rulebook.binding(order.placed_at)
        named = None if isinstance(judge, Refused) else judge.book.facts.get(fact)
        return "" if named is None else named.label.zh

    async def judge(self, case: CaseView) -> Adjudicator | Refused:
        """Return the book that binds a case; refusal: not_found where no rulebook was ever published."""
        return await self._rulebook.binding(case.order.placed_at)

    async def book(self, version: str) -> Rulebook | Refused:
        """Return the book of a version; refusal: not_found."""
        return await self._rulebook.book(version)

    async def _kept(self, case: CaseView) -> Beside | None:
        async with self._database.connection() as conn:
            return await store.kept_decision(conn, *_place(case))


def _place(case: CaseView) -> tuple[int, int]:
    at = parse_ref(case.ref)
    assert at is not None  # noqa: S101  the view made this reference
    return at.shop_id, at.object_id


def _shown(
    beside: Beside, judge: Adjudicator, viewer: Side, claim: str, *, is_kept: bool = False
) -> DecisionView | Refused:
    """Show a decision; refusal: not_found where the book has no words for the case."""
    if beside.decision is None:
        return Refused(Refusal.NOT_FOUND)
    full, articles = in_full(beside), judge.book.articles
    told = [Reason(**reason) for reason in full["reasons"]]
    split = next((place for place, reason in enumerate(told) if reason.zh.startswith(BY_THE_BOOK)), 0)
    return DecisionView(
        version=beside.rulebook_version,
        outcome=full["outcome"],
        outcome_label=OUTCOMES[full["outcome"]],
        refund_minor=full["refund_minor"],
        damages_minor=full["damages_minor"],
        responsible=full["responsible"],
        payer=full["payer"],
        findings=told[:split],
        reasons=told[split:],
        articles=[(articles[name].number, name, articles[name].title.zh) for name in full["articles"]],
        cites=full["cites"],
        missing=[] if is_kept else _changes(full, viewer, judge.book),
        is_return=full["claim"] != claim,
        full=full,
        is_kept=is_kept,
        beaten=[
            Beaten(
                number=articles[one["article"]].number,
                article=one["article"],
                title=articles[one["article"]].title.zh,
                issue=ISSUES[one["issue"]],
                by=[articles[name].number for name in one["by"]],
            )
            for one in full["defeated"]
        ],
    )


def _changes(full: dict[str, Any], viewer: Side, book: Rulebook) -> list[Change]:
    """Name what would change the decision: what the viewer can show himself first, of that what changes the result."""
    damages = f" + {full['damages_minor']}" if full["damages_minor"] else ""
    now = f"{full['outcome']} {full['refund_minor']}{damages}"
    changes = [
        Change(
            fact=one["fact"],
            label=one["zh"],
            burden=one["burden"],
            turns_to=_turned(told, now),
            holds=bool(one["if_proved"]),
            rank=_rank(told, now),
            by_staff=one["fact"] in book.facts and book.facts[one["fact"]].set_by == STAFF,
        )
        for one in full["missing"]
        if (told := one["if_proved"] or one["if_disproved"])
    ]
    return sorted(changes, key=lambda change: (change.burden != viewer, change.burden not in STATEMENT_OF, change.rank))


def _rank(told: str, now: str) -> int:
    what = told.partition(",")[0]
    return 2 if what == now else int(what.partition(" ")[0] in UNDECIDED)


def _turned(told: str, now: str) -> str:
    """Say what a decision would become, told as ``OUTCOME refund[ + damages], payer …``, beside what it is now."""
    what = told.partition(",")[0]
    outcome, refund = what.split(" ")[:2]
    if what == now:
        return f"别的责任分法或付款人，结果仍是{OUTCOMES[outcome]}"
    return OUTCOMES[outcome] + (f" {words.yuan(int(refund))}" if outcome == now.partition(" ")[0] else "")
