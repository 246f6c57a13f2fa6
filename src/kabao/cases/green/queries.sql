-- name: uses
-- How often a person was refunded at once since an instant. Index: green_use_pkey.
SELECT count(*) FROM green_use g, unnest(g.used_at) AS used WHERE g.account_id = $1 AND used > $2

-- name: take_use
-- Counts one more, unless there were enough since an instant; two at one moment wait for each other here.
-- Index: green_use_pkey.
INSERT INTO green_use AS g (account_id, used_at) VALUES ($1, ARRAY[$2::timestamptz])
ON CONFLICT (account_id) DO UPDATE SET used_at = ARRAY(SELECT used FROM unnest(g.used_at) used WHERE used > $3) || $2
 WHERE cardinality(ARRAY(SELECT used FROM unnest(g.used_at) used WHERE used > $3)) < $4
RETURNING account_id
