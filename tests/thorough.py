"""Whoever rules in a test that is about something else: every point of the parties answered, something named."""

from typing import Any

from msgspec.structs import replace

from kabao.cases.ladder.model import Answer, Grounds, Take
from kabao.identity import Person
from kabao.kernel import Refused

LAW, ARTICLE = "xiaofa-55", "delivery_late_law"


class Thorough:
    """The ladder, with what a wish leaves out filled in; `plain` is the ladder itself."""

    def __init__(self, plain: Any) -> None:
        self.plain = plain

    def __getattr__(self, name: str) -> Any:
        return getattr(self.plain, name)

    async def rule(self, staff: Person, ref: str, wish: Any) -> Any:
        return await self._first_taken(self.plain.rule, staff, ref, wish)

    async def vote(self, staff: Person, ref: str, wish: Any) -> Any:
        return await self._first_taken(self.plain.vote, staff, ref, wish)

    async def complete(self, staff: Person, ref: str, wish: Any) -> Any:
        """Answer every point, and name something where the ruling differs from what the rules suggest."""
        for whole in await self._filled(staff, ref, wish):
            lacks = await self.plain.wanting(staff, ref, whole)
            if isinstance(lacks, Refused) or "articles" not in lacks:
                return whole
        return wish

    async def _first_taken(self, step: Any, staff: Person, ref: str, wish: Any) -> Any:
        answer = None
        for whole in await self._filled(staff, ref, wish):
            answer = await step(staff, ref, whole)
            if not (isinstance(answer, Refused) and "articles" in answer.fields):
                break
        return answer

    async def _filled(self, staff: Person, ref: str, wish: Any) -> list[Any]:
        """Fill in what a wish leaves out, naming nothing, an article or, where no rulebook binds, a law."""
        points = await self.plain.points(staff, ref)
        if isinstance(points, Refused) or wish.grounds != Grounds():
            return [wish]
        answers = [Answer(point=one.key, take=Take.NOT_DECISIVE, why="见理由。") for one in points]
        plain = Grounds(answers=answers, unanswered="材料已经够。")
        ways = (plain, replace(plain, articles=[ARTICLE]), replace(plain, laws=[LAW]))
        return [replace(wish, grounds=one) for one in (ways if wish.differs_reason else ways[:1])]
