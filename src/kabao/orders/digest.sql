-- The merchants' digest: what the history of orders says of sales and payouts, told at most every so often.
-- The parameter named last is the clock's instant; NULL: the database's.

-- name: horizon
-- Locks the cursor and answers it (NULL the first time) with how far the history is whole, or nothing where another
-- runner has it: an event bears the time its transaction began, so it is whole up to the oldest that still runs.
-- Index: digest_cursor_pkey.
SELECT c.read_until, coalesce($1::timestamptz, least(clock_timestamp() - $2::interval,
         (SELECT min(a.xact_start) FROM pg_stat_activity a
           WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()))) AS whole_until
  FROM digest_cursor c WHERE c.name = 'merchants' FOR UPDATE SKIP LOCKED

-- name: begin
-- Makes the cursor, once, so that history from before it is told to nobody. Index: digest_cursor_pkey.
INSERT INTO digest_cursor (name, read_until) VALUES ('merchants', coalesce($1::timestamptz, now())) ON CONFLICT DO NOTHING

-- name: add_up
-- Adds what happened in a stretch of time to what is still to be told. Index: order_event_at, orders_pkey.
INSERT INTO merchant_tally AS t (shop_id, kind, orders, amount_minor, order_id)
SELECT e.shop_id, CASE e.kind WHEN 'delivered' THEN 'sale' ELSE 'payout' END AS kind, count(*),
       sum(CASE e.kind WHEN 'delivered' THEN o.amount_minor ELSE e.amount_minor END), max(e.order_id)
  FROM order_event e JOIN orders o USING (shop_id, order_id)
 WHERE e.at >= $1 AND e.at < $2 AND e.kind IN ('delivered', 'paid_out')
 GROUP BY e.shop_id, e.kind ORDER BY e.shop_id, 2
ON CONFLICT (shop_id, kind) DO UPDATE SET orders = t.orders + EXCLUDED.orders,
  amount_minor = t.amount_minor + EXCLUDED.amount_minor, order_id = EXCLUDED.order_id

-- name: move_on
-- Remembers how far the history was read. Index: digest_cursor_pkey.
UPDATE digest_cursor SET read_until = $1 WHERE name = 'merchants'

-- name: take_due
-- Takes what a shop has not been told, where the last telling is long enough ago. Index: merchant_tally_untold, shop_pkey.
WITH due AS (
  SELECT t.shop_id, t.kind, t.orders, t.amount_minor, t.order_id, h.owner_id, h.name
    FROM merchant_tally t JOIN shop h USING (shop_id)
   WHERE t.orders > 0 AND (t.told_at IS NULL OR t.told_at <= coalesce($2::timestamptz, now()) - $1::interval)
   ORDER BY t.shop_id, t.kind FOR UPDATE OF t SKIP LOCKED LIMIT $3),
told AS (
  UPDATE merchant_tally t SET orders = 0, amount_minor = 0, told_at = coalesce($2::timestamptz, now()) FROM due
   WHERE t.shop_id = due.shop_id AND t.kind = due.kind)
SELECT * FROM due
