-- name: payer
-- The mark of the account that paid what is held for an order; no row where no custodian told. Index: escrow_pkey,
-- payment_payer_pkey.
SELECT y.mark FROM escrow e JOIN payment_payer y USING (shop_id, provider, payment_id)
 WHERE e.shop_id = $1 AND e.order_id = $2

-- name: uses
-- How often a person, and how often the account that paid, was refunded at once since an instant. Index: green_use_pkey,
-- green_payer_use_pkey.
SELECT (SELECT count(*) FROM green_use g, unnest(g.used_at) AS used WHERE g.account_id = $1 AND used > $3) AS of_person,
       (SELECT count(*) FROM green_payer_use g, unnest(g.used_at) AS used WHERE g.mark = $2 AND used > $3) AS of_payer

-- name: take_use
-- Counts one more of both, unless there were enough of one since an instant; two at one moment wait for each other here.
-- Index: green_use_pkey, green_payer_use_pkey.
SELECT take_green_use_v1($1, $2, $3, $4, $5)
