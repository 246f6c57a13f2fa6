"""A shop's cases through the API: those under a tab by the time left, and many granted at once."""

from typing import Annotated, Self

import msgspec
from litestar import Response, get, post
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta

from kabao.api.documents import READING, STEP
from kabao.api.entry import ACTS_AS, MERCHANT, Caller, services_of, slow_down
from kabao.api.inputs import Input, Minor, RefText
from kabao.api.orders import KeyHeader
from kabao.api.problems import granted, refuse_now
from kabao.api.replies import once
from kabao.api.shapes import CaseRowOut
from kabao.cases import BULK_AT_MOST, Granted, InboxPage, Tab, ToGrant, read_cursor, write_cursor
from kabao.identity import Act
from kabao.kernel import Refusal, Refused
from kabao.shops import parse_shop_ref


class InboxOut(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a shop's cases; `counts` by tab (ruled and closed up to 1000), `after` asks for the next page."""

    tab: Tab
    counts: dict[str, int]
    cases: list[CaseRowOut]
    after: str | None

    @classmethod
    def of(cls, found: InboxPage) -> Self:
        """Write a page."""
        return cls(
            tab=found.tab,
            counts={tab.value: count for tab, count in found.counts.items()},
            cases=[CaseRowOut.of(card) for card in found.cards],
            after=None if found.after is None else write_cursor(found.after),
        )


class ToGrantIn(Input, frozen=True, kw_only=True):
    """A case, and the refund that granting it cost when it was read (0 for a replacement)."""

    ref: RefText
    refund_minor: Minor


class GrantIn(Input, frozen=True, kw_only=True):
    """The cases whose demands are granted."""

    cases: Annotated[list[ToGrantIn], Meta(min_length=1, max_length=BULK_AT_MOST)]


class GrantedOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one case: `code` and `detail` say why it was not granted; both null where it is."""

    ref: str
    code: str | None
    detail: str | None

    @classmethod
    def of(cls, one: Granted) -> Self:
        """Write what became of a case."""
        return cls(ref=one.ref, code=one.refused, detail=None if one.refused is None else Refused(one.refused).zh)


class GrantsOut(msgspec.Struct, frozen=True, kw_only=True):
    """What became of each case, in the order asked for."""

    cases: list[GrantedOut]


@get("/shops/{shop:str}/cases", responses=READING, tags=["merchant"])
async def inbox(
    request: Caller,
    shop: FromPath[str],
    tab: Annotated[Tab, QueryParameter(description="Whose move it is, or how it stands.")] = Tab.MINE,
    after: Annotated[str, QueryParameter(max_length=40, description="`after` of the page before.")] = "",
) -> InboxOut:
    """List a shop's cases for its owner, 20 a page: open ones by the time left, ruled and closed ones newest first."""
    found = await services_of(request).cases.inbox.page(request.user, _shop(shop), tab, read_cursor(after))
    return InboxOut.of(granted(found))


@post("/shops/{shop:str}/cases/grant", opt={ACTS_AS: MERCHANT}, responses=STEP, status_code=200, tags=["merchant"])
async def grant(
    request: Caller, shop: FromPath[str], data: JSONBody[GrantIn], idempotency_key: KeyHeader = ""
) -> Response[GrantsOut]:
    """Grant what was demanded in up to 50 cases, each a step of its own; what was granted before counts as granted."""
    services, shop_id = services_of(request), _shop(shop)

    async def step(_key: str) -> GrantsOut:
        await slow_down(request, Act.GRANT_MANY)
        wishes = [ToGrant(one.ref, one.refund_minor) for one in data.cases]
        done = granted(await services.cases.inbox.grant(request.user, shop_id, wishes))
        return GrantsOut(cases=[GrantedOut.of(one) for one in done])

    return await once(request, idempotency_key, step, database=services.database)


def _shop(text: str) -> int:
    shop_id = parse_shop_ref(text)
    if shop_id is None:
        raise refuse_now(Refusal.NOT_FOUND)
    return shop_id


handlers = [inbox, grant]
