"""The public case library: filled by a job from ruled cases, searched by anyone, summarised by staff in own words."""

import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from kabao.adjudication import Rulebook
from kabao.adjudication.service import RulebookService
from kabao.cases import CLAIMS, CaseService, DecisionService
from kabao.evidence import clean_text
from kabao.figures import store
from kabao.figures.anonymous import DENIED, anonymous, gives_away, settled
from kabao.figures.store import PrecedentRow
from kabao.identity import Person
from kabao.kernel import Clock, Refusal, Refused, format_ref, parse_ref
from kabao.postgres import Database
from kabao.shops.goods import CATEGORIES

PAGE: Final = 20
BATCH: Final = 100
FACTS_ASKED: Final = 20
FACTS_OFFERED: Final = 16
DEEPEST_PAGE: Final = 50
MAX_SUMMARY: Final = 1000
ID_LENGTH: Final = 12
WORD: Final = re.compile(r"[a-z0-9_ ]{0,60}")
NO_WORD: Final = "-"
OUTCOMES: Final = {
    "full_refund": "全额退款",
    "partial_refund": "部分退款",
    "replacement": "补发",
    "no_refund": "不退款",
}
STAGES: Final = {
    "support": "客服裁决",
    "panel": "争议组裁决",
    "review": "复核裁决",
    "default": "商家不回应，按诉求裁决",
    "green": "绿色通道",
}
WITHDRAWN: Final = {
    "names": "可能让人认出当事人是谁",
    "overturned": "法院、仲裁机构或有关部门作出了不同的认定",
    "asked": "当事人要求撤下，平台同意",
    "mistaken": "公开的事实或条文有误",
}
"""The reasons for which a precedent may be taken out of the library, as everybody reads them."""
PRICES: Final = {
    0: "50 元以下",
    50_00: "50 到 100 元",
    100_00: "100 到 300 元",
    300_00: "300 到 500 元",
    500_00: "500 到 1000 元",
    1000_00: "1000 元以上",
}
REFUNDS: Final = {0: "没有退", 1: "退了不到一半", 50: "退了一半以上", 100: "全退"}


class FactWords(msgspec.Struct, frozen=True, kw_only=True):
    """A settled fact: its literal (`late`, `no late`), its words in the rulebook, and which way it was settled."""

    literal: str
    label: str
    holds: bool


class ArticleWords(msgspec.Struct, frozen=True, kw_only=True):
    """An article that decided, with its own sentence."""

    number: int
    article_id: str
    title: str
    message: str


class Precedent(msgspec.Struct, frozen=True, kw_only=True):
    """A public case: nobody's name, no reference, no exact amount or day; `summary` is a person's, or empty.

    `differs` where the ruling gave a reason for not refunding what the rules suggested.
    """

    public_id: str
    quarter: str
    version: str
    claim: str
    claim_label: str
    category_label: str
    facts: list[FactWords]
    articles: list[ArticleWords]
    stage_label: str
    outcome: str
    outcome_label: str
    differs: bool
    share_buyer: int
    share_merchant: int
    share_platform: int
    price_label: str
    refund_label: str
    summary: str
    likeness: int | None


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """That a precedent was taken out of the library: when, and why in words."""

    at: datetime
    why: str


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """What is looked for; empty words look for everything. `page` begins with 0."""

    claim: str = ""
    outcome: str = ""
    facts: Sequence[str] = ()
    page: int = 0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A page of precedents, the facts that may be asked for, and whether there are more."""

    precedents: list[Precedent]
    offered: list[FactWords]
    has_more: bool


class PrecedentService:
    """Fills and reads the library."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        cases: CaseService,
        decisions: DecisionService,
        rulebook: RulebookService,
    ) -> None:
        self._database = database
        self._clock = clock
        self._cases = cases
        self._decisions = decisions
        self._rulebook = rulebook

    async def publish(self) -> int:
        """Put ruled cases that were carried out into the library; returns how many. Any number of workers at once."""
        done = 0
        while True:
            async with self._database.connection() as conn:
                waiting = await store.unpublished_cases(conn, BATCH)
            for case in waiting:
                kept = anonymous(case, await self._book(case.rulebook_version))
                async with self._database.transaction() as conn:
                    # Drawn by lot, so that the address tells neither case nor time.
                    await store.add_precedent(conn, secrets.token_hex(ID_LENGTH // 2), case, kept)
            done += len(waiting)
            if len(waiting) < BATCH:
                return done

    async def search(self, wish: Search) -> Found:
        """Search by claim, outcome and settled facts; with facts, the most alike first."""
        claim, outcome, *facts = (_word(one) for one in (wish.claim, wish.outcome, *wish.facts[:FACTS_ASKED]))
        page = min(max(wish.page, 0), DEEPEST_PAGE)
        async with self._database.connection() as conn:
            rows = await store.precedents(conn, claim, outcome, facts, PAGE + 1, page * PAGE)
            common = await store.common_facts(conn, claim, FACTS_OFFERED)
        current = await self._rulebook.in_force()
        book = None if isinstance(current, Refused) else current.book
        offered = dict.fromkeys([*facts, *common])
        return Found(
            precedents=[await self._shown(row) for row in rows[:PAGE]],
            offered=[] if book is None else _facts(list(offered), book),
            has_more=len(rows) > PAGE,
        )

    async def precedent(self, public_id: str) -> Precedent | Refused:
        """Show one precedent to anyone; refusal: not_found, also of one that was withdrawn."""
        async with self._database.connection() as conn:
            row = await store.precedent(conn, _word(public_id))
        if row is None or row.withdrawn_at is not None:
            return Refused(Refusal.NOT_FOUND)
        return await self._shown(row)

    async def withdrawal(self, public_id: str) -> Withdrawal | None:
        """Tell anyone that a precedent was withdrawn; None where there is none, or none of it."""
        async with self._database.connection() as conn:
            row = await store.precedent(conn, _word(public_id))
        if row is None or row.withdrawn_at is None or row.withdrawn_why is None:
            return None
        return Withdrawal(at=row.withdrawn_at, why=WITHDRAWN[row.withdrawn_why])

    async def of_case(self, person: Person, ref: str) -> str | Refused | None:
        """Tell where a case stands in the library (None: not in it), to those it concerns; refusal: not_found."""
        case = await self._cases.case(person, ref)
        if isinstance(case, Refused):
            return case
        at = parse_ref(case.ref)
        assert at is not None  # noqa: S101  the view made this reference
        async with self._database.connection() as conn:
            return await store.precedent_of_case(conn, at.shop_id, at.object_id)

    async def has_like(self, claim: str) -> bool:
        """Tell whether a search for cases with a claim finds any; it is only offered where it does."""
        async with self._database.connection() as conn:
            return await store.has_like(conn, claim)

    async def like_case(self, person: Person, ref: str) -> Search | Refused:
        """Write the search for cases similar to one, for whoever may see its decision.

        Refusals: those of the case's decision, so that staff see no outcome before a first view.
        """
        decision = await self._decisions.decision(person, ref)
        if isinstance(decision, Refused):
            return decision
        case = await self._cases.case(person, ref)
        judge = await self._rulebook.adjudicator(decision.version)
        if isinstance(case, Refused) or isinstance(judge, Refused):
            return Refused(Refusal.NOT_FOUND)
        file = await self._decisions.case_file(case, judge)
        return Search(claim=case.claim, facts=settled(file, judge.book)[:FACTS_ASKED])

    async def case_behind(self, person: Person, public_id: str) -> str | None:
        """Tell staff who may see it which case a precedent is of; None for everybody else, parties too."""
        if not person.staff_checked:
            return None
        async with self._database.connection() as conn:
            row = await store.precedent(conn, _word(public_id))
        if row is None:
            return None
        case = await self._cases.case(person, format_ref(row.shop_id, row.case_id))
        return None if isinstance(case, Refused) or case.viewer.is_party else case.ref

    async def release_summary(self, staff: Person, public_id: str, text: str) -> Refused | None:
        """Publish a summary that a member of staff wrote for the public, in place of an earlier one.

        Refusals: not_found (also for whoever is no staff of the case), invalid_fields (summary: empty, over 1000
        characters, or with a name, a reference or a long number in it).
        """
        ref = await self.case_behind(staff, public_id)
        at = None if ref is None else parse_ref(ref)
        if at is None:
            return Refused(Refusal.NOT_FOUND)
        summary = clean_text(text, MAX_SUMMARY)
        if summary is None:
            return Refused(Refusal.INVALID_FIELDS, {"summary": f"写 1 到 {MAX_SUMMARY} 个字"})
        async with self._database.transaction() as conn:
            found = gives_away(summary, await store.names_in_case(conn, at.shop_id, at.object_id))
            if found is not None:
                return Refused(Refusal.INVALID_FIELDS, {"summary": f"「{found}」可能让人认出是谁，请改写"})
            await store.release_summary(conn, public_id, summary, staff.account_id, self._clock.instant())
        return None

    async def withdraw(self, staff: Person, public_id: str, why: str) -> Refused | None:
        """Take a precedent out of the library for one of the reasons of ``WITHDRAWN``; twice changes nothing.

        Refusals: not_found (also for whoever is no staff of the case), invalid_fields (why).
        """
        if await self.case_behind(staff, public_id) is None:
            return Refused(Refusal.NOT_FOUND)
        if why not in WITHDRAWN:
            return Refused(Refusal.INVALID_FIELDS, {"why": "选一个理由"})
        async with self._database.transaction() as conn:
            await store.withdraw_precedent(conn, public_id, why, staff.account_id, self._clock.instant())
        return None

    async def restore(self, staff: Person, public_id: str) -> Refused | None:
        """Put a precedent back that was withdrawn; refusal: not_found (also for whoever is no staff of the case)."""
        if await self.case_behind(staff, public_id) is None:
            return Refused(Refusal.NOT_FOUND)
        async with self._database.transaction() as conn:
            await store.restore_precedent(conn, public_id)
        return None

    async def _shown(self, row: PrecedentRow) -> Precedent:
        return _precedent(row, await self._book(row.rulebook_version))

    async def _book(self, version: str) -> Rulebook:
        book = await self._rulebook.book(version)
        assert not isinstance(book, Refused)  # noqa: S101  a foreign key holds it, and versions are never removed
        return book


def _word(text: str) -> str:
    """Keep a word as the library has them; any other stands for one that is nowhere in it."""
    return text if WORD.fullmatch(text) else NO_WORD


def _precedent(row: PrecedentRow, book: Rulebook) -> Precedent:
    goods = CATEGORIES.get(row.category)
    return Precedent(
        public_id=row.public_id,
        quarter=f"{row.quarter[:4]} 年第 {row.quarter[-1]} 季度",
        version=row.rulebook_version,
        claim=row.claim,
        claim_label=CLAIMS[row.claim].label if row.claim in CLAIMS else row.claim,
        category_label="" if goods is None else goods.name_zh,
        facts=_facts(row.facts, book),
        articles=[
            ArticleWords(
                number=book.articles[name].number,
                article_id=name,
                title=book.articles[name].title.zh,
                message=book.articles[name].message.zh,
            )
            for name in row.articles
        ],
        stage_label=STAGES.get(row.stage, row.stage),
        outcome=row.outcome,
        outcome_label=OUTCOMES[row.outcome],
        differs=row.differs,
        share_buyer=row.share_buyer,
        share_merchant=row.share_merchant,
        share_platform=row.share_platform,
        price_label=PRICES[row.price_band],
        refund_label=REFUNDS[row.refund_band],
        summary=row.summary or "",
        likeness=row.likeness,
    )


def _facts(literals: Sequence[str], book: Rulebook) -> list[FactWords]:
    """Put literals into the words of a version; what it does not name is left out."""
    named = [(literal, literal.removeprefix(DENIED)) for literal in literals]
    return [
        FactWords(literal=literal, label=book.facts[fact].label.zh, holds=not literal.startswith(DENIED))
        for literal, fact in named
        if fact in book.facts
    ]
