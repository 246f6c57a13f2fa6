-- The SQL of the stock of card keys. Only wrapped data keys and sealed texts are ever sent to the database.

-- name: lock_shop
-- Lets one import of a shop begin at a time, so that their key ids never overlap. Primary key.
SELECT shop_id FROM shop WHERE shop_id = $1 FOR NO KEY UPDATE;

-- name: has_listing
-- Whether a listing exists. Primary key.
SELECT EXISTS (SELECT 1 FROM listing WHERE shop_id = $1 AND listing_id = $2);

-- name: fail_quiet_imports
-- Ends imports without a sign of life since $4 (of one listing, of one shop, or of all). Index key_import_one_running.
UPDATE key_import SET state = 'failed', failure = $5, finished_at = coalesce($3, now())
 WHERE state = 'running' AND ($1::bigint IS NULL OR shop_id = $1) AND ($2::bigint IS NULL OR listing_id = $2)
   AND progress_at <= coalesce($3, now()) - $4::interval;

-- name: has_running_import
-- Whether an import of a listing runs. Index key_import_one_running.
SELECT EXISTS (SELECT 1 FROM key_import WHERE shop_id = $1 AND listing_id = $2 AND state = 'running');

-- name: last_import_id
-- The newest import of a shop. Primary key, read from its end.
SELECT max(import_id) FROM key_import WHERE shop_id = $1;

-- name: insert_import
-- Begins an import. Primary key, key_import_one_running.
INSERT INTO key_import (shop_id, import_id, listing_id, file_name, state, bytes_total, header_lines, columns,
                        unused_columns, created_at, progress_at)
VALUES ($1, $2, $3, $4, 'running', $5, $6, $7::jsonb, $8, coalesce($9, now()), coalesce($9, now()));

-- name: add_batch
-- Stores a batch of keys, skipping those the shop has, and counts it in the import while that still runs.
-- Index card_key_once_per_shop.
WITH fresh AS (
  INSERT INTO card_key (shop_id, key_id, listing_id, import_id, dek_id, blind, sealed_text, state)
  SELECT $1, k.key_id, $2, $3, $4, k.blind, k.sealed_text, 'available'
    FROM unnest($5::bigint[], $6::bytea[], $7::bytea[]) AS k (key_id, blind, sealed_text)
  ON CONFLICT (shop_id, blind) WHERE state <> 'withdrawn' DO NOTHING
  RETURNING 1)
UPDATE key_import
   SET added = added + (SELECT count(*) FROM fresh),
       duplicates = duplicates + cardinality($5::bigint[]) - (SELECT count(*) FROM fresh),
       line_count = line_count + $8, bytes_done = $9, bad = bad + $10, bad_lines = bad_lines || $11::jsonb,
       progress_at = coalesce($12, now())
 WHERE shop_id = $1 AND import_id = $3 AND state = 'running'
RETURNING bytes_done, bytes_total, line_count, added, duplicates, bad, (SELECT count(*) FROM fresh) AS fresh;

-- name: count_repeated
-- Counts those of a batch's duplicates whose first is of the same import; $4 are the keys the batch added.
-- Index card_key_once_per_shop.
UPDATE key_import SET repeated = repeated - $4 + (
         SELECT count(*) FROM unnest($3::bytea[]) AS b (blind)
           JOIN card_key k ON k.shop_id = $1 AND k.blind = b.blind AND k.state <> 'withdrawn'
          WHERE k.import_id = $2)
 WHERE shop_id = $1 AND import_id = $2;

-- name: finish_import
-- Ends an import that still runs. Primary key.
UPDATE key_import SET state = $3, failure = $4, finished_at = coalesce($5, now()), progress_at = coalesce($5, now())
 WHERE shop_id = $1 AND import_id = $2 AND state = 'running';

-- name: import_status
-- One import. Primary key.
SELECT shop_id, import_id, listing_id, file_name, state, bytes_total, bytes_done, line_count, header_lines, columns,
       unused_columns, added, duplicates, repeated, bad, bad_lines, withdrawn, failure, created_at, finished_at
  FROM key_import WHERE shop_id = $1 AND import_id = $2;

-- name: imports
-- The newest imports of a listing. Primary key, read from its end.
SELECT shop_id, import_id, listing_id, file_name, state, bytes_total, bytes_done, line_count, header_lines, columns,
       unused_columns, added, duplicates, repeated, bad, bad_lines, withdrawn, failure, created_at, finished_at
  FROM key_import WHERE shop_id = $1 AND listing_id = $2 ORDER BY import_id DESC LIMIT $3;

-- name: stock
-- A listing's keys by state. Primary key, first column; for the merchant's own page.
SELECT state, count(*)::int AS keys FROM card_key WHERE shop_id = $1 AND listing_id = $2 GROUP BY state;

-- name: withdraw
-- Takes a batch of keys out of stock; those an order is taking now stay. Index card_key_available.
WITH gone AS (
  SELECT key_id FROM card_key WHERE shop_id = $1 AND listing_id = $2 AND state = 'available'
   ORDER BY key_id LIMIT $3 FOR UPDATE SKIP LOCKED),
u AS (
  UPDATE card_key k SET state = 'withdrawn' FROM gone WHERE k.shop_id = $1 AND k.key_id = gone.key_id RETURNING import_id),
counted AS (
  UPDATE key_import i SET withdrawn = withdrawn + c.keys
    FROM (SELECT import_id, count(*) AS keys FROM u GROUP BY import_id) c
   WHERE i.shop_id = $1 AND i.import_id = c.import_id)
SELECT count(*)::int FROM u;

-- name: lock_import
-- Lets one withdrawal of an import go on at a time. Primary key.
SELECT listing_id, state FROM key_import WHERE shop_id = $1 AND import_id = $2 FOR NO KEY UPDATE;

-- name: left_of_import
-- How many keys of an import are still available; they have the ids after its own. Index card_key_available.
SELECT count(*)::int FROM card_key
 WHERE shop_id = $1 AND listing_id = $2 AND state = 'available' AND key_id > $3 AND key_id < $3 + $4::bigint
   AND import_id = $3;

-- name: withdraw_import
-- Takes a batch of an import's keys out of stock; those an order is taking now stay. Index card_key_available.
WITH gone AS (
  SELECT key_id FROM card_key
   WHERE shop_id = $1 AND listing_id = $2 AND state = 'available' AND key_id > $3 AND key_id < $3 + $4::bigint
     AND import_id = $3
   ORDER BY key_id LIMIT $5 FOR UPDATE SKIP LOCKED),
u AS (
  UPDATE card_key k SET state = 'withdrawn' FROM gone WHERE k.shop_id = $1 AND k.key_id = gone.key_id RETURNING 1)
UPDATE key_import SET withdrawn = withdrawn + (SELECT count(*) FROM u)
 WHERE shop_id = $1 AND import_id = $3 RETURNING (SELECT count(*) FROM u)::int;

-- name: find_key
-- Where the newest key under one of some blind indexes stands, one in stock before one taken back, with its order's
-- times. Index card_key_once_per_shop, card_key_withdrawn.
SELECT k.state, k.listing_id, k.import_id, i.file_name, i.created_at AS imported_at, k.order_id, k.pos, k.generation,
       o.placed_at, o.delivered_at, k.opened_at
  FROM (SELECT c.*, 0 AS rank FROM card_key c
         WHERE c.shop_id = $1 AND c.blind = ANY ($2::bytea[]) AND c.state <> 'withdrawn'
        UNION ALL
        SELECT c.*, 1 FROM card_key c
         WHERE c.shop_id = $1 AND c.blind = ANY ($2::bytea[]) AND c.state = 'withdrawn') k
  LEFT JOIN key_import i ON i.shop_id = k.shop_id AND i.import_id = k.import_id
  LEFT JOIN orders o ON o.shop_id = k.shop_id AND o.order_id = k.order_id
 ORDER BY k.rank, k.key_id DESC LIMIT 1;

-- name: opened_before
-- Whether every key an order holds had been opened, as the same text, in another order of any shop before it was opened
-- here; NULL where it holds none. One shop's own text finds its keys, the blind index finds them elsewhere.
-- Index card_key_one_place, card_key_opened_anywhere.
SELECT bool_and(EXISTS (
         SELECT 1 FROM card_key other
          WHERE other.blind = mine.blind AND other.opened_at IS NOT NULL
            AND other.opened_at < coalesce(mine.opened_at, $3, now())
            AND (other.shop_id, other.order_id) <> (mine.shop_id, mine.order_id)))
  FROM card_key mine WHERE mine.shop_id = $1 AND mine.order_id = $2 AND mine.state IN ('sealed', 'opened');

-- name: keys_of_order
-- The keys of one order, sealed. Index card_key_one_place.
SELECT key_id, listing_id, dek_id, sealed_text, pos, generation FROM card_key
 WHERE shop_id = $1 AND order_id = $2 AND state IN ('sealed', 'opened', 'replaced') ORDER BY pos, generation LIMIT $3;

-- name: hold_data_keys
-- Lets data keys be added while no rotation runs: it waits for one and keeps one waiting.
LOCK TABLE shop_data_key IN ROW EXCLUSIVE MODE;

-- name: stop_data_keys
-- Keeps every other writer of data keys waiting until the end of the transaction.
LOCK TABLE shop_data_key IN EXCLUSIVE MODE;

-- name: active_data_key
-- The data key that a shop's new keys are sealed by. Primary key.
SELECT dek_id, kek_id, wrapped FROM shop_data_key WHERE shop_id = $1 AND retired_at IS NULL ORDER BY dek_id DESC LIMIT 1;

-- name: data_key
-- One data key of a shop. Primary key.
SELECT dek_id, kek_id, wrapped FROM shop_data_key WHERE shop_id = $1 AND dek_id = $2;

-- name: last_dek_id
-- The highest number of a shop's data keys, 0 without any. Primary key.
SELECT coalesce(max(dek_id), 0)::int FROM shop_data_key WHERE shop_id = $1;

-- name: retire_data_keys
-- Stops sealing by a shop's present data key; it still opens what it sealed. Primary key.
UPDATE shop_data_key SET retired_at = coalesce($2, now()) WHERE shop_id = $1 AND retired_at IS NULL;

-- name: insert_data_key
-- Adds a wrapped data key. Primary key.
INSERT INTO shop_data_key (shop_id, dek_id, kek_id, wrapped, created_at) VALUES ($1, $2, $3, $4, coalesce($5, now()));

-- name: kek_ids
-- Every key-encrypting key in use. All of shop_data_key, at start only.
SELECT DISTINCT kek_id FROM shop_data_key;

-- name: data_keys_not_under
-- A batch of data keys wrapped by another key than the given one. All of shop_data_key, in a rotation only.
SELECT shop_id, dek_id, kek_id, wrapped FROM shop_data_key
 WHERE kek_id <> $1 AND (shop_id, dek_id) > ($2, $3) ORDER BY shop_id, dek_id LIMIT $4;

-- name: rewrap_data_key
-- Puts the newly wrapped form of a data key in its place. Primary key.
UPDATE shop_data_key SET kek_id = $3, wrapped = $4 WHERE shop_id = $1 AND dek_id = $2;

-- name: bench_account
-- An account for the benchmark's shops. Primary key.
INSERT INTO account (account_id, phone, display_name) VALUES ($1, $2, '测速');

-- name: bench_shop
-- A shop for the benchmark. Primary key.
INSERT INTO shop (shop_id, owner_id, name, legal_name, address, licence_number, contact_phone, fee_bps)
VALUES ($1, $2, '测速', '测速', '只用于测速', '000000000000000', '', 0);

-- name: bench_listing
-- A listing for the benchmark. Primary key.
INSERT INTO listing (shop_id, listing_id, snapshot_no, state) VALUES ($1, $2, 1, 'draft');

-- name: bench_rows
-- The imported rows as those of another shop, for the bare COPY. Primary key, first column.
SELECT $2::bigint, key_id, listing_id, import_id, dek_id, blind, sealed_text, state FROM card_key WHERE shop_id = $1;
