-- name: take
-- Books one payment into a deposit or the reserve exactly once. Index: fund_payment_pkey, shop_fund_pkey.
SELECT * FROM take_fund_payment_v1($1, $2, $3, $4, $5, $6, $7)

-- name: give_back
-- Sends part of a deposit back to where it was paid from. Index: shop_fund_pkey, escrow_pkey.
SELECT * FROM return_deposit_v1($1, $2, $3, $4, $5, $6)

-- name: owner_of
-- Who owns a shop. Index: shop_pkey.
SELECT owner_id FROM shop WHERE shop_id = $1

-- name: deposit
-- A shop's deposit and debt, and why it is bound. Index: shop_fund_pkey, damages_award_owing,
-- cases_one_open, escrow_pkey.
SELECT coalesce(f.deposit_minor, 0) AS deposit_minor, coalesce(f.owed_minor, 0) AS owed_minor,
       coalesce(f.recoup_bps, 5000) AS recoup_bps,
       coalesce((SELECT sum(i.amount_minor) FROM custody_instruction i
                  WHERE i.shop_id = $1 AND i.kind = 'deposit_return' AND i.state = 'pending'), 0)::bigint AS returning_minor,
       d.owed AS damages_owed_minor,
       CASE WHEN f.owed_minor > 0 THEN 'debt'
            WHEN d.owed > 0 THEN 'damages'
            WHEN EXISTS (SELECT 1 FROM cases c WHERE c.shop_id = $1 AND c.closed_at IS NULL) THEN 'case'
            WHEN EXISTS (SELECT 1 FROM escrow e WHERE e.shop_id = $1 AND e.state IN ('held', 'disputed')) THEN 'held'
            WHEN deposit_is_bound_v1($1, $2, coalesce($3, now())) THEN 'claim_days' ELSE '' END AS bound
  FROM (SELECT coalesce(sum(a.awarded_minor - a.paid_minor), 0)::bigint AS owed FROM damages_award a
         WHERE a.shop_id = $1 AND a.paid_minor < a.awarded_minor) d
  LEFT JOIN shop_fund f ON f.shop_id = $1

-- name: reserve
-- The platform's reserve, and the rulings that wait for money; a reversal gives the merchant the price less the fee.
-- Index: reserve_fund_pkey, cases_due, ruling_pkey, orders_pkey.
SELECT r.paid_minor, r.advanced_minor, r.spent_minor, r.paid_minor - r.advanced_minor - r.spent_minor AS left_minor,
       w.waiting, w.waiting_minor
  FROM reserve_fund r,
       (SELECT count(*) AS waiting, coalesce(sum(d.minor - CASE WHEN n.refund_minor > g.refund_minor
                 THEN d.minor * o.fee_bps / 10000 ELSE 0 END), 0)::bigint AS waiting_minor
          FROM cases c
          JOIN orders o ON o.shop_id = c.shop_id AND o.order_id = c.order_id
          LEFT JOIN ruling n ON n.shop_id = c.shop_id AND n.case_id = c.case_id AND n.stage = 'green'
          JOIN LATERAL (SELECT u.refund_minor FROM ruling u WHERE u.shop_id = c.shop_id AND u.case_id = c.case_id
                         ORDER BY u.ruling_no DESC LIMIT 1) g ON true
         CROSS JOIN LATERAL (SELECT abs(coalesce(n.refund_minor, 0) - g.refund_minor) AS minor) d
         WHERE c.closed_at IS NULL AND c.turn = 'nobody') w
 WHERE r.currency = 'CNY'
