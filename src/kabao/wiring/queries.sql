-- name: ping
-- Answers when the database works. No index.
SELECT 1

-- name: has_shops
-- Tells whether any shop exists. Index: shop_pkey.
SELECT EXISTS (SELECT 1 FROM shop)

-- name: accounts_of
-- The accounts of some phones. Index: account_phone_taken.
SELECT phone, account_id FROM account WHERE phone = ANY ($1::text[])

-- name: staff_among
-- Those of some accounts that hold a staff role. Index: account_role_pkey.
SELECT DISTINCT account_id FROM account_role
 WHERE account_id = ANY ($1::bigint[]) AND role IN ('support', 'operator') ORDER BY account_id

-- name: accounts_named
-- The accounts that bear a display name; for the command line only. Scans the table.
SELECT account_id FROM account WHERE display_name = $1 ORDER BY account_id LIMIT 3
