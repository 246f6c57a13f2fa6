"""Shops and listings against PostgreSQL: who may do what, what becomes a snapshot, what is on sale."""

import asyncio
from datetime import timedelta

import asyncpg
import msgspec
import pytest

from kabao.kernel import FixedClock, IdSource, Refusal, Refused, digest_of
from kabao.postgres import Database
from kabao.shops import (
    STOCK_SHOWN_MAX,
    ChangedMind,
    ListingDraft,
    ListingState,
    ListingView,
    ShopForm,
    ShopService,
    ShopState,
    ShopView,
    Terms,
    parse_shop_ref,
)
from market import open_account, person, stock

FORM = ShopForm(
    name="北辰点卡", legal_name="示例网络科技有限公司", address="示例市示例路 1 号", licence_number="91350100M000100Y43"
)
DRAFT = ListingDraft(
    title="星海点卡 100 元", description="国服通用", category="game_card", price_minor=9650, terms=Terms()
)


@pytest.fixture
def shops(database: Database, clock: FixedClock, ids: IdSource) -> ShopService:
    return ShopService(database=database, clock=clock, ids=ids, fee_bps=200)


async def opened(shops: ShopService, database: Database, form: ShopForm = FORM) -> ShopView:
    shop = await shops.open_shop(person(await open_account(database)), form)
    assert isinstance(shop, ShopView)
    return shop


async def saved(
    shops: ShopService, shop: ShopView, draft: ListingDraft = DRAFT, listing_id: int | None = None
) -> ListingView:
    listing = await shops.save_listing(person(shop.owner_id), shop.shop_id, listing_id, draft)
    assert isinstance(listing, ListingView)
    return listing


async def published(shops: ShopService, shop: ShopView, draft: ListingDraft = DRAFT) -> ListingView:
    listing = await saved(shops, shop, draft)
    live = await shops.publish(person(shop.owner_id), shop.shop_id, listing.listing_id)
    assert isinstance(live, ListingView)
    return live


def code(answer: object) -> Refusal:
    assert isinstance(answer, Refused)
    return answer.code


async def test_a_shop_opens_with_its_owners_verified_phone_and_its_ledger(
    database: Database, clock: FixedClock, ids: IdSource
) -> None:
    granted: list[int] = []

    async def grant(account_id: int) -> None:
        granted.append(account_id)

    shops = ShopService(database=database, clock=clock, ids=ids, fee_bps=200, on_merchant=grant)
    shop = await opened(shops, database)
    assert granted == [shop.owner_id]
    assert shop.contact_phone.startswith("+861380000")
    assert (shop.fee_bps, shop.state, shop.gaps, shop.opened_at) == (200, ShopState.OPEN, {}, clock.at)
    assert parse_shop_ref(shop.ref) == shop.shop_id
    assert await database.fetchval("SELECT count(*) FROM ledger_account WHERE shop_id = $1", shop.shop_id) == 10
    assert await shops.my_shops(person(shop.owner_id)) == [shop]


async def test_a_shop_is_not_opened_on_a_wrong_form_or_for_nobody(shops: ShopService, database: Database) -> None:
    owner = person(await open_account(database))
    answer = await shops.open_shop(owner, msgspec.structs.replace(FORM, licence_number="12"))
    assert isinstance(answer, Refused)
    assert answer.code is Refusal.INVALID_FIELDS
    assert list(answer.fields) == ["licence_number"]
    assert await shops.my_shops(owner) == []
    assert code(await shops.open_shop(person(1), FORM)) is Refusal.NOT_FOUND


async def test_one_account_opens_ten_shops_whatever_it_sends_at_once(shops: ShopService, database: Database) -> None:
    owner = person(await open_account(database))
    answers = await asyncio.gather(*(shops.open_shop(owner, FORM) for _ in range(14)))
    assert sum(isinstance(answer, ShopView) for answer in answers) == 10
    assert {code(answer) for answer in answers if isinstance(answer, Refused)} == {Refusal.INVALID_FIELDS}


async def test_a_stranger_is_told_nothing(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    listing = await saved(shops, shop)
    stranger = person(await open_account(database))
    where = (stranger, shop.shop_id)
    assert code(await shops.shop(*where)) is Refusal.NOT_FOUND
    assert code(await shops.update_shop(*where, FORM)) is Refusal.NOT_FOUND
    assert code(await shops.update_shop(*where, msgspec.structs.replace(FORM, name=""))) is Refusal.NOT_FOUND
    assert code(await shops.set_selling(*where, selling=False)) is Refusal.NOT_FOUND
    assert code(await shops.listings_of(*where)) is Refusal.NOT_FOUND
    assert code(await shops.save_listing(*where, None, DRAFT)) is Refusal.NOT_FOUND
    assert code(await shops.save_listing(*where, listing.listing_id, DRAFT)) is Refusal.NOT_FOUND
    assert code(await shops.publish(*where, listing.listing_id)) is Refusal.NOT_FOUND
    assert code(await shops.pause(*where, listing.listing_id)) is Refusal.NOT_FOUND
    assert code(await shops.listing(listing.ref)) is Refusal.NOT_FOUND
    assert code(await shops.listing(listing.ref, stranger)) is Refusal.NOT_FOUND
    assert await shops.listing(listing.ref, person(shop.owner_id)) == listing


async def test_an_owner_of_one_shop_cannot_reach_a_listing_of_another(shops: ShopService, database: Database) -> None:
    mine, other = await opened(shops, database), await opened(shops, database)
    listing = await saved(shops, other)
    where = (person(mine.owner_id), mine.shop_id, listing.listing_id)
    assert code(await shops.save_listing(*where, DRAFT)) is Refusal.NOT_FOUND
    assert code(await shops.publish(*where)) is Refusal.NOT_FOUND
    assert code(await shops.pause(*where)) is Refusal.NOT_FOUND


async def test_a_snapshot_holds_everything_shown_and_proves_it(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    terms = Terms(
        validity_text="到 2027-11-30 为止",
        region_text="国服",
        changed_mind_after_open=ChangedMind.PARTIAL,
        partial_fee_percent=20,
        free_text="第一行\n第二行",
    )
    listing = await saved(shops, shop, msgspec.structs.replace(DRAFT, terms=terms))
    snapshot = await shops.snapshot(shop.shop_id, listing.listing_id, 1)
    assert snapshot is not None
    assert digest_of(snapshot.document) == snapshot.digest == listing.digest
    assert (snapshot.terms, snapshot.notices) == (terms, listing.notices) == (listing.terms, snapshot.notices)
    assert [notice.notice_id for notice in snapshot.notices] == ["no_reason_after_open", "validity"]
    assert snapshot.document["shop"]["legal_name"] == FORM.legal_name
    assert snapshot.escrow_seconds == terms.escrow_hours * 3600
    columns = await database.fetchrow("SELECT price_minor, max_quantity, notice_ids FROM listing_snapshot")
    assert columns is not None
    assert tuple(columns) == (9650, 10, ["no_reason_after_open", "validity"])
    assert await shops.snapshot(shop.shop_id, listing.listing_id, 2) is None


async def test_only_a_change_makes_a_new_snapshot_and_the_old_one_stays(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    first = await saved(shops, shop)
    again = await saved(shops, shop, msgspec.structs.replace(DRAFT, title=" 星海点卡  100 元 "), first.listing_id)
    assert (again.snapshot_no, again.digest) == (1, first.digest)
    second = await saved(shops, shop, msgspec.structs.replace(DRAFT, price_minor=9900), first.listing_id)
    assert (second.snapshot_no, second.price_minor) == (2, 9900)
    third = await saved(shops, shop, DRAFT, first.listing_id)
    assert (third.snapshot_no, third.digest) == (3, first.digest)
    old = await shops.snapshot(shop.shop_id, first.listing_id, 1)
    assert old is not None
    assert old.price_minor == 9650
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute("UPDATE listing_snapshot SET price_minor = 1")


async def test_changes_at_once_take_turns(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    listing = await saved(shops, shop)
    drafts = [msgspec.structs.replace(DRAFT, price_minor=price) for price in range(100, 108)]
    views = await asyncio.gather(*(saved(shops, shop, draft, listing.listing_id) for draft in drafts))
    assert sorted(view.snapshot_no for view in views) == list(range(2, 10))


async def test_a_new_name_of_the_shop_is_a_new_snapshot_of_what_it_sells(
    shops: ShopService, database: Database
) -> None:
    shop = await opened(shops, database)
    listing = await published(shops, shop)
    moved = await shops.update_shop(
        person(shop.owner_id), shop.shop_id, msgspec.structs.replace(FORM, address="示例市另一条路 2 号")
    )
    assert isinstance(moved, ShopView)
    same = await shops.listing(listing.ref)
    assert isinstance(same, ListingView)
    assert same.snapshot_no == 1
    renamed = await shops.update_shop(
        person(shop.owner_id), shop.shop_id, msgspec.structs.replace(FORM, legal_name="示例二号有限公司")
    )
    assert isinstance(renamed, ShopView)
    changed = await shops.listing(listing.ref)
    assert isinstance(changed, ListingView)
    assert (changed.snapshot_no, changed.shop.legal_name) == (2, "示例二号有限公司")
    assert (await saved(shops, renamed, DRAFT, listing.listing_id)).snapshot_no == 2
    wrong = await shops.update_shop(person(shop.owner_id), shop.shop_id, msgspec.structs.replace(FORM, name="北"))
    assert code(wrong) is Refusal.INVALID_FIELDS


async def test_nothing_is_sold_without_the_merchants_identity(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    listing = await saved(shops, shop)
    await database.execute("UPDATE shop SET licence_number = 'unknown-1' WHERE shop_id = $1", shop.shop_id)
    answer = await shops.publish(person(shop.owner_id), shop.shop_id, listing.listing_id)
    assert isinstance(answer, Refused)
    assert answer.code is Refusal.SHOP_INCOMPLETE
    assert list(answer.fields) == ["licence_number"]
    assert code(await shops.listing(listing.ref)) is Refusal.NOT_FOUND


async def test_prohibited_goods_stay_drafts_and_the_merchant_reads_why(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    draft = msgspec.structs.replace(DRAFT, title="手 机 卡 10 张", terms=Terms(free_text="另售实名号"))
    listing = await saved(shops, shop, draft)
    answer = await shops.publish(person(shop.owner_id), shop.shop_id, listing.listing_id)
    assert isinstance(answer, Refused)
    assert answer.code is Refusal.GOODS_PROHIBITED
    assert list(answer.fields) == ["title", "free_text"]
    assert "《反电信网络诈骗法》" in answer.fields["title"]


async def test_a_listing_on_sale_cannot_turn_into_prohibited_goods(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    listing = await published(shops, shop)
    bad = msgspec.structs.replace(DRAFT, description="送接码平台余额")
    answer = await shops.save_listing(person(shop.owner_id), shop.shop_id, listing.listing_id, bad)
    assert code(answer) is Refusal.GOODS_PROHIBITED
    assert await shops.listing(listing.ref) == listing


async def test_a_wrong_draft_changes_nothing(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    answer = await shops.save_listing(
        person(shop.owner_id), shop.shop_id, None, msgspec.structs.replace(DRAFT, price_minor=-1, currency="USD")
    )
    assert isinstance(answer, Refused)
    assert list(answer.fields) == ["currency", "price_minor"]
    assert await shops.listings_of(person(shop.owner_id), shop.shop_id) == []


async def test_a_listing_goes_on_and_off_sale(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    owner = person(shop.owner_id)
    draft = await saved(shops, shop)
    still = await shops.pause(owner, shop.shop_id, draft.listing_id)
    assert isinstance(still, ListingView)
    assert still.state is ListingState.DRAFT
    live = await shops.publish(owner, shop.shop_id, draft.listing_id)
    assert isinstance(live, ListingView)
    assert live.state is ListingState.LIVE
    assert await shops.publish(owner, shop.shop_id, draft.listing_id) == live
    paused = await shops.pause(owner, shop.shop_id, draft.listing_id)
    assert isinstance(paused, ListingView)
    assert paused.state is ListingState.PAUSED
    assert await shops.listing(draft.ref) == paused
    assert await shops.search() == []


async def test_a_paused_shop_sells_nothing_and_a_closed_one_stays_closed(
    shops: ShopService, database: Database
) -> None:
    shop = await opened(shops, database)
    owner = person(shop.owner_id)
    listing = await published(shops, shop)
    paused = await shops.set_selling(owner, shop.shop_id, selling=False)
    assert isinstance(paused, ShopView)
    assert paused.state is ShopState.PAUSED
    view = await shops.listing(listing.ref)
    assert isinstance(view, ListingView)
    assert view.state is ListingState.PAUSED
    public = await shops.public_shop(shop.shop_id)
    assert not isinstance(public, Refused)
    assert (public.listings, await shops.search()) == ([], [])
    assert isinstance(await shops.set_selling(owner, shop.shop_id, selling=True), ShopView)
    assert len(await shops.search()) == 1
    await database.execute("UPDATE shop SET state = 'closed'")
    assert code(await shops.set_selling(owner, shop.shop_id, selling=True)) is Refusal.NOT_ALLOWED
    assert code(await shops.publish(owner, shop.shop_id, listing.listing_id)) is Refusal.NOT_ALLOWED


async def test_a_rule_that_became_stricter_is_met_before_publishing(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    listing = await saved(shops, shop)
    document = {"category": {"id": "gone", "name": "x", "adult": False}}
    await database.execute(
        """INSERT INTO listing_snapshot SELECT shop_id, listing_id, 2, title, price_minor, currency, escrow_seconds,
             max_quantity, notice_ids, document || $1, digest, made_at FROM listing_snapshot""",
        document,
    )
    await database.execute("UPDATE listing SET snapshot_no = 2")
    answer = await shops.publish(person(shop.owner_id), shop.shop_id, listing.listing_id)
    assert isinstance(answer, Refused)
    assert list(answer.fields) == ["category"]


async def test_search_finds_titles_and_shops_page_by_page(
    shops: ShopService, database: Database, clock: FixedClock
) -> None:
    shop = await opened(shops, database)
    other = await opened(shops, database, msgspec.structs.replace(FORM, name="南风软件"))
    for number in range(5):
        await published(shops, shop, msgspec.structs.replace(DRAFT, title=f"星海点卡 {number}00%"))
        if number % 2:
            clock.advance(timedelta(seconds=1))
    await published(shops, other, msgspec.structs.replace(DRAFT, title="Office_授权", category="software"))
    await saved(shops, other, msgspec.structs.replace(DRAFT, title="星海点卡草稿"))

    assert [card.title for card in await shops.search("office_")] == ["Office_授权"]
    assert [card.title for card in await shops.search("南风")] == ["Office_授权"]
    assert [card.title for card in await shops.search("300%")] == ["星海点卡 300%"]
    assert await shops.search("3_0") == []
    first = await shops.search("星海", limit=2)
    seen = [card.title for card in first]
    while first:
        first = await shops.search("星海", limit=2, before=first[-1].ref)
        seen += [card.title for card in first]
    assert sorted(seen) == [f"星海点卡 {number}00%" for number in range(5)]
    assert len(await shops.search("星海", limit=0)) == 1
    assert len(await shops.search(limit=9_999)) == 6
    assert await shops.search(before="nonsense") == []
    assert await shops.search(before="1-1") == []


async def test_counts_shown_to_buyers_are_capped(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    listing = await published(shops, shop)
    await stock(database, shop.shop_id, listing.listing_id, STOCK_SHOWN_MAX + 5)
    await database.execute(
        """UPDATE card_key SET state = 'sealed', order_id = 1, pos = x.n FROM (SELECT key_id AS k, row_number() OVER ()
             AS n FROM card_key LIMIT 3) x WHERE key_id = x.k"""
    )
    view = await shops.listing(listing.ref)
    assert isinstance(view, ListingView)
    assert (view.stock, view.sold) == (STOCK_SHOWN_MAX, 3)
    public = await shops.public_shop(shop.shop_id)
    assert not isinstance(public, Refused)
    assert (public.card, public.address) == (shop.card, FORM.address)
    assert [(card.ref, card.stock) for card in public.listings] == [(listing.ref, STOCK_SHOWN_MAX)]


async def test_what_does_not_exist_is_not_found(shops: ShopService, database: Database) -> None:
    assert code(await shops.listing("nonsense")) is Refusal.NOT_FOUND
    assert code(await shops.listing("1-1")) is Refusal.NOT_FOUND
    assert code(await shops.public_shop(1)) is Refusal.NOT_FOUND
    assert code(await shops.shop(person(await open_account(database)), 1)) is Refusal.NOT_FOUND


async def test_a_shop_holds_a_thousand_listings(shops: ShopService, database: Database) -> None:
    shop = await opened(shops, database)
    await database.execute(
        "INSERT INTO listing (shop_id, listing_id, snapshot_no, state) SELECT $1, n, 1, 'draft' "
        "FROM generate_series(1, 1000) n",
        shop.shop_id,
    )
    answer = await shops.save_listing(person(shop.owner_id), shop.shop_id, None, DRAFT)
    assert isinstance(answer, Refused)
    assert "1000 件" in answer.fields["title"]


async def test_the_form_offers_the_categories(shops: ShopService) -> None:
    assert shops.categories()[0].category_id == "game_card"


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (
            "SELECT 1 FROM card_key k WHERE k.shop_id = 1 AND k.listing_id = 2 AND k.state IN ('sealed', 'opened')",
            "card_key_sold",
        ),
        (
            "SELECT 1 FROM card_key k WHERE k.shop_id = 1 AND k.listing_id = 2 AND k.state = 'available'",
            "card_key_available",
        ),
    ],
)
async def test_counts_use_their_index(database: Database, query: str, index: str) -> None:
    async with database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        plan = await conn.fetch("EXPLAIN " + query)
    assert any(index in row[0] for row in plan)
