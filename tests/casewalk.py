"""A walk over cases: the real services take a step, a model that a person can hold in the head takes it too."""

import asyncio
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from casebank import Bank, BankRules
from casemodel import DECIDERS, NOTHING, OPEN, UNDECIDED, Model
from dispute import FIRST_VIEW, MERCHANTS, WISH, Desk, seen
from kabao.cases import CastVote, DecisionService, MakeOffer, OpenCase, Outcome, Remedy, Rule, SayFact, Side
from kabao.cases.ladder.model import Award
from kabao.identity import Role
from kabao.kernel import IdSource, Refused
from kabao.orders import audit
from kabao.postgres import Database, open_pool

CASES_AT_MOST = 8
PRICE = 9650
HOUR = timedelta(hours=1)
THIRTY_DAYS = timedelta(days=30)
AT_ONCE_AT_MOST = 5
SEALED = OpenCase(claim="changed_mind", demand=Remedy.FULL_REFUND, statement="不想要了，还没拆封。")
BY_PERSON = OpenCase(claim="changed_mind", demand=Remedy.FULL_REFUND, statement="请人来看。", by_person=True)
OF_MERCHANT = OpenCase(claim="buyer_used_it", demand=Remedy.RELEASE, statement="兑换记录显示早用了。")


class CasesMachine(BankRules, RuleBasedStateMachine):
    """Random quarrels about one order after another, with every role taking steps in and out of turn."""

    dsn = ""
    walked: ClassVar[set[tuple[str, str]]] = set()
    ends: ClassVar[set[str]] = set()

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = tempfile.TemporaryDirectory()
        self.database: Database = self.wait(open_pool(self.dsn, size=3))
        self.cases_opened = 0

    def wait(self, work: Any) -> Any:
        return self.runner.run(work)

    def teardown(self) -> None:
        async def checked() -> Any:
            async with self.database.transaction(isolation="repeatable_read", readonly=True) as conn:
                return await audit(conn)

        self.wait(self.bank.pay())
        assert self.wait(checked()).findings == []
        # Every case of this example has its time taken away, so that the next one starts alone.
        self.wait(self.database.execute("UPDATE cases SET due_at = NULL WHERE closed_at IS NULL"))
        self.wait(self.database.close())
        self.runner.close()
        self.folder.cleanup()

    @initialize(has_stock=st.booleans(), first=st.sampled_from([None, None, SEALED, BY_PERSON]))
    def begin(self, first: OpenCase | None, *, has_stock: bool, keys: int = 3 * CASES_AT_MOST) -> None:
        self.desk = self.wait(Desk.ready(self.database, Path(self.folder.name), keys=keys))
        self.wait(self.database.execute("DELETE FROM account_role WHERE role IN ('panel', 'duty')"))
        members = [self.wait(self.desk.staff(Role.PANEL)) for _ in range(2)]
        self.panel = {member.account_id: member for member in members}
        self.duty = self.wait(self.desk.staff(Role.DUTY))
        self.has_stock = has_stock
        self.wait(self.desk.rulebook.begin())
        self.decisions = DecisionService(
            database=self.database,
            clock=self.desk.clock,
            ids=IdSource(),
            cases=self.desk.cases,
            evidence=self.desk.evidence,
            rulebook=self.desk.rulebook,
        )
        self.bank = Bank(self.desk)
        self.wait(self.bank.fill_reserve(str(self.duty.account_id), keys * PRICE))
        self.at_once: list[datetime] = []
        if first is None:
            self.open()
        else:
            self.open_sealed(first)
        self.put_stock(has_stock=has_stock)

    def open(self, how: str = "whole") -> None:
        self.cases_opened += 1
        # Every other case is a buyer's who wants another key, every fourth a merchant's.
        swaps = self.cases_opened % 2 == 1 and how != "after"
        is_merchants = self.cases_opened % 4 == 2 and how == "whole"
        wish = msgspec.structs.replace(WISH, demand=Remedy.REPLACEMENT) if swaps else WISH
        by = "merchant" if is_merchants else "buyer"
        ref = self.wait(self.bank.order(how))
        case = seen(self.wait(self.desk.cases.open(self.party(by), ref, OF_MERCHANT if is_merchants else wish)))
        until = self.now + 48 * HOUR
        self.m = Model(case.ref, case.order.order_id, self.now, until, swaps=swaps, by=by, how=how)
        self.m.turn, self.m.before = self.m.other, PRICE if how == "part" else 0

    def open_sealed(self, wish: OpenCase) -> None:
        """Claim on a key that is still sealed: decided at once, unless a person is asked for or it was so too often."""
        self.cases_opened += 1
        case = self.wait(self.desk.case(wish, opened=False))
        self.m = m = Model(case.ref, case.order.order_id, self.now, self.now + 24 * HOUR, reply=24)
        self.at_once = [at for at in self.at_once if at > self.now - THIRTY_DAYS]
        if not wish.by_person and len(self.at_once) < AT_ONCE_AT_MOST:
            self.at_once.append(self.now)
            m.is_green, m.refunded, m.ruled = True, PRICE, Award(PRICE)
            m.goes("green", "parties", self.now + 168 * HOUR)
        m.stands = not wish.by_person

    @property
    def now(self) -> datetime:
        at: datetime = self.desk.clock.at
        return at

    def took(self, answer: Any, *, may: bool) -> bool:
        assert isinstance(answer, Refused) is not may, (answer, self.m)
        return may

    def party(self, side: str) -> Any:
        return self.desk.market.buyer if side == "buyer" else self.desk.market.owner

    def decider(self) -> Any:
        """Return who has the turn among those who decide; None where nobody has, or nobody could be drawn."""
        if self.m.turn == "support":
            return self.desk.market.staff
        if self.m.turn == "duty":
            return self.duty
        found = self.wait(
            self.database.fetchval(
                """SELECT t.panellist_id FROM panel_seat t JOIN cases c USING (shop_id, case_id)
                    WHERE c.order_id = $1 AND t.stage = c.stage AND t.recused_at IS NULL""",
                self.m.order_id,
            )
        )
        return self.panel.get(found)

    # ---- the parties

    @rule()
    def answer(self) -> None:
        m = self.m
        said = self.wait(self.desk.cases.answer(self.party(m.other), m.ref, "不同意。"))
        if self.took(said, may=m.stage == "negotiation" and m.turn == m.other):
            m.turn, m.due, m.answered = m.by, self.now + m.reply * HOUR, True
        assert isinstance(self.wait(self.desk.cases.answer(self.party(m.by), m.ref, "x")), Refused)

    @precondition(lambda self: self.m.by == "merchant")
    @rule()
    def grant_the_merchant(self) -> None:
        m = self.m
        assert isinstance(self.wait(self.desk.cases.accept_demand(self.desk.market.owner, m.ref)), Refused)
        if self.took(self.wait(self.desk.cases.accept_demand(self.desk.market.buyer, m.ref)), may=m.may_settle):
            m.goes("settled", "nobody", None)

    @rule(side=st.sampled_from(["buyer", "merchant"]), amount=st.integers(-1, PRICE + 1))
    def make_offer(self, side: str, amount: int) -> None:
        m, wish = self.m, MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=amount)
        made = self.wait(self.desk.cases.offer(self.party(side), m.ref, wish))
        if self.took(made, may=m.may_settle and 0 < amount <= PRICE):
            m.offer, m.offered_by, other = amount, side, "buyer" if side == "merchant" else "merchant"
            m.answered |= side == m.other
            if m.stage == "negotiation" and m.turn != other:
                m.turn, m.due = other, self.now + m.reply * HOUR

    @rule(side=st.sampled_from(["buyer", "merchant"]), often=st.integers(0, 3))
    def accept(self, side: str, often: int) -> None:
        if often:
            return
        m, view = self.m, seen(self.wait(self.desk.cases.case(self.party(side), self.m.ref)))
        offer_id = view.open_offer.offer_id if view.open_offer else 1
        taken = self.wait(self.desk.cases.accept(self.party(side), m.ref, offer_id))
        if self.took(taken, may=bool(m.offer) and m.offered_by != side and m.may_settle and m.how != "after"):
            m.refunded = m.offer
            m.goes("settled", "nobody", None)

    @rule(often=st.integers(0, 7))
    def withdraw(self, often: int) -> None:
        # Seldom, or no case would get far.
        m = self.m
        if often:
            return
        assert isinstance(self.wait(self.desk.cases.withdraw(self.party(m.other), m.ref)), Refused)
        if self.took(self.wait(self.desk.cases.withdraw(self.party(m.by), m.ref)), may=m.may_settle):
            m.goes("withdrawn", "nobody", None)

    @precondition(lambda self: self.cases_opened > 1)
    @rule(amount=st.integers(1, PRICE))
    def settle(self, amount: int) -> None:
        """Offer and accept in one breath, in every case but the first, which goes as far as it may."""
        if self.m.may_settle:
            self.make_offer("merchant", amount)
            self.accept("buyer", 0)

    @precondition(lambda self: self.cases_opened > 1)
    @rule()
    def think_better_of_it(self) -> None:
        self.withdraw(0)

    @rule(side=st.sampled_from(["buyer", "merchant"]))
    def escalate(self, side: str) -> None:
        m = self.m
        waited = m.answered or (side == m.by and self.now >= m.opened_at + 24 * HOUR)
        asked = self.wait(self.desk.cases.escalate(self.party(side), m.ref))
        if self.took(asked, may=m.stage == "negotiation" and waited):
            m.goes("support", "support", self.now + 48 * HOUR)

    @rule(side=st.sampled_from(["buyer", "merchant"]))
    def ask_review(self, side: str) -> None:
        m = self.m
        asked = self.wait(self.desk.ladder.ask_review(self.party(side), m.ref, "再看看。"))
        if self.took(asked, may=self.may_ask(side)):
            m.goes("review", "panel", self.now + 72 * HOUR)

    @precondition(lambda self: self.m.stage in {"green", "ruled_open"})
    @rule(side=st.sampled_from(["buyer", "merchant"]))
    def think_it_wrong(self, side: str) -> None:
        """Ask where it can be asked, so that the walk comes to reviews often."""
        self.ask_review(side)

    @rule(side=st.sampled_from(["buyer", "merchant"]))
    def waive(self, side: str) -> None:
        m = self.m
        waived = self.wait(self.desk.ladder.waive(self.party(side), m.ref))
        if self.took(waived, may=self.may_ask(side)):
            m.waived.add(side)
            if len(m.waived) > 1 or m.stage == "green":
                self.execute(m.ruled)

    def may_ask(self, side: str) -> bool:
        if self.m.stage == "green":
            return side == "merchant"
        return self.m.stage == "ruled_open" and side not in self.m.waived

    @precondition(lambda self: self.m.stage == "negotiation" and self.m.swaps)
    @rule(damages=st.sampled_from([0, 900]), refund=st.sampled_from([4000, PRICE]))
    def go_the_whole_way(self, damages: int, refund: int) -> None:
        """Let support rule on new keys and both accept, with stock and without in turn, whatever else is drawn."""
        has_stock = "replaced" not in CasesMachine.ends or "fell back" in CasesMachine.ends
        self.answer()
        self.escalate("merchant")
        self.decide_and_let_it_be_known(refund, damages, replaces=True)
        self.stock_comes_and_goes(has_stock=has_stock)
        self.waive("buyer")
        self.waive("merchant")

    @precondition(lambda self: self.m.stage == "green")
    @rule()
    def accept_what_was_decided_at_once(self) -> None:
        """Let the merchant waive, so that the walk comes to the end of such a case, too."""
        self.waive("merchant")

    def execute(self, award: Award) -> None:
        m = self.m
        m.replaced = award.replaces and self.has_stock
        m.refunded = PRICE if m.is_green else 0 if m.replaced else award.refund_minor
        m.damages = award.damages_minor
        m.goes("executed", "nobody", None)
        if award.replaces:
            CasesMachine.ends.add("replaced" if m.replaced else "fell back")

    @rule(has_stock=st.booleans())
    def stock_comes_and_goes(self, *, has_stock: bool) -> None:
        self.has_stock = has_stock
        self.put_stock(has_stock=has_stock)

    def put_stock(self, *, has_stock: bool) -> None:
        ways = ("withdrawn", "available") if has_stock else ("available", "withdrawn")
        self.wait(self.database.execute("UPDATE card_key SET state = $2 WHERE state = $1", *ways))

    # ---- those who decide

    @rule()
    def pass_on(self) -> None:
        m = self.m
        passed = self.wait(self.desk.ladder.pass_on(self.desk.market.staff, m.ref))
        if self.took(passed, may=m.stage == "support" and m.pending is None):
            m.goes("panel", "panel", self.now + 72 * HOUR)

    @rule(
        refund=st.sampled_from([0, 1, 4000, PRICE]),
        damages=st.sampled_from([0, 0, 700, 10 * PRICE + 1]),
        replaces=st.booleans(),
    )
    def decide(self, refund: int, damages: int, *, replaces: bool) -> None:
        """Let whoever has the turn put a first view down and rule or vote."""
        m, who = self.m, self.decider()
        if who is None or m.turn not in DECIDERS:
            return
        view = self.wait(self.desk.ladder.first_view(who, m.ref, FIRST_VIEW))
        if m.stage == "routed_out":
            assert isinstance(view, Refused)
            return
        key = (who.account_id, m.stage)
        barred = isinstance(view, Refused) and view.code == "recused"
        assert isinstance(view, Refused) is (key in m.views or barred)
        if barred:
            assert m.turn == "duty"
            return
        m.views.add(key)
        if m.stage == "panel" and m.turn == "panel":
            wish = CastVote(
                upholds=refund > 0,
                refund_minor=refund or 1,
                damages_minor=damages,
                replaces=replaces,
                shares=MERCHANTS,
                facts="x",
                reasons="y",
                differs_reason="z",
            )
            award = Award(refund, damages, replaces=replaces) if refund else NOTHING
            done = self.wait(self.desk.ladder.vote(who, m.ref, wish))
        else:
            kinds = {0: Outcome.NO_REFUND, PRICE: Outcome.FULL_REFUND}
            outcome = Outcome.REPLACEMENT if replaces else kinds.get(refund, Outcome.PARTIAL_REFUND)
            ruling = Rule(
                outcome=outcome,
                refund_minor=refund,
                damages_minor=damages,
                shares=MERCHANTS,
                facts="x",
                reasons="y",
                differs_reason="z",
            )
            award = Award(PRICE if replaces and not refund else refund, damages, replaces=replaces)
            done = self.wait(self.desk.ladder.rule(who, m.ref, ruling))
        fits = damages <= 10 * PRICE and (m.swaps or not replaces)
        if self.took(done, may=m.pending is None and fits):
            m.pending, m.pending_award = self.now + timedelta(seconds=10), award

    @precondition(lambda self: self.m.turn in DECIDERS)
    @rule(seldom=st.integers(0, 2))
    def route_out(self, seldom: int) -> None:
        """Let whoever has the turn hand the case to an authority, with and without the fact that it takes."""
        m, who = self.m, self.decider()
        if who is None:
            return
        if not seldom and not m.crime and m.stage in UNDECIDED:
            crime = SayFact(fact="crime_suspected", shows=True, kind="police_record", confidence=97)
            assert self.wait(self.decisions.say_fact(self.desk.market.staff, m.ref, crime)) is None
            m.crime = True
        if not isinstance(self.wait(self.desk.ladder.first_view(who, m.ref, FIRST_VIEW)), Refused):
            m.views.add((who.account_id, m.stage))
        # The packaged rulebook has no words for a merchant's claim, so it hands none of these over.
        may = m.crime and m.by == "buyer" and not m.routed and m.pending is None and m.stage in UNDECIDED
        if self.took(self.wait(self.desk.ladder.route_out(who, m.ref, "公安已立案。")), may=may):
            m.goes("routed_out", "duty", self.now + THIRTY_DAYS)
            m.routed = True

    @precondition(lambda self: self.m.routed)
    @rule(is_called=st.booleans())
    def come_back(self, *, is_called: bool) -> None:
        """Let the duty officer call the panel, or nobody until the time of the authority is over."""
        m = self.m
        may = is_called and m.stage == "routed_out"
        who = self.duty if is_called else self.party("buyer")
        if self.took(self.wait(self.desk.ladder.route_back(who, m.ref, "已有结论。")), may=may):
            m.goes("panel", "panel", self.now + 72 * HOUR)
        elif m.stage == "routed_out":
            self.time_passes(720)

    @precondition(lambda self: self.m.turn in DECIDERS)
    @rule(
        refund=st.sampled_from([0, 4000, PRICE]),
        damages=st.sampled_from([0, 900]),
        replaces=st.sampled_from([True, False]),
    )
    def decide_and_let_it_be_known(self, refund: int, damages: int, *, replaces: bool) -> None:
        self.decide(refund, damages, replaces=replaces and self.m.swaps)
        self.time_passes(0.01)

    @precondition(lambda self: self.m.stage not in OPEN)
    @rule(how=st.sampled_from(["whole", "whole", "part", "after"]))
    def quarrel_again(self, how: str) -> None:
        if self.cases_opened < CASES_AT_MOST:
            self.put_stock(has_stock=True)
            self.open(how)
            self.put_stock(has_stock=self.has_stock)

    @precondition(lambda self: self.m.stage not in OPEN)
    @rule(wish=st.sampled_from([SEALED, SEALED, BY_PERSON]))
    def claim_on_a_sealed_key(self, wish: OpenCase) -> None:
        if self.cases_opened < CASES_AT_MOST:
            self.put_stock(has_stock=True)
            self.open_sealed(wish)
            self.put_stock(has_stock=self.has_stock)

    @rule()
    def take_back(self) -> None:
        m, who = self.m, self.decider() if self.m.turn in DECIDERS else None
        if who is None:
            return
        taken = self.wait(self.desk.ladder.take_back(who, m.ref))
        if isinstance(taken, Refused) and taken.code == "recused":
            return
        if self.took(taken, may=m.pending is not None and self.now < m.pending):
            m.pending = None

    @rule(to=st.sampled_from([Side.BUYER, Side.MERCHANT]))
    def strangers_to_the_turn_decide_nothing(self, to: Side) -> None:
        m = self.m
        for who, turn in ((self.desk.market.staff, "support"), (self.duty, "duty")):
            if m.turn != turn:
                assert isinstance(self.wait(self.desk.ladder.ask(who, m.ref, to, "x")), Refused)
        assert isinstance(self.wait(self.desk.ladder.ask(self.party("buyer"), m.ref, to, "x")), Refused)

    # ---- time

    @rule(hours=st.sampled_from([0.001, 0.01, 5, 24, 72, 168]))
    def time_passes(self, hours: float) -> None:
        m = self.m
        self.desk.pass_time(hours * HOUR)
        self.wait(self.desk.cases.tick())
        if m.pending is not None and m.pending <= self.now:
            m.pending, m.ruled = None, m.pending_award
            if m.stage == "review":
                self.execute(m.ruled)
            else:
                m.goes("ruled_open", "parties", self.now + 168 * HOUR)
        elif m.due is not None and m.due <= self.now and m.pending is None:
            self.pass_deadline()

    def pass_deadline(self) -> None:
        m = self.m
        if m.stage == "negotiation" and m.turn == "merchant" and m.stands:
            m.ruled = Award(PRICE)
            m.goes("ruled_open", "parties", self.now + 168 * HOUR)
        elif m.stage == "negotiation":
            m.goes("support", "support", self.now + 48 * HOUR)
        elif m.stage in {"support", "routed_out"}:
            m.goes("panel", "panel", self.now + 72 * HOUR)
        elif m.stage in {"green", "ruled_open"} or (m.stage, m.turn) == ("review", "duty"):
            self.execute(m.ruled)
        elif (m.stage, m.turn) == ("panel", "panel"):
            m.turn = "duty"
        elif (m.stage, m.turn) == ("review", "panel"):
            m.turn, m.due = "duty", self.now + 72 * HOUR

    # ---- what must hold

    @invariant()
    def the_case_is_as_the_model_says(self) -> None:
        if not hasattr(self, "m"):
            return
        m = self.m
        view = seen(self.wait(self.desk.cases.case(self.desk.market.buyer, m.ref)))
        assert (view.stage, view.turn, view.due_at) == (m.stage, m.turn, m.due)
        state, refunded, released, _ = self.wait(self.desk.escrow(view))
        if m.is_green or m.was_held:
            assert (state, refunded, released) == ("refunded", m.before + PRICE, 0)
        elif m.how == "after":
            assert (state, refunded, released) == ("released", 0, PRICE)
            assert view.order.given_back_minor == m.refunded
        elif m.stage in OPEN or m.replaced:
            assert (state, refunded, released) == ("held" if m.replaced else "disputed", m.before, 0)
        elif m.stage != "withdrawn":
            assert (refunded, released) == (m.before + m.refunded, PRICE - m.refunded)
        # The shop has no deposit, so that whatever is given as damages is owed.
        assert view.order.claim.damages_owed_minor == m.damages
        CasesMachine.walked.add((f"green {view.stage}" if m.is_green else view.stage.value, view.turn.value))
        # A ruling nobody may see yet is seen by no party.
        assert view.pending is None
