-- A ruling may give a replacement, with the refund that takes its place where there is no stock, and damages beside the
-- refund. Damages come out of the shop's deposit alone; what it does not reach the shop owes the buyer.

-- ---------------------------------------------------------------- what those who decide say

ALTER TABLE ruling DROP CONSTRAINT ruling_outcome_check, ADD CONSTRAINT ruling_outcome_known
  CHECK (outcome IN ('full_refund', 'partial_refund', 'no_refund', 'replacement'));
ALTER TABLE ruling_submission
  ADD COLUMN damages_minor bigint NOT NULL DEFAULT 0 CHECK (damages_minor >= 0),
  DROP CONSTRAINT ruling_submission_outcome_check, ADD CONSTRAINT ruling_submission_outcome_known
    CHECK (outcome IN ('full_refund', 'partial_refund', 'no_refund', 'replacement'));
ALTER TABLE first_view
  ADD COLUMN damages_minor bigint NOT NULL DEFAULT 0 CHECK (damages_minor >= 0),
  DROP CONSTRAINT first_view_outcome_check, ADD CONSTRAINT first_view_outcome_known
    CHECK (outcome IN ('full_refund', 'partial_refund', 'no_refund', 'replacement'));
ALTER TABLE panel_vote
  ADD COLUMN damages_minor bigint NOT NULL DEFAULT 0 CHECK (damages_minor >= 0),
  ADD COLUMN replaces boolean NOT NULL DEFAULT false;
ALTER TABLE precedent DROP CONSTRAINT precedent_outcome_check, ADD CONSTRAINT precedent_outcome_known
  CHECK (outcome IN ('full_refund', 'partial_refund', 'no_refund', 'replacement'));

-- ---------------------------------------------------------------- damages

-- Damages that a ruling gave, once a step, and what of them is paid; the rest the shop owes the buyer.
CREATE TABLE damages_award (
  shop_id          bigint NOT NULL,
  order_id         bigint NOT NULL,
  step             text NOT NULL CHECK (length(step) BETWEEN 1 AND 60),
  awarded_minor    bigint NOT NULL CHECK (awarded_minor > 0),
  paid_minor       bigint NOT NULL DEFAULT 0,
  rulebook_version text,
  evidence_digests bytea[] NOT NULL DEFAULT '{}',
  made_at          timestamptz NOT NULL,
  PRIMARY KEY (shop_id, order_id, step),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders,
  CONSTRAINT damages_award_never_overpaid CHECK (paid_minor BETWEEN 0 AND awarded_minor)
);
CREATE INDEX damages_award_owing ON damages_award (shop_id, made_at, order_id) WHERE paid_minor < awarded_minor;

-- Pays what is owed of one award as far as the deposit reaches; answers how much. The caller holds escrow and order.
CREATE FUNCTION pay_award_v1(p_shop bigint, p_order bigint, p_step text, p_actor bigint, p_role text, p_at timestamptz)
RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE v_fund shop_fund; v_award damages_award; v_part bigint; v_state text; v_no int;
BEGIN
  v_fund := lock_fund_v1(p_shop);
  SELECT a.* INTO v_award FROM damages_award a WHERE a.shop_id = p_shop AND a.order_id = p_order AND a.step = p_step;
  v_part := least(v_fund.deposit_minor, v_award.awarded_minor - v_award.paid_minor);
  IF v_part <= 0 THEN RETURN 0; END IF;
  v_no := (SELECT count(*) + 1 FROM claim_payout c WHERE c.shop_id = p_shop AND c.order_id = p_order AND c.part = 'damages');
  PERFORM pay_claim_v1(p_shop, p_order, 'damages:' || v_no || ':' || p_step, 'damages', v_part, false, p_actor, p_role,
    'ruled', p_at);
  UPDATE damages_award SET paid_minor = paid_minor + v_part
   WHERE shop_id = p_shop AND order_id = p_order AND step = p_step;
  SELECT o.state INTO v_state FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order;
  PERFORM log_order_v2(p_shop, p_order, 'damages', v_state, v_state, p_actor, p_role, NULL, v_part, NULL,
    v_award.rulebook_version, v_award.evidence_digests, p_at);
  RETURN v_part;
END $$;

-- Gives damages beyond the price, once a step: paid from the deposit as far as it reaches, the rest owed.
CREATE FUNCTION award_damages_v1(p_shop bigint, p_order bigint, p_step text, p_amount bigint, p_actor bigint, p_role text,
  p_rulebook text, p_evidence bytea[], p_now timestamptz,
  OUT refusal text, OUT deposit_part bigint, OUT owed_part bigint) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_state text;
BEGIN
  PERFORM 1 FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_paid'; RETURN; END IF;
  SELECT o.state INTO v_state FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  IF p_amount < 1 THEN refusal := 'damages_out_of_range'; RETURN; END IF;
  SELECT a.paid_minor, a.awarded_minor - a.paid_minor INTO deposit_part, owed_part FROM damages_award a
   WHERE a.shop_id = p_shop AND a.order_id = p_order AND a.step = p_step;
  IF FOUND THEN RETURN; END IF;
  INSERT INTO damages_award (shop_id, order_id, step, awarded_minor, rulebook_version, evidence_digests, made_at)
  VALUES (p_shop, p_order, p_step, p_amount, p_rulebook, p_evidence, v_now);
  deposit_part := pay_award_v1(p_shop, p_order, p_step, p_actor, p_role, v_now);
  owed_part := p_amount - deposit_part;
  IF owed_part > 0 THEN
    PERFORM log_order_v2(p_shop, p_order, 'damages_owed', v_state, v_state, p_actor, p_role, NULL, owed_part, NULL,
      p_rulebook, p_evidence, v_now);
  END IF;
END $$;

-- Pays on one award that is still owed where the shop has a deposit again, the oldest first; answers how much.
CREATE FUNCTION sweep_damages_v1(p_now timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE v_at record;
BEGIN
  SELECT a.shop_id, a.order_id, a.step INTO v_at
    FROM damages_award a JOIN shop_fund f USING (shop_id) JOIN escrow e USING (shop_id, order_id)
   WHERE a.paid_minor < a.awarded_minor AND f.deposit_minor > 0
   ORDER BY a.made_at, a.shop_id, a.order_id FOR UPDATE OF e SKIP LOCKED LIMIT 1;
  IF NOT FOUND THEN RETURN 0; END IF;
  PERFORM 1 FROM orders o WHERE o.shop_id = v_at.shop_id AND o.order_id = v_at.order_id FOR UPDATE;
  RETURN pay_award_v1(v_at.shop_id, v_at.order_id, v_at.step, NULL, 'system', coalesce(p_now, now()));
END $$;

-- Whether a shop's deposit is needed: also for damages that are still owed.
CREATE OR REPLACE FUNCTION deposit_is_bound_v1(p_shop bigint, p_days int, p_at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM shop_fund f WHERE f.shop_id = p_shop AND f.owed_minor > 0)
      OR EXISTS (SELECT 1 FROM damages_award a WHERE a.shop_id = p_shop AND a.paid_minor < a.awarded_minor)
      OR EXISTS (SELECT 1 FROM cases c WHERE c.shop_id = p_shop AND c.closed_at IS NULL)
      OR EXISTS (SELECT 1 FROM escrow e WHERE e.shop_id = p_shop AND CASE WHEN e.state IN ('held', 'disputed') THEN true
           WHEN e.state IN ('released', 'split') THEN claim_until_v1(e.shop_id, e.order_id, p_days) > p_at ELSE false END)
$$;

GRANT SELECT, INSERT ON damages_award TO kabao_app;
GRANT UPDATE (paid_minor) ON damages_award TO kabao_app;
GRANT SELECT ON damages_award TO kabao_audit;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO kabao_app;
