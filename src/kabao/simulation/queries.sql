-- name: standing
-- Where a case stands, for the auditor's comparison. Index: cases_pkey, ruling_pkey, case_offer_one_open.
SELECT c.stage, c.turn, c.due_at, c.closed_at IS NOT NULL AS is_closed,
       g.stage AS ruling_stage, g.refund_minor AS ruling_minor, g.damages_minor AS ruling_damages,
       g.outcome = 'replacement' AS ruling_replaces,
       (SELECT count(*) FROM ruling u WHERE u.shop_id = c.shop_id AND u.case_id = c.case_id) AS rulings,
       f.by_role AS offer_by, f.kind AS offer_kind, f.refund_minor AS offer_minor
  FROM cases c
  LEFT JOIN LATERAL (SELECT u.* FROM ruling u WHERE u.shop_id = c.shop_id AND u.case_id = c.case_id
                      ORDER BY u.ruling_no DESC LIMIT 1) g ON true
  LEFT JOIN case_offer f ON f.shop_id = c.shop_id AND f.case_id = c.case_id AND f.state = 'open'
 WHERE c.shop_id = $1 AND c.case_id = $2

-- name: seated
-- Who sits on the panel of the stage a case is in, by seat. Index: panel_seat_pkey.
SELECT t.panellist_id FROM panel_seat t JOIN cases c USING (shop_id, case_id)
 WHERE t.shop_id = $1 AND t.case_id = $2 AND t.stage = c.stage AND t.recused_at IS NULL ORDER BY t.seat_no

-- name: replaceable
-- Whether an order has opened keys and its listing as many in stock. Index: card_key_of_order, card_key_available.
SELECT o.opened > 0 AND o.opened <= (SELECT count(*) FROM card_key k
         WHERE k.shop_id = $1 AND k.listing_id = o.listing_id AND k.state = 'available') AS is_replaceable
  FROM (SELECT r.listing_id, (SELECT count(*) FROM card_key k WHERE k.shop_id = $1 AND k.order_id = $2 AND k.state = 'opened')
               AS opened
          FROM orders r WHERE r.shop_id = $1 AND r.order_id = $2) o

-- name: case_counts
-- How many cases there are, and how many of them are open (scan of a throw-away table).
SELECT count(*) AS cases, count(*) FILTER (WHERE closed_at IS NULL) AS open FROM cases

-- name: stranded
-- Orders whose refund a payee's account refused, oldest first (scan of a throw-away table).
SELECT DISTINCT shop_id, order_id FROM custody_instruction WHERE state = 'refused' AND order_id IS NOT NULL
 ORDER BY shop_id, order_id

-- name: pending
-- How many instructions wait (scan of a throw-away table).
SELECT count(*) FROM custody_instruction WHERE state = 'pending'

-- name: paid_out
-- What the custodian paid out by order, from his books alone; what a bank took back, the buyer has (scan of a throw-away
-- table).
SELECT p.merchant_ref,
       (coalesce(sum(b.amount_minor) FILTER (WHERE b.kind IN ('refund', 'claim_refund', 'damages')), 0)
         + coalesce((SELECT sum(k.taken_minor) FROM sandbox.chargeback k JOIN sandbox.payment q USING (payment_id)
                      WHERE q.merchant_ref = p.merchant_ref), 0))::bigint AS to_buyer,
       coalesce(sum(b.amount_minor - b.fee_minor) FILTER (WHERE b.kind IN ('release', 'reversal')), 0)::bigint AS to_merchant,
       coalesce(sum(b.fee_minor) FILTER (WHERE b.kind = 'release'), 0)::bigint AS fee
  FROM sandbox.payment p LEFT JOIN sandbox.booking b USING (payment_id)
 WHERE p.into_account = '' GROUP BY p.merchant_ref

-- name: recouped
-- What went into the reserve from releases, by the order's reference (scan of a throw-away table).
SELECT p.merchant_ref, sum(b.recoup_minor)::bigint AS recouped
  FROM sandbox.booking b JOIN sandbox.payment p USING (payment_id) WHERE b.recoup_minor > 0 GROUP BY p.merchant_ref

-- name: accounts
-- What lies in the custodian's accounts (scan of a throw-away table).
SELECT account_ref, balance_minor FROM sandbox.account

-- name: flow
-- What came in at the custodian, what left, and what lies in accounts there (scan of a throw-away table).
SELECT (SELECT coalesce(sum(amount_minor), 0)::bigint FROM sandbox.payment) AS paid_in,
       (SELECT coalesce(sum(amount_minor - recoup_minor), 0)::bigint FROM sandbox.booking)
       + (SELECT coalesce(sum(taken_minor), 0)::bigint FROM sandbox.chargeback) AS paid_out,
       (SELECT coalesce(sum(balance_minor), 0)::bigint FROM sandbox.account) AS in_accounts

-- name: refused
-- How many instructions the custodian refused for good (scan of a throw-away table).
SELECT count(*) FROM sandbox.refusal
