-- name: order_to_open
-- Who the parties of an order are, before a case is opened on it, what is held, and whether a key is still sealed.
-- Index: orders_pkey, escrow_pkey, card_key_one_place.
SELECT o.shop_id, o.order_id, o.buyer_id, h.owner_id, s.title, o.placed_at, coalesce($3, now()) AS now,
       coalesce(claimable_v1(o.shop_id, o.order_id), e.amount_minor - e.released - e.refunded, 0) AS held_minor,
       coalesce(e.state IN ('held', 'disputed'), false) AS is_held,
       EXISTS (SELECT 1 FROM card_key k WHERE k.shop_id = o.shop_id AND k.order_id = o.order_id AND k.state = 'sealed')
         AS has_sealed
  FROM orders o JOIN shop h USING (shop_id) JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no)
  LEFT JOIN escrow e USING (shop_id, order_id)
 WHERE o.shop_id = $1 AND o.order_id = $2

-- name: add_case
-- Opens a case; the order is frozen already. Index: cases_one_open.
INSERT INTO cases (shop_id, case_id, order_id, buyer_id, claim, demand, demand_minor, statement, previous, stage, turn,
    due_at, opened_at, stage_since, turn_since, windows, limit_by, opened_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'none', $9, $10, $11, $12, $12, $12, $13, $14, $15)

-- name: lock_case
-- Locks a case for one step; what surrounds it is read afterwards, when the lock is held. Index: cases_pkey.
SELECT case_id FROM cases WHERE shop_id = $1 AND case_id = $2 FOR UPDATE

-- name: case
-- A case with its parties, what is held for it, its open offer, its latest ruling, one not yet visible, and who sits or
-- may not sit in judgement. Index: cases_pkey, case_offer_one_open, escrow_pkey, ruling_pkey, panel_seat_pkey, case_event_pkey.
SELECT c.*, h.owner_id, s.title, o.placed_at, coalesce($3, now()) AS now,
       at_stake_v1(c.shop_id, c.order_id, c.opened_at) AS held_minor, n.refund_minor AS green_minor, e.state = 'disputed' AS is_held,
       f.offer_id, f.by_role AS offer_by, f.kind AS offer_kind, f.refund_minor AS offer_minor,
       r.ruling_no, r.stage AS ruling_stage, r.refund_minor AS ruling_minor, r.damages_minor AS ruling_damages,
       r.outcome = 'replacement' AS ruling_replaces, o.amount_minor AS price_minor,
       ARRAY(SELECT w.by_role FROM case_waiver w
              WHERE w.shop_id = $1 AND w.case_id = $2 AND w.ruling_no = r.ruling_no) AS waived_by,
       p.submission_id, p.staff_id AS submitted_by, p.visible_at,
       EXISTS (SELECT 1 FROM case_event v WHERE v.shop_id = $1 AND v.case_id = $2 AND v.kind = 'person_asked') AS person_asked,
       EXISTS (SELECT 1 FROM case_event v WHERE v.shop_id = $1 AND v.case_id = $2 AND v.kind = 'routed_out') AS was_routed_out,
       ARRAY(SELECT t.panellist_id FROM panel_seat t
              WHERE t.shop_id = $1 AND t.case_id = $2 AND t.stage = c.stage AND t.recused_at IS NULL) AS seated,
       ARRAY(SELECT t.panellist_id FROM panel_seat t
              WHERE t.shop_id = $1 AND t.case_id = $2 AND t.recused_at IS NULL
             UNION SELECT g.staff_id FROM ruling g WHERE g.shop_id = $1 AND g.case_id = $2 AND g.by_duty) AS heard_by,
       ARRAY(SELECT g.staff_id FROM ruling g WHERE g.shop_id = $1 AND g.case_id = $2 AND g.staff_id IS NOT NULL
             UNION SELECT v.staff_id FROM first_view v
                    WHERE v.shop_id = $1 AND v.case_id = $2 AND c.stage = 'review' AND v.stage <> 'review'
             UNION SELECT t.panellist_id FROM panel_seat t
                    WHERE t.shop_id = $1 AND t.case_id = $2 AND t.recused_at IS NOT NULL
             UNION SELECT m.author_id FROM message m
                    WHERE m.shop_id = $1 AND m.order_id = c.order_id AND m.author_role IN ('buyer', 'merchant')) AS barred
  FROM cases c
  JOIN shop h USING (shop_id)
  JOIN orders o USING (shop_id, order_id)
  JOIN escrow e USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
  LEFT JOIN case_offer f ON f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.state = 'open'
  LEFT JOIN ruling_submission p ON p.shop_id = c.shop_id AND p.case_id = c.case_id AND p.ended_at IS NULL
  LEFT JOIN ruling n ON n.shop_id = c.shop_id AND n.case_id = c.case_id AND n.stage = 'green'
  LEFT JOIN LATERAL (SELECT * FROM ruling g WHERE g.shop_id = $1 AND g.case_id = $2
                      ORDER BY g.ruling_no DESC LIMIT 1) r ON true
 WHERE c.shop_id = $1 AND c.case_id = $2

-- name: move_case
-- Writes where a step leaves a case; with another turn, stage or deadline somebody's turn begins. Index: cases_pkey.
UPDATE cases SET previous = CASE WHEN stage = $3 THEN previous ELSE stage END,
       stage_since = CASE WHEN stage = $3 THEN stage_since ELSE $7 END,
       turn_since = CASE WHEN stage = $3 AND turn = $4 AND due_at IS NOT DISTINCT FROM $5 THEN turn_since ELSE $7 END,
       closed_at = CASE WHEN $3 IN ('settled', 'withdrawn', 'executed', 'charged_back') THEN $7 END,
       answered_at = CASE WHEN $6 THEN coalesce(answered_at, $7) ELSE answered_at END,
       rose_why = coalesce($8, rose_why), stage = $3, turn = $4, due_at = $5
 WHERE shop_id = $1 AND case_id = $2

-- name: log_case
-- Adds one line to a case's history. Index: none.
INSERT INTO case_event (shop_id, case_id, kind, from_stage, to_stage, actor_id, actor_role, body, offer_id, due_at, at,
    rulebook_version, evidence_digests)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: add_offer
-- Puts an offer on the table, or keeps one granted at once. Index: case_offer_one_open.
INSERT INTO case_offer (shop_id, case_id, offer_id, by_id, by_role, kind, refund_minor, note, state, made_at, decided_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, CASE WHEN $9 = 'open' THEN NULL ELSE $10::timestamptz END)

-- name: end_offer
-- Says what became of the open offer. Index: case_offer_pkey.
UPDATE case_offer SET state = $4, decided_at = $5
 WHERE shop_id = $1 AND case_id = $2 AND offer_id = $3 AND state = 'open'

-- name: kept_decision
-- What the rulebook said at one ruling of a case, or at the last where no number is given. Index: case_decision_pkey.
SELECT rulebook_version, case_file, decision FROM case_decision
 WHERE shop_id = $1 AND case_id = $2 AND ruling_no = coalesce($3, ruling_no)
 ORDER BY ruling_no DESC LIMIT 1

-- name: offers
-- The offers of a case, oldest first. Index: case_offer_pkey.
SELECT offer_id, by_role, kind, refund_minor, note, state, made_at, decided_at
  FROM case_offer WHERE shop_id = $1 AND case_id = $2 ORDER BY offer_id

-- name: events
-- The history of a case, oldest first. Index: case_event_pkey.
SELECT event_id, kind, from_stage, to_stage, actor_role, body, offer_id, due_at, rulebook_version, at
  FROM case_event WHERE shop_id = $1 AND case_id = $2 ORDER BY event_id

-- name: rulings
-- The rulings of a case and what stood beside each, the latest last. Index: ruling_pkey, case_decision_pkey.
SELECT r.ruling_no, r.stage, r.by_duty, r.outcome, r.refund_minor, r.damages_minor, r.share_buyer, r.share_merchant, r.share_platform,
       r.facts, r.reasons, r.differs_reason, r.dissent, r.made_at, r.grounds, d.rulebook_version,
       encode(d.decision_digest, 'hex') AS decision_digest, encode(d.case_file_digest, 'hex') AS case_file_digest
  FROM ruling r LEFT JOIN case_decision d USING (shop_id, case_id, ruling_no)
 WHERE r.shop_id = $1 AND r.case_id = $2 ORDER BY r.ruling_no

-- name: lapse_submission
-- Ends a ruling nobody has seen, because the case has ended otherwise. Index: ruling_submission_one_pending.
UPDATE ruling_submission SET ended_at = $3, ended_as = 'lapsed'
 WHERE shop_id = $1 AND case_id = $2 AND ended_at IS NULL

-- name: had_order_before
-- Whether a buyer has bought in a shop before an order. Index: orders_once_per_key.
SELECT EXISTS (SELECT 1 FROM orders WHERE shop_id = $1 AND buyer_id = $2 AND order_id <> $3 AND paid_at IS NOT NULL
                  AND placed_at < $4)

-- name: cases_of_buyer
-- A buyer's cases, newest first. Index: cases_by_buyer.
SELECT c.shop_id, c.case_id, c.order_id, s.title, h.name AS shop_name, c.claim, c.demand, c.demand_minor, o.amount_minor,
       at_stake_v1(c.shop_id, c.order_id, c.opened_at) AS held_minor,
       c.stage, c.turn, c.due_at, c.stage_since, c.opened_at, c.closed_at, coalesce($4, now()) AS now,
       EXISTS (SELECT 1 FROM case_offer f WHERE f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.state = 'open')
         AS has_open_offer
  FROM cases c JOIN shop h USING (shop_id) JOIN orders o USING (shop_id, order_id)
  JOIN escrow e USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
 WHERE c.buyer_id = $1 AND c.case_id < $2
 ORDER BY c.case_id DESC LIMIT $3

-- name: shop_owner
-- Who owns a shop. Index: shop_pkey.
SELECT owner_id FROM shop WHERE shop_id = $1

-- name: cases_of_shop
-- A shop's cases, newest first. Index: cases_pkey.
SELECT c.shop_id, c.case_id, c.order_id, s.title, h.name AS shop_name, c.claim, c.demand, c.demand_minor, o.amount_minor,
       at_stake_v1(c.shop_id, c.order_id, c.opened_at) AS held_minor,
       c.stage, c.turn, c.due_at, c.stage_since, c.opened_at, c.closed_at, coalesce($4, now()) AS now,
       EXISTS (SELECT 1 FROM case_offer f WHERE f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.state = 'open')
         AS has_open_offer
  FROM cases c JOIN shop h USING (shop_id) JOIN orders o USING (shop_id, order_id)
  JOIN escrow e USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
 WHERE c.shop_id = $1 AND c.case_id < $2
 ORDER BY c.case_id DESC LIMIT $3

-- name: earlier_cases
-- How many cases a side opened on an order and how many of them it withdrew. Index: cases_of_order.
SELECT count(*) AS opened, count(*) FILTER (WHERE stage = 'withdrawn') AS withdrawn
  FROM cases WHERE shop_id = $1 AND order_id = $2 AND opened_by = $3

-- name: said_facts
-- What was said of a case's facts, in order. Index: case_fact_pkey.
SELECT said_id, fact, shows, kind, confidence, by_role AS by, at, item_id, note FROM case_fact
 WHERE shop_id = $1 AND case_id = $2 ORDER BY said_id

-- name: say_fact
-- Keeps what someone says of a fact, unless that side has said enough. Index: case_fact_pkey.
INSERT INTO case_fact (shop_id, case_id, said_id, fact, shows, kind, confidence, by_id, by_role, item_id, note, at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12, now())
 WHERE (SELECT count(*) FROM case_fact WHERE shop_id = $1 AND case_id = $2 AND by_role = $9) < $13
RETURNING said_id

-- name: every_case
-- Every case there is, oldest first, for replaying a change of rules. Index: none, it reads everything.
SELECT shop_id, case_id, buyer_id FROM cases ORDER BY case_id

-- name: erasures
-- What was erased of an order's records, oldest first. Index: record_erasure_pkey.
SELECT erasure_id, record_id, reason, at FROM record_erasure WHERE shop_id = $1 AND order_id = $2 ORDER BY erasure_id

-- name: cases_of_order
-- The cases of an order, oldest first. Index: cases_of_order.
SELECT case_id FROM cases WHERE shop_id = $1 AND order_id = $2 ORDER BY case_id

-- name: add_flood
-- Notes that a side said too much in a day, once a day. Index: case_flood_pkey.
INSERT INTO case_flood (shop_id, case_id, by_role, day, at) VALUES ($1, $2, $3, $4::timestamptz::date, $4)
ON CONFLICT DO NOTHING

-- name: floods
-- The floods nobody has looked at, oldest first, without those of the reader's own cases. Index: case_flood_waiting.
SELECT f.shop_id, f.case_id, f.by_role, f.at
  FROM case_flood f JOIN cases c USING (shop_id, case_id) JOIN shop h USING (shop_id)
 WHERE f.seen_at IS NULL AND c.buyer_id <> $1 AND h.owner_id <> $1 ORDER BY f.at, f.shop_id, f.case_id LIMIT 100

-- name: flood_seen
-- Notes that somebody who is no party has looked at the floods of a case. Index: case_flood_pkey.
UPDATE case_flood f SET seen_by = $3, seen_at = coalesce($4, now())
  FROM cases c JOIN shop h USING (shop_id)
 WHERE f.shop_id = $1 AND f.case_id = $2 AND f.seen_at IS NULL AND c.shop_id = $1 AND c.case_id = $2
   AND c.buyer_id <> $3 AND h.owner_id <> $3
RETURNING f.case_id

-- name: say_first_word
-- Keeps when support first said something that both sides see, while the case waits for it. Index: cases_pkey.
UPDATE cases SET first_word_at = coalesce($3, now())
 WHERE shop_id = $1 AND case_id = $2 AND stage = 'support' AND first_word_at IS NULL
