-- name: open_checkout
-- Opens a checkout, or leaves the one that exists. Index: sandbox.checkout_pkey.
INSERT INTO sandbox.checkout (checkout_id, merchant_ref, subject, amount_minor, currency, return_path)
VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (checkout_id) DO NOTHING

-- name: checkout
-- One checkout with the time of its first payment. Index: sandbox.checkout_pkey.
SELECT c.*, (SELECT min(p.paid_at) FROM sandbox.payment p WHERE p.checkout_id = c.checkout_id) AS paid_at
  FROM sandbox.checkout c WHERE c.checkout_id = $1

-- name: record_payment
-- Books what a payer paid. Index: sandbox.payment_pkey.
INSERT INTO sandbox.payment (payment_id, checkout_id, merchant_ref, amount_minor, currency, paid_at, due_at)
SELECT $1, checkout_id, merchant_ref, coalesce($3, amount_minor), coalesce($4, currency), coalesce($5, now()),
       coalesce($5, now())
  FROM sandbox.checkout WHERE checkout_id = $2 RETURNING payment_id

-- name: due_notices
-- Payments whose notice is due, oldest first, leased for a minute. Index: sandbox_payment_unnotified.
UPDATE sandbox.payment p SET attempt = p.attempt + 1, due_at = coalesce($1, now()) + interval '60 seconds'
  FROM (SELECT payment_id FROM sandbox.payment WHERE notified_at IS NULL AND due_at <= coalesce($1, now())
         ORDER BY due_at FOR UPDATE SKIP LOCKED LIMIT $2) due
 WHERE p.payment_id = due.payment_id
RETURNING p.payment_id, p.merchant_ref, p.amount_minor, p.currency, p.paid_at, p.attempt

-- name: one_notice
-- The notice of one payment, sent right after it. Index: sandbox.payment_pkey.
SELECT payment_id, merchant_ref, amount_minor, currency, paid_at, attempt FROM sandbox.payment WHERE payment_id = $1

-- name: notice_taken
-- The receiver confirmed the notice. Index: sandbox.payment_pkey.
UPDATE sandbox.payment SET notified_at = coalesce($2, now()) WHERE payment_id = $1 AND notified_at IS NULL

-- name: notice_failed
-- The receiver did not confirm; the notice comes again later. Index: sandbox.payment_pkey.
UPDATE sandbox.payment SET due_at = coalesce($2, now()) + make_interval(secs => $3) WHERE payment_id = $1 AND notified_at IS NULL

-- name: lock_payment
-- Locks the payment that an instruction pays out of. Index: sandbox.payment_pkey.
SELECT amount_minor, currency FROM sandbox.payment WHERE payment_id = $1 FOR UPDATE

-- name: booking
-- What was booked under an instruction id. Index: sandbox.booking_pkey.
SELECT payment_id, kind, amount_minor, fee_minor, currency FROM sandbox.booking WHERE instruction_id = $1

-- name: paid_out
-- How much of a payment has been paid out. Index: sandbox_booking_of_payment.
SELECT coalesce(sum(amount_minor), 0)::bigint FROM sandbox.booking WHERE payment_id = $1

-- name: book
-- Books one payout. Index: sandbox.booking_pkey.
INSERT INTO sandbox.booking (instruction_id, payment_id, kind, amount_minor, fee_minor, currency, booked_at)
VALUES ($1, $2, $3, $4, $5, $6, coalesce($7, now()))
