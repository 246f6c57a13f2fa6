-- name: open_checkout
-- Opens a checkout, or leaves the one that exists. Index: sandbox.checkout_pkey.
INSERT INTO sandbox.checkout (checkout_id, merchant_ref, subject, amount_minor, currency, return_path, into_account)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (checkout_id) DO NOTHING

-- name: checkout
-- One checkout with the time of its first payment. Index: sandbox.checkout_pkey.
SELECT c.*, (SELECT min(p.paid_at) FROM sandbox.payment p WHERE p.checkout_id = c.checkout_id) AS paid_at
  FROM sandbox.checkout c WHERE c.checkout_id = $1

-- name: record_payment
-- Books what a payer paid, into an account where the checkout names one. Index: sandbox.payment_pkey, account_pkey.
WITH paid AS (
  INSERT INTO sandbox.payment (payment_id, checkout_id, merchant_ref, amount_minor, currency, paid_at, due_at, into_account,
    payer)
  SELECT $1, checkout_id, merchant_ref, coalesce($3, amount_minor), coalesce($4, currency), coalesce($5, now()),
         coalesce($5, now()), into_account, $6
    FROM sandbox.checkout WHERE checkout_id = $2 RETURNING payment_id, into_account, currency, amount_minor),
kept AS (
  INSERT INTO sandbox.account AS a (account_ref, currency, balance_minor)
  SELECT into_account, currency, amount_minor FROM paid WHERE into_account <> ''
  ON CONFLICT (account_ref, currency) DO UPDATE SET balance_minor = a.balance_minor + EXCLUDED.balance_minor)
SELECT payment_id FROM paid

-- name: due_notices
-- Payments whose notice is due, oldest first, leased for a minute. Index: sandbox_payment_unnotified.
UPDATE sandbox.payment p SET attempt = p.attempt + 1, due_at = coalesce($1, now()) + interval '60 seconds'
  FROM (SELECT payment_id FROM sandbox.payment WHERE notified_at IS NULL AND due_at <= coalesce($1, now())
         ORDER BY due_at FOR UPDATE SKIP LOCKED LIMIT $2) due
 WHERE p.payment_id = due.payment_id
RETURNING p.payment_id, p.merchant_ref, p.amount_minor, p.currency, p.paid_at, p.into_account, p.payer, p.attempt

-- name: one_notice
-- The notice of one payment, sent right after it. Index: sandbox.payment_pkey.
SELECT payment_id, merchant_ref, amount_minor, currency, paid_at, into_account, payer, attempt
  FROM sandbox.payment WHERE payment_id = $1

-- name: notice_taken
-- The receiver confirmed the notice. Index: sandbox.payment_pkey.
UPDATE sandbox.payment SET notified_at = coalesce($2, now()) WHERE payment_id = $1 AND notified_at IS NULL

-- name: notice_failed
-- The receiver did not confirm; the notice comes again later. Index: sandbox.payment_pkey.
UPDATE sandbox.payment SET due_at = coalesce($2, now()) + make_interval(secs => $3) WHERE payment_id = $1 AND notified_at IS NULL

-- name: lock_payment
-- Locks the payment that an instruction pays out of. Index: sandbox.payment_pkey.
SELECT amount_minor, currency, into_account FROM sandbox.payment WHERE payment_id = $1 FOR UPDATE

-- name: booking
-- What was booked under an instruction id. Index: sandbox.booking_pkey.
SELECT payment_id, kind, amount_minor, fee_minor, currency, from_account, to_account, recoup_minor
  FROM sandbox.booking WHERE instruction_id = $1

-- name: paid_out
-- How much has been paid out of a payment itself. Index: sandbox_booking_of_payment.
SELECT coalesce(sum(amount_minor), 0)::bigint FROM sandbox.booking WHERE payment_id = $1 AND from_account = ''

-- name: book
-- Books one payout. Index: sandbox.booking_pkey.
INSERT INTO sandbox.booking (instruction_id, payment_id, kind, amount_minor, fee_minor, currency, from_account, to_account,
    recoup_minor, booked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, coalesce($10, now()))

-- name: take_from_account
-- Takes money out of an account where it has that much. Index: account_pkey.
UPDATE sandbox.account SET balance_minor = balance_minor - $3
 WHERE account_ref = $1 AND currency = $2 AND balance_minor >= $3 RETURNING balance_minor

-- name: put_into_account
-- Puts money into an account. Index: account_pkey.
INSERT INTO sandbox.account AS a (account_ref, currency, balance_minor) VALUES ($1, $2, $3)
ON CONFLICT (account_ref, currency) DO UPDATE SET balance_minor = a.balance_minor + EXCLUDED.balance_minor

-- name: account_balance
-- What lies in an account. Index: account_pkey.
SELECT balance_minor FROM sandbox.account WHERE account_ref = $1 AND currency = $2

-- name: is_closed
-- Whether an account takes no money. Index: closed_account_pkey.
SELECT EXISTS (SELECT 1 FROM sandbox.closed_account WHERE account_ref = $1)

-- name: close_account
-- Closes a payer's account; a repeat changes nothing. Index: closed_account_pkey.
INSERT INTO sandbox.closed_account (account_ref, closed_at) VALUES ($1, coalesce($2, now())) ON CONFLICT DO NOTHING

-- name: payers_of
-- The accounts that paid a checkout. Index: payment_pkey (scan of a simulation's small table).
SELECT payment_id FROM sandbox.payment WHERE checkout_id = $1

-- name: refusal
-- Why an instruction was refused for good. Index: refusal_pkey.
SELECT why FROM sandbox.refusal WHERE instruction_id = $1

-- name: refuse
-- Refuses an instruction for good. Index: refusal_pkey.
INSERT INTO sandbox.refusal (instruction_id, why, at) VALUES ($1, $2, coalesce($3, now())) ON CONFLICT DO NOTHING

-- name: charge_back
-- Books what a payer's bank took back; once a payment. Index: chargeback_pkey.
INSERT INTO sandbox.chargeback (payment_id, chargeback_id, taken_minor, taken_at, due_at)
VALUES ($1, $2, $3, coalesce($4, now()), coalesce($4, now())) ON CONFLICT (payment_id) DO NOTHING

-- name: chargeback
-- The chargeback of a payment. Index: chargeback_pkey, sandbox.payment_pkey.
SELECT c.chargeback_id, c.payment_id, p.merchant_ref, c.taken_minor, p.currency, c.taken_at
  FROM sandbox.chargeback c JOIN sandbox.payment p USING (payment_id) WHERE c.payment_id = $1

-- name: due_chargebacks
-- Chargebacks whose notice is due, after their payment's own, oldest first, leased for a minute.
-- Index: sandbox_chargeback_unnotified.
UPDATE sandbox.chargeback c SET attempt = c.attempt + 1, due_at = coalesce($1, now()) + interval '60 seconds'
  FROM (SELECT b.payment_id, p.merchant_ref, p.currency FROM sandbox.chargeback b JOIN sandbox.payment p USING (payment_id)
         WHERE b.notified_at IS NULL AND b.due_at <= coalesce($1, now()) AND p.notified_at IS NOT NULL
         ORDER BY b.due_at FOR UPDATE OF b SKIP LOCKED LIMIT $2) due
 WHERE c.payment_id = due.payment_id
RETURNING c.chargeback_id, c.payment_id, due.merchant_ref, c.taken_minor, due.currency, c.taken_at, c.attempt

-- name: chargeback_notice_taken
-- The receiver confirmed the notice of a chargeback. Index: chargeback_pkey.
UPDATE sandbox.chargeback SET notified_at = coalesce($2, now()) WHERE payment_id = $1 AND notified_at IS NULL

-- name: chargeback_notice_failed
-- The receiver did not confirm the notice of a chargeback; it comes again later. Index: chargeback_pkey.
UPDATE sandbox.chargeback SET due_at = coalesce($2, now()) + make_interval(secs => $3)
 WHERE payment_id = $1 AND notified_at IS NULL
