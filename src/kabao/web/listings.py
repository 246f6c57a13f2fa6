"""A merchant's listings: the list, the editor with structured terms, on sale and off."""

import re
from typing import Final

import msgspec
from litestar import get, post
from litestar.params import FromPath

from kabao.kernel import Refusal, Refused, parse_ref, parse_yuan, yuan_text
from kabao.shops import (
    CATEGORIES,
    MAX_DESCRIPTION,
    MAX_PRICE_MINOR,
    PROHIBITED,
    ChangedMind,
    ListingDraft,
    ListingView,
    ShopView,
    Terms,
    clean_draft,
    draft_faults,
)
from kabao.web.http import Form, Page, PageRequest, Visit, page, posted, redirect, refusal_page, signed
from kabao.web.merchant import own_shop, shop_of
from kabao.web.rewriting import WATCHED, Rewritten, rewritten, told
from kabao.web.words import PAUSED, PUBLISHED, SAVED, duration

PROMISES: Final = ((60, "1 分钟内"), (600, "10 分钟内"), (3600, "1 小时内"), (86400, "24 小时内"))
CHANGED_MIND: Final = (("none", "不退", ""), ("partial", "扣一部分，退其余", "要填扣多少"))
IN_ORDER: Final = (
    "title",
    "category",
    "description",
    "price_minor",
    "max_quantity",
    "validity_text",
    "region_text",
    "delivery_promise_seconds",
    "escrow_hours",
    "claim_days",
    "warranty_days",
    "changed_mind_after_open",
    "partial_fee_percent",
    "free_text",
)
"""The fields as the form has them, so that the list of what to change reads from top to bottom."""
NUMBERS: Final = ("max_quantity", "delivery_promise_seconds", "escrow_hours", "claim_days", "warranty_days")
TEXTS: Final = ("title", "description", "category", "validity_text", "region_text", "free_text")


@get("/m/{shop:str}/listings")
async def listings_page(request: PageRequest, shop: FromPath[str]) -> Page:
    """List everything the shop has written, drafts included."""
    found = await shop_of(request, shop)
    if not isinstance(found, tuple):
        return found
    visit, mine = found
    cards = await visit.services.shops.listings_of(visit.me, mine.shop_id)
    if isinstance(cards, Refused):
        return refusal_page(visit, cards, back="/m", link="回卖家中心")
    return page("m_listings.html", visit, shop=mine, cards=cards, categories=CATEGORIES)


@get("/m/{shop:str}/listings/new")
async def new_listing_page(request: PageRequest, shop: FromPath[str]) -> Page:
    """Ask for a new listing, with terms that are fair from the start."""
    return await _edit_page(request, shop, None)


@post("/m/{shop:str}/listings/new", status_code=200)
async def new_listing(request: PageRequest, shop: FromPath[str]) -> Page:
    """Write a new listing as a draft."""
    return await _save(request, shop, None)


@get("/m/{shop:str}/listings/{ref:str}")
async def edit_listing_page(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Show a listing to be changed, beside what the buyer sees."""
    return await _edit_page(request, shop, ref)


@post("/m/{shop:str}/listings/{ref:str}", status_code=200)
async def edit_listing(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Change a listing: a new version; orders that exist keep theirs."""
    return await _save(request, shop, ref)


@post("/m/{shop:str}/listings/{ref:str}/pause", status_code=200)
async def pause(request: PageRequest, shop: FromPath[str], ref: FromPath[str]) -> Page:
    """Take a listing off sale."""
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    found = await own_listing(visit, shop, ref)
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/m", link="回卖家中心")
    mine, listing = found
    done = await visit.services.shops.pause(visit.me, mine.shop_id, listing.listing_id)
    if isinstance(done, Refused):
        return refusal_page(visit, done, back=f"/m/{mine.ref}/listings/{listing.ref}", link="回到商品")
    return redirect(f"/m/{mine.ref}/listings/{listing.ref}", flash=PAUSED, visit=visit)


async def own_listing(visit: Visit, shop: str, ref: str) -> tuple[ShopView, ListingView] | Refused:
    """Find a listing of one of the visitor's own shops."""
    mine = await own_shop(visit, shop)
    if isinstance(mine, Refused):
        return mine
    parsed = parse_ref(ref)
    if parsed is None or parsed.shop_id != mine.shop_id:
        return Refused(Refusal.NOT_FOUND)
    listing = await visit.services.shops.listing(ref, visit.me)
    return listing if isinstance(listing, Refused) else (mine, listing)


async def _edit_page(request: PageRequest, shop: str, ref: str | None) -> Page:
    visit = await signed(request)
    if not isinstance(visit, Visit):
        return visit
    found = await _shop_and_listing(visit, shop, ref)
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/m", link="回卖家中心")
    mine, listing = found
    return await _form(visit, mine, listing, _blank() if listing is None else _filled(listing))


async def _save(request: PageRequest, shop: str, ref: str | None) -> Page:
    visit = await posted(request)
    if not isinstance(visit, Visit):
        return visit
    found = await _shop_and_listing(visit, shop, ref)
    if isinstance(found, Refused):
        return refusal_page(visit, found, back="/m", link="回卖家中心")
    return await (_rewrite if visit.form.text("rewrite") else _keep)(visit, *found)


async def _keep(visit: Visit, mine: ShopView, listing: ListingView | None) -> Page:
    typed = _typed(visit.form)
    draft = read_draft(visit.form)
    if isinstance(draft, dict):
        return await _form(visit, mine, listing, typed, errors=draft, status=422)
    saved = await visit.services.shops.save_listing(
        visit.me, mine.shop_id, None if listing is None else listing.listing_id, draft
    )
    if isinstance(saved, Refused):
        if saved.code is Refusal.TERMS_UNFAIR:
            faulty = clean_draft(draft)
            typed |= faulty.texts
            return await _form(visit, mine, listing, typed, errors={"": saved.zh}, checked=faulty, status=saved.status)
        errors = in_order(saved.fields) or {"": saved.zh}
        return await _form(visit, mine, listing, typed, errors=errors, status=saved.status)
    path = f"/m/{mine.ref}/listings/{saved.ref}"
    if listing and visit.form.text("then") == "publish":
        return await _publish(visit, mine, saved)
    # A draft that could not be put on sale stays here, where the page says why.
    stays = listing is not None or bool(prohibited(_filled(saved)))
    return redirect(path if stays else f"{path}/keys", flash=SAVED, visit=visit)


async def _publish(visit: Visit, shop: ShopView, saved: ListingView) -> Page:
    done = await visit.services.shops.publish(visit.me, shop.shop_id, saved.listing_id)
    if isinstance(done, Refused):
        is_unfair = done.code is Refusal.TERMS_UNFAIR
        errors = {"": f"已保存，没有上架。{done.zh}"} | ({} if is_unfair else in_order(done.fields))
        checked = draft_of(saved) if is_unfair else None
        return await _form(visit, shop, saved, _filled(saved), errors=errors, checked=checked, status=done.status)
    return redirect(f"/m/{shop.ref}/listings/{saved.ref}", flash=PUBLISHED, visit=visit)


async def _shop_and_listing(visit: Visit, shop: str, ref: str | None) -> tuple[ShopView, ListingView | None] | Refused:
    if ref is not None:
        return await own_listing(visit, shop, ref)
    mine = await own_shop(visit, shop)
    return mine if isinstance(mine, Refused) else (mine, None)


def in_order(errors: dict[str, str]) -> dict[str, str]:
    """Put what is wrong in the order of the form; what belongs to no field of it comes last."""
    return {name: errors[name] for name in IN_ORDER if name in errors} | {
        name: text for name, text in errors.items() if name not in IN_ORDER
    }


def prohibited(form: dict[str, object]) -> list[str]:
    """Say where a text names goods that may not be sold, so that a draft is told before it is finished."""
    found = {label: PROHIBITED.find(str(form[name])) for name, label in WATCHED.items()}
    return [f"{label}：{finding.sentence}" for label, finding in found.items() if finding is not None]


def draft_of(listing: ListingView) -> ListingDraft:
    """Return a listing as it is saved, to be read anew."""
    return ListingDraft(
        title=listing.title,
        description=listing.description,
        category=listing.category,
        price_minor=listing.price_minor,
        max_quantity=listing.max_quantity,
        terms=listing.terms,
    )


async def _rewrite(visit: Visit, shop: ShopView, listing: ListingView | None) -> Page:
    """Put the words of a finding into the form as it was sent, and read it anew; nothing is saved."""
    draft = clean_draft(typed_draft(visit.form))
    if any(len(text) > MAX_DESCRIPTION for text in draft.texts.values()):
        # No listing is that long, and reading takes its time.
        errors = in_order(draft_faults(draft, CATEGORIES))
        return await _form(visit, shop, listing, _typed(visit.form), errors=errors, status=422)
    faults = await visit.services.shops.terms_faults(draft)
    done = rewritten(draft, faults, visit.form.text("rewrite"))
    form = _typed(visit.form) | draft.texts | ({done.fault.field: done.text} if done else {})
    if done:
        draft = clean_draft(with_text(draft, done.fault.field, done.text))
    return await _form(visit, shop, listing, form, checked=draft, done=done, is_gone=done is None)


def beyond_escrow(form: dict[str, object]) -> list[str]:
    """Name the terms that run on after the money is released, when the platform can no longer hold it back."""
    hours, days = (str(form[name]) for name in ("escrow_hours", "claim_days"))
    warranty = str(form["warranty_days"])
    if not hours.isdigit():
        return []
    named = (("快办期", days), ("质保", warranty))
    return [f"{label} {text} 天" for label, text in named if text.isdigit() and int(text) * 24 > int(hours)]


def price_fault(text: str) -> str:
    """Say why a price cannot be read; empty where it can, whatever it is worth."""
    bare = text.lstrip("¥￥").strip()
    if not bare:
        return "填价格，例如 96.50"
    if parse_yuan(text) is not None:
        return ""
    if re.fullmatch(r"-[0-9.]+", bare):
        return "单价要大于 0。"
    if re.fullmatch(r"[0-9]+\.[0-9]{3,}", bare):
        return "最多两位小数，例如 96.50"
    if re.fullmatch(r"[0-9,，]+(\.[0-9]{1,2})?", bare) and len(re.sub(r"[,，]|\..*", "", bare).lstrip("0")) > 7:  # noqa: PLR2004
        return f"单价最多 {MAX_PRICE_MINOR // 100} 元。"
    return "价格填数字，例如 96.50"


def read_draft(form: Form) -> ListingDraft | dict[str, str]:
    """Read the editor; answers everything that is wrong at once, so that nobody corrects a form twice."""
    errors: dict[str, str] = {}
    if fault := price_fault(form.text("price_minor")):
        errors["price_minor"] = fault
    errors |= {name: "填整数" for name in NUMBERS if form.number(name) is None}
    mind = form.text("changed_mind_after_open")
    if mind not in set(ChangedMind):
        errors["changed_mind_after_open"] = "选一种"
    if mind == ChangedMind.PARTIAL and form.number("partial_fee_percent") is None:
        errors["partial_fee_percent"] = "填扣百分之几，例如 20"
    draft = typed_draft(form)
    # What could not be read says so itself; the rules speak of what could.
    faults = draft_faults(clean_draft(draft), CATEGORIES) | errors
    return in_order(faults) if faults else draft


def typed_draft(form: Form) -> ListingDraft:
    """Return what can be read of the editor; a number or choice that cannot be is taken as 0 or none."""
    numbers = {name: form.number(name) or 0 for name in NUMBERS}
    mind = form.text("changed_mind_after_open")
    price = parse_yuan(form.text("price_minor"))
    return ListingDraft(
        title=form.text("title"),
        description=form.text("description"),
        category=form.text("category"),
        price_minor=price.minor if price else 0,
        max_quantity=numbers["max_quantity"],
        terms=Terms(
            delivery_promise_seconds=numbers["delivery_promise_seconds"],
            escrow_hours=numbers["escrow_hours"],
            claim_days=numbers["claim_days"],
            warranty_days=numbers["warranty_days"],
            replacement_offered=form.ticked("replacement_offered"),
            validity_text=form.text("validity_text"),
            region_text=form.text("region_text"),
            changed_mind_after_open=ChangedMind(mind) if mind in set(ChangedMind) else ChangedMind.NONE,
            partial_fee_percent=form.number("partial_fee_percent") if mind == ChangedMind.PARTIAL else None,
            free_text=form.text("free_text"),
        ),
    )


def with_text(draft: ListingDraft, field: str, text: str) -> ListingDraft:
    """Return the draft with one of its texts replaced."""
    if field in {"title", "description"}:
        return msgspec.structs.replace(draft, **{field: text})
    return msgspec.structs.replace(draft, terms=msgspec.structs.replace(draft.terms, **{field: text}))


def _typed(form: Form) -> dict[str, object]:
    fields = (*TEXTS, *NUMBERS, "price_minor", "changed_mind_after_open", "partial_fee_percent")
    return {name: form.text(name) for name in fields} | {"replacement_offered": form.ticked("replacement_offered")}


def _blank() -> dict[str, object]:
    return _of_terms(Terms()) | {
        "title": "",
        "description": "",
        "category": next(iter(CATEGORIES)),
        "price_minor": "",
        "max_quantity": "10",
    }


def _filled(listing: ListingView) -> dict[str, object]:
    return _of_terms(listing.terms) | {
        "title": listing.title,
        "description": listing.description,
        "category": listing.category,
        "price_minor": yuan_text(listing.price_minor).lstrip("¥").replace(",", ""),
        "max_quantity": str(listing.max_quantity),
    }


def _of_terms(terms: Terms) -> dict[str, object]:
    return {
        "delivery_promise_seconds": str(terms.delivery_promise_seconds),
        "escrow_hours": str(terms.escrow_hours),
        "claim_days": str(terms.claim_days),
        "warranty_days": str(terms.warranty_days),
        "replacement_offered": terms.replacement_offered,
        "validity_text": terms.validity_text,
        "region_text": terms.region_text,
        "changed_mind_after_open": terms.changed_mind_after_open.value,
        "partial_fee_percent": "" if terms.partial_fee_percent is None else str(terms.partial_fee_percent),
        "free_text": terms.free_text,
    }


async def _form(
    visit: Visit,
    shop: ShopView,
    listing: ListingView | None,
    form: dict[str, object],
    *,
    errors: dict[str, str] | None = None,
    checked: ListingDraft | None = None,
    done: Rewritten | None = None,
    is_gone: bool = False,
    status: int = 200,
) -> Page:
    """Show the editor; the terms checker reads ``checked``, or the listing as it is saved where nothing is wrong."""
    if checked is None and listing and not errors:
        checked = draft_of(listing)
    promises = list(PROMISES)
    given = str(form["delivery_promise_seconds"])
    if given.isdigit() and int(given) not in dict(PROMISES):
        promises.append((int(given), duration(int(given)) + "内"))
    return page(
        "m_listing.html",
        visit,
        status=status,
        errors=errors or {},
        shop=shop,
        l=listing,
        form=form,
        categories=[(c.category_id, c.name_zh) for c in CATEGORIES.values()],
        promises=[(str(seconds), text) for seconds, text in promises],
        changed_mind=CHANGED_MIND,
        duration=duration,
        beyond=beyond_escrow(form),
        prohibited=[] if listing is None else prohibited(form),
        unfair=told(checked, await visit.services.shops.terms_faults(checked)) if checked else [],
        done=done,
        is_gone=is_gone,
    )


handlers = [
    listings_page,
    new_listing_page,
    new_listing,
    edit_listing_page,
    edit_listing,
    pause,
]
