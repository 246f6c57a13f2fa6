-- The SQL of shops and listings. Counts that buyers see stop early, so that a page costs the same for any stock.

-- name: lock_owner
-- Locks the account so that one person opens one shop at a time, and reads the verified phone. Primary key.
SELECT phone FROM account WHERE account_id = $1 FOR NO KEY UPDATE;

-- name: count_shops
-- How many shops an account has. Index shop_owner.
SELECT count(*)::int FROM shop WHERE owner_id = $1;

-- name: insert_shop
-- Opens a shop; its number is the database's next and begins every reference of the shop. Primary key.
INSERT INTO shop (owner_id, name, legal_name, address, licence_number, contact_phone, fee_bps, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now()))
RETURNING shop_id, owner_id, name, legal_name, address, licence_number, contact_phone, fee_bps, state, created_at;

-- name: shop
-- One shop. Primary key.
SELECT shop_id, owner_id, name, legal_name, address, licence_number, contact_phone, fee_bps, state, created_at
  FROM shop WHERE shop_id = $1;

-- name: lock_shop
-- One shop, locked against changes by others; foreign keys to it may still be written. Primary key.
SELECT shop_id, owner_id, name, legal_name, address, licence_number, contact_phone, fee_bps, state, created_at
  FROM shop WHERE shop_id = $1 FOR NO KEY UPDATE;

-- name: shops_of
-- An owner's shops, oldest first. Index shop_owner.
SELECT shop_id, owner_id, name, legal_name, address, licence_number, contact_phone, fee_bps, state, created_at
  FROM shop WHERE owner_id = $1 ORDER BY created_at, shop_id;

-- name: update_shop
-- Changes what a merchant states about the shop. Primary key.
UPDATE shop SET name = $2, legal_name = $3, address = $4, licence_number = $5 WHERE shop_id = $1
RETURNING shop_id, owner_id, name, legal_name, address, licence_number, contact_phone, fee_bps, state, created_at;

-- name: set_shop_state
-- Opens or pauses a shop that is not closed. Primary key.
UPDATE shop SET state = $2 WHERE shop_id = $1 AND state <> 'closed'
RETURNING shop_id, owner_id, name, legal_name, address, licence_number, contact_phone, fee_bps, state, created_at;

-- name: count_listings
-- How many listings a shop has. Primary key, first column.
SELECT count(*)::int FROM listing WHERE shop_id = $1;

-- name: insert_listing
-- Begins a listing as a draft. Primary key.
INSERT INTO listing (shop_id, listing_id, snapshot_no, state, created_at)
VALUES ($1, $2, 1, 'draft', coalesce($3, now()));

-- name: lock_listing
-- A listing with the digest of its current snapshot, locked against a second change. Primary keys.
SELECT l.state, l.snapshot_no, s.digest, s.document
  FROM listing l JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no)
 WHERE l.shop_id = $1 AND l.listing_id = $2 FOR NO KEY UPDATE OF l;

-- name: insert_snapshot
-- Keeps one version of a listing for ever. Primary key.
INSERT INTO listing_snapshot (shop_id, listing_id, snapshot_no, title, price_minor, currency, escrow_seconds,
  max_quantity, notice_ids, document, digest, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12, now()));

-- name: point_listing
-- Makes a snapshot the current one. Primary key.
UPDATE listing SET snapshot_no = $3 WHERE shop_id = $1 AND listing_id = $2;

-- name: set_listing_state
-- Puts a listing on sale or takes it off. Primary key.
UPDATE listing SET state = $3 WHERE shop_id = $1 AND listing_id = $2;

-- name: current_documents
-- The current snapshot of every listing of a shop, locked, for a change of the shop's own name. Primary keys.
SELECT l.listing_id, l.snapshot_no, s.document
  FROM listing l JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no)
 WHERE l.shop_id = $1 ORDER BY l.listing_id FOR NO KEY UPDATE OF l;

-- name: listing
-- A listing's current version, its shop, and capped counts. Primary keys, card_key_available, card_key_sold.
SELECT l.listing_id, l.state AS listing_state, s.snapshot_no, s.title, s.price_minor, s.currency, s.max_quantity,
       s.escrow_seconds, s.document, s.digest, s.made_at, h.shop_id, h.owner_id, h.name, h.legal_name, h.licence_number,
       h.state AS shop_state, h.created_at,
       (SELECT count(*)::int FROM (SELECT 1 FROM card_key k WHERE k.shop_id = $1 AND k.listing_id = $2
          AND k.state = 'available' LIMIT $3) stock) AS stock,
       (SELECT count(*)::int FROM (SELECT 1 FROM card_key k WHERE k.shop_id = $1 AND k.listing_id = $2
          AND k.state IN ('sealed', 'opened') LIMIT $4) sold) AS sold
  FROM listing l JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no) JOIN shop h USING (shop_id)
 WHERE l.shop_id = $1 AND l.listing_id = $2;

-- name: snapshot
-- One version of a listing as it was shown. Primary key.
SELECT shop_id, listing_id, snapshot_no, title, price_minor, currency, max_quantity, escrow_seconds, document, digest,
       made_at
  FROM listing_snapshot WHERE shop_id = $1 AND listing_id = $2 AND snapshot_no = $3;

-- name: listings_of
-- A shop's listings of the given states, newest first, with capped stock. Primary keys, card_key_available.
SELECT l.shop_id, l.listing_id, l.state, s.title, s.price_minor, s.currency, s.document, h.name,
       (SELECT count(*)::int FROM (SELECT 1 FROM card_key k WHERE k.shop_id = l.shop_id AND k.listing_id = l.listing_id
          AND k.state = 'available' LIMIT $3) stock) AS stock
  FROM listing l JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no) JOIN shop h USING (shop_id)
 WHERE l.shop_id = $1 AND l.state = ANY ($2::text[])
 ORDER BY l.created_at DESC, l.listing_id DESC LIMIT $4;

-- name: search
-- Listings on sale whose title or shop matches a pattern, newest first, after a given one. Index listing_live.
SELECT l.shop_id, l.listing_id, l.state, s.title, s.price_minor, s.currency, s.document, h.name,
       (SELECT count(*)::int FROM (SELECT 1 FROM card_key k WHERE k.shop_id = l.shop_id AND k.listing_id = l.listing_id
          AND k.state = 'available' LIMIT $5) stock) AS stock
  FROM listing l JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no) JOIN shop h USING (shop_id)
 WHERE l.state = 'live' AND h.state = 'open' AND (s.title ILIKE $1 OR h.name ILIKE $1)
   AND ($2::bigint IS NULL OR EXISTS (SELECT 1 FROM listing b WHERE b.shop_id = $2 AND b.listing_id = $3
     AND (l.created_at < b.created_at
       OR (l.created_at = b.created_at AND (l.shop_id, l.listing_id) > (b.shop_id, b.listing_id)))))
 ORDER BY l.created_at DESC, l.shop_id, l.listing_id LIMIT $4;
