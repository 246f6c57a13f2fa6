"""What anyone may see: the list of goods with a search, a listing, a shop."""

from itertools import accumulate
from typing import Final

from litestar import get
from litestar.params import FromPath

from kabao.cases import Windows
from kabao.kernel import Refusal, Refused
from kabao.shops import CATEGORIES, parse_shop_ref
from kabao.web.http import Page, PageRequest, enter, page, refusal_page
from kabao.web.words import duration

SEARCH_LIMIT: Final = 60
PAGE_SIZE: Final = 24
LINES_SHOWN: Final = 6
LINE_CHARS: Final = 20

LADDER: Final = (
    ("协商", f"{Windows().reply} 小时", "todo"),
    ("客服", f"{Windows().support} 小时", "todo"),
    ("争议组", f"{Windows().panel} 小时", "todo"),
    ("外部", "你决定", "todo"),
)
"""How a quarrel rises, as every listing shows it, with the longest time of each rung."""


@get("/")
async def home(request: PageRequest) -> Page:
    """List what is on sale, newest first, or what a search finds."""
    visit = await enter(request)
    words = seen_only(request.query_params.get("q", "")[:SEARCH_LIMIT]).strip()
    before = request.query_params.get("before", "")[:SEARCH_LIMIT] or None
    cards = await visit.services.shops.search(words, limit=PAGE_SIZE, before=before)
    return page(
        "home.html",
        visit,
        q=words,
        cards=cards,
        categories=CATEGORIES,
        more=cards[-1].ref if len(cards) == PAGE_SIZE else "",
    )


@get("/i/{ref:str}")
async def listing_page(request: PageRequest, ref: FromPath[str]) -> Page:
    """Show one listing with everything a buyer has to know before paying."""
    visit = await enter(request)
    listing = await visit.services.shops.listing(ref, visit.person)
    if isinstance(listing, Refused):
        return refusal_page(visit, listing, link="看别的商品")
    return page(
        "listing.html",
        visit,
        l=listing,
        category=CATEGORIES.get(listing.category),
        ladder_steps=LADDER,
        duration=duration,
        described=first_lines(listing.description),
    )


def seen_only(text: str) -> str:
    """Drop what cannot be seen: nobody looks for it, and a database takes no NUL."""
    return "".join(letter for letter in text if letter.isprintable())


def first_lines(text: str) -> tuple[str, str]:
    """Split a long description after its first lines, so that the terms below it stay in reach; "" where it is short.

    A line of a phone holds about twenty characters.
    """
    lines = text.split("\n")
    heights = [max(1, -(-len(line) // LINE_CHARS)) for line in lines]
    # A few lines more are shown rather than hidden behind a line of their own.
    if sum(heights) <= LINES_SHOWN + 2:
        return text, ""
    if heights[0] > LINES_SHOWN:
        cut = LINE_CHARS * LINES_SHOWN
        return text[:cut] + "…", "…" + text[cut:]
    shown = sum(so_far <= LINES_SHOWN for so_far in accumulate(heights))
    return "\n".join(lines[:shown]), "\n".join(lines[shown:])


@get("/s/{shop:str}")
async def shop_page(request: PageRequest, shop: FromPath[str]) -> Page:
    """Show a shop: who runs it and what it sells."""
    visit = await enter(request)
    shop_id = parse_shop_ref(shop)
    found = await visit.services.shops.public_shop(shop_id) if shop_id else Refused(Refusal.NOT_FOUND)
    if isinstance(found, Refused):
        return refusal_page(visit, found, link="看别的店")
    return page(
        "shop.html", visit, shop=found.card, address=found.address, listings=found.listings, categories=CATEGORIES
    )


handlers = [home, listing_page, shop_page]
