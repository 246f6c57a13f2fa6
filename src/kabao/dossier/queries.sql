-- name: order_events_due
-- Locks order events that wait for the log, oldest first. Index: order_event_unlogged.
SELECT shop_id, order_id, event_id AS source_id FROM order_event
 WHERE log_position IS NULL ORDER BY event_id LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: order_events
-- Order events by key, with what belongs to each kind, in the order asked for. Index: order_event_pkey, orders_pkey,
-- listing_snapshot_pkey, notice_confirmation_pkey, notice_dwell_pkey, payment_of_order, reveal_receipt_pkey.
SELECT w.n, e.log_position, e.shop_id, e.order_id, e.event_id AS source_id, e.kind, e.from_state, e.to_state, e.actor_role AS by, e.reason,
       e.amount_minor, e.due_at, e.at,
       o.listing_id, o.snapshot_no, s.digest AS snapshot_digest, o.quantity, o.unit_minor, o.currency,
       o.amount_minor AS order_minor, s.title, s.price_minor, s.currency AS listed_currency, s.escrow_seconds, s.max_quantity,
       s.notice_ids,
       CASE WHEN e.kind = 'placed' THEN s.document END AS document,
       CASE WHEN e.kind = 'delivered' THEN coalesce((s.document #>> '{terms,delivery_promise_seconds}')::int, 60) END
         AS promise_seconds,
       CASE WHEN e.kind = 'placed' THEN (SELECT coalesce(jsonb_agg(jsonb_build_object('id', n.notice_id, 'wording', n.wording,
               'place', n.place, 'version', n.version,
               'at', to_char(n.confirmed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
               'dwell_ms', d.millis, 'dwell_by', d.measured_by) ORDER BY n.notice_id), '[]')
           FROM notice_confirmation n LEFT JOIN notice_dwell d USING (shop_id, order_id, notice_id)
          WHERE n.shop_id = e.shop_id AND n.order_id = e.order_id) END AS notices,
       CASE WHEN e.kind IN ('paid', 'wrong_amount', 'second_payment', 'late_refunded') THEN (
         SELECT jsonb_build_object('provider', p.provider, 'payment_id', p.payment_id, 'amount_minor', p.amount_minor,
                  'currency', p.currency)
           FROM payment p WHERE p.shop_id = e.shop_id AND p.order_id = e.order_id AND p.received_at = e.at
            AND p.outcome = CASE e.kind WHEN 'paid' THEN 'applied' ELSE e.kind END
          ORDER BY p.payment_id LIMIT 1) END AS payment,
       CASE WHEN e.kind = 'opened' THEN (SELECT coalesce(jsonb_agg(jsonb_build_object('pos', r.pos, 'device', r.device,
               'network', r.network, 'digest', encode(r.digest, 'hex')) ORDER BY r.pos, r.key_id), '[]')
           FROM reveal_receipt r WHERE r.shop_id = e.shop_id AND r.order_id = e.order_id AND r.first_at = e.at
            AND r.pos = ANY (string_to_array(e.reason, ',')::int[])) END AS reveals
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS w (shop_id, order_id, source_id, n)
  JOIN order_event e ON e.shop_id = w.shop_id AND e.order_id = w.order_id AND e.event_id = w.source_id
  JOIN orders o ON o.shop_id = e.shop_id AND o.order_id = e.order_id
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
 ORDER BY w.n

-- name: order_events_mark
-- Writes where order events stand in the log. Index: order_event_pkey.
UPDATE order_event e SET log_position = w.position
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (shop_id, order_id, source_id, position)
 WHERE e.shop_id = w.shop_id AND e.order_id = w.order_id AND e.event_id = w.source_id

-- name: case_events_due
-- Locks case events that wait for the log, oldest first. Index: case_event_unlogged, cases_pkey.
SELECT e.shop_id, c.order_id, e.event_id AS source_id FROM case_event e JOIN cases c USING (shop_id, case_id)
 WHERE e.log_position IS NULL ORDER BY e.event_id LIMIT $1 FOR UPDATE OF e SKIP LOCKED

-- name: case_events
-- Case events by key, with claim, offer and ruling where the kind has one. Index: cases_of_order, case_event_pkey,
-- case_offer_pkey, ruling_pkey.
SELECT w.n, e.log_position, c.shop_id, c.order_id, c.case_id, e.event_id AS source_id, e.kind, e.from_stage, e.to_stage, e.actor_role AS by,
       e.body, e.due_at, e.at, c.statement,
       CASE WHEN e.kind = 'opened' THEN jsonb_build_object('claim', c.claim, 'demand', c.demand, 'demand_minor',
         c.demand_minor) END AS claim,
       CASE WHEN f.offer_id IS NOT NULL THEN jsonb_build_object('by', f.by_role, 'kind', f.kind, 'refund_minor',
         f.refund_minor, 'note', f.note) END AS offer,
       r.outcome, r.refund_minor, r.facts, r.reasons, r.made_at,
       r.stage AS ruling_stage, r.share_buyer, r.share_merchant, r.share_platform, r.dissent, r.damages_minor, r.grounds,
       CASE WHEN r.outcome IS NOT NULL THEN coalesce(
         (SELECT v.version FROM rulebook_version v WHERE v.effective_at <= o.placed_at ORDER BY v.effective_at DESC LIMIT 1),
         (SELECT v.version FROM rulebook_version v WHERE v.effective_at IS NOT NULL ORDER BY v.effective_at LIMIT 1)) END
         AS rulebook
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS w (shop_id, order_id, source_id, n)
  JOIN cases c ON c.shop_id = w.shop_id AND c.order_id = w.order_id
  JOIN case_event e ON e.shop_id = c.shop_id AND e.case_id = c.case_id AND e.event_id = w.source_id
  JOIN orders o ON o.shop_id = c.shop_id AND o.order_id = c.order_id
  LEFT JOIN case_offer f ON f.shop_id = e.shop_id AND f.case_id = e.case_id AND f.offer_id = e.offer_id
  LEFT JOIN ruling r ON e.kind IN ('ruled', 'reviewed', 'green', 'green_kept', 'green_reversed') AND r.shop_id = e.shop_id AND r.case_id = e.case_id
   AND r.ruling_no = (SELECT count(*) FROM case_event x WHERE x.shop_id = e.shop_id AND x.case_id = e.case_id
     AND x.kind IN ('ruled', 'reviewed', 'green', 'green_kept', 'green_reversed') AND x.event_id <= e.event_id)
 ORDER BY w.n

-- name: case_events_mark
-- Writes where case events stand in the log. Index: cases_of_order, case_event_pkey.
UPDATE case_event e SET log_position = w.position
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (shop_id, order_id, source_id, position)
  JOIN cases c ON c.shop_id = w.shop_id AND c.order_id = w.order_id
 WHERE e.shop_id = c.shop_id AND e.case_id = c.case_id AND e.event_id = w.source_id

-- name: messages_due
-- Locks messages that wait for the log, oldest first. Index: message_unlogged.
SELECT shop_id, order_id, message_id AS source_id FROM message
 WHERE log_position IS NULL ORDER BY message_id LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: messages
-- Messages by key, in the order asked for. Index: message_pkey.
SELECT w.n, m.log_position, m.shop_id, m.order_id, m.message_id AS source_id, m.author_role AS by, m.body AS text, m.at,
       m.digest
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS w (shop_id, order_id, source_id, n)
  JOIN message m ON m.shop_id = w.shop_id AND m.order_id = w.order_id AND m.message_id = w.source_id
 ORDER BY w.n

-- name: messages_mark
-- Writes where messages stand in the log. Index: message_pkey.
UPDATE message m SET log_position = w.position
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (shop_id, order_id, source_id, position)
 WHERE m.shop_id = w.shop_id AND m.order_id = w.order_id AND m.message_id = w.source_id

-- name: facts_due
-- Locks what was said of facts and waits for the log, oldest first. Index: case_fact_unlogged, cases_pkey.
SELECT f.shop_id, c.order_id, f.said_id AS source_id FROM case_fact f JOIN cases c USING (shop_id, case_id)
 WHERE f.log_position IS NULL ORDER BY f.said_id LIMIT $1 FOR UPDATE OF f SKIP LOCKED

-- name: facts
-- What was said of facts, by key, in the order asked for. Index: cases_of_order, case_fact_pkey, evidence_item_pkey.
SELECT w.n, f.log_position, c.shop_id, c.order_id, c.case_id, f.said_id AS source_id, f.fact, f.shows, f.kind, f.confidence,
       f.by_role AS by, i.item_no, f.note, f.at
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS w (shop_id, order_id, source_id, n)
  JOIN cases c ON c.shop_id = w.shop_id AND c.order_id = w.order_id
  JOIN case_fact f ON f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.said_id = w.source_id
  LEFT JOIN evidence_item i ON i.shop_id = c.shop_id AND i.order_id = c.order_id AND i.item_id = f.item_id
 ORDER BY w.n

-- name: facts_mark
-- Writes where said facts stand in the log. Index: cases_of_order, case_fact_pkey.
UPDATE case_fact f SET log_position = w.position
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (shop_id, order_id, source_id, position)
  JOIN cases c ON c.shop_id = w.shop_id AND c.order_id = w.order_id
 WHERE f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.said_id = w.source_id

-- name: items_due
-- Locks items of evidence that wait for the log, oldest first. Index: evidence_item_unlogged.
SELECT shop_id, order_id, item_id AS source_id FROM evidence_item
 WHERE log_position IS NULL ORDER BY item_id LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: items
-- Items of evidence by key, in the order asked for, with a digest over how their upload arrived, and which links of a
-- recording's chain do not hold. Index: evidence_item_pkey, evidence_upload_pkey, evidence_chunk_pkey.
SELECT w.n, i.log_position, i.shop_id, i.order_id, i.item_id AS source_id, i.case_id, i.item_no, i.given_role AS by, i.kind,
       i.file_name, i.media_type, i.byte_size, i.digest, i.preview_digest, i.link, i.hints, i.facts, i.recording, i.at,
       i.upload_id, a.arrived, a.chunks, a.last_head, a.broken
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS w (shop_id, order_id, source_id, n)
  JOIN evidence_item i ON i.shop_id = w.shop_id AND i.order_id = w.order_id AND i.item_id = w.source_id
  LEFT JOIN LATERAL (
    SELECT sha256(convert_to(concat_ws('|', u.case_id, u.kind, u.byte_size, u.chunk_bytes, encode(u.not_before, 'hex'),
               u.given_by, u.given_role, (extract(epoch FROM u.opened_at) * 1000000)::bigint, u.state, u.item_id,
               string_agg(concat_ws(' ', k.seq, encode(k.digest, 'hex'), k.byte_size, encode(k.head, 'hex'),
                 (extract(epoch FROM k.received_at) * 1000000)::bigint), ',' ORDER BY k.seq)), 'UTF8')) AS arrived,
           count(k.seq) AS chunks, (array_agg(k.head ORDER BY k.seq DESC))[1] AS last_head,
           array_agg(k.seq ORDER BY k.seq) FILTER (WHERE k.head IS NOT NULL AND k.head <> sha256(k.before || k.digest
             || int4send(k.seq))) AS broken
      FROM evidence_upload u
      LEFT JOIN (SELECT c.*, coalesce(lag(c.head) OVER (ORDER BY c.seq),
                        sha256(convert_to(E'kabao-recording/1\n', 'UTF8') || v.not_before)) AS before
                   FROM evidence_upload v JOIN evidence_chunk c USING (shop_id, order_id, upload_id)
                  WHERE v.shop_id = i.shop_id AND v.order_id = i.order_id AND v.upload_id = i.upload_id) k ON true
     WHERE u.shop_id = i.shop_id AND u.order_id = i.order_id AND u.upload_id = i.upload_id
     GROUP BY u.shop_id, u.order_id, u.upload_id) a ON true
 ORDER BY w.n

-- name: items_mark
-- Writes where items stand in the log. Index: evidence_item_pkey.
UPDATE evidence_item i SET log_position = w.position
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (shop_id, order_id, source_id, position)
 WHERE i.shop_id = w.shop_id AND i.order_id = w.order_id AND i.item_id = w.source_id

-- name: erasures_due
-- Locks erasures that wait for the log, oldest first. Index: record_erasure_unlogged.
SELECT shop_id, order_id, erasure_id AS source_id FROM record_erasure
 WHERE log_position IS NULL ORDER BY erasure_id LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: erasures
-- Erasures by key, in the order asked for. Index: record_erasure_pkey.
SELECT w.n, r.log_position, r.shop_id, r.order_id, r.erasure_id AS source_id, r.record_id, r.reason, r.at
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS w (shop_id, order_id, source_id, n)
  JOIN record_erasure r ON r.shop_id = w.shop_id AND r.order_id = w.order_id AND r.erasure_id = w.source_id
 ORDER BY w.n

-- name: erased
-- Which of some records a row says were erased. Index: record_erasure_once.
SELECT record_id FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (shop_id, order_id, record_id)
  JOIN record_erasure USING (shop_id, order_id, record_id)

-- name: erasures_mark
-- Writes where erasures stand in the log. Index: record_erasure_pkey.
UPDATE record_erasure r SET log_position = w.position
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (shop_id, order_id, source_id, position)
 WHERE r.shop_id = w.shop_id AND r.order_id = w.order_id AND r.erasure_id = w.source_id

-- name: masks_due
-- Locks masks that wait for the log, oldest first. Index: evidence_mask_unlogged.
SELECT shop_id, order_id, mask_id AS source_id FROM evidence_mask
 WHERE log_position IS NULL ORDER BY mask_id LIMIT $1 FOR UPDATE SKIP LOCKED

-- name: masks
-- Masks by key, in the order asked for; who gave the item is the only one who may mask it. Index: evidence_mask_pkey,
-- evidence_item_pkey.
SELECT w.n, m.log_position, m.shop_id, m.order_id, m.mask_id AS source_id, i.item_no, i.digest, i.given_role AS by,
       m.mask_no, m.preview_digest, m.marks, m.at
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) WITH ORDINALITY AS w (shop_id, order_id, source_id, n)
  JOIN evidence_mask m ON m.shop_id = w.shop_id AND m.order_id = w.order_id AND m.mask_id = w.source_id
  JOIN evidence_item i ON i.shop_id = m.shop_id AND i.order_id = m.order_id AND i.item_id = m.item_id
 ORDER BY w.n

-- name: masks_mark
-- Writes where masks stand in the log. Index: evidence_mask_pkey.
UPDATE evidence_mask m SET log_position = w.position
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (shop_id, order_id, source_id, position)
 WHERE m.shop_id = w.shop_id AND m.order_id = w.order_id AND m.mask_id = w.source_id

-- name: order_events_census
-- Counts the logged rows of all shops and those written before an instant that still wait. Index: none, it reads all;
-- the others go by order_event_unlogged.
SELECT (SELECT count(*) FROM order_event WHERE log_position IS NOT NULL) AS marked,
       (SELECT count(*) FROM order_event WHERE log_position IS NULL AND at < $1) AS waiting,
       (SELECT min(at) FROM order_event WHERE log_position IS NULL AND at < $1) AS oldest

-- name: case_events_census
-- Counts the logged rows of all shops and those written before an instant that still wait. Index: none, it reads all;
-- the others go by case_event_unlogged.
SELECT (SELECT count(*) FROM case_event WHERE log_position IS NOT NULL) AS marked,
       (SELECT count(*) FROM case_event WHERE log_position IS NULL AND at < $1) AS waiting,
       (SELECT min(at) FROM case_event WHERE log_position IS NULL AND at < $1) AS oldest

-- name: messages_census
-- Counts the logged rows of all shops and those written before an instant that still wait. Index: none, it reads all;
-- the others go by message_unlogged.
SELECT (SELECT count(*) FROM message WHERE log_position IS NOT NULL) AS marked,
       (SELECT count(*) FROM message WHERE log_position IS NULL AND at < $1) AS waiting,
       (SELECT min(at) FROM message WHERE log_position IS NULL AND at < $1) AS oldest

-- name: facts_census
-- Counts the logged rows of all shops and those written before an instant that still wait. Index: none, it reads all;
-- the others go by case_fact_unlogged.
SELECT (SELECT count(*) FROM case_fact WHERE log_position IS NOT NULL) AS marked,
       (SELECT count(*) FROM case_fact WHERE log_position IS NULL AND at < $1) AS waiting,
       (SELECT min(at) FROM case_fact WHERE log_position IS NULL AND at < $1) AS oldest

-- name: items_census
-- Counts the logged rows of all shops and those written before an instant that still wait. Index: none, it reads all;
-- the others go by evidence_item_unlogged.
SELECT (SELECT count(*) FROM evidence_item WHERE log_position IS NOT NULL) AS marked,
       (SELECT count(*) FROM evidence_item WHERE log_position IS NULL AND at < $1) AS waiting,
       (SELECT min(at) FROM evidence_item WHERE log_position IS NULL AND at < $1) AS oldest

-- name: masks_census
-- Counts the logged rows of all shops and those written before an instant that still wait. Index: none, it reads all;
-- the others go by evidence_mask_unlogged.
SELECT (SELECT count(*) FROM evidence_mask WHERE log_position IS NOT NULL) AS marked,
       (SELECT count(*) FROM evidence_mask WHERE log_position IS NULL AND at < $1) AS waiting,
       (SELECT min(at) FROM evidence_mask WHERE log_position IS NULL AND at < $1) AS oldest

-- name: erasures_census
-- Counts the logged rows of all shops and those written before an instant that still wait. Index: none, it reads all;
-- the others go by record_erasure_unlogged.
SELECT (SELECT count(*) FROM record_erasure WHERE log_position IS NOT NULL) AS marked,
       (SELECT count(*) FROM record_erasure WHERE log_position IS NULL AND at < $1) AS waiting,
       (SELECT min(at) FROM record_erasure WHERE log_position IS NULL AND at < $1) AS oldest

-- name: records
-- What was logged of an order, in the log's order. Index: log_record_source.
SELECT shop_id, order_id, record_id, source, source_id, kind, body, salt, commitment, record_id AS position, at
  FROM log_record WHERE shop_id = $1 AND order_id = $2 ORDER BY record_id

-- name: record
-- One record of an order. Index: log_record_pkey.
SELECT shop_id, order_id, record_id, source, source_id, kind, body, salt, commitment, record_id AS position, at
  FROM log_record WHERE shop_id = $1 AND record_id = $3 AND order_id = $2

-- name: lock_record
-- One record of an order, locked so that it is erased once. Index: log_record_pkey.
SELECT shop_id, order_id, record_id, source, source_id, kind, body, salt, commitment, record_id AS position, at
  FROM log_record WHERE shop_id = $1 AND record_id = $3 AND order_id = $2 FOR UPDATE

-- name: lock_item_record
-- The record of an item while it says something, locked. Index: log_record_source.
SELECT shop_id, order_id, record_id, source, source_id, kind, body, salt, commitment, record_id AS position, at
  FROM log_record WHERE shop_id = $1 AND order_id = $2 AND source = 'evidence_item' AND source_id = $3 AND body IS NOT NULL
   FOR UPDATE

-- name: has_weight
-- Whether a ruling or the end of a recording stands among positions; words people wrote have their quotes escaped.
-- Index: log_record_position.
SELECT EXISTS (SELECT 1 FROM log_record WHERE record_id >= $1 AND record_id < $2
  AND ((kind = 'case_event' AND (position('"event":"ruled"'::bytea IN body) > 0
    OR position('"event":"reviewed"'::bytea IN body) > 0 OR position('"event":"green'::bytea IN body) > 0))
    OR (kind = 'item' AND position('"how":"recording"'::bytea IN body) > 0)))

-- name: waiting
-- How many rows of an order the log has not taken yet. Index: order_event_pkey, cases_of_order, case_event_pkey,
-- case_fact_pkey, message_pkey, evidence_item_pkey, evidence_mask_pkey, record_erasure_pkey.
SELECT (SELECT count(*) FROM order_event WHERE shop_id = $1 AND order_id = $2 AND log_position IS NULL)
     + (SELECT count(*) FROM case_event e JOIN cases c USING (shop_id, case_id)
         WHERE c.shop_id = $1 AND c.order_id = $2 AND e.log_position IS NULL)
     + (SELECT count(*) FROM case_fact f JOIN cases c USING (shop_id, case_id)
         WHERE c.shop_id = $1 AND c.order_id = $2 AND f.log_position IS NULL)
     + (SELECT count(*) FROM message WHERE shop_id = $1 AND order_id = $2 AND log_position IS NULL)
     + (SELECT count(*) FROM evidence_item WHERE shop_id = $1 AND order_id = $2 AND log_position IS NULL)
     + (SELECT count(*) FROM evidence_mask WHERE shop_id = $1 AND order_id = $2 AND log_position IS NULL)
     + (SELECT count(*) FROM record_erasure WHERE shop_id = $1 AND order_id = $2 AND log_position IS NULL)

-- name: parties
-- Buyer and owner of an order, its newest case, and its title. Index: orders_pkey, shop_pkey, cases_of_order.
SELECT o.buyer_id, h.owner_id, s.title,
       (SELECT max(c.case_id) FROM cases c WHERE c.shop_id = o.shop_id AND c.order_id = o.order_id) AS case_id
  FROM orders o JOIN shop h USING (shop_id) JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no)
 WHERE o.shop_id = $1 AND o.order_id = $2

-- name: order_of_case
-- Which order a case is about. Index: cases_pkey.
SELECT order_id FROM cases WHERE shop_id = $1 AND case_id = $2

-- name: is_held
-- Whether a legal hold stands on an order. Index: evidence_hold_standing.
SELECT EXISTS (SELECT 1 FROM evidence_hold WHERE shop_id = $1 AND order_id = $2 AND lifted_at IS NULL)

-- name: add_erasure
-- Keeps that a record was erased. Index: record_erasure_once.
INSERT INTO record_erasure (shop_id, order_id, erasure_id, record_id, source, source_id, by_id, reason, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, now()))

-- name: erase_original
-- Forgets what was written where the words of a record stand masked: they were kept at the same instant. Index:
-- said_original_pkey, message_pkey, case_event_pkey, case_fact_pkey, cases_of_order.
DELETE FROM said_original o WHERE o.shop_id = $1 AND o.order_id = $2
   AND o.at IN (SELECT m.at FROM message m
                 WHERE $3 = 'message' AND m.shop_id = $1 AND m.order_id = $2 AND m.message_id = $4
                UNION ALL SELECT e.at FROM cases c JOIN case_event e USING (shop_id, case_id)
                 WHERE $3 = 'case_event' AND c.shop_id = $1 AND c.order_id = $2 AND e.event_id = $4
                UNION ALL SELECT f.at FROM cases c JOIN case_fact f USING (shop_id, case_id)
                 WHERE $3 = 'case_fact' AND c.shop_id = $1 AND c.order_id = $2 AND f.said_id = $4)

-- name: erase_words
-- Takes the words out of a business row. Index: the primary keys.
SELECT erase_words_v1($1, $2, $3, $4)

-- name: erase_item
-- Takes the words out of an item and lets its bytes be cleared. Index: evidence_item_pkey.
SELECT erase_evidence_v1($1, $2, $3, 'personal_data', $4, $5)

-- name: lock_mailed
-- Locks the mark up to which receipts were mailed, unless another runner has it. Index: receipt_mail_pkey.
SELECT position FROM receipt_mail FOR UPDATE SKIP LOCKED

-- name: to_mail
-- The next records from a position on, of whatever order. Index: log_record_position.
SELECT shop_id, order_id, record_id, source, source_id, kind, body, salt, commitment, record_id AS position, at
  FROM log_record WHERE record_id >= $1 AND record_id < $2 ORDER BY record_id

-- name: set_mailed
-- Moves the mark. Index: receipt_mail_pkey.
UPDATE receipt_mail SET position = $1
