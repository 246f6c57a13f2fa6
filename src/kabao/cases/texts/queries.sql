-- name: texts
-- A shop's own texts, oldest first. Index: case_template_pkey.
SELECT template_id, kind, name, body FROM case_template WHERE shop_id = $1 ORDER BY template_id

-- name: lock_shop
-- Lets the writers of a shop's texts follow each other, so that their number is bounded. Index: shop_pkey.
SELECT owner_id FROM shop WHERE shop_id = $1 FOR NO KEY UPDATE

-- name: add_text
-- Keeps a text unless the shop has enough. Index: case_template_pkey.
INSERT INTO case_template (shop_id, template_id, kind, name, body, made_at)
SELECT $1, $2, $3, $4, $5, coalesce($6, now()) WHERE (SELECT count(*) FROM case_template WHERE shop_id = $1) < $7
RETURNING template_id

-- name: change_text
-- Writes a text anew; its use stays. Index: case_template_pkey.
UPDATE case_template SET name = $3, body = $4 WHERE shop_id = $1 AND template_id = $2 RETURNING template_id

-- name: remove_text
-- Removes a text; what was sent from it stands where it was sent. Index: case_template_pkey.
DELETE FROM case_template WHERE shop_id = $1 AND template_id = $2 RETURNING template_id

-- name: save_draft
-- Keeps what somebody typed in a case in the place of what was kept before, and clears a few that are old. Index:
-- say_draft_pkey, say_draft_saved.
WITH gone AS (
  DELETE FROM say_draft WHERE (shop_id, case_id, account_id) IN (
    SELECT d.shop_id, d.case_id, d.account_id FROM say_draft d
     WHERE d.saved_at < coalesce($5, now()) - interval '30 days' AND (d.case_id, d.account_id) <> ($2, $3)
     ORDER BY d.saved_at LIMIT 20 FOR UPDATE SKIP LOCKED))
INSERT INTO say_draft (shop_id, case_id, account_id, body, saved_at) VALUES ($1, $2, $3, $4, coalesce($5, now()))
ON CONFLICT (shop_id, case_id, account_id) DO UPDATE SET body = $4, saved_at = coalesce($5, now())

-- name: draft
-- What somebody typed in a case and has not sent. Index: say_draft_pkey.
SELECT body, saved_at FROM say_draft WHERE shop_id = $1 AND case_id = $2 AND account_id = $3

-- name: drop_draft
-- Forgets a draft. Index: say_draft_pkey.
DELETE FROM say_draft WHERE shop_id = $1 AND case_id = $2 AND account_id = $3
