-- name: place
-- Places an order, reserves its keys and keeps how long the notices were read, in one call. Index: orders_once_per_key,
-- listing_snapshot_pkey, card_key_available, notice_dwell_pkey.
WITH placed AS MATERIALIZED (SELECT * FROM place_order_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)),
dwelt AS (
  INSERT INTO notice_dwell (shop_id, order_id, notice_id, millis, measured_by)
  SELECT $1, p.order_id, d.notice_id, d.millis, $14
    FROM placed p, unnest($12::text[], $13::int[]) AS d (notice_id, millis)
   WHERE p.refusal IS NULL AND NOT p.replayed
  ON CONFLICT DO NOTHING)
SELECT * FROM placed

-- name: take_payment
-- Books one payment notice exactly once, with a mark of who paid, and delivers sealed. Index: orders_pkey, payment_pkey,
-- card_key_one_place, payment_payer_pkey.
SELECT * FROM apply_payment_v2($1, $2, $3, $4, $5, $6, $7, $8)

-- name: cancel
-- Cancels an unpaid order of its buyer. Index: orders_pkey.
SELECT cancel_order_v1($1, $2, $3, $4)

-- name: reveal
-- Opens sealed keys for their buyer; positions NULL means all of them. Index: escrow_pkey, card_key_one_place.
SELECT * FROM reveal_keys_v1($1, $2, $3, coalesce($4::int[], ARRAY(SELECT k.pos FROM card_key k
  WHERE k.shop_id = $1 AND k.order_id = $2 AND k.state IN ('sealed', 'opened'))), $5, $6, $7)

-- name: refund_sealed
-- Refunds every sealed key at once. Index: escrow_pkey.
SELECT * FROM refund_sealed_v1($1, $2, $3, $4)

-- name: confirm
-- Releases because the buyer confirmed. Index: escrow_pkey.
SELECT * FROM confirm_order_v1($1, $2, $3, $4)

-- name: freeze
-- Stops the release clock for a case. Index: escrow_pkey.
SELECT * FROM freeze_order_v1($1, $2, $3, $4, $5)

-- name: unfreeze
-- Starts the release clock again; beside it the clock. Index: escrow_pkey.
SELECT u.*, coalesce($6::timestamptz, now()) AS clock FROM unfreeze_order_v1($1, $2, $3, $4, $5, $6) u

-- name: resolve
-- Splits a disputed escrow between buyer and merchant. Index: escrow_pkey.
SELECT * FROM resolve_escrow_v2($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: freeze_after_release
-- Marks a released order as in a case, inside its claim days. Index: escrow_pkey, orders_pkey, claim_payout_pkey.
SELECT * FROM freeze_after_release_v1($1, $2, $3, $4, $5, $6)

-- name: unfreeze_after_release
-- Ends the case of a released order without money. Index: escrow_pkey.
SELECT * FROM unfreeze_after_release_v1($1, $2, $3, $4, $5)

-- name: resolve_after_release
-- Pays what a case gives after the release out of deposit and reserve. Index: escrow_pkey, shop_fund_pkey, claim_payout_pkey.
SELECT * FROM resolve_after_release_v1($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)

-- name: owner_of
-- Who sells an order. Index: orders_pkey, shop_pkey.
SELECT h.owner_id FROM orders o JOIN shop h USING (shop_id) WHERE o.shop_id = $1 AND o.order_id = $2

-- name: lock_escrow
-- Locks an order's money for one step; what is read after this cannot change under it. Index: escrow_pkey.
SELECT order_id FROM escrow WHERE shop_id = $1 AND order_id = $2 FOR UPDATE

-- name: claimable
-- What of a released order's price may still be given back. Index: escrow_pkey, claim_payout_pkey.
SELECT claimable_v1($1, $2)

-- name: award_damages
-- Gives damages beyond the price, once a step. Index: escrow_pkey, shop_fund_pkey, damages_award_pkey.
SELECT * FROM award_damages_v1($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: sweep_damages
-- Pays on the oldest damages that a shop with a deposit owes. Index: damages_award_owing, shop_fund_pkey.
SELECT sweep_damages_v1($1)

-- name: pay_reversal
-- Pays a merchant out of the reserve for a refund that a review found wrong. Index: escrow_pkey, reserve_fund_pkey.
SELECT * FROM pay_reversal_v1($1, $2, $3, $4, $5, $6, $7, $8)

-- name: take_chargeback
-- Books that the payer's bank took a payment back, once. Index: escrow_pkey, orders_pkey, chargeback_pkey.
SELECT * FROM take_chargeback_v1($1, $2, $3, $4, $5, $6, $7, $8)

-- name: sides
-- Whom an order is between, and what was bought. Index: orders_pkey, shop_pkey, listing_snapshot_pkey.
SELECT o.buyer_id, h.owner_id, s.title FROM orders o JOIN shop h USING (shop_id)
  JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no) WHERE o.shop_id = $1 AND o.order_id = $2

-- name: stop_instruction
-- Books that an instruction is never executed because its payment was charged back. Index: custody_instruction_pkey.
SELECT stop_instruction_v1($1, $2, $3, $4)

-- name: redirect
-- Sends what the custodian refused for good to another account. Index: orders_pkey, custody_instruction_of_order.
SELECT * FROM redirect_refund_v1($1, $2, $3, $4, $5)

-- name: replace_after_release
-- Gives new sealed keys for opened ones in a case after the release. Index: escrow_pkey, card_key_available.
SELECT * FROM replace_after_release_v1($1, $2, $3, $4, $5)

-- name: replace
-- Gives new sealed keys for opened ones in a case. Index: escrow_pkey, card_key_available.
SELECT * FROM replace_keys_v1($1, $2, $3, $4, $5)

-- name: order
-- One order with its listing as bought, its seller and its escrow. Index: orders_pkey.
SELECT o.*, s.title, s.digest AS snapshot_digest, s.document, h.name AS shop_name, h.legal_name, h.licence_number, h.address,
       h.contact_phone, h.owner_id, b.display_name AS buyer_name, e.state AS escrow_state, e.released, e.refunded, e.fee,
       e.due_at, extract(epoch FROM e.remaining)::int AS remaining_seconds, coalesce($3, now()) AS now,
       claimable_v1(o.shop_id, o.order_id) AS claimable_minor, claim_until_v1(o.shop_id, o.order_id, $4) AS claim_until,
       decided_in_case_v1(o.shop_id, o.order_id) AS decided_in_case,
       (SELECT jsonb_build_object('taken_minor', b.taken_minor, 'ended_case', b.ended_case, 'at', b.received_at)
          FROM chargeback b WHERE b.shop_id = o.shop_id AND b.provider = e.provider AND b.payment_id = e.payment_id) AS charged_back,
       (SELECT coalesce(sum(c.deposit_minor + c.reserve_minor), 0)::bigint FROM claim_payout c
         WHERE c.shop_id = o.shop_id AND c.order_id = o.order_id AND c.part = 'claim_refund') - (SELECT coalesce(sum(i.amount_minor), 0)::bigint
           FROM custody_instruction i WHERE i.shop_id = o.shop_id AND i.order_id = o.order_id AND i.state = 'cancelled') AS claimed_minor,
       (SELECT coalesce(sum(i.amount_minor), 0)::bigint FROM custody_instruction i
         WHERE i.shop_id = o.shop_id AND i.order_id = o.order_id AND i.state = 'refused') AS stranded_minor,
       (SELECT coalesce(sum(a.awarded_minor - a.paid_minor), 0)::bigint FROM damages_award a
         WHERE a.shop_id = o.shop_id AND a.order_id = o.order_id) AS damages_owed_minor,
       (SELECT c.case_id FROM cases c WHERE c.shop_id = o.shop_id AND c.order_id = o.order_id
         ORDER BY c.case_id DESC LIMIT 1) AS last_case_id,
       (SELECT c.case_id FROM cases c WHERE c.shop_id = o.shop_id AND c.order_id = o.order_id AND c.closed_at IS NULL)
         AS open_case_id
  FROM orders o
  JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no)
  JOIN shop h USING (shop_id)
  JOIN account b ON b.account_id = o.buyer_id
  LEFT JOIN escrow e USING (shop_id, order_id)
 WHERE o.shop_id = $1 AND o.order_id = $2

-- name: decides_in
-- Whether somebody decides in a case of an order, or did in one that is closed or ruled on and not in review: by a seat
-- where $4 tells of the panel, by stepping in where $5 tells of the duty officer. Index: cases_of_order, panel_seat_once, ruling_pkey.
SELECT EXISTS (SELECT 1 FROM cases c
  CROSS JOIN LATERAL (SELECT count(*) AS seats, count(*) FILTER (WHERE t.stage = c.stage) AS sits_now FROM panel_seat t
     WHERE t.shop_id = c.shop_id AND t.case_id = c.case_id AND t.panellist_id = $3 AND t.recused_at IS NULL) p
 WHERE c.shop_id = $1 AND c.order_id = $2
   AND ($4 AND (p.sits_now > 0 OR p.seats > 0 AND (c.closed_at IS NOT NULL OR c.stage = 'ruled_open'))
     OR $5 AND (c.turn = 'duty' OR p.seats > 0 OR EXISTS (SELECT 1 FROM ruling g
          WHERE g.shop_id = c.shop_id AND g.case_id = c.case_id AND g.staff_id = $3 AND g.by_duty))))

-- name: key_slots
-- The places of an order's keys with their receipts. Index: card_key_one_place, reveal_receipt_pkey.
SELECT k.pos, k.generation, k.state, k.opened_at, r.digest AS receipt_digest, r.device
  FROM card_key k
  LEFT JOIN reveal_receipt r ON r.shop_id = k.shop_id AND r.order_id = k.order_id AND r.key_id = k.key_id
 WHERE k.shop_id = $1 AND k.order_id = $2 ORDER BY k.pos, k.generation

-- name: money_moves
-- Money in and out of an order. Index: payment_of_order, custody_instruction_of_order, chargeback_of_order.
SELECT 'payment' AS kind, amount_minor, 'done' AS state, outcome, received_at AS at
  FROM payment WHERE shop_id = $1 AND order_id = $2
UNION ALL
SELECT kind, amount_minor, state, NULL, coalesce(done_at, created_at)
  FROM custody_instruction WHERE shop_id = $1 AND order_id = $2
UNION ALL
SELECT 'chargeback', taken_minor, 'done', NULL, received_at
  FROM chargeback WHERE shop_id = $1 AND order_id = $2 AND taken_minor > 0
ORDER BY at

-- name: events
-- The history of an order. Index: order_event_pkey.
SELECT event_id, kind, from_state, to_state, actor_role, reason, amount_minor, due_at, rulebook_version, at
  FROM order_event WHERE shop_id = $1 AND order_id = $2 ORDER BY event_id

-- name: had_before
-- Whether the buyer of an order had opened and kept the same version of the same listing before placing it.
-- Index: orders_pkey, orders_by_buyer, escrow_pkey, card_key_one_place.
SELECT EXISTS (
  SELECT 1 FROM orders o
    JOIN orders b ON b.buyer_id = o.buyer_id AND b.shop_id = o.shop_id AND b.listing_id = o.listing_id
                 AND b.snapshot_no = o.snapshot_no AND b.order_id < o.order_id
    JOIN escrow e ON e.shop_id = b.shop_id AND e.order_id = b.order_id AND e.state = 'released'
    JOIN card_key k ON k.shop_id = b.shop_id AND k.order_id = b.order_id AND k.opened_at < o.placed_at
   WHERE o.shop_id = $1 AND o.order_id = $2)

-- name: orders_of_buyer
-- A buyer's orders, newest first; tab is one of all, unpaid, sealed, opened, in_case. Index: orders_by_buyer.
SELECT o.shop_id, o.order_id, s.title, h.name AS shop_name, b.display_name AS buyer_name, o.quantity, o.amount_minor,
       o.state, o.in_case, o.placed_at, o.reserve_until, e.due_at
  FROM orders o JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no) JOIN shop h USING (shop_id)
  JOIN account b ON b.account_id = o.buyer_id LEFT JOIN escrow e USING (shop_id, order_id)
 WHERE o.buyer_id = $1 AND o.order_id < $3
   AND CASE $2 WHEN 'unpaid' THEN o.state = 'placed' WHEN 'sealed' THEN o.state = 'delivered' AND NOT o.in_case
               WHEN 'opened' THEN o.state = 'opened' AND NOT o.in_case WHEN 'in_case' THEN o.in_case ELSE true END
 ORDER BY o.order_id DESC LIMIT $4

-- name: orders_of_shop
-- A shop's orders, newest first. Index: orders_pkey.
SELECT o.shop_id, o.order_id, s.title, h.name AS shop_name, b.display_name AS buyer_name, o.quantity, o.amount_minor,
       o.state, o.in_case, o.placed_at, o.reserve_until, e.due_at
  FROM orders o JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no) JOIN shop h USING (shop_id)
  JOIN account b ON b.account_id = o.buyer_id LEFT JOIN escrow e USING (shop_id, order_id)
 WHERE o.shop_id = $1 AND h.owner_id = $2 AND o.order_id < $4
   AND CASE $3 WHEN 'unpaid' THEN o.state = 'placed' WHEN 'held' THEN e.state = 'held' WHEN 'in_case' THEN o.in_case
               WHEN 'ended' THEN o.ended_at IS NOT NULL ELSE true END
 ORDER BY o.order_id DESC LIMIT $5

-- name: to_pay
-- What a buyer still has to pay for an order. Index: orders_pkey.
SELECT o.state, o.amount_minor, o.currency, o.quantity, s.title, o.reserve_until <= coalesce($4, now()) AS is_late
  FROM orders o JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no)
 WHERE o.shop_id = $1 AND o.order_id = $2 AND o.buyer_id = $3

-- name: held_by_shop
-- What the custodian holds undecided for a shop, and how much of it is in cases. Index: escrow_pkey.
SELECT coalesce(sum(amount_minor - released - refunded), 0)::bigint AS held_minor,
       coalesce(sum(amount_minor - released - refunded) FILTER (WHERE state = 'disputed'), 0)::bigint AS disputed_minor,
       count(*) FILTER (WHERE state = 'disputed') AS disputed
  FROM escrow WHERE shop_id = $1 AND state IN ('held', 'disputed')

-- name: expire
-- Expires a batch of unpaid orders. Index: orders_reserve_due.
SELECT expire_orders_v1($1, $2, $3)

-- name: sweep
-- Releases a batch of matured escrows. Index: escrow_due.
SELECT sweep_escrow_v1($1, $2, $3)

-- name: sweep_owing
-- Releases a batch of matured escrows of one shop that owes the platform. Index: escrow_due, shop_fund_owing.
SELECT sweep_owing_v1($1, $2, $3)

-- name: sweep_state
-- How the sweep stands, and the database's clock. Index: sweep_state_pkey, escrow_due.
SELECT s.halted_at, s.halted_why, s.ticked_at, s.accept_until, coalesce($1, clock_timestamp()) AS now,
       (SELECT count(*) FROM escrow e WHERE e.state = 'held' AND e.due_at <= coalesce($1, now())) AS due,
       (SELECT count(*) FROM escrow e WHERE e.state = 'held') AS held
  FROM (SELECT 1) one LEFT JOIN sweep_state s ON s.name = 'escrow'

-- name: sweep_ticked
-- Remembers a tick. Index: sweep_state_pkey.
INSERT INTO sweep_state (name, ticked_at) VALUES ('escrow', $1)
ON CONFLICT (name) DO UPDATE SET ticked_at = EXCLUDED.ticked_at

-- name: sweep_halt
-- Halts every sweeper until an operator resumes. Index: sweep_state_pkey.
INSERT INTO sweep_state (name, halted_at, halted_why) VALUES ('escrow', $1, $2)
ON CONFLICT (name) DO UPDATE SET halted_at = EXCLUDED.halted_at, halted_why = EXCLUDED.halted_why
 WHERE sweep_state.halted_at IS NULL

-- name: sweep_resume
-- Lets the sweepers go on; the volume is accepted until a time. Index: sweep_state_pkey.
INSERT INTO sweep_state (name, accept_until) VALUES ('escrow', coalesce($1, now()) + $2)
ON CONFLICT (name) DO UPDATE SET halted_at = NULL, halted_why = NULL, accept_until = EXCLUDED.accept_until

-- name: claim_instructions
-- Leases due instructions; an expired lease is simply due again. What is given back of a price after its release waits
-- until the merchant has that price, asked row by row. Index: custody_instruction_due, custody_instruction_of_order.
UPDATE custody_instruction i SET attempt = i.attempt + 1, lease_until = coalesce($1, now()) + $2
  FROM (SELECT c.shop_id, c.instruction_id FROM custody_instruction c
         WHERE c.state = 'pending' AND c.due_at <= coalesce($1, now())
           AND (c.lease_until IS NULL OR c.lease_until <= coalesce($1, now())) AND c.provider = $4
           AND (c.kind <> 'claim_refund' OR (SELECT bool_and(r.state = 'done') FROM custody_instruction r
                 WHERE r.shop_id = c.shop_id AND r.order_id = c.order_id AND r.kind = 'release') IS NOT FALSE)
         ORDER BY c.due_at, c.shop_id, c.instruction_id FOR UPDATE OF c SKIP LOCKED LIMIT $3) due
 WHERE i.shop_id = due.shop_id AND i.instruction_id = due.instruction_id
RETURNING i.shop_id, i.instruction_id, i.payment_id, i.kind, i.amount_minor, i.fee_minor, i.currency, i.attempt,
          i.from_account, i.to_account, i.recoup_minor

-- name: finish_instruction
-- Books that the custodian executed an instruction; a repeat changes nothing. Index: custody_instruction_pkey.
SELECT finish_instruction_v1($1, $2, $3)

-- name: refuse_instruction
-- Books that the payee's account refused an instruction for good; a repeat changes nothing. Index: custody_instruction_pkey.
SELECT refuse_instruction_v1($1, $2, $3, $4)

-- name: payee
-- Who waits for the money of an instruction and for what: an order's buyer, else the shop's owner.
-- Index: custody_instruction_pkey, orders_pkey, shop_pkey.
SELECT i.order_id, i.amount_minor, coalesce(o.buyer_id, h.owner_id) AS account_id, coalesce(s.title, h.name) AS named
  FROM custody_instruction i
  LEFT JOIN orders o USING (shop_id, order_id)
  LEFT JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no)
  LEFT JOIN shop h ON h.shop_id = i.shop_id
 WHERE i.shop_id = $1 AND i.instruction_id = $2

-- name: postpone_instruction
-- Gives an instruction back after a failure, fenced by its attempt. Index: custody_instruction_pkey.
UPDATE custody_instruction SET due_at = coalesce($4, now()) + $5, lease_until = NULL, last_error = $6
 WHERE shop_id = $1 AND instruction_id = $2 AND attempt = $3 AND state = 'pending'
