-- name: add_message
-- Keeps one message of an order; no row where the order does not exist. Index: orders_pkey.
INSERT INTO message (shop_id, order_id, message_id, author_id, author_role, body, digest, at)
SELECT shop_id, order_id, $3, $4, $5, $6, $7, $8 FROM orders WHERE shop_id = $1 AND order_id = $2
RETURNING message_id

-- name: messages
-- The conversation of an order, oldest first. Index: message_pkey.
SELECT message_id, author_id, author_role, body, digest, at
  FROM message WHERE shop_id = $1 AND order_id = $2 ORDER BY message_id

-- name: add_item
-- Numbers and keeps one file, unless it is there, its giver's side is full, or another took the number at the same time.
-- Index: orders_pkey, evidence_item_numbered, evidence_item_once.
INSERT INTO evidence_item (shop_id, order_id, item_id, item_no, case_id, file_name, media_type, byte_size, digest,
    preview_digest, given_by, given_role, at)
SELECT o.shop_id, o.order_id, $3, n.item_no, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12, now())
  FROM orders o,
       (SELECT coalesce(max(i.item_no), 0) + 1 AS item_no FROM evidence_item i
         WHERE i.shop_id = $1 AND i.order_id = $2) n
 WHERE o.shop_id = $1 AND o.order_id = $2
   AND (SELECT count(*) FROM evidence_item i WHERE i.shop_id = $1 AND i.order_id = $2 AND i.given_role = $11) < $13
ON CONFLICT DO NOTHING
RETURNING item_id, item_no, case_id, file_name, media_type, byte_size, digest, preview_digest, given_by, given_role, at

-- name: why_not_added
-- Tells what stood in the way of a file. Index: evidence_item_once, evidence_item_numbered.
SELECT EXISTS (SELECT 1 FROM evidence_item WHERE shop_id = $1 AND order_id = $2 AND digest = $3 AND given_by = $4) AS is_there,
       (SELECT count(*) FROM evidence_item WHERE shop_id = $1 AND order_id = $2 AND given_role = $5) AS files,
       EXISTS (SELECT 1 FROM orders WHERE shop_id = $1 AND order_id = $2) AS order_exists

-- name: items
-- The files of an order by their number. Index: evidence_item_numbered.
SELECT item_id, item_no, case_id, file_name, media_type, byte_size, digest, preview_digest, given_by, given_role, at
  FROM evidence_item WHERE shop_id = $1 AND order_id = $2 ORDER BY item_no

-- name: item
-- One file of an order. Index: evidence_item_pkey.
SELECT item_id, item_no, case_id, file_name, media_type, byte_size, digest, preview_digest, given_by, given_role, at
  FROM evidence_item WHERE shop_id = $1 AND order_id = $2 AND item_id = $3

-- name: instant
-- The instant a message is said at. Index: none.
SELECT coalesce($1, now())
