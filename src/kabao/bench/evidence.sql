-- name: messages
-- Lines of a talk that wait to be logged.
INSERT INTO message (shop_id, order_id, message_id, author_id, author_role, body, digest, at)
SELECT $1, $2, n, $3, 'buyer', 'a line of talk, number ' || n, sha256(convert_to(n::text, 'UTF8')), now()
  FROM generate_series(1, $4::bigint) n
