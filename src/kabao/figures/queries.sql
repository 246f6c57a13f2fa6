-- name: similar_endings
-- How the latest closed cases of one claim, kind of goods and seal ended: at most $4 of them, looked for among the
-- latest $5 of the claim. Index: cases_closed_of_claim, reveal_receipt_pkey, order_event_pkey.
WITH latest AS (
  SELECT c.shop_id, c.case_id, c.order_id, c.stage, c.opened_at, c.closed_at
    FROM cases c WHERE c.claim = $1 AND c.closed_at IS NOT NULL AND c.stage <> 'charged_back'
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
      SELECT sum(v.amount_minor) FILTER (WHERE v.kind IN ('settled_refund', 'ruled_refund', 'settled_claim', 'ruled_claim')
               AND v.at >= a.opened_at) AS refunded,
             coalesce(sum(v.amount_minor) FILTER (WHERE v.kind IN ('settled_refund', 'ruled_refund', 'settled_claim', 'ruled_claim', 'refunded_sealed')
               AND v.at < a.opened_at), 0) AS earlier,
             count(*) FILTER (WHERE v.kind = 'replaced' AND v.at >= a.opened_at) AS replacements
        FROM order_event v
       WHERE v.shop_id = a.shop_id AND v.order_id = a.order_id AND v.at <= a.closed_at) m
)
SELECT ending, count(*) AS cases FROM ended GROUP BY ending

-- name: public_counts
-- Every public figure in one look at all cases: section, key, how many cases it is about, and a value where it is no
-- count (minutes for a median, how many of the cases for a rate); of all cases (month NULL), and of those opened in each
-- month of China's time. Each table is read once, in sets.
WITH last_ruling AS (
  SELECT DISTINCT ON (shop_id, case_id) shop_id, case_id, stage AS ruled_at, outcome
    FROM ruling ORDER BY shop_id, case_id, ruling_no DESC
), known AS (
  SELECT c.*, r.ruled_at, r.outcome, o.amount_minor, to_char(c.opened_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS month
    FROM cases c JOIN orders o USING (shop_id, order_id) LEFT JOIN last_ruling r USING (shop_id, case_id)
), moved AS (
  SELECT k.shop_id, k.case_id,
         sum(v.amount_minor) FILTER (WHERE v.kind IN ('settled_refund', 'ruled_refund', 'settled_claim', 'ruled_claim')
           AND v.at >= k.opened_at) AS refunded,
         coalesce(sum(v.amount_minor) FILTER (WHERE v.kind IN ('settled_refund', 'ruled_refund', 'settled_claim', 'ruled_claim', 'refunded_sealed')
               AND v.at < k.opened_at), 0) AS earlier,
         count(*) FILTER (WHERE v.kind = 'replaced' AND v.at >= k.opened_at) AS replacements
    FROM known k JOIN order_event v USING (shop_id, order_id)
   WHERE k.closed_at IS NOT NULL AND v.at <= k.closed_at
     AND v.kind IN ('settled_refund', 'ruled_refund', 'settled_claim', 'ruled_claim', 'refunded_sealed', 'replaced')
   GROUP BY k.shop_id, k.case_id
), first_due AS (
  SELECT shop_id, case_id, min(due_at) AS due_at FROM case_event WHERE kind = 'opened' GROUP BY shop_id, case_id
), answers AS (
  SELECT k.month, coalesce(k.answered_at <= d.due_at, false) AS is_kept
    FROM known k JOIN first_due d USING (shop_id, case_id)
   WHERE d.due_at IS NOT NULL AND coalesce(k.answered_at, least(k.closed_at, d.due_at)) IS NOT NULL
     AND (k.answered_at IS NOT NULL OR (d.due_at < coalesce($1, now()) AND coalesce(k.closed_at > d.due_at, true)))
), first_words AS (
  SELECT c.month, coalesce(c.first_word_at <= s.due_at, false) AS is_kept
    FROM (SELECT c.shop_id, c.case_id, c.first_word_at,
                 min(e.at) FILTER (WHERE e.to_stage = 'support' AND e.from_stage <> 'support')
                   + make_interval(hours => (c.windows ->> 'first_word')::int) AS due_at,
                 min(e.at) FILTER (WHERE e.from_stage = 'support' AND e.to_stage <> 'support') AS left_at
            FROM cases c JOIN case_event e USING (shop_id, case_id)
           WHERE c.windows ? 'first_word'
           GROUP BY c.shop_id, c.case_id) s JOIN known c USING (shop_id, case_id)
   WHERE s.due_at IS NOT NULL
     AND (c.first_word_at IS NOT NULL OR (s.due_at < coalesce($1, now()) AND coalesce(s.left_at > s.due_at, true)))
), visits AS (
  SELECT k.month, e.from_stage AS stage,
         NOT (e.body IS NOT DISTINCT FROM 'support_late' OR EXISTS (
           SELECT FROM case_event l WHERE l.shop_id = e.shop_id AND l.case_id = e.case_id AND l.kind = 'overdue'
              AND l.from_stage = e.from_stage AND l.event_id < e.event_id
              AND l.event_id > coalesce((SELECT max(i.event_id) FROM case_event i
                WHERE i.shop_id = e.shop_id AND i.case_id = e.case_id AND i.kind IN ('rose', 'routed_back', 'review_asked')
                  AND i.event_id < e.event_id AND i.to_stage = e.from_stage), 0))) AS is_kept
    FROM case_event e JOIN known k USING (shop_id, case_id)
   WHERE e.from_stage IN ('support', 'panel', 'review') AND e.to_stage IN ('panel', 'routed_out', 'ruled_open', 'executed')
     AND e.from_stage <> e.to_stage
), reviewed AS (
  SELECT c.month, EXISTS (
           SELECT FROM ruling n JOIN ruling f USING (shop_id, case_id)
            WHERE n.shop_id = v.shop_id AND n.case_id = v.case_id AND n.stage = 'review' AND f.ruling_no = v.ruling_no
              AND (n.refund_minor, n.damages_minor, n.outcome) <> (f.refund_minor, f.damages_minor, f.outcome)) AS is_overturned
    FROM case_review v JOIN known c USING (shop_id, case_id) WHERE c.closed_at IS NOT NULL AND c.stage <> 'charged_back'
)
SELECT 'claims' AS section, k.claim AS key, k.month, count(*) AS cases, NULL::bigint AS value
  FROM known k GROUP BY GROUPING SETS ((k.claim), (k.claim, k.month))
UNION ALL
SELECT 'open', k.stage, k.month, count(*), NULL
  FROM known k WHERE k.closed_at IS NULL GROUP BY GROUPING SETS ((k.stage), (k.stage, k.month))
UNION ALL
SELECT 'stages', s.ended_at, s.month, count(*), NULL
  FROM (SELECT k.month, CASE WHEN k.stage = 'executed' THEN coalesce(k.ruled_at, 'support') ELSE k.previous END AS ended_at
          FROM known k WHERE k.closed_at IS NOT NULL AND k.stage <> 'charged_back') s
 GROUP BY GROUPING SETS ((s.ended_at), (s.ended_at, s.month))
UNION ALL
SELECT 'endings', s.ending, s.month, count(*), NULL
  FROM (SELECT k.month, CASE WHEN k.stage = 'withdrawn' THEN 'withdrawn'
                    WHEN m.refunded > 0 AND m.refunded + m.earlier < k.amount_minor THEN 'partial_refund'
                    WHEN m.refunded > 0 THEN 'full_refund'
                    WHEN m.replacements > 0 THEN 'replacement'
                    ELSE 'no_refund' END AS ending
          FROM known k LEFT JOIN moved m USING (shop_id, case_id)
         WHERE k.closed_at IS NOT NULL AND k.stage <> 'charged_back') s
 GROUP BY GROUPING SETS ((s.ending), (s.ending, s.month))
UNION ALL
SELECT 'wins', k.outcome, k.month, count(*), NULL FROM known k WHERE k.stage = 'executed' AND k.outcome IS NOT NULL
 GROUP BY GROUPING SETS ((k.outcome), (k.outcome, k.month))
UNION ALL
SELECT 'times', 'first_answer', k.month, count(*), round(percentile_cont(0.5) WITHIN GROUP
         (ORDER BY extract(epoch FROM k.answered_at - k.opened_at)::float8) / 60)::bigint
  FROM known k WHERE k.answered_at IS NOT NULL GROUP BY GROUPING SETS ((), (k.month))
UNION ALL
SELECT 'times', 'end', k.month, count(*), round(percentile_cont(0.5) WITHIN GROUP
         (ORDER BY extract(epoch FROM k.closed_at - k.opened_at)::float8) / 60)::bigint
  FROM known k WHERE k.closed_at IS NOT NULL GROUP BY GROUPING SETS ((), (k.month))
UNION ALL
SELECT 'deadlines', 'answer', a.month, count(*), count(*) FILTER (WHERE a.is_kept)
  FROM answers a GROUP BY GROUPING SETS ((), (a.month))
UNION ALL
SELECT 'deadlines', 'first_word', w.month, count(*), count(*) FILTER (WHERE w.is_kept)
  FROM first_words w GROUP BY GROUPING SETS ((), (w.month))
UNION ALL
SELECT 'deadlines', v.stage, v.month, count(*), count(*) FILTER (WHERE v.is_kept)
  FROM visits v GROUP BY GROUPING SETS ((v.stage), (v.stage, v.month))
UNION ALL
SELECT 'reviews', 'overturned', r.month, count(*), count(*) FILTER (WHERE r.is_overturned)
  FROM reviewed r GROUP BY GROUPING SETS ((), (r.month))
UNION ALL
SELECT 'reviews', 'by_duty', k.month, count(*), count(*) FILTER (WHERE r.by_duty)
  FROM ruling r JOIN known k USING (shop_id, case_id) WHERE r.stage = 'panel' GROUP BY GROUPING SETS ((), (k.month))
UNION ALL
SELECT 'elsewhere', h.ending, NULL, count(*), NULL FROM help_outcome h GROUP BY h.ending

-- name: unpublished_cases
-- Cases ruled on and carried out that are not in the library yet, with what the rules said beside their last ruling.
-- Index: cases_executed, ruling_pkey, case_decision_pkey, precedent_once.
SELECT c.shop_id, c.case_id, c.claim, c.closed_at, o.amount_minor, coalesce(s.document ->> 'category', '') AS category,
       r.stage, r.outcome, r.refund_minor, r.differs_reason <> '' AS differs, r.share_buyer, r.share_merchant, r.share_platform, d.rulebook_version,
       d.case_file, d.decision, r.grounds -> 'articles' AS named
  FROM cases c
  JOIN orders o USING (shop_id, order_id)
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
  JOIN LATERAL (SELECT * FROM ruling g WHERE g.shop_id = c.shop_id AND g.case_id = c.case_id
                 ORDER BY g.ruling_no DESC LIMIT 1) r ON true
  JOIN case_decision d ON d.shop_id = c.shop_id AND d.case_id = c.case_id AND d.ruling_no = r.ruling_no
 WHERE c.stage = 'executed' AND d.decision IS NOT NULL
   AND NOT EXISTS (SELECT FROM precedent p WHERE p.shop_id = c.shop_id AND p.case_id = c.case_id)
 ORDER BY c.closed_at LIMIT $1

-- name: add_precedent
-- Puts a case into the library, once. Index: precedent_once.
INSERT INTO precedent (public_id, shop_id, case_id, quarter, rulebook_version, claim, category, facts, articles, stage,
    outcome, differs, share_buyer, share_merchant, share_platform, price_band, refund_band)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
ON CONFLICT (shop_id, case_id) DO NOTHING

-- name: precedents
-- The library by claim and outcome, most alike first where facts are given: Jaccard's share of settled facts held in
-- common. Index: precedent_by_quarter, precedent_by_claim, precedent_facts.
SELECT p.*, CASE WHEN $3::text[] = '{}' THEN NULL ELSE
         100 * (SELECT count(*) FROM unnest(p.facts) f WHERE f = ANY ($3))
         / (cardinality(p.facts) + cardinality($3) - (SELECT count(*) FROM unnest(p.facts) f WHERE f = ANY ($3))) END AS likeness
  FROM precedent p
 WHERE p.withdrawn_at IS NULL AND ($1 = '' OR p.claim = $1) AND ($2 = '' OR p.outcome = $2)
   AND ($3::text[] = '{}' OR p.facts && $3)
 ORDER BY likeness DESC NULLS LAST, p.quarter DESC, p.public_id
 LIMIT $4 OFFSET $5

-- name: precedent
-- One precedent by its public address. Index: precedent_pkey.
SELECT p.*, NULL::bigint AS likeness FROM precedent p WHERE p.public_id = $1

-- name: precedent_of_case
-- Where a case stands in the library. Index: precedent_once.
SELECT public_id FROM precedent WHERE shop_id = $1 AND case_id = $2

-- name: has_like
-- Whether the library holds a precedent of a claim. Index: precedent_by_claim.
SELECT EXISTS (SELECT 1 FROM precedent WHERE claim = $1 AND withdrawn_at IS NULL)

-- name: common_facts
-- The facts that stand most often in precedents, of one claim or of all. Index: precedent_by_claim.
SELECT f AS fact FROM precedent p, unnest(p.facts) f WHERE p.withdrawn_at IS NULL AND ($1 = '' OR p.claim = $1)
 GROUP BY f ORDER BY count(*) DESC, f LIMIT $2

-- name: names_in_case
-- What a summary of a case must not say: the people's names, the shop's, the goods'. Index: cases_pkey and others.
SELECT array_remove(ARRAY[b.display_name, w.display_name, h.name, h.legal_name, s.title], '') AS names
  FROM cases c
  JOIN orders o USING (shop_id, order_id)
  JOIN shop h USING (shop_id)
  JOIN account b ON b.account_id = c.buyer_id
  JOIN account w ON w.account_id = h.owner_id
  JOIN listing_snapshot s ON s.shop_id = o.shop_id AND s.listing_id = o.listing_id AND s.snapshot_no = o.snapshot_no
 WHERE c.shop_id = $1 AND c.case_id = $2

-- name: release_summary
-- Puts a person's own summary beside a precedent, in place of an earlier one. Index: precedent_pkey.
UPDATE precedent SET summary = $2, summary_by = $3, summary_at = coalesce($4, now()) WHERE public_id = $1

-- name: withdraw_precedent
-- Takes a precedent out of the library; one that is out stays as it was taken. Index: precedent_pkey.
UPDATE precedent SET withdrawn_why = $2, withdrawn_by = $3, withdrawn_at = coalesce($4, now())
 WHERE public_id = $1 AND withdrawn_at IS NULL

-- name: restore_precedent
-- Puts a withdrawn precedent back. Index: precedent_pkey.
UPDATE precedent SET withdrawn_why = NULL, withdrawn_by = NULL, withdrawn_at = NULL WHERE public_id = $1

-- name: clauses_decided_against
-- Cases about a clause that ended for the buyer and whose clause nobody has proposed to change yet.
-- Index: cases_executed, ruling_pkey, case_decision_pkey, rule_proposal_of_case.
SELECT c.shop_id, c.case_id, c.claim, c.statement, d.rulebook_version, d.decision
  FROM cases c
  JOIN LATERAL (SELECT * FROM ruling g WHERE g.shop_id = c.shop_id AND g.case_id = c.case_id
                 ORDER BY g.ruling_no DESC LIMIT 1) r ON true
  JOIN case_decision d ON d.shop_id = c.shop_id AND d.case_id = c.case_id AND d.ruling_no = r.ruling_no
 WHERE c.stage = 'executed' AND c.claim = ANY ($1) AND r.outcome <> 'no_refund' AND d.decision IS NOT NULL
   AND NOT EXISTS (SELECT FROM rule_proposal p WHERE p.shop_id = c.shop_id AND p.case_id = c.case_id)
 ORDER BY c.closed_at LIMIT $2

-- name: add_proposal
-- Files a proposal; one of a case only once, one of a person while fewer than $10 of theirs are open.
-- Index: rule_proposal_of_case, rule_proposal_by.
INSERT INTO rule_proposal (proposal_id, shop_id, case_id, by_id, article, clause, suggestion, reason, filed_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, now())
 WHERE $4::bigint IS NULL OR (SELECT count(*) FROM rule_proposal p WHERE p.by_id = $4 AND p.state = 'open') < $10
ON CONFLICT (shop_id, case_id) DO NOTHING RETURNING proposal_id

-- name: shown_proposals
-- What the rulekeeper put up for everybody, newest first. Index: rule_proposal_shown_at.
SELECT proposal_id, article, shown_clause AS clause, shown_suggestion AS suggestion, shown_reason AS reason, filed_at,
       shown_at, state, version, answer, answered_at, case_id IS NOT NULL AS is_from_case
  FROM rule_proposal WHERE shown_at IS NOT NULL ORDER BY shown_at DESC, proposal_id DESC LIMIT $1

-- name: own_proposals
-- A person's proposals as they wrote them, newest first. Index: rule_proposal_by.
SELECT proposal_id, article, clause, suggestion, reason, filed_at, shown_at, state, version, answer, answered_at,
       case_id IS NOT NULL AS is_from_case
  FROM rule_proposal WHERE by_id = $1 ORDER BY proposal_id DESC LIMIT $2

-- name: all_proposals
-- Every proposal for the rulekeeper as it was written, open ones first, the oldest first. Reads the small table whole.
SELECT proposal_id, article, clause, suggestion, reason, filed_at, shown_at, state, version, answer, answered_at,
       case_id IS NOT NULL AS is_from_case
  FROM rule_proposal ORDER BY state <> 'open', proposal_id LIMIT $1

-- name: lock_proposal
-- A proposal, locked for the rulekeeper's step. Index: rule_proposal_pkey.
SELECT proposal_id, shop_id, case_id, by_id, clause, suggestion, reason, shown_at, state FROM rule_proposal
 WHERE proposal_id = $1 FOR UPDATE

-- name: show_proposal
-- Puts a proposal up for everybody in the words given. Index: rule_proposal_pkey.
UPDATE rule_proposal SET shown_at = coalesce($5, now()), shown_clause = $2, shown_suggestion = $3, shown_reason = $4
 WHERE proposal_id = $1

-- name: answer_proposal
-- Says what became of a proposal. Index: rule_proposal_pkey.
UPDATE rule_proposal SET state = $2, version = $3, answer = $4, answered_at = coalesce($5, now()) WHERE proposal_id = $1
