-- name: add_message
-- Keeps one message of an order; no row where the order does not exist. Index: orders_pkey.
INSERT INTO message (shop_id, order_id, message_id, author_id, author_role, body, digest, at)
SELECT shop_id, order_id, $3, $4, $5, $6, $7, $8 FROM orders WHERE shop_id = $1 AND order_id = $2
RETURNING message_id

-- name: messages
-- The conversation of an order, oldest first. Index: message_pkey.
SELECT message_id, author_id, author_role, body, digest, at
  FROM message WHERE shop_id = $1 AND order_id = $2 ORDER BY message_id

-- name: said_in_a_day
-- How much a side has said in an order within 24 hours. Index: message_pkey.
SELECT count(*) FROM message WHERE shop_id = $1 AND order_id = $2 AND author_role = $3
   AND at > $4::timestamptz - interval '24 hours'

-- name: add_original
-- Keeps what was written where both sides read it masked. Index: orders_pkey.
INSERT INTO said_original (shop_id, order_id, original_id, author_id, author_role, body, masked, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8, now()))

-- name: originals
-- What was written in an order and is masked for both sides, oldest first. Index: said_original_pkey.
SELECT original_id, author_role, body, masked, at FROM said_original WHERE shop_id = $1 AND order_id = $2
 ORDER BY original_id

-- name: add_item
-- Numbers and keeps one item, unless it is there, its giver's side is full, or another took the number at the same
-- time. Index: orders_pkey, evidence_item_numbered, evidence_item_once, evidence_item_of_upload.
INSERT INTO evidence_item (shop_id, order_id, item_id, item_no, case_id, file_name, media_type, byte_size, digest,
    preview_digest, given_by, given_role, at, kind, link, hints, facts, recording, upload_id)
SELECT o.shop_id, o.order_id, $3, n.item_no, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12, now()),
       $15, $16, $17, $18, $19, $20
  FROM orders o,
       (SELECT coalesce(max(i.item_no), 0) + 1 AS item_no FROM evidence_item i
         WHERE i.shop_id = $1 AND i.order_id = $2) n,
       (SELECT count(*) AS files, coalesce(sum(i.byte_size), 0)::bigint AS bytes FROM evidence_item i
         WHERE i.shop_id = $1 AND i.order_id = $2 AND i.given_role = $11) s
 WHERE o.shop_id = $1 AND o.order_id = $2 AND s.files < $13
   AND s.bytes + $7 <= CASE WHEN o.paid_at IS NULL THEN $21::bigint ELSE $14::bigint END
ON CONFLICT DO NOTHING
RETURNING item_id

-- name: why_not_added
-- Tells what stood in the way of an item: the same bytes by the same person, the order missing, a side's room, or what
-- its giver handed in within a day, over all orders, with what is under way. Index: evidence_item_once,
-- evidence_item_numbered, evidence_upload_pkey, evidence_item_of_giver, evidence_upload_of_giver, orders_pkey.
SELECT (SELECT item_id FROM evidence_item
         WHERE shop_id = $1 AND order_id = $2 AND digest = $3 AND given_by = $4) AS there_already,
       (SELECT count(*) FROM evidence_item WHERE shop_id = $1 AND order_id = $2 AND given_role = $5) AS files,
       (SELECT coalesce(sum(byte_size), 0)::bigint FROM evidence_item
         WHERE shop_id = $1 AND order_id = $2 AND given_role = $5) AS bytes,
       (SELECT count(*) FROM evidence_upload
         WHERE shop_id = $1 AND order_id = $2 AND given_role = $5 AND state = 'open') AS coming_files,
       (SELECT coalesce(sum(byte_size), 0)::bigint FROM evidence_upload
         WHERE shop_id = $1 AND order_id = $2 AND given_role = $5 AND state = 'open') AS coming_bytes,
       (SELECT coalesce(sum(byte_size), 0)::bigint FROM evidence_item
         WHERE given_by = $4 AND at > coalesce($6, now()) - interval '24 hours') AS day_bytes,
       (SELECT coalesce(sum(byte_size), 0)::bigint FROM evidence_upload
         WHERE given_by = $4 AND state = 'open') AS day_coming_bytes,
       EXISTS (SELECT 1 FROM orders WHERE shop_id = $1 AND order_id = $2) AS order_exists,
       EXISTS (SELECT 1 FROM orders WHERE shop_id = $1 AND order_id = $2 AND paid_at IS NOT NULL) AS is_paid

-- name: lock_giver
-- Lets the steps of one account that take room follow each other, to the end of the transaction. Index: none.
SELECT pg_advisory_xact_lock(hashtextextended('evidence-giver', $1))

-- name: items
-- The items of an order by their number, each with its newest preview and its tombstone.
-- Index: evidence_item_numbered, evidence_mask_pkey, evidence_erasure_pkey.
SELECT i.item_id, i.item_no, i.case_id, i.kind, i.file_name, i.media_type, i.byte_size, i.digest,
       CASE WHEN e.at IS NULL THEN coalesce(m.preview_digest, i.preview_digest) END AS preview_digest,
       i.given_by, i.given_role, i.at, i.link, i.hints, i.facts, i.recording, coalesce(m.mask_no, 0) AS masks,
       m.mask_id, m.at AS masked_at, e.at AS erased_at
  FROM evidence_item i
  LEFT JOIN evidence_erasure e USING (shop_id, order_id, item_id)
  LEFT JOIN LATERAL (SELECT x.mask_id, x.mask_no, x.preview_digest, x.at FROM evidence_mask x
      WHERE x.shop_id = i.shop_id AND x.order_id = i.order_id AND x.item_id = i.item_id
      ORDER BY x.mask_no DESC LIMIT 1) m ON true
 WHERE i.shop_id = $1 AND i.order_id = $2 ORDER BY i.item_no

-- name: item
-- One item of an order, as in `items`. Index: evidence_item_pkey, evidence_mask_pkey, evidence_erasure_pkey.
SELECT i.item_id, i.item_no, i.case_id, i.kind, i.file_name, i.media_type, i.byte_size, i.digest,
       CASE WHEN e.at IS NULL THEN coalesce(m.preview_digest, i.preview_digest) END AS preview_digest,
       i.given_by, i.given_role, i.at, i.link, i.hints, i.facts, i.recording, coalesce(m.mask_no, 0) AS masks,
       m.mask_id, m.at AS masked_at, e.at AS erased_at
  FROM evidence_item i
  LEFT JOIN evidence_erasure e USING (shop_id, order_id, item_id)
  LEFT JOIN LATERAL (SELECT x.mask_id, x.mask_no, x.preview_digest, x.at FROM evidence_mask x
      WHERE x.shop_id = i.shop_id AND x.order_id = i.order_id AND x.item_id = i.item_id
      ORDER BY x.mask_no DESC LIMIT 1) m ON true
 WHERE i.shop_id = $1 AND i.order_id = $2 AND i.item_id = $3

-- name: instant
-- The instant a message is said at. Index: none.
SELECT coalesce($1, now())

-- name: open_upload
-- Begins an upload; no row where the order does not exist. Index: orders_pkey.
INSERT INTO evidence_upload (shop_id, order_id, upload_id, case_id, kind, file_name, byte_size, chunk_bytes, not_before,
    given_by, given_role, opened_at, touched_at)
SELECT shop_id, order_id, $3, $4, $5, $6, $7, $8, $9, $10, $11, coalesce($12, now()), coalesce($12, now())
  FROM orders WHERE shop_id = $1 AND order_id = $2
RETURNING upload_id, case_id, kind, file_name, byte_size, chunk_bytes, not_before, given_by, given_role, opened_at,
          state, item_id

-- name: upload
-- One upload of the person who began it. Index: evidence_upload_pkey.
SELECT upload_id, case_id, kind, file_name, byte_size, chunk_bytes, not_before, given_by, given_role, opened_at, state,
       item_id
  FROM evidence_upload WHERE shop_id = $1 AND order_id = $2 AND upload_id = $3 AND given_by = $4

-- name: open_uploads
-- A person's unfinished uploads of an order, oldest first. Index: evidence_upload_pkey.
SELECT upload_id, case_id, kind, file_name, byte_size, chunk_bytes, not_before, given_by, given_role, opened_at, state,
       item_id
  FROM evidence_upload WHERE shop_id = $1 AND order_id = $2 AND given_by = $3 AND state = 'open' ORDER BY upload_id

-- name: chunks
-- What has arrived of an upload, in order. Index: evidence_chunk_pkey.
SELECT seq, digest, byte_size, received_at, head
  FROM evidence_chunk WHERE shop_id = $1 AND order_id = $2 AND upload_id = $3 ORDER BY seq

-- name: chunk
-- One chunk. Index: evidence_chunk_pkey.
SELECT seq, digest, byte_size, received_at, head
  FROM evidence_chunk WHERE shop_id = $1 AND order_id = $2 AND upload_id = $3 AND seq = $4

-- name: arrived_bytes
-- How many bytes of an upload have arrived. Index: evidence_chunk_pkey.
SELECT coalesce(sum(byte_size), 0)::bigint
  FROM evidence_chunk WHERE shop_id = $1 AND order_id = $2 AND upload_id = $3

-- name: add_chunk
-- Keeps a chunk of an upload that is still open, and its time; no row where it is there or the upload has ended.
-- Index: evidence_upload_pkey, evidence_chunk_pkey.
WITH touched AS (
  UPDATE evidence_upload SET touched_at = coalesce($8, now())
   WHERE shop_id = $1 AND order_id = $2 AND upload_id = $3 AND state = 'open'
  RETURNING shop_id, order_id, upload_id, touched_at
)
INSERT INTO evidence_chunk (shop_id, order_id, upload_id, seq, digest, byte_size, head, received_at)
SELECT shop_id, order_id, upload_id, $4, $5, $6, $7, touched_at FROM touched
ON CONFLICT DO NOTHING
RETURNING seq, digest, byte_size, received_at, head

-- name: finish_upload
-- Closes an upload with its item; no row where it was closed before. Index: evidence_upload_pkey.
UPDATE evidence_upload SET state = 'finished', item_id = $4, touched_at = coalesce($5, now())
 WHERE shop_id = $1 AND order_id = $2 AND upload_id = $3 AND state = 'open'
RETURNING upload_id

-- name: abandon_upload
-- Gives an open upload up, where an age is given only if nothing came for so long; no row where it stays as it is.
-- Index: evidence_upload_pkey.
UPDATE evidence_upload SET state = 'abandoned', touched_at = coalesce($4, now())
 WHERE shop_id = $1 AND order_id = $2 AND upload_id = $3 AND state = 'open'
   AND ($5::interval IS NULL OR touched_at < coalesce($4, now()) - $5::interval)
RETURNING upload_id

-- name: lock_upload
-- Holds an upload for a step, so that two steps of one upload follow each other. Index: evidence_upload_pkey.
SELECT state FROM evidence_upload WHERE shop_id = $1 AND order_id = $2 AND upload_id = $3 FOR UPDATE

-- name: stale_uploads
-- Open uploads that nothing has come for since a time. Index: evidence_upload_due.
SELECT shop_id, order_id, upload_id, given_by, given_role, kind
  FROM evidence_upload WHERE NOT is_cleared AND state = 'open' AND touched_at < coalesce($1, now()) - $2::interval
 ORDER BY touched_at LIMIT $3

-- name: uncleared_uploads
-- Ended uploads whose chunks may still lie in the store. Index: evidence_upload_due.
SELECT shop_id, order_id, upload_id
  FROM evidence_upload WHERE NOT is_cleared AND state <> 'open' ORDER BY touched_at LIMIT $1

-- name: clear_upload
-- Notes that the chunks of an ended upload are gone from the store. Index: evidence_upload_pkey.
UPDATE evidence_upload SET is_cleared = true
 WHERE shop_id = $1 AND order_id = $2 AND upload_id = $3 AND state <> 'open'

-- name: chunks_of_item
-- The chunks a recording was put together from, in order. Index: evidence_item_pkey, evidence_chunk_pkey.
SELECT c.seq, c.digest, c.byte_size, c.received_at, c.head
  FROM evidence_item i
  JOIN evidence_chunk c ON c.shop_id = i.shop_id AND c.order_id = i.order_id AND c.upload_id = i.upload_id
 WHERE i.shop_id = $1 AND i.order_id = $2 AND i.item_id = $3 ORDER BY c.seq

-- name: masks
-- The times an item's preview was blacked out, oldest first. Index: evidence_mask_pkey.
SELECT mask_no, item_id, preview_digest, marks, by_id, at
  FROM evidence_mask WHERE shop_id = $1 AND order_id = $2 AND item_id = $3 ORDER BY mask_no

-- name: add_mask
-- Keeps the next blacked-out preview; no row where another took the number or the item is erased.
-- Index: evidence_mask_pkey, evidence_erasure_pkey.
INSERT INTO evidence_mask (shop_id, order_id, item_id, mask_no, preview_digest, marks, by_id, at)
SELECT $1, $2, $3, $4, $5, $6, $7, coalesce($8, now())
 WHERE NOT EXISTS (SELECT 1 FROM evidence_erasure WHERE shop_id = $1 AND order_id = $2 AND item_id = $3)
ON CONFLICT DO NOTHING
RETURNING mask_no, item_id, preview_digest, marks, by_id, at

-- name: set_hold
-- Puts an order's evidence under legal hold; no row where the order does not exist. Index: orders_pkey.
INSERT INTO evidence_hold (shop_id, order_id, hold_id, reason, set_by, set_at)
SELECT shop_id, order_id, $3, $4, $5, coalesce($6, now()) FROM orders WHERE shop_id = $1 AND order_id = $2
RETURNING hold_id

-- name: lift_holds
-- Lifts the holds that stand on an order. Index: evidence_hold_standing.
UPDATE evidence_hold SET lifted_by = $3, lifted_at = coalesce($4, now())
 WHERE shop_id = $1 AND order_id = $2 AND lifted_at IS NULL
RETURNING hold_id

-- name: is_held
-- Whether a hold stands on an order. Index: evidence_hold_standing.
SELECT EXISTS (SELECT 1 FROM evidence_hold WHERE shop_id = $1 AND order_id = $2 AND lifted_at IS NULL)

-- name: due_items
-- Items of orders that ended, with their last case, before a time, and that no hold stands on.
-- Index: evidence_item_pkey (whole), orders_pkey, cases_of_order, evidence_hold_standing.
SELECT i.shop_id, i.order_id, i.item_id
  FROM evidence_item i JOIN orders o USING (shop_id, order_id)
 WHERE o.ended_at < coalesce($1, now()) - $2::interval AND NOT o.in_case
   AND (i.shop_id, i.order_id, i.item_id) > ($3, $4, $5)
   AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.shop_id = i.shop_id AND c.order_id = i.order_id
                      AND (c.closed_at IS NULL OR c.closed_at >= coalesce($1, now()) - $2::interval))
   AND NOT EXISTS (SELECT 1 FROM evidence_hold h
                    WHERE h.shop_id = i.shop_id AND h.order_id = i.order_id AND h.lifted_at IS NULL)
   AND NOT EXISTS (SELECT 1 FROM evidence_erasure e
                    WHERE e.shop_id = i.shop_id AND e.order_id = i.order_id AND e.item_id = i.item_id)
 ORDER BY i.shop_id, i.order_id, i.item_id LIMIT $6

-- name: standing_items
-- Items that are not erased, from one on, each with its original's and every preview's digest.
-- Index: evidence_item_pkey (whole), evidence_erasure_pkey, evidence_mask_pkey.
SELECT i.shop_id, i.order_id, i.item_id, i.item_no,
       ARRAY[i.digest] || CASE WHEN i.preview_digest IS NULL THEN '{}'::bytea[] ELSE ARRAY[i.preview_digest] END
         || ARRAY(SELECT m.preview_digest FROM evidence_mask m
                   WHERE m.shop_id = i.shop_id AND m.order_id = i.order_id AND m.item_id = i.item_id) AS digests
  FROM evidence_item i
 WHERE (i.shop_id, i.order_id, i.item_id) > ($1, $2, $3)
   AND NOT EXISTS (SELECT 1 FROM evidence_erasure e
                    WHERE e.shop_id = i.shop_id AND e.order_id = i.order_id AND e.item_id = i.item_id)
 ORDER BY i.shop_id, i.order_id, i.item_id LIMIT $4

-- name: lock_order
-- Holds an order against a hold being set while its evidence is erased. Index: orders_pkey.
SELECT 1 FROM orders WHERE shop_id = $1 AND order_id = $2 FOR UPDATE

-- name: erase_item
-- Leaves a tombstone for an item and removes its words; false where it has one. Index: evidence_item_pkey.
SELECT erase_evidence_v1($1, $2, $3, $4, $5, $6)

-- name: uncleared_erasures
-- Tombstones whose bytes may still lie in the store, with every digest. Index: evidence_erasure_due, evidence_mask_pkey.
SELECT e.shop_id, e.order_id, e.item_id,
       ARRAY[i.digest] || CASE WHEN i.preview_digest IS NULL THEN '{}'::bytea[] ELSE ARRAY[i.preview_digest] END
         || ARRAY(SELECT m.preview_digest FROM evidence_mask m
                   WHERE m.shop_id = e.shop_id AND m.order_id = e.order_id AND m.item_id = e.item_id) AS digests
  FROM evidence_erasure e JOIN evidence_item i USING (shop_id, order_id, item_id)
 WHERE NOT e.is_cleared ORDER BY e.at LIMIT $1

-- name: clear_erasure
-- Notes that an erased item's bytes are gone from the store. Index: evidence_erasure_pkey.
UPDATE evidence_erasure SET is_cleared = true WHERE shop_id = $1 AND order_id = $2 AND item_id = $3

-- name: is_used
-- Whether an item that is not erased still has these bytes as its original or as a preview.
-- Index: evidence_item_by_digest, evidence_item_by_preview, evidence_mask_by_preview, evidence_erasure_pkey.
SELECT EXISTS (SELECT 1 FROM evidence_item i LEFT JOIN evidence_erasure e USING (shop_id, order_id, item_id)
                WHERE i.digest = $1 AND e.at IS NULL)
    OR EXISTS (SELECT 1 FROM evidence_item i LEFT JOIN evidence_erasure e USING (shop_id, order_id, item_id)
                WHERE i.preview_digest = $1 AND e.at IS NULL)
    OR EXISTS (SELECT 1 FROM evidence_mask m LEFT JOIN evidence_erasure e USING (shop_id, order_id, item_id)
                WHERE m.preview_digest = $1 AND e.at IS NULL)
