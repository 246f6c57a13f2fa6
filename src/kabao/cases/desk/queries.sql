-- name: queue
-- One page of what a member of staff may open, the least time left first. Index: cases_due, panel_seat_once.
SELECT c.shop_id, c.case_id, c.order_id, s.title, h.name AS shop_name, c.claim, c.demand, c.demand_minor, o.amount_minor,
       at_stake_v1(c.shop_id, c.order_id, c.opened_at) AS held_minor,
       c.stage, c.turn, c.due_at, c.windows, c.first_word_at, c.stage_since, c.opened_at, c.closed_at, coalesce($4, now()) AS now,
       EXISTS (SELECT 1 FROM case_offer f WHERE f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.state = 'open')
         AS has_open_offer, d.is_waiting
  FROM desk_cases_v1($1, $2, $3) d
  JOIN cases c USING (shop_id, case_id) JOIN shop h USING (shop_id) JOIN orders o USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
 WHERE CASE $5 WHEN 'mine' THEN d.is_mine WHEN 'waiting' THEN d.is_waiting
               WHEN 'near' THEN d.due_at > coalesce($4, now()) AND d.due_at <= coalesce($4, now()) + $6::interval
               WHEN 'breached' THEN d.due_at <= coalesce($4, now()) ELSE true END
   AND ($7 = '' OR c.stage = $7) AND ($8 = '' OR c.claim = $8) AND o.amount_minor BETWEEN $9 AND $10
   AND ($11 = '' OR c.statement ILIKE $11 OR h.name ILIKE $11 OR s.title ILIKE $11)
   AND (d.due_at, d.shop_id, d.case_id) > ($12, $13, $14)
 ORDER BY d.due_at, d.shop_id, d.case_id LIMIT $15

-- name: counts
-- How many cases stand in each lane, counted no further than a limit. Index: cases_due, panel_seat_once.
SELECT count(*) FILTER (WHERE d.is_mine) AS mine, count(*) AS team, count(*) FILTER (WHERE d.is_waiting) AS waiting,
       count(*) FILTER (WHERE d.due_at > coalesce($4, now()) AND d.due_at <= coalesce($4, now()) + $5::interval) AS near,
       count(*) FILTER (WHERE d.due_at <= coalesce($4, now())) AS breached
  FROM (SELECT * FROM desk_cases_v1($1, $2, $3) ORDER BY due_at LIMIT $6) d

-- name: by_number
-- The cases of a number, the case's own or its order's, open or not. Index: cases_pkey, cases_of_order.
SELECT c.shop_id, c.case_id, c.order_id, s.title, h.name AS shop_name, c.claim, c.demand, c.demand_minor, o.amount_minor,
       at_stake_v1(c.shop_id, c.order_id, c.opened_at) AS held_minor,
       c.stage, c.turn, c.due_at, c.windows, c.first_word_at, c.stage_since, c.opened_at, c.closed_at, coalesce($3, now()) AS now,
       EXISTS (SELECT 1 FROM case_offer f WHERE f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.state = 'open')
         AS has_open_offer,
       EXISTS (SELECT 1 FROM case_question q WHERE q.shop_id = c.shop_id AND q.case_id = c.case_id
                  AND q.stage = c.stage AND q.answered_at IS NULL) AS is_waiting
  FROM cases c JOIN shop h USING (shop_id) JOIN orders o USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
 WHERE c.shop_id = $1 AND (c.case_id = $2 OR c.order_id = $2)
 ORDER BY c.case_id

-- name: be_here
-- Renews somebody's lease on a case, and clears a few that have long run out. Index: case_presence_pkey,
-- case_presence_until.
WITH gone AS (
  DELETE FROM case_presence WHERE (shop_id, case_id, staff_id) IN (
    SELECT p.shop_id, p.case_id, p.staff_id FROM case_presence p
     WHERE p.until < $5::timestamptz - interval '1 hour' AND p.staff_id <> $3
     ORDER BY p.until LIMIT 20 FOR UPDATE SKIP LOCKED))
INSERT INTO case_presence (shop_id, case_id, staff_id, role, seen_at, until) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (shop_id, case_id, staff_id) DO UPDATE SET role = $4, seen_at = $5, until = $6

-- name: others_here
-- Who else has a case open. Index: case_presence_pkey.
SELECT role, seen_at FROM case_presence WHERE shop_id = $1 AND case_id = $2 AND staff_id <> $3 AND until > $4
 ORDER BY seen_at DESC, staff_id

-- name: save_draft
-- Keeps somebody's draft of a stage's ruling in the place of the one before, and clears a few that have expired. Index:
-- ruling_draft_pkey, ruling_draft_expires.
WITH gone AS (
  DELETE FROM ruling_draft WHERE (shop_id, case_id, stage, staff_id) IN (
    SELECT d.shop_id, d.case_id, d.stage, d.staff_id FROM ruling_draft d
     WHERE d.expires_at <= $6::timestamptz AND d.staff_id <> $4
     ORDER BY d.expires_at LIMIT 20 FOR UPDATE SKIP LOCKED))
INSERT INTO ruling_draft (shop_id, case_id, stage, staff_id, typed, saved_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (shop_id, case_id, stage, staff_id) DO UPDATE SET typed = $5, saved_at = $6, expires_at = $7

-- name: draft
-- Somebody's own draft in a case, the latest where there is one of an earlier stage. Index: ruling_draft_pkey.
SELECT stage, typed, saved_at FROM ruling_draft
 WHERE shop_id = $1 AND case_id = $2 AND staff_id = $3 AND expires_at > $4
 ORDER BY saved_at DESC LIMIT 1

-- name: drop_draft
-- Throws somebody's own drafts of a case away. Index: ruling_draft_pkey.
DELETE FROM ruling_draft WHERE shop_id = $1 AND case_id = $2 AND staff_id = $3

-- name: draft_until
-- Sets when a draft that is still there is gone. Index: ruling_draft_pkey.
UPDATE ruling_draft SET expires_at = $5 WHERE shop_id = $1 AND case_id = $2 AND stage = $3 AND staff_id = $4

-- name: own_view
-- The first view somebody has put down in a stage. Index: first_view_pkey.
SELECT outcome, refund_minor, damages_minor, share_buyer, share_merchant, share_platform, sentence, at FROM first_view
 WHERE shop_id = $1 AND case_id = $2 AND stage = $3 AND staff_id = $4

-- name: seats
-- How a panel is filled and how many of it have voted; nothing of what they voted. Index: panel_seat_pkey,
-- panel_vote_once.
SELECT count(*) AS drawn, count(v.vote_id) AS voted, max(t.seat_no) FILTER (WHERE t.panellist_id = $4) AS mine
  FROM panel_seat t
  LEFT JOIN panel_vote v ON t.stage = 'panel' AND v.shop_id = t.shop_id AND v.case_id = t.case_id
                        AND v.panellist_id = t.panellist_id AND v.taken_back_at IS NULL
 WHERE t.shop_id = $1 AND t.case_id = $2 AND t.stage = $3 AND t.recused_at IS NULL
