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

-- name: public_counts
-- Every public figure in one look at all cases: section, key, how many cases it is about, and a value where it is no
-- count (minutes for a median, how many of the cases for a rate). Each table is read once, in sets.
WITH last_ruling AS (
  SELECT DISTINCT ON (shop_id, case_id) shop_id, case_id, stage AS ruled_at, outcome
    FROM ruling ORDER BY shop_id, case_id, ruling_no DESC
), known AS (
  SELECT c.*, r.ruled_at, r.outcome, o.amount_minor
    FROM cases c JOIN orders o USING (shop_id, order_id) LEFT JOIN last_ruling r USING (shop_id, case_id)
), moved AS (
  SELECT k.shop_id, k.case_id,
         sum(v.amount_minor) FILTER (WHERE v.kind IN ('settled_refund', 'ruled_refund') AND v.at >= k.opened_at) AS refunded,
         coalesce(sum(v.amount_minor) FILTER (WHERE v.kind = 'refunded_sealed' AND v.at < k.opened_at), 0) AS earlier,
         count(*) FILTER (WHERE v.kind = 'replaced' AND v.at >= k.opened_at) AS replacements
    FROM known k JOIN order_event v USING (shop_id, order_id)
   WHERE k.closed_at IS NOT NULL AND v.at <= k.closed_at
     AND v.kind IN ('settled_refund', 'ruled_refund', 'refunded_sealed', 'replaced')
   GROUP BY k.shop_id, k.case_id
), first_due AS (
  SELECT shop_id, case_id, min(due_at) AS due_at FROM case_event WHERE kind = 'opened' GROUP BY shop_id, case_id
), answers AS (
  SELECT coalesce(k.answered_at <= d.due_at, false) AS is_kept
    FROM known k JOIN first_due d USING (shop_id, case_id)
   WHERE coalesce(k.answered_at, least(k.closed_at, d.due_at)) IS NOT NULL
     AND (k.answered_at IS NOT NULL OR (d.due_at < coalesce($1, now()) AND coalesce(k.closed_at > d.due_at, true)))
), visits AS (
  SELECT e.from_stage AS stage,
         NOT (e.body IS NOT DISTINCT FROM 'support_late' OR EXISTS (
           SELECT FROM case_event l WHERE l.shop_id = e.shop_id AND l.case_id = e.case_id AND l.kind = 'overdue'
              AND l.from_stage = e.from_stage AND l.event_id < e.event_id)) AS is_kept
    FROM case_event e
   WHERE e.from_stage IN ('support', 'panel', 'review') AND e.to_stage IN ('panel', 'ruled_open', 'executed')
     AND e.from_stage <> e.to_stage
), reviewed AS (
  SELECT EXISTS (
           SELECT FROM ruling n JOIN ruling f USING (shop_id, case_id)
            WHERE n.shop_id = v.shop_id AND n.case_id = v.case_id AND n.stage = 'review' AND f.ruling_no = v.ruling_no
              AND n.refund_minor <> f.refund_minor) AS is_overturned
    FROM case_review v JOIN cases c USING (shop_id, case_id) WHERE c.closed_at IS NOT NULL
)
SELECT 'claims' AS section, k.claim AS key, count(*) AS cases, NULL::bigint AS value FROM known k GROUP BY k.claim
UNION ALL
SELECT 'open', k.stage, count(*), NULL FROM known k WHERE k.closed_at IS NULL GROUP BY k.stage
UNION ALL
SELECT 'stages', s.ended_at, count(*), NULL
  FROM (SELECT CASE WHEN k.stage = 'executed' THEN coalesce(k.ruled_at, 'support') ELSE k.previous END AS ended_at
          FROM known k WHERE k.closed_at IS NOT NULL) s
 GROUP BY s.ended_at
UNION ALL
SELECT 'endings', s.ending, count(*), NULL
  FROM (SELECT CASE WHEN k.stage = 'withdrawn' THEN 'withdrawn'
                    WHEN m.refunded > 0 AND m.refunded + m.earlier < k.amount_minor THEN 'partial_refund'
                    WHEN m.refunded > 0 THEN 'full_refund'
                    WHEN m.replacements > 0 THEN 'replacement'
                    ELSE 'no_refund' END AS ending
          FROM known k LEFT JOIN moved m USING (shop_id, case_id) WHERE k.closed_at IS NOT NULL) s
 GROUP BY s.ending
UNION ALL
SELECT 'wins', k.outcome, count(*), NULL FROM known k WHERE k.stage = 'executed' AND k.outcome IS NOT NULL GROUP BY k.outcome
UNION ALL
SELECT 'times', 'first_answer', count(*), round(percentile_cont(0.5) WITHIN GROUP
         (ORDER BY extract(epoch FROM k.answered_at - k.opened_at)::float8) / 60)::bigint
  FROM known k WHERE k.answered_at IS NOT NULL
UNION ALL
SELECT 'times', 'end', count(*), round(percentile_cont(0.5) WITHIN GROUP
         (ORDER BY extract(epoch FROM k.closed_at - k.opened_at)::float8) / 60)::bigint
  FROM known k WHERE k.closed_at IS NOT NULL
UNION ALL
SELECT 'deadlines', 'answer', count(*), count(*) FILTER (WHERE a.is_kept) FROM answers a
UNION ALL
SELECT 'deadlines', v.stage, count(*), count(*) FILTER (WHERE v.is_kept) FROM visits v GROUP BY v.stage
UNION ALL
SELECT 'reviews', 'overturned', count(*), count(*) FILTER (WHERE r.is_overturned) FROM reviewed r
UNION ALL
SELECT 'reviews', 'by_duty', count(*), count(*) FILTER (WHERE r.by_duty) FROM ruling r WHERE r.stage = 'panel'
