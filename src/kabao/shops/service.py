"""What merchants do with their shops and listings, and what buyers look at."""

import asyncio
from collections.abc import Sequence
from typing import Final

from kabao.kernel import (
    Clock,
    IdSource,
    ListingId,
    Refusal,
    Refused,
    ShopId,
    digest_of,
    parse_ref,
)
from kabao.ledger import LedgerService
from kabao.postgres import Connection, Database
from kabao.shops import store
from kabao.shops.goods import CATEGORIES, PROHIBITED, ProhibitedList
from kabao.shops.model import (
    Category,
    ListingCard,
    ListingDraft,
    ListingState,
    ListingView,
    PublicShop,
    ShopForm,
    ShopState,
    ShopView,
    Snapshot,
    TermsFault,
    listing_ref,
)
from kabao.shops.ports import OnMerchant, Owner, TermsCheck
from kabao.shops.rules import (
    MAX_LISTINGS_PER_SHOP,
    MAX_SHOPS_PER_OWNER,
    clean_draft,
    clean_shop,
    draft_faults,
    search_pattern,
    shop_faults,
    snapshot_document,
)

SEARCH_MAX: Final = 50
_NOT_FOUND: Final = Refused(Refusal.NOT_FOUND)


async def _nobody_asked(_account_id: int) -> None:
    """Grant no role: for a caller that keeps none."""


def _nothing_found(_draft: ListingDraft) -> Sequence[TermsFault]:
    return ()


class ShopService:
    """Opens shops, keeps listings and their snapshots, answers what is on sale.

    `fee_bps` is the platform's fee for new shops; `on_merchant` grants the owner the merchant role; `terms_check` reads
    a listing's words before they are on sale.
    """

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: IdSource,
        fee_bps: int,
        on_merchant: OnMerchant = _nobody_asked,
        terms_check: TermsCheck = _nothing_found,
        prohibited: ProhibitedList = PROHIBITED,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._fee_bps = fee_bps
        self._on_merchant = on_merchant
        self._prohibited = prohibited
        self._terms_check = terms_check
        self._ledger = LedgerService(database=database)

    def categories(self) -> list[Category]:
        """Return the kinds of goods that may be sold, in the order of the form."""
        return list(CATEGORIES.values())

    async def open_shop(self, owner: Owner, form: ShopForm) -> ShopView | Refused:
        """Open a shop for the owner, whose verified phone becomes its contact; INVALID_FIELDS."""
        tidy = clean_shop(form)
        if faults := shop_faults(tidy):
            return Refused(Refusal.INVALID_FIELDS, faults)
        # A role without a shop does no harm; a shop whose owner lacks the role could not be reached.
        await self._on_merchant(owner.account_id)
        async with self._database.transaction() as conn:
            phone = await store.lock_owner(conn, owner.account_id)
            if phone is None:
                return _NOT_FOUND
            if await store.count_shops(conn, owner.account_id) >= MAX_SHOPS_PER_OWNER:
                return Refused(
                    Refusal.INVALID_FIELDS, {"name": f"一个账号最多开 {MAX_SHOPS_PER_OWNER} 家店，没有再开。"}
                )
            shop = await store.insert_shop(
                conn,
                owner_id=owner.account_id,
                form=tidy,
                phone=phone,
                fee_bps=self._fee_bps,
                at=self._clock.instant(),
            )
            await self._ledger.open_accounts(conn, ShopId(shop.shop_id))
            return shop

    async def update_shop(self, owner: Owner, shop_id: int, form: ShopForm) -> ShopView | Refused:
        """Change what the merchant states; listings that show it get a new snapshot in the same transaction."""
        tidy = clean_shop(form)
        faults = shop_faults(tidy)
        async with self._database.transaction() as conn:
            shop = await _own(conn, owner, shop_id, lock=True)
            if shop is None:
                return _NOT_FOUND
            if faults:
                return Refused(Refusal.INVALID_FIELDS, faults)
            changed = await store.update_shop(conn, shop_id, tidy)
            shown = {"name": tidy.name, "legal_name": tidy.legal_name, "licence_number": tidy.licence_number}
            for listing_id, snapshot_no, document in await store.current_documents(conn, shop_id):
                if document["shop"] != shown:
                    await self._keep(conn, shop_id, listing_id, snapshot_no + 1, document | {"shop": shown})
            return changed

    async def set_selling(self, owner: Owner, shop_id: int, *, selling: bool) -> ShopView | Refused:
        """Open or pause the whole shop; orders that exist go on. NOT_ALLOWED for a closed shop."""
        async with self._database.transaction() as conn:
            if await _own(conn, owner, shop_id, lock=True) is None:
                return _NOT_FOUND
            state = ShopState.OPEN if selling else ShopState.PAUSED
            return await store.set_shop_state(conn, shop_id, state) or Refused(Refusal.NOT_ALLOWED)

    async def my_shops(self, owner: Owner) -> list[ShopView]:
        """Return the owner's shops, oldest first."""
        async with self._database.connection() as conn:
            return await store.shops_of(conn, owner.account_id)

    async def shop(self, owner: Owner, shop_id: int) -> ShopView | Refused:
        """Return one of the owner's shops; NOT_FOUND for a stranger."""
        async with self._database.connection() as conn:
            return await _own(conn, owner, shop_id) or _NOT_FOUND

    async def listings_of(self, owner: Owner, shop_id: int) -> list[ListingCard] | Refused:
        """Return every listing of the owner's shop, drafts included, newest first."""
        async with self._database.connection() as conn:
            if await _own(conn, owner, shop_id) is None:
                return _NOT_FOUND
            return await store.listings_of(conn, shop_id, list(ListingState), limit=MAX_LISTINGS_PER_SHOP)

    async def save_listing(
        self, owner: Owner, shop_id: int, listing_id: int | None, draft: ListingDraft
    ) -> ListingView | Refused:
        """Write a new listing (as a draft) or change one; a change makes a new snapshot, on sale at once where it was.

        INVALID_FIELDS, and GOODS_PROHIBITED or TERMS_UNFAIR where the listing is live, with a sentence for each field.
        """
        tidy = clean_draft(draft)
        faults = draft_faults(tidy, CATEGORIES)
        async with self._database.transaction() as conn:
            shop = await _own(conn, owner, shop_id, lock=True)
            if shop is None:
                return _NOT_FOUND
            current = None if listing_id is None else await store.lock_listing(conn, shop_id, listing_id)
            if listing_id is not None and current is None:
                return _NOT_FOUND
            if faults:
                return Refused(Refusal.INVALID_FIELDS, faults)
            if current is None:
                if await store.count_listings(conn, shop_id) >= MAX_LISTINGS_PER_SHOP:
                    return Refused(
                        Refusal.INVALID_FIELDS, {"title": f"一家店最多 {MAX_LISTINGS_PER_SHOP} 件商品，没有再加。"}
                    )
                listing_id = ListingId(self._ids.next())
                await store.insert_listing(conn, shop_id, listing_id, self._clock.instant())
            elif current.state is ListingState.LIVE and (refused := await self._unsaleable(tidy)):
                return refused
            assert listing_id is not None  # noqa: S101  given, or made just above
            document = snapshot_document(
                tidy,
                CATEGORIES[tidy.category],
                listing_ref=listing_ref(shop_id, listing_id),
                name=shop.name,
                legal_name=shop.legal_name,
                licence_number=shop.licence_number,
            )
            if current is None or current.digest != digest_of(document):
                number = 1 if current is None else current.snapshot_no + 1
                await self._keep(conn, shop_id, listing_id, number, document)
            return await _view(conn, shop_id, listing_id)

    async def publish(self, owner: Owner, shop_id: int, listing_id: int) -> ListingView | Refused:
        """Put a listing on sale.

        SHOP_INCOMPLETE (fields: what is missing), NOT_ALLOWED for a closed shop, INVALID_FIELDS for a listing that no
        longer keeps the rules, GOODS_PROHIBITED (fields: what is named where, and by which law), TERMS_UNFAIR
        (fields: words that by law should be void or contradict the structured terms).
        """
        async with self._database.transaction() as conn:
            shop = await _own(conn, owner, shop_id, lock=True)
            current = None if shop is None else await store.lock_listing(conn, shop_id, listing_id)
            if shop is None or current is None:
                return _NOT_FOUND
            if shop.state is ShopState.CLOSED:
                return Refused(Refusal.NOT_ALLOWED)
            draft = store.draft_of(current.document)
            if faults := draft_faults(draft, CATEGORIES):
                return Refused(Refusal.INVALID_FIELDS, faults)
            if shop.gaps:
                return Refused(Refusal.SHOP_INCOMPLETE, shop.gaps)
            if refused := await self._unsaleable(draft):
                return refused
            await store.set_listing_state(conn, shop_id, listing_id, ListingState.LIVE)
            return await _view(conn, shop_id, listing_id)

    async def pause(self, owner: Owner, shop_id: int, listing_id: int) -> ListingView | Refused:
        """Take a listing off sale; a draft stays a draft, and orders that exist go on."""
        async with self._database.transaction() as conn:
            shop = await _own(conn, owner, shop_id, lock=True)
            current = None if shop is None else await store.lock_listing(conn, shop_id, listing_id)
            if current is None:
                return _NOT_FOUND
            if current.state is ListingState.LIVE:
                await store.set_listing_state(conn, shop_id, listing_id, ListingState.PAUSED)
            return await _view(conn, shop_id, listing_id)

    async def listing(self, ref: str, viewer: Owner | None = None) -> ListingView | Refused:
        """Return a listing for anyone, a draft for its owner only; NOT_FOUND."""
        parsed = parse_ref(ref)
        if parsed is None:
            return _NOT_FOUND
        async with self._database.connection() as conn:
            found = await store.read_listing(conn, parsed.shop_id, parsed.object_id)
        if found is None:
            return _NOT_FOUND
        is_owner = viewer is not None and viewer.account_id == found.owner_id
        return found.view if is_owner or found.stored_state is not ListingState.DRAFT else _NOT_FOUND

    async def snapshot(self, shop_id: int, listing_id: int, snapshot_no: int) -> Snapshot | None:
        """Return one version of a listing as it was shown; who may see it is the caller's to decide."""
        async with self._database.connection() as conn:
            return await store.read_snapshot(conn, shop_id, listing_id, snapshot_no)

    async def search(self, text: str = "", limit: int = 24, before: str | None = None) -> list[ListingCard]:
        """Return what is on sale whose title or shop contains the text, newest first; at most 50.

        `before` is the reference of the last listing already shown; one that does not exist answers nothing.
        """
        cursor = None
        if before is not None:
            cursor = parse_ref(before)
            if cursor is None:
                return []
        async with self._database.connection() as conn:
            return await store.search(conn, search_pattern(text), cursor, max(1, min(limit, SEARCH_MAX)))

    async def public_shop(self, shop_id: int) -> PublicShop | Refused:
        """Return a shop as anyone sees it; NOT_FOUND."""
        async with self._database.connection() as conn:
            shop = await store.read_shop(conn, shop_id)
            if shop is None:
                return _NOT_FOUND
            on_sale = [ListingState.LIVE] if shop.state is ShopState.OPEN else []
            listings = await store.listings_of(conn, shop_id, on_sale)
        return PublicShop(card=shop.card, address=shop.address, state=shop.state, listings=listings)

    async def terms_faults(self, draft: ListingDraft) -> Sequence[TermsFault]:
        """Say what is wrong in a listing's words, also what does not keep it off sale."""
        # Long words can take tenths of a second to read; others are served meanwhile.
        return await asyncio.to_thread(self._terms_check, draft)

    async def _unsaleable(self, draft: ListingDraft) -> Refused | None:
        if found := self._findings(draft):
            return Refused(Refusal.GOODS_PROHIBITED, found)
        unfair: dict[str, str] = {}
        for fault in await self.terms_faults(draft):
            if fault.blocks:
                unfair[fault.field] = unfair.get(fault.field, "") + fault.sentence
        return Refused(Refusal.TERMS_UNFAIR, unfair) if unfair else None

    def _findings(self, draft: ListingDraft) -> dict[str, str]:
        found = {field: self._prohibited.find(text) for field, text in draft.texts.items()}
        return {field: finding.sentence for field, finding in found.items() if finding is not None}

    async def _keep(
        self, conn: Connection, shop_id: int, listing_id: int, snapshot_no: int, document: dict[str, object]
    ) -> None:
        await store.insert_snapshot(
            conn,
            shop_id=shop_id,
            listing_id=listing_id,
            snapshot_no=snapshot_no,
            document=document,
            at=self._clock.instant(),
        )
        await store.point_listing(conn, shop_id, listing_id, snapshot_no)


async def _own(conn: Connection, owner: Owner, shop_id: int, *, lock: bool = False) -> ShopView | None:
    shop = await store.read_shop(conn, shop_id, lock=lock)
    return shop if shop is not None and shop.owner_id == owner.account_id else None


async def _view(conn: Connection, shop_id: int, listing_id: int) -> ListingView | Refused:
    found = await store.read_listing(conn, shop_id, listing_id)
    return _NOT_FOUND if found is None else found.view
