-- name: similar_endings
-- How the latest closed cases of one claim, kind of goods and seal ended: at most $4 of them, looked for among the
-- latest $5 of the claim. Index: cases_closed_of_claim, reveal_receipt_pkey, order_event_pkey.
WITH latest AS (
  SELECT c.shop_id, c.case_id, c.order_id, c.stage, c.opened_at, c.closed_at
    FROM cases c WHERE c.claim = $1 AND c.closed_at IS NOT NULL
   ORDER BY c.closed_at DESC LIMIT $5
), alike AS (
  SELECT l.*, o.amount_minor FROM latest l
    JOIN orders o USING (shop_id, order_id)
    JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no)
   WHERE s.document ->> 'category' = $2
     AND EXISTS (SELECT FROM reveal_receipt r
                  WHERE r.shop_id = l.shop_id AND r.order_id = l.order_id AND r.first_at <= l.opened_at) = $3
   LIMIT $4
), ended AS (
  SELECT CASE WHEN a.stage = 'withdrawn' THEN 'withdrawn'
              WHEN m.refunded > 0 AND m.refunded + m.earlier < a.amount_minor THEN 'partial_refund'
              WHEN m.refunded > 0 THEN 'full_refund'
              WHEN m.replacements > 0 THEN 'replacement'
              ELSE 'no_refund' END AS ending
    FROM alike a, LATERAL (
      SELECT sum(v.amount_minor) FILTER (WHERE v.kind IN ('settled_refund', 'ruled_refund') AND v.at >= a.opened_at)
               AS refunded,
             coalesce(sum(v.amount_minor) FILTER (WHERE v.kind = 'refunded_sealed' AND v.at < a.opened_at), 0) AS earlier,
             count(*) FILTER (WHERE v.kind = 'replaced' AND v.at >= a.opened_at) AS replacements
        FROM order_event v
       WHERE v.shop_id = a.shop_id AND v.order_id = a.order_id AND v.at <= a.closed_at) m
)
SELECT ending, count(*) AS cases FROM ended GROUP BY ending
