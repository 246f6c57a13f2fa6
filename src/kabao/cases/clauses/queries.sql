-- name: reading
-- What was read in an order's listing. Index: order_reading_pkey.
SELECT clauses FROM order_reading WHERE shop_id = $1 AND order_id = $2

-- name: keep
-- Keeps what was read in an order's listing; the first reading stays. Index: order_reading_pkey.
INSERT INTO order_reading (shop_id, order_id, checker, clauses, read_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (shop_id, order_id) DO NOTHING
