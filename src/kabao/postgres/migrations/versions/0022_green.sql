-- The instant green channel: what the platform's own records prove is decided and paid as the case is opened. Its review
-- takes nothing back from the buyer: what the merchant should have had comes out of the reserve, without recourse.

-- ---------------------------------------------------------------- the case

INSERT INTO case_step (previous, stage) VALUES ('negotiation', 'green'), ('green', 'review'), ('green', 'executed');

ALTER TABLE ruling_submission DROP CONSTRAINT ruling_submission_stage_check,
  ADD CONSTRAINT ruling_submission_stage_known CHECK (stage IN ('support', 'panel', 'review', 'default', 'green'));

-- over_limit tells that a case would have been decided at once, had its buyer not had his instant refunds of the month.
-- first_word_at is when those at support first said something that both sides see.
ALTER TABLE cases
  ADD COLUMN over_limit boolean NOT NULL DEFAULT false,
  ADD COLUMN first_word_at timestamptz;

-- When a person was refunded at once; at most five in thirty days, older ones are dropped as a new one is written. The
-- row is the lock under which two cases of one person are counted one after the other.
CREATE TABLE green_use (
  account_id bigint PRIMARY KEY REFERENCES account,
  used_at    timestamptz[] NOT NULL CONSTRAINT green_use_at_most CHECK (cardinality(used_at) <= 5)
);

DROP INDEX cases_ruled_of_shop;
CREATE INDEX cases_ruled_of_shop ON cases (shop_id, case_id) WHERE stage IN ('green', 'ruled_open', 'review', 'executed');

-- What a case is about: what it has refunded as it was opened; else what is held or, where it was opened after the
-- release, what may be given back.
CREATE OR REPLACE FUNCTION at_stake_v1(p_shop bigint, p_order bigint, p_opened timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT coalesce((SELECT r.refund_minor FROM cases c JOIN ruling r USING (shop_id, case_id)
                    WHERE c.shop_id = p_shop AND c.order_id = p_order AND c.opened_at = p_opened AND r.stage = 'green'),
           CASE WHEN EXISTS (SELECT 1 FROM order_event v WHERE v.shop_id = p_shop AND v.order_id = p_order
                                AND v.kind = 'claimed' AND v.at = p_opened)
                THEN claimable_v1(p_shop, p_order) ELSE e.amount_minor - e.released - e.refunded END)
    FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order
$$;

-- ---------------------------------------------------------------- what the reserve pays for good

-- spent_minor went to merchants whose green refund a review found wrong; nobody owes it. In the ledger it is account 9 of
-- the shop it was paid for, below zero: what is left of the reserve is every account 9 and 10 together.
ALTER TABLE reserve_fund ADD COLUMN spent_minor bigint NOT NULL DEFAULT 0 CHECK (spent_minor >= 0),
  DROP CONSTRAINT reserve_fund_covers,
  ADD CONSTRAINT reserve_fund_covers CHECK (advanced_minor + spent_minor <= paid_minor);

ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_kind_known, ADD CONSTRAINT ledger_transfer_kind_known CHECK (kind IN
    ('hold', 'release', 'fee', 'refund', 'unapplied', 'unapplied_refund', 'refund_paid', 'paid_out', 'deposit_paid',
     'reserve_paid', 'deposit_return', 'deposit_return_refused', 'claim_refund', 'damages', 'recoup', 'refund_refused',
     'redirect', 'reversal'));
ALTER TABLE custody_instruction
  DROP CONSTRAINT custody_instruction_kind_known, DROP CONSTRAINT custody_instruction_transfer_kind_known,
  ADD CONSTRAINT custody_instruction_kind_known
    CHECK (kind IN ('release', 'refund', 'claim_refund', 'damages', 'deposit_return', 'reversal')),
  ADD CONSTRAINT custody_instruction_transfer_kind_known CHECK (transfer_kind IN
    ('release', 'refund', 'unapplied_refund', 'claim_refund', 'damages', 'deposit_return', 'reversal'));
ALTER TABLE sandbox.booking DROP CONSTRAINT booking_kind_known, ADD CONSTRAINT booking_kind_known
  CHECK (kind IN ('release', 'refund', 'claim_refund', 'damages', 'deposit_return', 'reversal'));

-- Pays a merchant out of the reserve what a review says he should have had of a refund that is paid already, less the fee
-- of a release; once an order. Answers a refusal without having written anything.
CREATE FUNCTION pay_reversal_v1(p_shop bigint, p_order bigint, p_amount bigint, p_actor bigint, p_role text,
  p_rulebook text, p_evidence bytea[], p_now timestamptz, OUT refusal text, OUT paid_minor bigint, OUT fee_minor bigint)
LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_escrow record; v_order record; v_reserve record;
BEGIN
  SELECT e.* INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_paid'; RETURN; END IF;
  SELECT o.* INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  IF p_amount < 1 OR p_amount > v_escrow.refunded THEN refusal := 'refund_out_of_range'; RETURN; END IF;
  fee_minor := p_amount * v_order.fee_bps / 10000;
  paid_minor := p_amount - fee_minor;
  IF EXISTS (SELECT 1 FROM ledger_transfer t WHERE t.shop_id = p_shop
      AND t.transfer_id = md5('reversal:' || p_shop || ':' || p_order)::uuid) THEN RETURN; END IF;
  SELECT r.* INTO v_reserve FROM reserve_fund r WHERE r.currency = v_escrow.currency FOR UPDATE;
  IF NOT FOUND OR v_reserve.paid_minor - v_reserve.advanced_minor - v_reserve.spent_minor < paid_minor THEN
    refusal := 'reserve_short'; RETURN;
  END IF;
  UPDATE reserve_fund SET spent_minor = spent_minor + pay_reversal_v1.paid_minor WHERE currency = v_escrow.currency;
  PERFORM book_transfer_v2(p_shop, p_order, 'reversal', 'reversal', 9, 3, paid_minor, v_escrow.currency, NULL, v_now);
  PERFORM instruct_custodian_v2(p_shop, p_order, 'reversal', 'reversal', 'reversal', v_escrow.provider,
    v_escrow.payment_id, 'reserve', '', paid_minor, v_escrow.currency, NULL, v_now);
  PERFORM log_order_v2(p_shop, p_order, 'reversed', v_order.state, v_order.state, p_actor, p_role, NULL, paid_minor, NULL,
    p_rulebook, p_evidence, v_now);
END $$;

-- pay_claim_v1 that leaves alone what of the reserve is spent.
CREATE OR REPLACE FUNCTION pay_claim_v1(p_shop bigint, p_order bigint, p_step text, p_part text, p_amount bigint,
  p_with_reserve boolean, p_actor bigint, p_role text, p_why text, p_at timestamptz,
  OUT refusal text, OUT deposit_part bigint, OUT reserve_part bigint) LANGUAGE plpgsql AS $$
DECLARE v_fund shop_fund; v_escrow record; v_reserve record; v_id text := p_part || ':' || p_step;
BEGIN
  SELECT c.deposit_minor, c.reserve_minor INTO deposit_part, reserve_part FROM claim_payout c
   WHERE c.shop_id = p_shop AND c.order_id = p_order AND c.step = p_step;
  IF FOUND THEN RETURN; END IF;
  SELECT e.provider, e.payment_id, e.currency INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order;
  v_fund := lock_fund_v1(p_shop);
  deposit_part := least(v_fund.deposit_minor, p_amount);
  reserve_part := p_amount - deposit_part;
  IF reserve_part > 0 THEN
    IF NOT p_with_reserve THEN refusal := 'deposit_short'; RETURN; END IF;
    SELECT r.* INTO v_reserve FROM reserve_fund r WHERE r.currency = v_escrow.currency FOR UPDATE;
    IF NOT FOUND OR v_reserve.paid_minor - v_reserve.advanced_minor - v_reserve.spent_minor < reserve_part THEN
      refusal := 'reserve_short'; RETURN;
    END IF;
    UPDATE reserve_fund SET advanced_minor = advanced_minor + reserve_part WHERE currency = v_escrow.currency;
  END IF;
  UPDATE shop_fund SET deposit_minor = deposit_minor - deposit_part, owed_minor = owed_minor + reserve_part
   WHERE shop_id = p_shop;
  INSERT INTO claim_payout (shop_id, order_id, step, part, deposit_minor, reserve_minor, actor_id, actor_role, why, made_at)
  VALUES (p_shop, p_order, p_step, p_part, deposit_part, reserve_part, p_actor, p_role, p_why, p_at);
  PERFORM book_transfer_v2(p_shop, p_order, v_id || ':deposit', p_part, 8, 5, deposit_part, v_escrow.currency, p_why, p_at);
  PERFORM book_transfer_v2(p_shop, p_order, v_id || ':reserve', p_part, 10, 5, reserve_part, v_escrow.currency, p_why, p_at);
  PERFORM instruct_custodian_v2(p_shop, p_order, v_id || ':deposit', p_part, p_part, v_escrow.provider,
    v_escrow.payment_id, 'deposit:' || p_shop, '', deposit_part, v_escrow.currency, NULL, p_at);
  PERFORM instruct_custodian_v2(p_shop, p_order, v_id || ':reserve', p_part, p_part, v_escrow.provider,
    v_escrow.payment_id, 'reserve', '', reserve_part, v_escrow.currency, NULL, p_at);
END $$;

-- finish_instruction_v1 that knows a reversal is paid to the merchant, like a release.
CREATE OR REPLACE FUNCTION finish_instruction_v1(p_shop bigint, p_instruction uuid, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v record; v_from text;
BEGIN
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
       AND orders.state = 'confirmed' RETURNING previous INTO v_from;
    PERFORM log_order_v1(p_shop, v.order_id, 'paid_out', v_from, CASE WHEN v_from IS NULL THEN NULL ELSE 'settled' END, NULL,
      'custodian', NULL, v.amount_minor - v.fee_minor - v.recoup_minor, NULL, v_now);
  END IF;
  RETURN true;
END $$;

-- refuse_instruction_v1: what is paid to a merchant is never refused for good.
CREATE OR REPLACE FUNCTION refuse_instruction_v1(p_shop bigint, p_instruction uuid, p_why text, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v record;
BEGIN
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

-- ---------------------------------------------------------------- rights

GRANT SELECT, INSERT ON green_use TO kabao_app;
GRANT UPDATE (used_at) ON green_use TO kabao_app;
GRANT SELECT ON green_use TO kabao_audit;
GRANT UPDATE (spent_minor) ON reserve_fund TO kabao_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO kabao_app;
