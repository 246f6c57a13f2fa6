-- Deadlines that are near, and what was told of them. The parameter named last is the clock's instant; NULL: the database's.

-- name: near_cases
-- Takes cases whose deadline lies between now plus $2 and now plus $3 and was not looked at for this mark, keeps that it
-- was, and says of each whether it was given $4 ahead at least. A case that somebody moves just now is left to the next
-- run; a ruling that is handed in needs nobody any more.
-- Index: cases_due, case_reminder_pkey, case_event_pkey, ruling_submission_one_pending.
WITH near AS MATERIALIZED (
  SELECT c.shop_id, c.case_id, c.due_at
    FROM cases c
   WHERE c.closed_at IS NULL AND c.turn <> 'nobody'
     AND c.due_at > coalesce($6::timestamptz, now()) + $2::interval
     AND c.due_at <= coalesce($6::timestamptz, now()) + $3::interval
     AND NOT EXISTS (SELECT 1 FROM case_reminder r
                      WHERE r.shop_id = c.shop_id AND r.case_id = c.case_id AND r.due_at = c.due_at AND r.mark = $1)
     AND NOT EXISTS (SELECT 1 FROM ruling_submission p
                      WHERE p.shop_id = c.shop_id AND p.case_id = c.case_id AND p.ended_at IS NULL)
   ORDER BY c.due_at, c.shop_id, c.case_id FOR NO KEY UPDATE OF c SKIP LOCKED LIMIT $5),
told AS (
  INSERT INTO case_reminder (shop_id, case_id, due_at, mark, told_at)
  SELECT shop_id, case_id, due_at, $1, coalesce($6::timestamptz, now()) FROM near
  ON CONFLICT DO NOTHING RETURNING shop_id, case_id, due_at)
SELECT c.shop_id, c.case_id, t.due_at, coalesce($6::timestamptz, now()) AS now, c.stage, c.turn, s.title, c.buyer_id,
       h.owner_id,
       e.state = 'disputed' AND c.opened_by = 'buyer'
         AND NOT EXISTS (SELECT 1 FROM case_event v WHERE v.shop_id = c.shop_id AND v.case_id = c.case_id
                            AND v.kind = 'person_asked') AS may_stand,
       t.due_at - coalesce((SELECT min(v.at) FROM case_event v WHERE v.shop_id = c.shop_id AND v.case_id = c.case_id
                               AND v.due_at = t.due_at), c.stage_since) >= $4::interval AS was_long,
       ARRAY(SELECT w.by_role FROM case_waiver w WHERE w.shop_id = c.shop_id AND w.case_id = c.case_id
                AND w.ruling_no = (SELECT max(r.ruling_no) FROM ruling r
                                    WHERE r.shop_id = c.shop_id AND r.case_id = c.case_id)) AS waived_by
  FROM told t JOIN cases c USING (shop_id, case_id) JOIN shop h USING (shop_id)
  JOIN orders o USING (shop_id, order_id) JOIN escrow e USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no

-- name: waiting_cases
-- Takes cases in which it has been somebody's turn for between $2 and $3, keeps that this mark was looked at, and says of
-- each whether the deadline is further off than $4, or over. What waits for an answer, an authority or a ruling's ten
-- seconds waits for nobody else. Index: cases_turn_since, case_reminder_pkey, case_pause_pkey, ruling_submission_one_pending.
WITH near AS MATERIALIZED (
  SELECT c.shop_id, c.case_id, c.turn_since
    FROM cases c
   WHERE c.closed_at IS NULL AND c.turn NOT IN ('nobody', 'parties') AND c.stage <> 'routed_out'
     AND c.turn_since <= coalesce($6::timestamptz, now()) - $2::interval
     AND c.turn_since > coalesce($6::timestamptz, now()) - $3::interval
     AND NOT EXISTS (SELECT 1 FROM case_reminder r
                      WHERE r.shop_id = c.shop_id AND r.case_id = c.case_id AND r.due_at = c.turn_since AND r.mark = $1)
     AND NOT EXISTS (SELECT 1 FROM ruling_submission p
                      WHERE p.shop_id = c.shop_id AND p.case_id = c.case_id AND p.ended_at IS NULL)
     AND NOT EXISTS (SELECT 1 FROM case_pause p
                      WHERE p.shop_id = c.shop_id AND p.case_id = c.case_id AND p.stage = c.stage
                        AND p.began_at <= coalesce($6::timestamptz, now())
                        AND p.ends_at > coalesce($6::timestamptz, now()))
   ORDER BY c.turn_since, c.shop_id, c.case_id FOR NO KEY UPDATE OF c SKIP LOCKED LIMIT $5),
told AS (
  INSERT INTO case_reminder (shop_id, case_id, due_at, mark, told_at)
  SELECT shop_id, case_id, turn_since, $1, coalesce($6::timestamptz, now()) FROM near
  ON CONFLICT DO NOTHING RETURNING shop_id, case_id, due_at AS turn_since)
SELECT c.shop_id, c.case_id, c.due_at, coalesce($6::timestamptz, now()) AS now, c.stage, c.turn, s.title, c.buyer_id,
       h.owner_id,
       e.state = 'disputed' AND c.opened_by = 'buyer'
         AND NOT EXISTS (SELECT 1 FROM case_event v WHERE v.shop_id = c.shop_id AND v.case_id = c.case_id
                            AND v.kind = 'person_asked') AS may_stand,
       c.due_at > coalesce($6::timestamptz, now()) + $4::interval
         OR (c.turn = 'duty' AND c.due_at <= coalesce($6::timestamptz, now())) AS was_long,
       ARRAY[]::text[] AS waived_by, coalesce($6::timestamptz, now()) - t.turn_since AS waited
  FROM told t JOIN cases c USING (shop_id, case_id) JOIN shop h USING (shop_id)
  JOIN orders o USING (shop_id, order_id) JOIN escrow e USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no

-- name: deciders
-- Who decides a case, at its turn: for support's those who have begun with it, else all; of a panel who has not voted;
-- for the duty officer's every one who may rule in it. Never a party, nor who spoke in the order as one, left a seat or
-- ruled in the case. Index: account_role_pkey, account_role_by_role, first_view_pkey, panel_seat_pkey, panel_vote_once,
-- ruling_pkey, message_pkey.
SELECT a.account_id FROM account a
 WHERE a.frozen_at IS NULL AND a.account_id <> ALL($5::bigint[])
   AND NOT EXISTS (SELECT 1 FROM message m JOIN cases c ON c.shop_id = m.shop_id AND c.order_id = m.order_id
                    WHERE c.shop_id = $1 AND c.case_id = $2 AND m.author_id = a.account_id
                      AND m.author_role IN ('buyer', 'merchant'))
   AND NOT EXISTS (SELECT 1 FROM ruling g WHERE g.shop_id = $1 AND g.case_id = $2 AND g.staff_id = a.account_id)
   AND NOT EXISTS (SELECT 1 FROM panel_seat t WHERE t.shop_id = $1 AND t.case_id = $2
                      AND t.panellist_id = a.account_id AND t.recused_at IS NOT NULL)
   AND a.account_id IN (
   SELECT t.panellist_id FROM panel_seat t
    WHERE $3 = 'panel' AND t.shop_id = $1 AND t.case_id = $2 AND t.stage = $4 AND t.recused_at IS NULL
      AND NOT EXISTS (SELECT 1 FROM panel_vote v WHERE v.shop_id = $1 AND v.case_id = $2
                         AND v.panellist_id = t.panellist_id AND v.taken_back_at IS NULL AND t.stage = 'panel')
   UNION ALL
   SELECT r.account_id FROM account_role r
    WHERE $3 = 'duty' AND r.role = 'duty'
      AND NOT EXISTS (SELECT 1 FROM first_view v WHERE v.shop_id = $1 AND v.case_id = $2 AND v.staff_id = r.account_id
                         AND $4 = 'review' AND v.stage <> 'review')
   UNION ALL
   SELECT r.account_id FROM account_role r
    WHERE $3 = 'support' AND r.role = 'support'
      AND (EXISTS (SELECT 1 FROM first_view v WHERE v.shop_id = $1 AND v.case_id = $2 AND v.stage = 'support'
                      AND v.staff_id = r.account_id)
           OR NOT EXISTS (SELECT 1 FROM first_view v
                           WHERE v.shop_id = $1 AND v.case_id = $2 AND v.stage = 'support')))
 ORDER BY a.account_id LIMIT 50

-- name: open_questions
-- Takes questions without an answer whose pause ends within $1, and keeps that it is told.
-- Index: case_question_open, case_pause_pkey, case_reminder_pkey, cases_pkey.
WITH near AS MATERIALIZED (
  SELECT DISTINCT ON (q.shop_id, q.case_id, q.to_role) q.shop_id, q.case_id, p.ends_at, 'asked_' || q.to_role AS mark
    FROM case_question q JOIN cases c USING (shop_id, case_id)
    JOIN case_pause p ON p.shop_id = q.shop_id AND p.case_id = q.case_id AND p.stage = q.stage
   WHERE q.answered_at IS NULL AND q.withdrawn_at IS NULL AND q.asked_at > coalesce($3::timestamptz, now()) - interval '7 days'
     AND c.closed_at IS NULL AND c.stage = q.stage
     AND p.ends_at > coalesce($3::timestamptz, now()) AND p.ends_at <= coalesce($3::timestamptz, now()) + $1::interval
     AND p.ends_at - q.asked_at >= 2 * $1::interval
     AND NOT EXISTS (SELECT 1 FROM case_reminder r WHERE r.shop_id = q.shop_id AND r.case_id = q.case_id
                        AND r.due_at = p.ends_at AND r.mark = 'asked_' || q.to_role)
   ORDER BY q.shop_id, q.case_id, q.to_role, q.asked_at LIMIT $2),
told AS (
  INSERT INTO case_reminder (shop_id, case_id, due_at, mark, told_at)
  SELECT shop_id, case_id, ends_at, mark, coalesce($3::timestamptz, now()) FROM near
  ON CONFLICT DO NOTHING RETURNING shop_id, case_id, due_at, mark)
SELECT t.shop_id, t.case_id, t.due_at, coalesce($3::timestamptz, now()) AS now, s.title,
       CASE t.mark WHEN 'asked_buyer' THEN c.buyer_id ELSE h.owner_id END AS account_id
  FROM told t JOIN cases c USING (shop_id, case_id) JOIN shop h USING (shop_id)
  JOIN orders o USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no

-- name: begin_releases
-- Makes the cursor over releases, once, so that orders from before it are told to nobody. Index: digest_cursor_pkey.
INSERT INTO digest_cursor (name, read_until) VALUES ('releases', coalesce($2::timestamptz, now()) + $1::interval)
ON CONFLICT DO NOTHING

-- name: releases_read
-- Locks how far releases were read, unless another runner has it. Index: digest_cursor_pkey.
SELECT read_until FROM digest_cursor WHERE name = 'releases' FOR UPDATE SKIP LOCKED

-- name: releases_stretch
-- Answers where a stretch of at most so many releases ends. Index: escrow_due.
SELECT max(due_at) FROM (SELECT due_at FROM escrow
  WHERE state = 'held' AND due_at > $1 AND due_at <= coalesce($4::timestamptz, now()) + $2::interval
  ORDER BY due_at LIMIT $3) stretch

-- name: releasing
-- Orders whose money goes out in a stretch of time, where the buyer was given so long at least. Index: escrow_due,
-- orders_pkey.
SELECT e.shop_id, e.order_id, e.due_at, coalesce($4::timestamptz, now()) AS now, s.title, o.buyer_id,
       o.state = 'delivered' AS is_sealed
  FROM escrow e JOIN orders o USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
 WHERE e.state = 'held' AND e.due_at > $1 AND e.due_at <= $2 AND e.due_at > coalesce($4::timestamptz, now())
   AND e.due_at - o.paid_at >= $3::interval
 ORDER BY e.due_at, e.shop_id, e.order_id

-- name: releases_read_on
-- Remembers how far releases were read. Index: digest_cursor_pkey.
UPDATE digest_cursor SET read_until = $1 WHERE name = 'releases'

-- name: begin_talk
-- Makes a cursor over what is said in orders, once, so that what had waited longer before it is told to nobody.
-- Index: digest_cursor_pkey.
INSERT INTO digest_cursor (name, read_until) VALUES ($1, coalesce($3::timestamptz, now()) - $2::interval)
ON CONFLICT DO NOTHING

-- name: talk_read
-- Locks how far a cursor has read, unless another runner has it. Index: digest_cursor_pkey.
SELECT read_until FROM digest_cursor WHERE name = $1 FOR UPDATE SKIP LOCKED

-- name: talk_stretch
-- Answers where a stretch of at most so many messages ends. Index: message_of_parties.
SELECT max(at) FROM (SELECT at FROM message
  WHERE author_role <> 'support' AND at > $1 AND at <= coalesce($4::timestamptz, now()) - $2::interval
  ORDER BY at LIMIT $3) stretch

-- name: talk_unanswered
-- Of the messages in a stretch of time those with which a side began to wait: its own last words before them were answered,
-- they were not, neither in words nor with a file, and no case has been open since. Index: message_of_parties,
-- message_pkey, evidence_item_pkey, cases_of_order, orders_pkey.
SELECT m.shop_id, m.order_id, s.title, m.author_role AS by_role, o.buyer_id, h.owner_id
  FROM message m JOIN orders o USING (shop_id, order_id) JOIN shop h USING (shop_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
 WHERE m.author_role <> 'support' AND m.at > $1 AND m.at <= $2
   AND o.state NOT IN ('expired', 'cancelled', 'refunded')
   AND m.author_role IS DISTINCT FROM (SELECT b.author_role FROM message b
                     WHERE b.shop_id = m.shop_id AND b.order_id = m.order_id AND b.message_id < m.message_id
                       AND b.author_role <> 'support' ORDER BY b.message_id DESC LIMIT 1)
   AND NOT EXISTS (SELECT 1 FROM message a
                    WHERE a.shop_id = m.shop_id AND a.order_id = m.order_id AND a.message_id > m.message_id
                      AND a.author_role <> m.author_role AND a.author_role <> 'support')
   AND NOT EXISTS (SELECT 1 FROM evidence_item i
                    WHERE i.shop_id = m.shop_id AND i.order_id = m.order_id AND i.at > m.at
                      AND i.given_role <> m.author_role AND i.given_role <> 'support')
   AND NOT EXISTS (SELECT 1 FROM cases c
                    WHERE c.shop_id = m.shop_id AND c.order_id = m.order_id
                      AND (c.closed_at IS NULL OR c.closed_at >= m.at))
 ORDER BY m.at, m.shop_id, m.order_id

-- name: talk_read_on
-- Remembers how far a cursor has read. Index: digest_cursor_pkey.
UPDATE digest_cursor SET read_until = $2 WHERE name = $1

-- name: clock
-- The time it is. Index: none.
SELECT coalesce($1::timestamptz, now())

-- name: undigested
-- Staff who have had no letter on a day. Index: account_role_by_role, staff_digest_pkey.
SELECT r.account_id, array_agg(r.role ORDER BY r.role) AS roles
  FROM account_role r JOIN account a USING (account_id)
 WHERE r.role IN ('support', 'panel', 'duty') AND a.frozen_at IS NULL
   AND a.email_confirmed_at IS NOT NULL AND a.email_failed_at IS NULL
   AND NOT EXISTS (SELECT 1 FROM staff_digest d WHERE d.account_id = r.account_id AND d.day = $1)
 GROUP BY r.account_id ORDER BY r.account_id LIMIT $2

-- name: keep_digest
-- Keeps that a letter was made for a day, once. Index: staff_digest_pkey.
INSERT INTO staff_digest (account_id, day, made_at) VALUES ($1, $2, coalesce($3::timestamptz, now()))
ON CONFLICT DO NOTHING RETURNING account_id
