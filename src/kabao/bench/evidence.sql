-- name: messages
-- Lines of a talk that wait to be logged, each with the digest of its words as the product writes it; never at a whole
-- second, whose text would be shorter.
INSERT INTO message (shop_id, order_id, message_id, author_id, author_role, body, digest, at)
SELECT $1, $2, n, $3, 'buyer', body,
       sha256(convert_to(format('["message",%s,%s,%s,"buyer","%s","%s+00:00"]', $1::bigint, $2::bigint, n, body,
         to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US')), 'UTF8')), at
  FROM (SELECT n, 'a line of talk, number ' || n AS body,
               date_trunc('second', now()) + interval '1 microsecond' * (1 + n % 999999) AS at
          FROM generate_series(1, $4::bigint) n) line
