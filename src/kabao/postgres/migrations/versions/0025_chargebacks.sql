-- A chargeback: the payer's bank takes a payment back. The custodian gives it what is left of the payment, pays nothing
-- more out of it, and tells us; what has reached a merchant stays with him.

-- ---------------------------------------------------------------- what the custodian told us

-- One a payment, and the custodian's own number names one. taken_minor is what was left of the payment, 0 where all of it
-- had been paid out before; ended_case tells that a case was open on the order, which the next tick ends.
CREATE TABLE chargeback (
  shop_id       bigint NOT NULL,
  provider      text NOT NULL,
  payment_id    text NOT NULL,
  order_id      bigint NOT NULL,
  chargeback_id text NOT NULL CHECK (length(chargeback_id) BETWEEN 1 AND 100),
  taken_minor   bigint NOT NULL CHECK (taken_minor >= 0),
  currency      text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  ended_case    boolean NOT NULL,
  received_at   timestamptz NOT NULL,
  PRIMARY KEY (shop_id, provider, payment_id),
  CONSTRAINT chargeback_told_once UNIQUE (shop_id, provider, chargeback_id),
  FOREIGN KEY (shop_id, provider, payment_id) REFERENCES payment,
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);
CREATE INDEX chargeback_of_order ON chargeback (shop_id, order_id);
CREATE INDEX chargeback_ended_case ON chargeback (received_at, shop_id, order_id) WHERE ended_case;

INSERT INTO case_step (previous, stage) VALUES
  ('negotiation', 'charged_back'), ('support', 'charged_back'), ('panel', 'charged_back'), ('ruled_open', 'charged_back'),
  ('review', 'charged_back'), ('routed_out', 'charged_back');
ALTER TABLE cases DROP CONSTRAINT cases_closed_at_its_end, ADD CONSTRAINT cases_closed_at_its_end
  CHECK ((stage IN ('settled', 'withdrawn', 'executed', 'charged_back')) = (closed_at IS NOT NULL));

ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_kind_known, ADD CONSTRAINT ledger_transfer_kind_known CHECK (kind IN
    ('hold', 'release', 'fee', 'refund', 'unapplied', 'unapplied_refund', 'refund_paid', 'paid_out', 'deposit_paid',
     'reserve_paid', 'deposit_return', 'deposit_return_refused', 'claim_refund', 'damages', 'recoup', 'refund_refused',
     'redirect', 'reversal', 'chargeback'));
-- stopped: the custodian will never execute it, because the payment was charged back.
ALTER TABLE custody_instruction DROP CONSTRAINT custody_instruction_state_known,
  ADD CONSTRAINT custody_instruction_state_known CHECK (state IN ('pending', 'done', 'refused', 'redirected', 'stopped'));

-- ---------------------------------------------------------------- the simulated institution

CREATE TABLE sandbox.chargeback (
  payment_id    text PRIMARY KEY REFERENCES sandbox.payment,
  chargeback_id text NOT NULL UNIQUE,
  taken_minor   bigint NOT NULL CHECK (taken_minor >= 0),
  taken_at      timestamptz NOT NULL,
  notified_at   timestamptz,
  attempt       int NOT NULL DEFAULT 0,
  due_at        timestamptz NOT NULL
);
CREATE INDEX sandbox_chargeback_unnotified ON sandbox.chargeback (due_at) WHERE notified_at IS NULL;

-- ---------------------------------------------------------------- the steps

-- Books the custodian's word that a payment was charged back, exactly once. What is still held leaves escrow towards
-- custody and the order's money is decided; what a payee's account had refused goes too. Instructions that are on their
-- way are ended by the custodian's own answer to each. Nothing more may be claimed on the order.
CREATE FUNCTION take_chargeback_v1(p_shop bigint, p_order bigint, p_provider text, p_payment text, p_chargeback text,
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
  PERFORM log_order_v1(p_shop, p_order, CASE WHEN p_taken > 0 THEN 'charged_back' ELSE 'charged_back_late' END,
    v_order.state, state, NULL, 'custodian', NULL, p_taken, NULL, v_now);
END $$;

-- Books that the custodian will never execute an instruction because its payment was charged back: what was on its way
-- goes back towards custody, the fee and what a release paid towards a debt with it. Answers stopped, gone (done or
-- stopped before) or reserve_short, where the part that had paid a debt is lent again and nothing could be written.
CREATE FUNCTION stop_instruction_v1(p_shop bigint, p_instruction uuid, p_why text, p_now timestamptz) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v record; v_reserve record; v_step text := 'chargeback:' || p_instruction;
BEGIN
  PERFORM 1 FROM orders o JOIN custody_instruction i ON i.shop_id = o.shop_id AND i.order_id = o.order_id
   WHERE i.shop_id = p_shop AND i.instruction_id = p_instruction FOR UPDATE OF o;
  SELECT i.* INTO v FROM custody_instruction i
   WHERE i.shop_id = p_shop AND i.instruction_id = p_instruction AND i.state = 'pending' AND i.from_account = '' FOR UPDATE;
  IF NOT FOUND THEN RETURN 'gone'; END IF;
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
  PERFORM log_order_v1(p_shop, v.order_id, 'payout_stopped', NULL, NULL, NULL, 'custodian', NULL, v.amount_minor, NULL, v_now);
  RETURN 'stopped';
END $$;

-- refuse_instruction_v1: a refusal that arrives after the payment was charged back leaves nothing to wait for another
-- account. The order is locked first, so that the chargeback either finds the refusal or is found by it.
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
  IF v.order_id IS NOT NULL THEN
    PERFORM log_order_v1(p_shop, v.order_id, 'refund_refused', NULL, NULL, NULL, 'custodian', NULL, v.amount_minor, NULL, v_now);
  END IF;
  RETURN true;
END $$;

-- What of a released order's price may still be given back: nothing where the bank has taken the payment back.
CREATE OR REPLACE FUNCTION claimable_v1(p_shop bigint, p_order bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN EXISTS (SELECT 1 FROM chargeback b WHERE b.shop_id = e.shop_id AND b.provider = e.provider
                              AND b.payment_id = e.payment_id) THEN 0
         ELSE e.amount_minor - e.refunded - coalesce((SELECT sum(c.deposit_minor + c.reserve_minor) FROM claim_payout c
           WHERE c.shop_id = p_shop AND c.order_id = p_order AND c.part = 'claim_refund'), 0) END::bigint
    FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order AND e.state IN ('released', 'split')
$$;

-- ---------------------------------------------------------------- rights

GRANT SELECT, INSERT ON chargeback, sandbox.chargeback TO kabao_app;
GRANT UPDATE (notified_at, attempt, due_at) ON sandbox.chargeback TO kabao_app;
GRANT SELECT ON chargeback, sandbox.chargeback TO kabao_audit;
GRANT EXECUTE ON FUNCTION take_chargeback_v1, stop_instruction_v1 TO kabao_app;
