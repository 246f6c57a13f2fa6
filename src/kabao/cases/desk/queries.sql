-- name: queue
-- One page of what a member of staff may open, what is due first at the top. Index: cases_due, panel_seat_once.
SELECT c.shop_id, c.case_id, c.order_id, s.title, h.name AS shop_name, c.claim, c.demand, c.demand_minor, o.amount_minor,
       at_stake_v1(c.shop_id, c.order_id, c.opened_at) AS held_minor,
       c.stage, c.turn, c.due_at, c.windows, c.first_word_at, c.stage_since, c.opened_at, c.closed_at, n.now,
       EXISTS (SELECT 1 FROM case_offer f WHERE f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.state = 'open')
         AS has_open_offer, d.is_asked, d.runs_from
  FROM (SELECT coalesce($4::timestamptz, now()) AS now) n
 CROSS JOIN LATERAL desk_cases_v2($1, $2, $3, n.now) d
  JOIN cases c USING (shop_id, case_id) JOIN shop h USING (shop_id) JOIN orders o USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
 WHERE ($5 = 'team' OR d.lane = $5)
   AND CASE $12 WHEN 'near' THEN d.due_at > d.runs_from AND d.due_at <= d.runs_from + $6::interval
                WHEN 'breached' THEN d.due_at <= d.runs_from
                WHEN 'later' THEN d.due_at > d.runs_from + $6::interval ELSE true END
   AND ($7 = '' OR c.stage = $7) AND ($8 = '' OR c.claim = $8) AND o.amount_minor BETWEEN $9 AND $10
   AND ($11 = '' OR c.statement ILIKE $11 OR h.name ILIKE $11 OR s.title ILIKE $11)
   AND (d.due_at, d.shop_id, d.case_id) > ($13, $14, $15)
 ORDER BY d.due_at, d.shop_id, d.case_id LIMIT $16

-- name: counts
-- How many cases of those that fit the filters stand in each lane, by the time left, counted no further than a limit.
-- Index: cases_due, panel_seat_once.
SELECT lane, time_left, count(*) AS cases FROM (
  SELECT d.lane, CASE WHEN d.due_at <= d.runs_from THEN 'breached' WHEN d.due_at <= d.runs_from + $5::interval THEN 'near'
                      ELSE 'later' END AS time_left
    FROM desk_cases_v2($1, $2, $3, coalesce($4::timestamptz, now())) d
    JOIN cases c USING (shop_id, case_id) JOIN shop h USING (shop_id) JOIN orders o USING (shop_id, order_id)
    JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
   WHERE ($6 = '' OR c.stage = $6) AND ($7 = '' OR c.claim = $7) AND o.amount_minor BETWEEN $8 AND $9
     AND ($10 = '' OR c.statement ILIKE $10 OR h.name ILIKE $10 OR s.title ILIKE $10)
   ORDER BY d.due_at LIMIT $11) q
 GROUP BY lane, time_left

-- name: by_number
-- The cases of a number, the case's own or its order's, open or not. Index: cases_pkey, cases_of_order, case_pause_pkey.
SELECT c.shop_id, c.case_id, c.order_id, s.title, h.name AS shop_name, c.claim, c.demand, c.demand_minor, o.amount_minor,
       at_stake_v1(c.shop_id, c.order_id, c.opened_at) AS held_minor,
       c.stage, c.turn, c.due_at, c.windows, c.first_word_at, c.stage_since, c.opened_at, c.closed_at, coalesce($3, now()) AS now,
       EXISTS (SELECT 1 FROM case_offer f WHERE f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.state = 'open')
         AS has_open_offer,
       EXISTS (SELECT 1 FROM case_question q WHERE q.shop_id = c.shop_id AND q.case_id = c.case_id
                  AND q.stage = c.stage AND q.answered_at IS NULL AND q.withdrawn_at IS NULL) AS is_asked,
       coalesce((SELECT max(u.ends_at) FROM case_pause u
                  WHERE u.shop_id = c.shop_id AND u.case_id = c.case_id AND u.stage = c.stage
                    AND u.began_at >= c.stage_since AND u.began_at <= coalesce($3, now())
                    AND u.ends_at > coalesce($3, now())), coalesce($3, now())) AS runs_from
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
