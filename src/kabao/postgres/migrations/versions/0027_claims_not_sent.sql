-- What a case or a merchant gave back out of deposit and reserve, for a price that the payer's bank then took back: it is
-- sent only once the merchant has the price, and what is not sent by then returns to where it came from.

ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_kind_known, ADD CONSTRAINT ledger_transfer_kind_known CHECK (kind IN
    ('hold', 'release', 'fee', 'refund', 'unapplied', 'unapplied_refund', 'refund_paid', 'paid_out', 'deposit_paid',
     'reserve_paid', 'deposit_return', 'deposit_return_refused', 'claim_refund', 'damages', 'recoup', 'refund_refused',
     'redirect', 'reversal', 'chargeback',
     'claim_returned'));
-- cancelled: never sent, or refused for good by the payee's account; the bank has given the price back.
ALTER TABLE custody_instruction
  DROP CONSTRAINT custody_instruction_state_known, DROP CONSTRAINT custody_instruction_transfer_kind_known,
  ADD CONSTRAINT custody_instruction_state_known
    CHECK (state IN ('pending', 'done', 'refused', 'redirected', 'stopped', 'cancelled')),
  ADD CONSTRAINT custody_instruction_cancels_claims CHECK (state <> 'cancelled' OR kind = 'claim_refund'),
  ADD CONSTRAINT custody_instruction_transfer_kind_known CHECK (transfer_kind IN
    ('release', 'refund', 'unapplied_refund', 'claim_refund', 'damages', 'deposit_return', 'reversal', 'claim_returned'));

-- Takes back what was given of an order's price after its release and has not been paid: into the deposit, and off the
-- debt that the reserve's part had made. Where later releases have paid that debt meanwhile, the merchant gets that much.
-- The caller holds the order's row; answers how much, in minor units.
CREATE FUNCTION cancel_claims_v1(p_shop bigint, p_order bigint, p_at timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE v record; v_fund shop_fund; v_from int; v_part bigint; v_step text; v_total bigint := 0;
BEGIN
  FOR v IN SELECT i.* FROM custody_instruction i
     WHERE i.shop_id = p_shop AND i.order_id = p_order AND i.kind = 'claim_refund'
       AND (i.state = 'refused' OR i.state = 'pending' AND i.attempt = 0) ORDER BY i.instruction_id FOR UPDATE
  LOOP
    v_fund := lock_fund_v1(p_shop);
    v_from := CASE v.state WHEN 'refused' THEN 6 ELSE 5 END;
    v_step := 'claim_returned:' || v.instruction_id;
    UPDATE custody_instruction SET state = 'cancelled', done_at = p_at
     WHERE shop_id = p_shop AND instruction_id = v.instruction_id;
    IF v.from_account = 'reserve' THEN
      v_part := least(v_fund.owed_minor, v.amount_minor);
      UPDATE shop_fund SET owed_minor = owed_minor - v_part WHERE shop_id = p_shop;
      UPDATE reserve_fund SET advanced_minor = advanced_minor - v_part WHERE currency = v.currency;
      PERFORM book_transfer_v2(p_shop, p_order, v_step, 'claim_returned', v_from, 10, v_part, v.currency, NULL, p_at);
      PERFORM book_transfer_v2(p_shop, p_order, v_step || ':repaid', 'claim_returned', v_from, 3, v.amount_minor - v_part,
        v.currency, NULL, p_at);
      PERFORM instruct_custodian_v2(p_shop, p_order, v_step || ':repaid', 'reversal', 'claim_returned', v.provider,
        v.payment_id, 'reserve', '', v.amount_minor - v_part, v.currency, NULL, p_at);
    ELSE
      UPDATE shop_fund SET deposit_minor = deposit_minor + v.amount_minor WHERE shop_id = p_shop;
      PERFORM book_transfer_v2(p_shop, p_order, v_step, 'claim_returned', v_from, 8, v.amount_minor, v.currency, NULL, p_at);
    END IF;
    v_total := v_total + v.amount_minor;
  END LOOP;
  IF v_total > 0 THEN
    PERFORM log_order_v1(p_shop, p_order, 'claim_stopped', NULL, NULL, NULL, 'custodian', NULL, v_total, NULL, p_at);
  END IF;
  RETURN v_total;
END $$;

-- take_chargeback_v1 that takes back what was given after the release and has not been paid.
CREATE OR REPLACE FUNCTION take_chargeback_v1(p_shop bigint, p_order bigint, p_provider text, p_payment text, p_chargeback text,
  p_taken bigint, p_currency text, p_now timestamptz, OUT outcome text, OUT state text, OUT replayed boolean,
  OUT held_minor bigint) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_escrow record; v_order record; v_paid record; v_old record; v record;
  v_is_held boolean;
BEGIN
  replayed := false; held_minor := 0;
  SELECT e.* INTO v_escrow FROM escrow e
   WHERE e.shop_id = p_shop AND e.order_id = p_order AND e.provider = p_provider AND e.payment_id = p_payment FOR UPDATE;
  SELECT o.* INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  IF NOT FOUND THEN outcome := 'unknown_payment'; RETURN; END IF;
  SELECT p.* INTO v_paid FROM payment p WHERE p.shop_id = p_shop AND p.provider = p_provider AND p.payment_id = p_payment;
  IF NOT FOUND THEN outcome := 'unknown_payment'; RETURN; END IF;
  state := v_order.state; outcome := 'charged_back';
  SELECT c.* INTO v_old FROM chargeback c WHERE c.shop_id = p_shop AND c.provider = p_provider
     AND (c.payment_id = p_payment OR c.chargeback_id = p_chargeback);
  IF FOUND THEN
    replayed := true;
    IF (v_old.order_id, v_old.payment_id, v_old.chargeback_id, v_old.taken_minor, v_old.currency)
       <> (p_order, p_payment, p_chargeback, p_taken, p_currency) THEN outcome := 'contradicts_earlier_notice'; END IF;
    RETURN;
  END IF;
  -- An escrow that came with the payment while the order was waited for is not locked out of turn: the custodian tells
  -- it again.
  IF v_paid.outcome = 'applied' AND v_escrow.order_id IS NULL THEN outcome := 'unknown_payment'; RETURN; END IF;
  v_is_held := coalesce(v_escrow.state IN ('held', 'disputed'), false);
  IF v_is_held THEN held_minor := v_escrow.amount_minor - v_escrow.refunded; END IF;
  IF v_paid.order_id <> p_order OR v_paid.currency <> p_currency OR p_taken > v_paid.amount_minor
     OR p_taken < held_minor THEN outcome := 'contradicts_earlier_notice'; held_minor := 0; RETURN; END IF;
  INSERT INTO chargeback (shop_id, provider, payment_id, order_id, chargeback_id, taken_minor, currency, ended_case, received_at)
  VALUES (p_shop, p_provider, p_payment, p_order, p_chargeback, p_taken, p_currency,
    v_escrow.order_id IS NOT NULL AND v_order.in_case, v_now);
  IF v_is_held THEN
    PERFORM book_transfer_v2(p_shop, p_order, 'chargeback:held', 'chargeback', 2, 1, held_minor, p_currency, p_payment, v_now);
    UPDATE escrow e SET refunded = e.refunded + take_chargeback_v1.held_minor, state = 'refunded', due_at = NULL,
           remaining = NULL, resolved_at = v_now WHERE e.shop_id = p_shop AND e.order_id = p_order;
    UPDATE orders o SET previous = o.state, state = 'refunded', in_case = false, ended_at = v_now
     WHERE o.shop_id = p_shop AND o.order_id = p_order;
    UPDATE card_key k SET state = 'available', order_id = NULL, pos = NULL, generation = 0
     WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.state = 'sealed';
    state := 'refunded';
  ELSIF v_escrow.order_id IS NOT NULL AND v_order.in_case THEN
    UPDATE orders o SET in_case = false WHERE o.shop_id = p_shop AND o.order_id = p_order;
  END IF;
  FOR v IN UPDATE custody_instruction i SET state = 'stopped'
     WHERE i.shop_id = p_shop AND i.order_id = p_order AND i.provider = p_provider AND i.payment_id = p_payment
       AND i.from_account = '' AND i.state = 'refused' RETURNING i.*
  LOOP
    PERFORM book_transfer_v2(p_shop, p_order, 'chargeback:' || v.instruction_id, 'chargeback', 6, 1, v.amount_minor,
      v.currency, p_payment, v_now);
  END LOOP;
  IF v_escrow.order_id IS NOT NULL THEN PERFORM cancel_claims_v1(p_shop, p_order, v_now); END IF;
  PERFORM log_order_v1(p_shop, p_order, CASE WHEN p_taken > 0 THEN 'charged_back' ELSE 'charged_back_late' END,
    v_order.state, state, NULL, 'custodian', NULL, p_taken, NULL, v_now);
END $$;

-- stop_instruction_v1 that does so with a release, before it asks the reserve for the part that had paid a debt; where
-- that is short, what was taken back stays so.
CREATE OR REPLACE FUNCTION stop_instruction_v1(p_shop bigint, p_instruction uuid, p_why text, p_now timestamptz) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v record; v_reserve record; v_step text := 'chargeback:' || p_instruction;
BEGIN
  PERFORM 1 FROM orders o JOIN custody_instruction i ON i.shop_id = o.shop_id AND i.order_id = o.order_id
   WHERE i.shop_id = p_shop AND i.instruction_id = p_instruction FOR UPDATE OF o;
  SELECT i.* INTO v FROM custody_instruction i
   WHERE i.shop_id = p_shop AND i.instruction_id = p_instruction AND i.state = 'pending' AND i.from_account = '' FOR UPDATE;
  IF NOT FOUND THEN RETURN 'gone'; END IF;
  IF v.kind = 'release' THEN PERFORM cancel_claims_v1(p_shop, v.order_id, v_now); END IF;
  IF v.recoup_minor > 0 THEN
    PERFORM lock_fund_v1(p_shop);
    SELECT r.* INTO v_reserve FROM reserve_fund r WHERE r.currency = v.currency FOR UPDATE;
    IF v_reserve.paid_minor - v_reserve.advanced_minor - v_reserve.spent_minor < v.recoup_minor THEN
      RETURN 'reserve_short';
    END IF;
    UPDATE shop_fund SET owed_minor = owed_minor + v.recoup_minor WHERE shop_id = p_shop;
    UPDATE reserve_fund SET advanced_minor = advanced_minor + v.recoup_minor WHERE currency = v.currency;
    PERFORM book_transfer_v2(p_shop, v.order_id, v_step || ':recoup', 'chargeback', 10, 1, v.recoup_minor, v.currency,
      v.payment_id, v_now);
  END IF;
  UPDATE custody_instruction SET state = 'stopped', done_at = v_now, lease_until = NULL, last_error = p_why
   WHERE shop_id = p_shop AND instruction_id = p_instruction;
  PERFORM book_transfer_v2(p_shop, v.order_id, v_step, 'chargeback', CASE v.kind WHEN 'release' THEN 3 ELSE 5 END, 1,
    v.amount_minor - v.fee_minor - v.recoup_minor, v.currency, v.payment_id, v_now);
  PERFORM book_transfer_v2(p_shop, v.order_id, v_step || ':fee', 'chargeback', 4, 1, v.fee_minor, v.currency, v.payment_id,
    v_now);
  IF v.kind = 'release' THEN
    UPDATE card_key k SET state = 'available', order_id = NULL, pos = NULL, generation = 0
     WHERE k.shop_id = p_shop AND k.order_id = v.order_id AND k.state = 'sealed';
  END IF;
  PERFORM log_order_v1(p_shop, v.order_id, 'payout_stopped', NULL, NULL, NULL, 'custodian', NULL, v.amount_minor, NULL, v_now);
  RETURN 'stopped';
END $$;

-- refuse_instruction_v1: a claim whose payee's account refuses it after the chargeback waits for no other account.
CREATE OR REPLACE FUNCTION refuse_instruction_v1(p_shop bigint, p_instruction uuid, p_why text, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v record;
BEGIN
  PERFORM 1 FROM orders o JOIN custody_instruction i ON i.shop_id = o.shop_id AND i.order_id = o.order_id
   WHERE i.shop_id = p_shop AND i.instruction_id = p_instruction FOR UPDATE OF o;
  IF EXISTS (SELECT 1 FROM custody_instruction i JOIN chargeback c USING (shop_id, provider, payment_id)
              WHERE i.shop_id = p_shop AND i.instruction_id = p_instruction AND i.from_account = '') THEN
    PERFORM stop_instruction_v1(p_shop, p_instruction, p_why, p_now);
    RETURN false;
  END IF;
  UPDATE custody_instruction SET state = 'refused', done_at = v_now, lease_until = NULL, last_error = p_why
   WHERE shop_id = p_shop AND instruction_id = p_instruction AND state = 'pending' AND kind NOT IN ('release', 'reversal') RETURNING * INTO v;
  IF NOT FOUND THEN RETURN false; END IF;
  IF v.kind = 'deposit_return' THEN
    PERFORM lock_fund_v1(p_shop);
    UPDATE shop_fund SET deposit_minor = deposit_minor + v.amount_minor WHERE shop_id = p_shop;
    PERFORM book_transfer_v2(p_shop, NULL, 'refused:' || p_instruction, 'deposit_return_refused', 5, 8, v.amount_minor,
      v.currency, v.payment_id, v_now);
    RETURN true;
  END IF;
  PERFORM book_transfer_v2(p_shop, v.order_id, 'refused:' || p_instruction, 'refund_refused', 5, 6, v.amount_minor,
    v.currency, NULL, v_now);
  IF v.kind = 'claim_refund' AND EXISTS (SELECT 1 FROM chargeback c WHERE c.shop_id = p_shop AND c.provider = v.provider
      AND c.payment_id = v.payment_id) THEN
    PERFORM cancel_claims_v1(p_shop, v.order_id, v_now);
    RETURN false;
  END IF;
  IF v.order_id IS NOT NULL THEN
    PERFORM log_order_v1(p_shop, v.order_id, 'refund_refused', NULL, NULL, NULL, 'custodian', NULL, v.amount_minor, NULL, v_now);
  END IF;
  RETURN true;
END $$;

-- finish_instruction_v1 that settles an order by its release alone, and locks the order first, as every other step does.
CREATE OR REPLACE FUNCTION finish_instruction_v1(p_shop bigint, p_instruction uuid, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v record; v_from text;
BEGIN
  PERFORM 1 FROM orders o JOIN custody_instruction i ON i.shop_id = o.shop_id AND i.order_id = o.order_id
   WHERE i.shop_id = p_shop AND i.instruction_id = p_instruction FOR UPDATE OF o;
  UPDATE custody_instruction SET state = 'done', done_at = v_now, lease_until = NULL, last_error = NULL
   WHERE shop_id = p_shop AND instruction_id = p_instruction AND state = 'pending' RETURNING * INTO v;
  IF NOT FOUND THEN RETURN false; END IF;
  IF v.kind NOT IN ('release', 'reversal') THEN
    PERFORM book_transfer_v2(p_shop, v.order_id, 'refund_paid:' || p_instruction, 'refund_paid', 5, 1, v.amount_minor,
      v.currency, NULL, v_now);
    IF v.order_id IS NULL THEN RETURN true; END IF;
    PERFORM log_order_v1(p_shop, v.order_id, 'refund_paid', NULL, NULL, NULL, 'custodian', NULL, v.amount_minor, NULL, v_now);
  ELSE
    PERFORM book_transfer_v1(p_shop, v.order_id, 'paid_out:' || p_instruction, 'paid_out', 3, 7,
      v.amount_minor - v.fee_minor - v.recoup_minor, v.currency, v_now);
    UPDATE orders SET previous = orders.state, state = 'settled' WHERE shop_id = p_shop AND order_id = v.order_id
       AND orders.state = 'confirmed' AND v.kind = 'release' RETURNING previous INTO v_from;
    PERFORM log_order_v1(p_shop, v.order_id, 'paid_out', v_from, CASE WHEN v_from IS NULL THEN NULL ELSE 'settled' END, NULL,
      'custodian', NULL, v.amount_minor - v.fee_minor - v.recoup_minor, NULL, v_now);
  END IF;
  RETURN true;
END $$;

SELECT cancel_claims_v1(e.shop_id, e.order_id, now())
  FROM escrow e JOIN chargeback b USING (shop_id, provider, payment_id)
 WHERE EXISTS (SELECT 1 FROM custody_instruction i WHERE i.shop_id = e.shop_id AND i.order_id = e.order_id
                  AND i.kind = 'claim_refund' AND (i.state = 'refused' OR i.state = 'pending' AND i.attempt = 0));

GRANT EXECUTE ON FUNCTION cancel_claims_v1 TO kabao_app;
