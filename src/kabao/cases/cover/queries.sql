-- name: lock_shop
-- Lets the steps on a shop's cover follow each other. Index: shop_pkey.
SELECT owner_id FROM shop WHERE shop_id = $1 FOR NO KEY UPDATE

-- name: standing
-- The cover that stands for a shop, with what it has given. Index: shop_cover_standing, cover_grant_pkey.
SELECT v.cover_id, v.from_at, v.until_at, v.each_minor, v.total_minor,
       (SELECT coalesce(sum(g.refund_minor), 0)::bigint FROM cover_grant g
         WHERE g.shop_id = v.shop_id AND g.cover_id = v.cover_id AND g.refused IS NULL) AS spent_minor
  FROM shop_cover v WHERE v.shop_id = $1 AND v.ended_at IS NULL

-- name: lock_cover
-- Locks the cover that stands for a shop; what it has given is read afterwards. Index: shop_cover_standing.
SELECT cover_id FROM shop_cover WHERE shop_id = $1 AND ended_at IS NULL FOR UPDATE

-- name: end_cover
-- Ends the cover that stands; one whose time is over ended then. Index: shop_cover_standing.
UPDATE shop_cover SET ended_at = least(coalesce($2, now()), greatest(until_at, made_at))
 WHERE shop_id = $1 AND ended_at IS NULL RETURNING cover_id

-- name: add_cover
-- Sets a cover. Index: shop_cover_standing.
INSERT INTO shop_cover (shop_id, cover_id, from_at, until_at, each_minor, total_minor, made_by, made_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now()))

-- name: deeds
-- What covers did in a shop, newest first. Index: cover_grant_pkey.
SELECT case_id, refund_minor, refused, at FROM cover_grant WHERE shop_id = $1 ORDER BY at DESC, case_id DESC LIMIT $2

-- name: has_looked
-- Whether a cover has looked at a case, read under the cover's lock. Index: cover_grant_pkey.
SELECT EXISTS (SELECT 1 FROM cover_grant WHERE shop_id = $1 AND cover_id = $2 AND case_id = $3)

-- name: add_deed
-- Keeps what a cover did with a case, so that it looks at none twice. Index: cover_grant_pkey.
INSERT INTO cover_grant (shop_id, cover_id, case_id, refund_minor, refused, at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: covered_cases
-- Cases that wait for a merchant who is away and that a cover has not looked at, a page at a time. Index:
-- shop_cover_standing, cases_open_of_shop, cover_grant_pkey.
SELECT c.shop_id, c.case_id
  FROM shop_cover v JOIN cases c ON c.shop_id = v.shop_id AND c.closed_at IS NULL
 WHERE v.ended_at IS NULL AND v.from_at <= coalesce($1, now()) AND v.until_at > coalesce($1, now())
   AND c.stage = 'negotiation' AND c.turn = 'merchant' AND c.opened_by = 'buyer'
   AND c.answered_at IS NULL AND c.demand <> 'replacement'
   AND c.demand_minor <= v.each_minor AND (c.shop_id, c.case_id) > ($2, $3)
   AND NOT EXISTS (SELECT 1 FROM cover_grant g
                    WHERE g.shop_id = c.shop_id AND g.cover_id = v.cover_id AND g.case_id = c.case_id)
 ORDER BY c.shop_id, c.case_id LIMIT $4
