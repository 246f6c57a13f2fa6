-- name: stock
-- Puts keys in stock that nobody can read: the bench moves them, it does not open them.
INSERT INTO card_key (shop_id, key_id, listing_id, import_id, dek_id, blind, sealed_text, state)
SELECT $1::bigint, $3::bigint + n, $2::bigint, 1, 1, decode(md5('bench' || ($3::bigint + n)::text), 'hex'), '\x00', 'available'
  FROM generate_series(1, $4::bigint) n

-- name: analyze
-- Gives the planner the figures of the rows just made.
ANALYZE card_key, orders, listing_snapshot, listing, shop, account

-- name: custodian_books
-- Writes into the simulated custodian's books what the bench paid in its name, with the notices it sent.
WITH paid AS (SELECT p.payment_id, p.order_id, p.shop_id, p.amount_minor, p.currency, p.received_at FROM payment p),
  c AS (INSERT INTO sandbox.checkout (checkout_id, merchant_ref, subject, amount_minor, currency, return_path)
        SELECT payment_id, shop_id || '-' || order_id, 'bench', amount_minor, currency, '/' FROM paid ON CONFLICT DO NOTHING)
INSERT INTO sandbox.payment (payment_id, checkout_id, merchant_ref, amount_minor, currency, paid_at, notified_at, due_at)
SELECT payment_id, payment_id, shop_id || '-' || order_id, amount_minor, currency, received_at, received_at, received_at
  FROM paid ON CONFLICT DO NOTHING

-- name: counts
-- Orders delivered, distinct keys given out, and holds: all three must agree.
SELECT (SELECT count(*) FROM orders WHERE state = 'delivered') AS orders,
       (SELECT count(DISTINCT key_id) FROM card_key WHERE state = 'sealed') AS keys,
       (SELECT count(*) FROM escrow) AS holds

-- name: is_delivered
-- How many of the orders that the server acknowledged are delivered.
SELECT count(*) FROM orders WHERE shop_id = $1 AND order_id = ANY ($2::bigint[]) AND state = 'delivered'

-- name: settings
-- The settings that make a commit durable.
SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit
