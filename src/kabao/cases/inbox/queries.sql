-- name: open_cards
-- A shop's open cases under a tab, the most urgent first, those without a deadline last. Index: cases_open_of_shop,
-- case_question_pkey, case_waiver_pkey.
SELECT c.shop_id, c.case_id, c.order_id, s.title, h.name AS shop_name, c.claim, c.demand, c.demand_minor, o.amount_minor,
       at_stake_v1(c.shop_id, c.order_id, c.opened_at) AS held_minor,
       c.stage, c.turn, c.due_at, c.stage_since, c.opened_at, c.closed_at, coalesce($6, now()) AS now,
       EXISTS (SELECT 1 FROM case_offer f WHERE f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.state = 'open')
         AS has_open_offer
  FROM cases c JOIN shop h USING (shop_id) JOIN orders o USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
 CROSS JOIN LATERAL (SELECT c.turn IN ('merchant', 'nobody') OR (SELECT count(*) FROM case_question q
      WHERE q.shop_id = c.shop_id AND q.case_id = c.case_id AND q.stage = c.stage AND q.to_role = 'merchant'
        AND q.answered_at IS NULL AND q.withdrawn_at IS NULL) > 0 AS is_mine) m
 WHERE c.shop_id = $1 AND c.closed_at IS NULL
   AND (coalesce(c.due_at, 'infinity'::timestamptz), c.case_id) > (coalesce($3::timestamptz, 'infinity'), $4::bigint)
   AND CASE $2::text WHEN 'mine' THEN m.is_mine WHEN 'theirs' THEN NOT m.is_mine AND c.stage NOT IN ('green', 'ruled_open')
            ELSE c.stage IN ('green', 'ruled_open') AND c.turn = 'parties' AND (SELECT count(*) FROM case_waiver w
                 WHERE w.shop_id = c.shop_id AND w.case_id = c.case_id AND w.by_role = 'merchant') = 0 END
 ORDER BY coalesce(c.due_at, 'infinity'::timestamptz), c.case_id LIMIT $5

-- name: ended_cards
-- A shop's cases that were ruled on or are closed, the newest first. Index: cases_pkey.
SELECT c.shop_id, c.case_id, c.order_id, s.title, h.name AS shop_name, c.claim, c.demand, c.demand_minor, o.amount_minor,
       at_stake_v1(c.shop_id, c.order_id, c.opened_at) AS held_minor,
       c.stage, c.turn, c.due_at, c.stage_since, c.opened_at, c.closed_at, coalesce($5, now()) AS now,
       EXISTS (SELECT 1 FROM case_offer f WHERE f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.state = 'open')
         AS has_open_offer
  FROM cases c JOIN shop h USING (shop_id) JOIN orders o USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
 WHERE c.shop_id = $1 AND c.case_id < $3
   AND CASE $2::text WHEN 'ruled' THEN c.stage IN ('green', 'ruled_open', 'review', 'executed') ELSE c.closed_at IS NOT NULL END
 ORDER BY c.case_id DESC LIMIT $4

-- name: counts
-- How many cases stand under each tab, counted up to a limit. Index: cases_open_of_shop, cases_ruled_of_shop,
-- cases_closed_of_shop, case_question_pkey, case_waiver_pkey.
SELECT (SELECT count(*) FROM cases WHERE shop_id = $1 AND closed_at IS NULL) AS open, m.mine, m.review, m.ruled_open,
       (SELECT count(*) FROM (SELECT 1 FROM cases WHERE shop_id = $1 AND stage IN ('green', 'ruled_open', 'review', 'executed')
          LIMIT $2) r) AS ruled,
       (SELECT count(*) FROM (SELECT 1 FROM cases WHERE shop_id = $1 AND closed_at IS NOT NULL LIMIT $2) e) AS closed
  FROM (SELECT count(*) FILTER (WHERE c.turn IN ('merchant', 'nobody') OR (SELECT count(*) FROM case_question q
                 WHERE q.shop_id = c.shop_id AND q.case_id = c.case_id AND q.stage = c.stage
                   AND q.to_role = 'merchant' AND q.answered_at IS NULL AND q.withdrawn_at IS NULL) > 0) AS mine,
               count(*) FILTER (WHERE c.stage IN ('green', 'ruled_open') AND c.turn <> 'nobody') AS ruled_open,
               count(*) FILTER (WHERE c.stage IN ('green', 'ruled_open') AND c.turn = 'parties' AND (SELECT count(*)
                  FROM case_waiver w WHERE w.shop_id = c.shop_id AND w.case_id = c.case_id AND w.by_role = 'merchant') = 0)
                 AS review
          FROM cases c WHERE c.shop_id = $1 AND c.closed_at IS NULL) m

-- name: waiting
-- A shop's rulings that wait for money, the longest first. Index: cases_open_of_shop, ruling_pkey.
SELECT c.case_id, c.claim, r.refund_minor
  FROM cases c CROSS JOIN LATERAL (SELECT g.refund_minor FROM ruling g WHERE g.shop_id = c.shop_id AND g.case_id = c.case_id
    ORDER BY g.ruling_no DESC LIMIT 1) r
 WHERE c.shop_id = $1 AND c.closed_at IS NULL AND c.turn = 'nobody'
 ORDER BY c.case_id LIMIT 50
