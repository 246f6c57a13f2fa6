"""A small market made by plain SQL, for tests that start after a shop exists. No card key here is readable."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count

from kabao.identity import Person, Role, Visitor
from kabao.kernel import AccountId, IdSource, ListingId, OrderId, ShopId, digest_of, format_ref
from kabao.postgres import Database

NOTICE = {"notice_id": "sealed_terms", "wording": "拆封后不适用七日无理由退货", "place": "checkout", "version": "1"}
PHONE = Visitor("test phone", "192.0.2.0/24")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

_ids = IdSource()
_phones = count(13_800_000_000)


@dataclass(frozen=True)
class Market:
    """One shop with one live listing, its owner, one buyer and one member of support."""

    shop_id: ShopId
    listing_id: ListingId
    owner_id: AccountId
    buyer_id: AccountId
    staff_id: AccountId
    price_minor: int

    @property
    def listing_ref(self) -> str:
        return format_ref(self.shop_id, self.listing_id)

    @property
    def buyer(self) -> Person:
        return person(self.buyer_id)

    @property
    def owner(self) -> Person:
        return person(self.owner_id, Role.MERCHANT)

    @property
    def staff(self) -> Person:
        return person(self.staff_id, Role.SUPPORT, staff_checked=True)


def person(account_id: int, *roles: Role, staff_checked: bool = False) -> Person:
    return Person(
        account_id=AccountId(account_id),
        display_name="测试",
        phone_masked="138****0000",
        roles=frozenset({Role.BUYER, *roles}),
        staff_checked=staff_checked,
    )


async def open_account(db: Database, name: str = "测试") -> AccountId:
    account_id = AccountId(_ids.next())
    await db.execute(
        "INSERT INTO account (account_id, phone, display_name) VALUES ($1, $2, $3)",
        account_id,
        f"+86{next(_phones)}",
        name,
    )
    return account_id


async def stock(db: Database, shop_id: int, listing_id: int, keys: int) -> None:
    rows = [_ids.next() for _ in range(keys)]
    await db.execute(
        """INSERT INTO card_key (shop_id, key_id, listing_id, import_id, dek_id, blind, sealed_text, state)
           SELECT $1, key_id, $2, 1, 1, blind, '\\x01', 'available'
             FROM unnest($3::bigint[], $4::bytea[]) AS x (key_id, blind)""",
        shop_id,
        listing_id,
        rows,
        [hashlib.sha256(str(row).encode()).digest()[:16] for row in rows],
    )


async def seed_market(
    db: Database,
    *,
    keys: int = 5,
    price_minor: int = 9650,
    fee_bps: int = 200,
    max_quantity: int = 10,
    escrow_hours: int = 72,
    claim_days: int | None = None,
    warranty_days: int = 0,
) -> Market:
    """Open a shop with one live listing and ``keys`` keys in stock; ``db`` may be the owner's or the app's."""
    owner_id, buyer_id, staff_id = [await open_account(db, name) for name in ("店主", "小买家", "客服")]
    shop_id = ShopId(
        await db.fetchval(
            """INSERT INTO shop (owner_id, name, legal_name, address, licence_number, contact_phone, fee_bps)
               VALUES ($1, '测试店铺', '测试有限公司', '测试市测试路 1 号', '91310000MA1FL0000X', '+8613800000000', $2)
               RETURNING shop_id""",
            owner_id,
            fee_bps,
        )
    )
    listing_id = ListingId(_ids.next())
    await db.execute(
        "INSERT INTO ledger_account (shop_id, account_no) SELECT $1, n FROM generate_series(1, 10) n", shop_id
    )
    await db.execute(
        "INSERT INTO listing (shop_id, listing_id, snapshot_no, state) VALUES ($1, $2, 1, 'live')", shop_id, listing_id
    )
    document: dict[str, object] = {"notices": [NOTICE], "title": "测试点卡"}
    if claim_days:
        document["terms"] = {"claim_days": claim_days, "warranty_days": warranty_days}
    await db.execute(
        """INSERT INTO listing_snapshot (shop_id, listing_id, snapshot_no, title, price_minor, currency, escrow_seconds,
                                         max_quantity, notice_ids, document, digest)
           VALUES ($1, $2, 1, '测试点卡', $3, 'CNY', $4, $5, ARRAY[$6], $7, $8)""",
        shop_id,
        listing_id,
        price_minor,
        escrow_hours * 3600,
        max_quantity,
        NOTICE["notice_id"],
        document,
        digest_of(document),
    )
    await stock(db, shop_id, listing_id, keys)
    return Market(shop_id, listing_id, owner_id, buyer_id, staff_id, price_minor)


async def placed_order(
    db: Database, market: Market, buyer_id: int | None = None, quantity: int = 1, now: datetime | None = None
) -> OrderId:
    """Place an unpaid order through place_order_v1."""
    row = await db.fetchrow(
        "SELECT * FROM place_order_v1($1, $2, $3, $4, 1, $5, $6, $7, interval '15 minutes', 1000, $8)",
        market.shop_id,
        _ids.next(),
        buyer_id or market.buyer_id,
        market.listing_id,
        quantity,
        f"order-{_ids.next()}",
        [NOTICE["notice_id"]],
        now,
    )
    assert row is not None
    assert row["refusal"] is None, row["refusal"]
    return OrderId(row["order_id"])


async def paid_order(
    db: Database,
    market: Market,
    buyer_id: int | None = None,
    quantity: int = 1,
    now: datetime | None = None,
    *,
    payer: bytes | None = None,
) -> OrderId:
    """Place an order and pay it at the simulated custodian, books of both sides included."""
    order_id = await placed_order(db, market, buyer_id, quantity, now)
    ref, payment_id = format_ref(market.shop_id, order_id), f"T{_ids.next()}"
    amount = market.price_minor * quantity
    await db.execute(
        """INSERT INTO sandbox.checkout (checkout_id, merchant_ref, subject, amount_minor, currency, return_path)
           VALUES ($1, $2, '测试', $3, 'CNY', '/')""",
        payment_id,
        ref,
        amount,
    )
    await db.execute(
        """INSERT INTO sandbox.payment (payment_id, checkout_id, merchant_ref, amount_minor, currency, paid_at,
                                        notified_at, due_at)
           VALUES ($1, $1, $2, $3, 'CNY', coalesce($4, now()), coalesce($4, now()), coalesce($4, now()))""",
        payment_id,
        ref,
        amount,
        now,
    )
    row = await db.fetchrow(
        "SELECT * FROM apply_payment_v2($1, $2, 'sandbox', $3, $4, 'CNY', $6, $5)",
        market.shop_id,
        order_id,
        payment_id,
        amount,
        now,
        payer,
    )
    assert row is not None
    assert row["outcome"] == "applied", row["outcome"]
    return order_id
