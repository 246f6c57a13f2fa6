"""What anyone may read, and what a merchant does: shops, listings, stock."""

from dataclasses import dataclass
from typing import Annotated, Final
from urllib.parse import unquote

from litestar import get, post, put
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import FromPath, HeaderParameter, JSONBody, QueryParameter

from kabao.api.documents import READING, STEP
from kabao.api.entry import ACTS_AS, MERCHANT, PUBLIC, Caller, reference, services_of, slow_down
from kabao.api.inputs import ListingIn, ShopIn
from kabao.api.problems import granted, refuse_now
from kabao.api.shapes import ImportOut, ImportPage, ListingOut, ListingPage, ShopOut, ShopPage
from kabao.identity import Act
from kabao.kernel import ListingId, Refusal, ShopId
from kabao.shops import parse_shop_ref

PAGE_SIZE: Final = 50
IMPORT_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of one key file over HTTP; `kabao keys import` takes larger ones."""
KEY_FILES: Final = frozenset({"text/csv", "text/plain", "application/octet-stream"})
SEARCH_LIMIT: Final = 60
NAME_LIMIT: Final = 120
VISIBLE: Final = r"^[^\x00-\x1f\x7f]*$"
"""What words to look for consist of: no control character."""


@get("/listings", opt={PUBLIC: True}, responses=READING, tags=["market"])
async def listings(
    request: Caller,
    q: Annotated[str, QueryParameter(max_length=SEARCH_LIMIT, pattern=VISIBLE, description="Words to look for.")] = "",
    before: Annotated[str, QueryParameter(max_length=40, description="`next` of the previous page.")] = "",
    limit: Annotated[int, QueryParameter(ge=1, le=PAGE_SIZE)] = PAGE_SIZE,
) -> ListingPage:
    """List what is on sale, newest first, or what a search finds."""
    cards = await services_of(request).shops.search(q.strip(), limit=limit, before=before or None)
    return ListingPage(listings=cards, next=cards[-1].ref if len(cards) == limit else "")


@get("/listings/{ref:str}", opt={PUBLIC: True}, responses=READING, tags=["market"])
async def listing(request: Caller, ref: FromPath[str]) -> ListingOut:
    """Show a listing: price, terms, notices to confirm, and the number of the snapshot to order."""
    return ListingOut.of(granted(await services_of(request).shops.listing(ref, request.user)))


@get("/shops", responses=READING, tags=["merchant"])
async def my_shops(request: Caller) -> ShopPage:
    """List the caller's shops."""
    return ShopPage(shops=[ShopOut.of(shop) for shop in await services_of(request).shops.my_shops(request.user)])


@post("/shops", opt={ACTS_AS: MERCHANT}, responses=STEP, tags=["merchant"])
async def open_shop(request: Caller, data: JSONBody[ShopIn]) -> ShopOut:
    """Open a shop, in the name of the account that the merchant token stands for."""
    await slow_down(request, Act.OPEN_SHOP)
    return ShopOut.of(granted(await services_of(request).shops.open_shop(request.user, data.form())))


@post("/shops/{shop:str}/listings", opt={ACTS_AS: MERCHANT}, responses=STEP, tags=["merchant"])
async def write_listing(request: Caller, shop: FromPath[str], data: JSONBody[ListingIn]) -> ListingOut:
    """Write a listing; it stays a draft until it is published."""
    shop_id = _shop(shop)
    return ListingOut.of(
        granted(await services_of(request).shops.save_listing(request.user, shop_id, None, data.draft()))
    )


@put("/shops/{shop:str}/listings/{ref:str}", opt={ACTS_AS: MERCHANT}, responses=STEP, tags=["merchant"])
async def change_listing(
    request: Caller, shop: FromPath[str], ref: FromPath[str], data: JSONBody[ListingIn]
) -> ListingOut:
    """Change a listing; the change makes a new snapshot, orders keep the one they were placed on."""
    shop_id, listing_id = _shop(shop), _listing(shop, ref)
    return ListingOut.of(
        granted(await services_of(request).shops.save_listing(request.user, shop_id, listing_id, data.draft()))
    )


@post(
    "/shops/{shop:str}/listings/{ref:str}/publish",
    opt={ACTS_AS: MERCHANT},
    responses=STEP,
    status_code=200,
    tags=["merchant"],
)
async def publish(request: Caller, shop: FromPath[str], ref: FromPath[str]) -> ListingOut:
    """Put a listing on sale, once the shop's identity is complete and the goods may be sold."""
    shop_id, listing_id = _shop(shop), _listing(shop, ref)
    return ListingOut.of(granted(await services_of(request).shops.publish(request.user, shop_id, listing_id)))


@post(
    "/shops/{shop:str}/listings/{ref:str}/pause",
    opt={ACTS_AS: MERCHANT},
    responses=STEP,
    status_code=200,
    tags=["merchant"],
)
async def pause(request: Caller, shop: FromPath[str], ref: FromPath[str]) -> ListingOut:
    """Take a listing off sale; what was sold stays as it is."""
    shop_id, listing_id = _shop(shop), _listing(shop, ref)
    return ListingOut.of(granted(await services_of(request).shops.pause(request.user, shop_id, listing_id)))


@dataclass
class KeyFileOperation(Operation):
    """Says that the body is a key file, streamed."""

    def __post_init__(self) -> None:
        """Fill in the body, which no handler argument describes."""
        text = OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))
        self.request_body = RequestBody(content={"text/csv": text, "text/plain": text}, required=True)


@post(
    "/shops/{shop:str}/listings/{ref:str}/keys",
    opt={ACTS_AS: MERCHANT},
    responses=STEP,
    request_max_body_size=IMPORT_LIMIT,
    operation_class=KeyFileOperation,
    tags=["merchant"],
)
async def import_keys(
    request: Caller,
    shop: FromPath[str],
    ref: FromPath[str],
    file_name: Annotated[str, HeaderParameter(name="X-File-Name", required=False, max_length=400)] = "",
) -> ImportOut:
    """Import card keys from the body: text, one key a line, or CSV whose first line names its columns; at most 64 MiB.

    Known are one column (`key`, `code`, `cdkey`, 卡密, 兑换码, 激活码, 序列号) and keys in two (`card` and `pin`,
    `account` and `password`, 卡号 and 密码), which are joined into one; a CSV file of several columns without one of
    them is refused. Duplicates are counted against all of the shop's own stock; bad lines are listed by number, never
    by text.
    """
    if request.content_type[0] not in KEY_FILES:
        raise refuse_now(Refusal.MALFORMED, {"content-type": "text/csv"})
    services = services_of(request)
    shop_id, listing_id = _shop(shop), _listing(shop, ref)
    granted(await services.shops.shop(request.user, shop_id))
    report = await services.inventory.import_keys(
        shop_id,
        listing_id,
        request.stream(),
        _file_name(file_name) or ("api.csv" if request.content_type[0] == "text/csv" else "api.txt"),
        request.content_length or 0,
    )
    return ImportOut.of(granted(report))


@get("/shops/{shop:str}/listings/{ref:str}/imports", responses=READING, tags=["merchant"])
async def imports(request: Caller, shop: FromPath[str], ref: FromPath[str]) -> ImportPage:
    """List the imports of a listing, newest first."""
    services = services_of(request)
    shop_id, listing_id = _shop(shop), _listing(shop, ref)
    granted(await services.shops.shop(request.user, shop_id))
    return ImportPage(
        imports=[ImportOut.of(report) for report in await services.inventory.imports(shop_id, listing_id)]
    )


@post(
    "/shops/{shop:str}/imports/{ref:str}/withdraw",
    opt={ACTS_AS: MERCHANT},
    responses=STEP,
    status_code=200,
    tags=["merchant"],
)
async def withdraw_import(request: Caller, shop: FromPath[str], ref: FromPath[str]) -> ImportOut:
    """Take an import's still available keys out of stock; keys in orders stay, and the texts may be imported anew."""
    services = services_of(request)
    shop_id, import_id = _shop(shop), _listing(shop, ref)
    granted(await services.shops.shop(request.user, shop_id))
    granted(await services.inventory.withdraw_import(shop_id, import_id))
    return ImportOut.of(granted(await services.inventory.import_status(shop_id, import_id)))


def _file_name(header: str) -> str:
    """Read a name as it is shown: without what cannot be seen, at most 120 characters."""
    return "".join(letter for letter in unquote(header) if letter.isprintable())[:NAME_LIMIT].strip()


def _shop(text: str) -> ShopId:
    shop_id = parse_shop_ref(text)
    if shop_id is None:
        raise refuse_now(Refusal.NOT_FOUND)
    return shop_id


def _listing(shop: str, text: str) -> ListingId:
    ref = reference(text)
    if ref.shop_id != _shop(shop):
        raise refuse_now(Refusal.NOT_FOUND)
    return ListingId(ref.object_id)


open_handlers = [listings, listing]
handlers = [my_shops, open_shop, write_listing, change_listing, publish, pause, import_keys, imports, withdraw_import]
