-- name: figures
-- How much there is to check.
SELECT (SELECT count(*) FROM ledger_transfer) AS transfers, (SELECT count(*) FROM orders) AS orders,
       (SELECT count(*) FROM escrow) AS holds,
       (SELECT coalesce(sum(amount_minor - released - refunded), 0)::bigint FROM escrow) AS held_minor

-- name: escrow_against_transfers
-- Every escrow row recomputed from its order's transfers, and transfers of escrow without a row.
SELECT coalesce(e.shop_id, t.shop_id) AS shop_id, coalesce(e.order_id, t.order_id) AS order_id,
       abs(coalesce(e.amount_minor, 0) - coalesce(t.held, 0)) + abs(coalesce(e.refunded, 0) - coalesce(t.refunded, 0))
         + abs(coalesce(e.released, 0) - coalesce(t.released, 0)) + abs(coalesce(e.fee, 0) - coalesce(t.fee, 0)) AS off_minor
  FROM escrow e
  FULL JOIN (SELECT shop_id, order_id, coalesce(sum(amount_minor) FILTER (WHERE kind = 'hold'), 0) AS held,
                    coalesce(sum(amount_minor) FILTER (WHERE kind = 'refund' OR kind = 'chargeback' AND debit_no = 2), 0) AS refunded,
                    coalesce(sum(amount_minor) FILTER (WHERE kind IN ('release', 'fee')), 0) AS released,
                    coalesce(sum(amount_minor) FILTER (WHERE kind = 'fee'), 0) AS fee
               FROM ledger_transfer
               WHERE kind IN ('hold', 'refund', 'release', 'fee') OR kind = 'chargeback' AND debit_no = 2 GROUP BY shop_id, order_id) t
    ON t.shop_id = e.shop_id AND t.order_id = e.order_id
 WHERE (e.amount_minor, e.refunded, e.released, e.fee) IS DISTINCT FROM (t.held, t.refunded, t.released, t.fee)

-- name: balances_against_transfers
-- Every balance (folded and waiting) recomputed from the transfers.
SELECT coalesce(b.shop_id, t.shop_id) AS shop_id, coalesce(b.account_no, t.account_no) AS account_no,
       abs(coalesce(b.amount, 0) - coalesce(t.amount, 0)) AS off_minor
  FROM (SELECT shop_id, account_no, currency, sum(amount) AS amount
          FROM (SELECT shop_id, account_no, currency, balance AS amount FROM ledger_balance
                UNION ALL SELECT shop_id, account_no, currency, delta FROM ledger_delta) parts
         GROUP BY 1, 2, 3) b
  FULL JOIN (SELECT shop_id, account_no, currency, sum(amount) AS amount
          FROM (SELECT shop_id, debit_no AS account_no, currency, -amount_minor AS amount FROM ledger_transfer
                UNION ALL SELECT shop_id, credit_no, currency, amount_minor FROM ledger_transfer) sides
         GROUP BY 1, 2, 3) t
    ON t.shop_id = b.shop_id AND t.account_no = b.account_no AND t.currency = b.currency
 WHERE b.amount IS DISTINCT FROM t.amount

-- name: clearing_against_instructions
-- What waits in the clearing accounts must be what the custodian has not confirmed; nothing may stay unapplied but what
-- a payee's account refused and no other account has been named for.
SELECT coalesce(t.shop_id, i.shop_id) AS shop_id, coalesce(t.account_no, i.account_no) AS account_no,
       abs(coalesce(t.amount, 0) - coalesce(i.amount, 0)) AS off_minor
  FROM (SELECT shop_id, account_no, sum(amount) AS amount
          FROM (SELECT shop_id, debit_no AS account_no, -amount_minor AS amount FROM ledger_transfer
                UNION ALL SELECT shop_id, credit_no, amount_minor FROM ledger_transfer) sides
         WHERE account_no IN (3, 5, 6) GROUP BY 1, 2 HAVING sum(amount) <> 0) t
  FULL JOIN (SELECT shop_id, CASE WHEN state = 'refused' THEN 6 WHEN kind IN ('release', 'reversal') THEN 3 ELSE 5 END AS account_no,
                    sum(amount_minor - fee_minor - recoup_minor) AS amount
               FROM custody_instruction WHERE state = 'pending' OR (state = 'refused' AND kind <> 'deposit_return')
              GROUP BY 1, 2 HAVING sum(amount_minor - fee_minor - recoup_minor) <> 0) i
    ON i.shop_id = t.shop_id AND i.account_no = t.account_no
 WHERE t.amount IS DISTINCT FROM i.amount

-- name: payments_against_custodian
-- Every payment we booked stands in the custodian's books with the same amount, into the same account where it is no
-- order's; a payment there whose notice was confirmed stands in ours. A notice still on its way is not a mismatch.
SELECT coalesce(p.payment_id, c.payment_id) AS payment_id,
       abs(coalesce(p.amount_minor, 0) - coalesce(c.amount_minor, 0)) AS off_minor
  FROM (SELECT payment_id, amount_minor, currency, '' AS into_account FROM payment WHERE provider = 'sandbox'
        UNION ALL SELECT payment_id, amount_minor, currency, CASE shop_id WHEN 0 THEN 'reserve' ELSE 'deposit:' || shop_id END
          FROM fund_payment WHERE provider = 'sandbox') p
  FULL JOIN sandbox.payment c ON c.payment_id = p.payment_id
 WHERE (p.amount_minor, p.currency, p.into_account) IS DISTINCT FROM (c.amount_minor, c.currency, c.into_account)
   AND NOT (p.payment_id IS NULL AND c.notified_at IS NULL)

-- name: payouts_against_custodian
-- Every instruction we hold as done is booked at the custodian with the same figures, and every booking was asked for.
-- A booking whose answer has not reached us yet is not a mismatch.
SELECT coalesce(i.instruction_id, b.instruction_id) AS instruction_id,
       abs(coalesce(i.amount_minor, 0) - coalesce(b.amount_minor, 0)) AS off_minor
  FROM (SELECT * FROM custody_instruction WHERE provider = 'sandbox') i
  FULL JOIN sandbox.booking b ON b.instruction_id = i.instruction_id
 WHERE (i.payment_id, i.kind, i.amount_minor, i.fee_minor, i.currency, i.from_account, i.to_account, i.recoup_minor)
       IS DISTINCT FROM (b.payment_id, b.kind, b.amount_minor, b.fee_minor, b.currency, b.from_account, b.to_account,
                         b.recoup_minor)
   AND NOT (b.instruction_id IS NULL AND i.state IN ('pending', 'refused', 'redirected', 'stopped', 'cancelled'))

-- name: custodian_overpaid
-- Payments out of which the custodian paid, or gave back to the payer's bank, more than came in.
SELECT p.payment_id, out.amount + coalesce(c.taken_minor, 0) - p.amount_minor AS off_minor
  FROM sandbox.payment p
  LEFT JOIN sandbox.chargeback c USING (payment_id)
  JOIN (SELECT payment_id, sum(amount_minor) AS amount FROM sandbox.booking WHERE from_account = '' GROUP BY payment_id) out
    USING (payment_id)
 WHERE out.amount + coalesce(c.taken_minor, 0) > p.amount_minor

-- name: chargebacks_against_custodian
-- Every chargeback we booked stands in the custodian's books with the same amount, one there whose notice was confirmed
-- stands in ours, and what it took is what we gave up of that payment and what the custodian has yet to say no to.
SELECT coalesce(k.payment_id, c.payment_id) AS payment_id, abs(coalesce(c.taken_minor, 0) - coalesce(t.back, 0)
         - coalesce(w.waiting, 0)) AS off_minor
  FROM (SELECT * FROM chargeback WHERE provider = 'sandbox') k
  FULL JOIN sandbox.chargeback c USING (payment_id)
  LEFT JOIN (SELECT reference, sum(amount_minor) AS back FROM ledger_transfer WHERE kind = 'chargeback' GROUP BY 1) t
    ON t.reference = coalesce(k.payment_id, c.payment_id)
  LEFT JOIN (SELECT i.payment_id, sum(i.amount_minor) AS waiting FROM custody_instruction i
              WHERE i.provider = 'sandbox' AND i.from_account = '' AND i.state = 'pending'
                AND NOT EXISTS (SELECT 1 FROM sandbox.booking b WHERE b.instruction_id = i.instruction_id) GROUP BY 1) w
    ON w.payment_id = coalesce(k.payment_id, c.payment_id)
 WHERE CASE WHEN k.payment_id IS NULL THEN c.notified_at IS NOT NULL
            ELSE (k.chargeback_id, k.taken_minor) IS DISTINCT FROM (c.chargeback_id, c.taken_minor)
              OR c.taken_minor <> coalesce(t.back, 0) + coalesce(w.waiting, 0) END

-- name: states_against_money
-- Orders whose state contradicts their escrow.
SELECT o.shop_id, o.order_id, coalesce(e.amount_minor, o.amount_minor) AS off_minor
  FROM orders o LEFT JOIN escrow e USING (shop_id, order_id)
 WHERE CASE WHEN o.state IN ('placed', 'expired', 'cancelled') THEN e.state IS NOT NULL
            WHEN o.state IN ('delivered', 'opened') THEN e.state IS NULL OR e.state <> CASE WHEN o.in_case THEN 'disputed' ELSE 'held' END
            WHEN o.state = 'refunded' THEN e.state IS DISTINCT FROM 'refunded'
            WHEN o.state = 'partly_refunded' THEN e.state IS DISTINCT FROM 'split'
            ELSE e.state IS NULL OR e.state NOT IN ('released', 'split') END

-- name: keys_against_orders
-- Orders that do not have exactly the keys that their state and refunds call for; one whose release a chargeback stopped
-- has no sealed ones.
SELECT o.shop_id, o.order_id, o.unit_minor AS off_minor
  FROM orders o
  LEFT JOIN escrow e USING (shop_id, order_id)
  LEFT JOIN (SELECT shop_id, order_id, sum(keys_returned) AS returned FROM claim_payout GROUP BY 1, 2) c
    USING (shop_id, order_id)
  LEFT JOIN LATERAL (SELECT count(*) FILTER (WHERE k.state = 'reserved') AS reserved,
         count(*) FILTER (WHERE k.state = 'sealed') AS sealed, count(*) FILTER (WHERE k.state IN ('sealed', 'opened')) AS given
    FROM card_key k WHERE k.shop_id = o.shop_id AND k.order_id = o.order_id) k ON true
 WHERE CASE WHEN o.state = 'placed' THEN (k.reserved, k.given) <> (o.quantity, 0)
            WHEN o.state IN ('expired', 'cancelled') THEN (k.reserved, k.given) <> (0, 0)
            WHEN EXISTS (SELECT 1 FROM custody_instruction i WHERE i.shop_id = o.shop_id AND i.order_id = o.order_id
                            AND i.kind = 'release' AND i.state = 'stopped')
              THEN k.reserved <> 0 OR k.sealed <> 0 OR k.given > o.quantity
            WHEN o.state IN ('delivered', 'opened', 'confirmed', 'settled')
              THEN (k.reserved, (k.given + coalesce(c.returned, 0)) * o.unit_minor) <> (0, o.amount_minor - e.refunded)
            ELSE k.reserved <> 0 OR k.given > o.quantity END

-- name: payments_for_two_orders
-- One payment of a custodian pays one order or goes into one account, whatever the shops.
SELECT provider, payment_id, sum(amount_minor) - max(amount_minor) AS off_minor
  FROM (SELECT provider, payment_id, amount_minor FROM payment
        UNION ALL SELECT provider, payment_id, amount_minor FROM fund_payment) paid GROUP BY provider, payment_id HAVING count(*) > 1

-- name: claims_against_transfers
-- What was paid after a release or as damages, recomputed from the transfers out of deposit and recourse.
SELECT coalesce(c.shop_id, t.shop_id) AS shop_id, coalesce(c.order_id, t.order_id) AS order_id,
       abs(coalesce(c.deposit, 0) - coalesce(t.deposit, 0)) + abs(coalesce(c.reserve, 0) - coalesce(t.reserve, 0)) AS off_minor
  FROM (SELECT shop_id, order_id, part, sum(deposit_minor) AS deposit, sum(reserve_minor) AS reserve
          FROM claim_payout GROUP BY 1, 2, 3) c
  FULL JOIN (SELECT shop_id, order_id, kind, coalesce(sum(amount_minor) FILTER (WHERE debit_no = 8), 0) AS deposit,
                    coalesce(sum(amount_minor) FILTER (WHERE debit_no = 10), 0) AS reserve
               FROM ledger_transfer WHERE kind IN ('claim_refund', 'damages') GROUP BY 1, 2, 3) t
    ON t.shop_id = c.shop_id AND t.order_id = c.order_id AND t.kind = c.part
 WHERE (c.deposit, c.reserve) IS DISTINCT FROM (t.deposit, t.reserve)

-- name: damages_against_payouts
-- What of each order's damages is held as paid, recomputed from what was paid out.
SELECT coalesce(a.shop_id, c.shop_id) AS shop_id, coalesce(a.order_id, c.order_id) AS order_id,
       abs(coalesce(a.paid, 0) - coalesce(c.paid, 0)) AS off_minor
  FROM (SELECT shop_id, order_id, sum(paid_minor) AS paid FROM damages_award GROUP BY 1, 2 HAVING sum(paid_minor) > 0) a
  FULL JOIN (SELECT shop_id, order_id, sum(deposit_minor + reserve_minor) AS paid FROM claim_payout WHERE part = 'damages'
              GROUP BY 1, 2) c ON c.shop_id = a.shop_id AND c.order_id = a.order_id
 WHERE a.paid IS DISTINCT FROM c.paid

-- name: claims_taken_back
-- What was given after a release and taken back, because the payer's bank had the price, went where it had come from;
-- and nothing was taken back without the bank.
SELECT coalesce(i.shop_id, t.shop_id) AS shop_id, coalesce(i.order_id, t.order_id) AS order_id,
       greatest(abs(coalesce(i.deposit, 0) - coalesce(t.deposit, 0)) + abs(coalesce(i.reserve, 0) - coalesce(t.reserve, 0)),
                i.unasked) AS off_minor
  FROM (SELECT c.shop_id, c.order_id, coalesce(sum(c.amount_minor) FILTER (WHERE c.from_account <> 'reserve'), 0) AS deposit,
               coalesce(sum(c.amount_minor) FILTER (WHERE c.from_account = 'reserve'), 0) AS reserve,
               coalesce(sum(c.amount_minor) FILTER (WHERE NOT EXISTS (SELECT 1 FROM chargeback b WHERE b.shop_id = c.shop_id
                      AND b.provider = c.provider AND b.payment_id = c.payment_id)
                  AND NOT EXISTS (SELECT 1 FROM custody_instruction r WHERE r.shop_id = c.shop_id
                      AND r.order_id = c.order_id AND r.kind = 'release' AND r.state = 'stopped')), 0) AS unasked
          FROM custody_instruction c WHERE c.state = 'cancelled' GROUP BY 1, 2) i
  FULL JOIN (SELECT shop_id, order_id, coalesce(sum(amount_minor) FILTER (WHERE credit_no = 8), 0) AS deposit,
                    coalesce(sum(amount_minor) FILTER (WHERE credit_no IN (3, 10)), 0) AS reserve
               FROM ledger_transfer WHERE kind = 'claim_returned' GROUP BY 1, 2) t
    ON t.shop_id = i.shop_id AND t.order_id = i.order_id
 WHERE (i.deposit, i.reserve) IS DISTINCT FROM (t.deposit, t.reserve) OR i.unasked > 0

-- name: claims_sent_before_price
-- What was given back of an order's price out of deposit or reserve, and sent, though the merchant has not had the price.
SELECT c.shop_id, c.order_id, sum(c.amount_minor) AS off_minor
  FROM custody_instruction c
  JOIN custody_instruction r ON r.shop_id = c.shop_id AND r.order_id = c.order_id AND r.kind = 'release' AND r.state <> 'done'
 WHERE c.kind = 'claim_refund' AND c.attempt > 0
 GROUP BY 1, 2

-- name: claims_over_price
-- Orders of which more of the price was given back than was paid in; damages are beyond it.
SELECT c.shop_id, c.order_id, sum(c.deposit_minor + c.reserve_minor) + max(e.refunded) - max(e.amount_minor) AS off_minor
  FROM claim_payout c JOIN escrow e USING (shop_id, order_id)
 WHERE c.part = 'claim_refund'
 GROUP BY c.shop_id, c.order_id HAVING sum(c.deposit_minor + c.reserve_minor) + max(e.refunded) > max(e.amount_minor)

-- name: funds_against_transfers
-- Every shop's deposit and debt recomputed from the transfers; neither is ever below zero.
SELECT coalesce(f.shop_id, t.shop_id) AS shop_id,
       abs(coalesce(f.deposit_minor, 0) - coalesce(t.deposit, 0)) + abs(coalesce(f.owed_minor, 0) - coalesce(t.owed, 0)) AS off_minor
  FROM shop_fund f
  FULL JOIN (SELECT shop_id, coalesce(sum(amount) FILTER (WHERE account_no = 8), 0) AS deposit,
                    coalesce(-sum(amount) FILTER (WHERE account_no = 10), 0) AS owed
               FROM (SELECT shop_id, debit_no AS account_no, -amount_minor AS amount FROM ledger_transfer
                      WHERE debit_no IN (8, 10) OR credit_no IN (8, 10)
                     UNION ALL SELECT shop_id, credit_no, amount_minor FROM ledger_transfer
                      WHERE debit_no IN (8, 10) OR credit_no IN (8, 10)) sides
              GROUP BY shop_id) t ON t.shop_id = f.shop_id
 WHERE (coalesce(f.deposit_minor, 0), coalesce(f.owed_minor, 0)) <> (coalesce(t.deposit, 0), coalesce(t.owed, 0))
    OR t.deposit < 0 OR t.owed < 0

-- name: reserve_against_shops
-- The reserve recomputed: what came in and what was spent from the transfers, what is advanced from what shops owe.
SELECT r.currency, abs(r.paid_minor - t.paid) + abs(r.spent_minor - t.spent) + abs(r.advanced_minor - s.owed) AS off_minor
  FROM reserve_fund r,
       (SELECT coalesce(sum(amount_minor) FILTER (WHERE kind = 'reserve_paid'), 0) AS paid,
               coalesce(sum(amount_minor) FILTER (WHERE kind = 'reversal'), 0) AS spent
          FROM ledger_transfer WHERE kind IN ('reserve_paid', 'reversal')) t,
       (SELECT coalesce(sum(owed_minor), 0) AS owed FROM shop_fund) s
 WHERE (r.paid_minor, r.advanced_minor, r.spent_minor) <> (t.paid, s.owed, t.spent)
    OR r.advanced_minor + r.spent_minor > r.paid_minor

-- name: reversals_over_refund
-- Orders for which a merchant got more out of the reserve than the buyer was refunded.
SELECT t.shop_id, t.order_id, sum(t.amount_minor) - coalesce(max(e.refunded), 0) AS off_minor
  FROM ledger_transfer t LEFT JOIN escrow e USING (shop_id, order_id)
 WHERE t.kind = 'reversal'
 GROUP BY t.shop_id, t.order_id HAVING sum(t.amount_minor) > coalesce(max(e.refunded), 0)

-- name: accounts_against_bookings
-- Every account at the custodian recomputed from its payments and bookings.
SELECT coalesce(a.account_ref, m.account_ref) AS account_ref,
       abs(coalesce(a.balance_minor, 0) - coalesce(m.amount, 0)) AS off_minor
  FROM sandbox.account a
  FULL JOIN (SELECT account_ref, currency, sum(amount) AS amount
          FROM (SELECT into_account AS account_ref, currency, amount_minor AS amount FROM sandbox.payment WHERE into_account <> ''
                UNION ALL SELECT from_account, currency, -amount_minor FROM sandbox.booking WHERE from_account <> ''
                UNION ALL SELECT 'reserve', currency, recoup_minor FROM sandbox.booking WHERE recoup_minor > 0) moved
         GROUP BY 1, 2) m ON m.account_ref = a.account_ref AND m.currency = a.currency
 WHERE a.balance_minor IS DISTINCT FROM m.amount

-- name: refused_and_paid
-- Instructions that one side holds as refused for good and that were paid, or that only one side holds as refused.
SELECT i.instruction_id, i.amount_minor AS off_minor
  FROM custody_instruction i
  LEFT JOIN sandbox.booking b USING (instruction_id)
  LEFT JOIN sandbox.refusal r USING (instruction_id)
 WHERE i.provider = 'sandbox' AND CASE WHEN i.state IN ('refused', 'redirected', 'stopped') THEN b.instruction_id IS NOT NULL
            OR r.instruction_id IS NULL WHEN i.state = 'done' THEN r.instruction_id IS NOT NULL
            WHEN i.state = 'cancelled' THEN b.instruction_id IS NOT NULL
            ELSE b.instruction_id IS NOT NULL AND r.instruction_id IS NOT NULL END
