"""Proposals to change the rules: from people and from cases decided against a clause; the rulekeeper answers each.

What somebody wrote is shown to nobody but its author and the rulekeeper until the rulekeeper puts it up, in words that
may be changed for it; a proposal from a case must name nobody.
"""

from typing import Final

from kabao.adjudication import Rulebook
from kabao.adjudication.service import RulebookService
from kabao.cases import CLAIMS, ClaimKind
from kabao.evidence import clean_text
from kabao.figures import store
from kabao.figures.anonymous import gives_away
from kabao.figures.proposed import WORDS, DecidedAgainst, Filed, Proposal, Propose, Shown
from kabao.identity import Person
from kabao.kernel import Clock, IdSource, Refusal, Refused
from kabao.notices import NoticeService
from kabao.postgres import Connection, Database

MAX_WORDS: Final = 1000
OPEN_AT_MOST: Final = 10
"""How many proposals of one person may wait for an answer."""
LISTED: Final = 200
BATCH: Final = 100
REWRITES: Final = {
    "clause_vague": "写清条件、期限和金额，只留一种读法。",
    "clause_unfair": "删去这一条，按法律和本细则办。",
    "excessive_hurdle": "只要求买家自己就能拿到的证明，例如报错截图。",
    "not_prominent": "把这一条放到付款前逐条勾选的提示里。",
}
"""How a clause is mended, by what was wrong with it."""


class ProposalService:
    """Files, shows and answers proposals; answering is the rulekeeper's, who works on the command line."""

    def __init__(
        self, *, database: Database, clock: Clock, ids: IdSource, notices: NoticeService, rulebook: RulebookService
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._notices = notices
        self._rulebook = rulebook

    async def propose(self, person: Person, wish: Propose) -> int | Refused:
        """File a person's proposal and return its number.

        Refusals: invalid_fields (article, clause, suggestion, reason), too_many_tries (ten of theirs are open).
        """
        current = await self._rulebook.in_force()
        known = {} if isinstance(current, Refused) else current.book.articles
        wrong = {} if not wish.article or wish.article in known else {"article": "现行规则里没有这一条"}
        words = {name: clean_text(getattr(wish, name), MAX_WORDS) for name in WORDS}
        wrong |= {name: f"写 1 到 {MAX_WORDS} 个字" for name, text in words.items() if text is None}
        if wrong:
            return Refused(Refusal.INVALID_FIELDS, wrong)
        number = self._ids.next()
        file = Filed(
            proposal_id=number,
            by_id=person.account_id,
            article=wish.article or None,
            clause=words["clause"] or "",
            suggestion=words["suggestion"] or "",
            reason=words["reason"] or "",
        )
        async with self._database.transaction() as conn:
            kept = await store.add_proposal(conn, file, self._clock.instant(), OPEN_AT_MOST)
        return number if kept else Refused(Refusal.TOO_MANY_TRIES)

    async def file_from_cases(self) -> int:
        """File a proposal for every case decided against a clause; returns how many. Any number of workers at once."""
        about = [claim.claim_id for claim in CLAIMS.values() if claim.kind is ClaimKind.RULES]
        done = 0
        while True:
            async with self._database.connection() as conn:
                waiting = await store.clauses_decided_against(conn, about, BATCH)
            for case in waiting:
                book = await self._rulebook.book(case.rulebook_version)
                assert not isinstance(book, Refused)  # noqa: S101  a foreign key holds it, and versions stay
                file = rewrite(case, book, self._ids.next())
                async with self._database.transaction() as conn:
                    await store.add_proposal(conn, file, self._clock.instant(), OPEN_AT_MOST)
            done += len(waiting)
            if len(waiting) < BATCH:
                return done

    async def shown(self) -> list[Proposal]:
        """List what was put up for everybody, the newest first."""
        async with self._database.connection() as conn:
            return await store.shown_proposals(conn, LISTED)

    async def own(self, person: Person) -> list[Proposal]:
        """List a person's own proposals, put up or not, the newest first."""
        async with self._database.connection() as conn:
            return await store.own_proposals(conn, person.account_id, LISTED)

    async def every(self) -> list[Proposal]:
        """List all proposals for the rulekeeper, open ones first."""
        async with self._database.connection() as conn:
            return await store.all_proposals(conn, LISTED)

    async def show(self, proposal_id: int, words: Shown) -> Refused | None:
        """Put a proposal up for everybody, in other words where some are given; again, to change them.

        Refusals: not_found, invalid_fields (words that are too long; clause, suggestion or reason of a case's proposal
        that name somebody).
        """
        async with self._database.transaction() as conn:
            kept = await store.lock_proposal(conn, proposal_id)
            if kept is None:
                return Refused(Refusal.NOT_FOUND)
            texts = {name: getattr(words, name) or kept[name] for name in WORDS}
            names = [] if kept["case_id"] is None else await store.names_in_case(conn, kept["shop_id"], kept["case_id"])
            wrong = {}
            for name, text in texts.items():
                if clean_text(text, MAX_WORDS) is None:
                    wrong[name] = f"写 1 到 {MAX_WORDS} 个字"
                elif found := gives_away(text, names):
                    wrong[name] = f"「{found}」可能让人认出是谁，请改写"
            if wrong:
                return Refused(Refusal.INVALID_FIELDS, wrong)
            await store.show_proposal(conn, proposal_id, Shown(**texts), self._clock.instant())
            await self._tell(conn, kept["by_id"], "你提的规则修改建议已公开")
        return None

    async def take_up(self, proposal_id: int, version: str) -> Refused | None:
        """Say that a published version takes a proposal up; refusals: not_found, invalid_fields (version, state)."""
        versions = {card.version for card in await self._rulebook.versions() if card.published_at is not None}
        if version not in versions:
            return Refused(Refusal.INVALID_FIELDS, {"version": "没有公布过这个版本"})
        subject = f"你提的规则修改建议已采纳，写进 {version} 版"
        return await self._answer(proposal_id, "taken_up", version, None, subject)

    async def decline(self, proposal_id: int, why: str) -> Refused | None:
        """Decline a proposal with a reason; refusals: not_found, invalid_fields (reason, state)."""
        answer = clean_text(why, MAX_WORDS)
        if answer is None:
            return Refused(Refusal.INVALID_FIELDS, {"reason": f"写 1 到 {MAX_WORDS} 个字"})
        return await self._answer(proposal_id, "declined", None, answer, "你提的规则修改建议没有采纳，理由已写明")

    async def _answer(
        self, proposal_id: int, state: str, version: str | None, answer: str | None, subject: str
    ) -> Refused | None:
        async with self._database.transaction() as conn:
            kept = await store.lock_proposal(conn, proposal_id)
            if kept is None:
                return Refused(Refusal.NOT_FOUND)
            if kept["state"] != "open":
                return Refused(Refusal.INVALID_FIELDS, {"state": "这条建议已经答复过"})
            await store.answer_proposal(conn, proposal_id, state, version, answer, self._clock.instant())
            await self._tell(conn, kept["by_id"], subject)
        return None

    async def _tell(self, conn: Connection, account_id: int | None, subject: str) -> None:
        if account_id is not None:
            await self._notices.tell(conn, account_id, "rule_proposal", subject, "/rules/proposals")


def rewrite(case: DecidedAgainst, book: Rulebook, proposal_id: int) -> Filed:
    """Write a case's proposal: what was quoted, how to mend it by what decided it, and why."""
    decided = [book.articles[name] for name in case.decision["articles"] if name in book.articles]
    by = "；".join(f"第 {one.number} 条（{one.title.zh}）：{one.message.zh}" for one in decided)
    return Filed(
        proposal_id=proposal_id,
        shop_id=case.shop_id,
        case_id=case.case_id,
        clause=case.statement[:MAX_WORDS],
        suggestion=(REWRITES[case.claim] + (f"照这样写：{by}" if by else ""))[:MAX_WORDS],
        reason=f"一件「{CLAIMS[case.claim].label}」的案子裁决支持了买家，这一条没有算数。",
    )
