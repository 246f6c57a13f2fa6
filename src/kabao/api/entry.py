"""What happens before any handler: who calls, and whether the body is what it should be.

Litestar would read a body leniently ("2" for 2). Money is read strictly: wrong types, unknown fields and numbers out
of range are refused by name before the handler sees anything.
"""

import re
from functools import cache
from http import HTTPMethod
from typing import Any, Final, Protocol

import msgspec
from litestar import Request
from litestar.datastructures import State

from kabao.adjudication.service import RulebookService
from kabao.api.problems import RefusedError, language_of, refuse_now
from kabao.cases import CaseService, DecisionService
from kabao.custody import SandboxInstitution
from kabao.dossier import ChecklistService, ExportService, ReceiptService, RulingService
from kabao.evidence import EvidenceService
from kabao.figures import ForecastService, PrecedentService
from kabao.identity import CASE_ROLES, Act, EmailService, IdentityService, Person, Role, Visitor, visitor_of
from kabao.inventory import InventoryService
from kabao.kernel import Ref, Refusal, Refused, parse_ref
from kabao.notices import Mailer
from kabao.orders import OrderService
from kabao.postgres import Database
from kabao.shops import ShopService
from kabao.webhooks import WebhookService

PUBLIC: Final = "public"
"""The handler option that lets a caller in without a token."""
FORM: Final = "form"
"""The handler option of a multipart form, whose fields Litestar reads."""
UNSIGNED: Final = "unsigned"
"""The handler option of machine notices, which are signed instead of carrying a token."""
ACTS_AS: Final = "acts_as"
"""The handler option of a step: the roles whose tokens may take it. A step without it is nobody's."""
BUYER: Final = frozenset({Role.BUYER})
MERCHANT: Final = frozenset({Role.MERCHANT})
SUPPORT: Final = frozenset({Role.SUPPORT})
DECIDERS: Final = CASE_ROLES
EITHER_SIDE: Final = BUYER | MERCHANT
ANY_PARTY: Final = EITHER_SIDE | SUPPORT
READS: Final = frozenset({HTTPMethod.GET, HTTPMethod.HEAD, HTTPMethod.OPTIONS})
LONGEST_TOKEN: Final = 200

Caller = Request[Person, None, State]

_PATH: Final = re.compile(r" - at `\$(?:\.([A-Za-z0-9_]+))?")
_QUOTED: Final = re.compile(r"field `([^`]{1,60})`")
_WORDS: Final = {
    "unknown": {"zh": "不认识这个字段", "en": "unknown field"},
    "missing": {"zh": "缺少这个字段", "en": "required field is missing"},
    "wrong": {"zh": "格式、类型或范围不对", "en": "wrong format, type or range"},
}


class Archive(Protocol):
    """What is made from the evidence of orders."""

    @property
    def receipts(self) -> ReceiptService:
        """Proofs of records, for those an order concerns."""

    @property
    def checklists(self) -> ChecklistService:
        """What proves what in a case."""

    @property
    def packs(self) -> ExportService:
        """Everything of an order in one file."""

    @property
    def rulings(self) -> RulingService:
        """Rulings as documents."""


class Services(Protocol):
    """The parts of the application that the API asks, as wiring puts them at `request.app.state.kabao`."""

    database: Database
    identity: IdentityService
    emails: EmailService
    mailer: Mailer
    shops: ShopService
    inventory: InventoryService
    orders: OrderService
    cases: CaseService
    decisions: DecisionService
    forecasts: ForecastService
    precedents: PrecedentService
    rulebook: RulebookService
    evidence: EvidenceService
    webhooks: WebhookService
    archive: Archive
    custody: SandboxInstitution


def services_of(request: Request[Any, Any, Any]) -> Services:
    """Return the services that wiring put on the application."""
    services: Services = request.app.state.kabao
    return services


def visitor(request: Request[Any, Any, Any]) -> Visitor:
    """Describe the caller's device and network, as records keep them."""
    return visitor_of(request.headers.get("user-agent", ""), request.client.host if request.client else "")


async def enter(request: Request[Any, Any, Any]) -> None:
    """Find out who calls, whether the token's role takes this step, and read the body strictly; raises RefusedError.

    A token acts as one role whatever else its account may be; whose the object is, the services ask. What one owns
    may be read with any token.
    """
    options = request.route_handler.opt
    if not options.get(UNSIGNED):
        person = await _person(request)
        if person is None and not options.get(PUBLIC):
            raise refuse_now(Refusal.SIGN_IN_REQUIRED)
        request.scope["user"] = person
        if person is not None and request.method not in READS and person.roles.isdisjoint(options.get(ACTS_AS, ())):
            raise refuse_now(Refusal.NOT_ALLOWED)
    data = request.route_handler.parsed_fn_signature.parameters.get("data")
    if data is not None and not options.get(FORM) and request.method in (HTTPMethod.POST, HTTPMethod.PUT):
        if request.content_type[0] != "application/json":
            raise refuse_now(Refusal.MALFORMED, {"content-type": "application/json"})
        _read_strictly(await request.body(), data.annotation, language_of(request.headers.get("accept-language", "")))


def reference(text: str) -> Ref:
    """Read a reference of the path; what is none names nothing."""
    ref = parse_ref(text)
    if ref is None:
        raise refuse_now(Refusal.NOT_FOUND)
    return ref


def as_itself(request: Caller, side: str) -> None:
    """Refuse a token whose account stands on another side of this order or case than the token's role."""
    if side not in request.user.roles:
        raise refuse_now(Refusal.NOT_ALLOWED)


async def slow_down(request: Caller, act: Act, *about: object) -> None:
    """Refuse a caller who did this too often; the limits are identity's, the same as for pages."""
    if not await services_of(request).identity.may(act, request.user.account_id, *about):
        raise refuse_now(Refusal.TOO_MANY_TRIES)


async def _person(request: Request[Any, Any, Any]) -> Person | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if not scheme:
        return None
    token = token.strip()
    known = None
    if scheme.lower() == "bearer" and 0 < len(token) <= LONGEST_TOKEN:
        known = await services_of(request).identity.token(token)
    if known is None:
        raise refuse_now(Refusal.SIGN_IN_REQUIRED)
    return known


@cache
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def _read_strictly(body: bytes, kind: Any, language: str) -> None:
    try:
        _decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        raise RefusedError(Refused(Refusal.INVALID_FIELDS, _fields(str(error), language))) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise refuse_now(Refusal.MALFORMED) from error


def _fields(message: str, language: str) -> dict[str, str]:
    """Name the field that a decoder's message is about; the message itself may quote what was sent."""
    kind = "unknown" if "unknown field" in message else "missing" if "missing required field" in message else "wrong"
    path, quoted = _PATH.search(message), _QUOTED.search(message)
    name = quoted[1] if quoted and kind != "wrong" else path[1] if path and path[1] else "body"
    return {name: _WORDS[kind][language]}
