-- What pays a claim after the release: the shop's deposit first, then the platform's reserve with an equal claim on the
-- merchant (recourse), which a share of later releases pays back. And refunds that the payee's account refuses for good.

-- ---------------------------------------------------------------- ledger

-- 10 is recourse: below zero by what the merchant owes the platform. Shop 0 is the platform itself: its account 9 holds
-- what the operator paid into the reserve; what is left of it is that plus every shop's account 10.
ALTER TABLE ledger_account DROP CONSTRAINT ledger_account_account_no_check,
  ADD CONSTRAINT ledger_account_known CHECK (account_no BETWEEN 1 AND 10);
INSERT INTO ledger_account (shop_id, account_no) SELECT shop_id, 10 FROM shop ON CONFLICT DO NOTHING;

-- reference names what a movement without an order of its own belongs to, and the step where an order has several.
ALTER TABLE ledger_transfer ALTER COLUMN order_id DROP NOT NULL, ADD COLUMN reference text,
  DROP CONSTRAINT ledger_transfer_check, DROP CONSTRAINT ledger_transfer_kind_check,
  ADD CONSTRAINT ledger_transfer_accounts
    CHECK (debit_no <> credit_no AND debit_no BETWEEN 1 AND 10 AND credit_no BETWEEN 1 AND 10),
  ADD CONSTRAINT ledger_transfer_kind_known CHECK (kind IN
    ('hold', 'release', 'fee', 'refund', 'unapplied', 'unapplied_refund', 'refund_paid', 'paid_out', 'deposit_paid',
     'reserve_paid', 'deposit_return', 'deposit_return_refused', 'claim_refund', 'damages', 'recoup', 'refund_refused',
     'redirect'));
CREATE INDEX ledger_transfer_of_fund ON ledger_transfer (shop_id, recorded_at, transfer_id)
  WHERE debit_no IN (8, 10) OR credit_no IN (8, 10);

-- ---------------------------------------------------------------- guards

-- The guard of a shop's deposit and debt: locked after escrow and order, before the reserve. recoup_bps is the share of
-- a release that pays the debt back.
CREATE TABLE shop_fund (
  shop_id       bigint PRIMARY KEY REFERENCES shop,
  deposit_minor bigint NOT NULL DEFAULT 0 CONSTRAINT shop_fund_deposit_covers CHECK (deposit_minor >= 0),
  owed_minor    bigint NOT NULL DEFAULT 0 CONSTRAINT shop_fund_never_overpaid CHECK (owed_minor >= 0),
  recoup_bps    int NOT NULL DEFAULT 5000 CHECK (recoup_bps BETWEEN 1 AND 10000)
);
CREATE INDEX shop_fund_owing ON shop_fund (shop_id) WHERE owed_minor > 0;

-- The guard of the platform's reserve: paid_minor came in, advanced_minor of it is owed by shops.
CREATE TABLE reserve_fund (
  currency       text PRIMARY KEY CHECK (currency = 'CNY'),
  paid_minor     bigint NOT NULL DEFAULT 0,
  advanced_minor bigint NOT NULL DEFAULT 0 CHECK (advanced_minor >= 0),
  CONSTRAINT reserve_fund_covers CHECK (advanced_minor <= paid_minor)
);
INSERT INTO reserve_fund (currency) VALUES ('CNY');

-- What the custodian told us was paid into a deposit or (shop 0) the reserve, once per custodian transaction.
CREATE TABLE fund_payment (
  shop_id      bigint NOT NULL,
  provider     text NOT NULL,
  payment_id   text NOT NULL CHECK (length(payment_id) BETWEEN 1 AND 100),
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  outcome      text NOT NULL CHECK (outcome IN ('deposit_paid', 'reserve_paid', 'wrong_currency')),
  received_at  timestamptz NOT NULL,
  PRIMARY KEY (shop_id, provider, payment_id)
);
CREATE INDEX fund_payment_latest ON fund_payment (shop_id, received_at);

-- What an order's buyer got after the release, step by step, and out of whose money.
CREATE TABLE claim_payout (
  shop_id       bigint NOT NULL,
  order_id      bigint NOT NULL,
  step          text NOT NULL CHECK (length(step) BETWEEN 1 AND 100),
  part          text NOT NULL CHECK (part IN ('claim_refund', 'damages')),
  deposit_minor bigint NOT NULL CHECK (deposit_minor >= 0),
  reserve_minor bigint NOT NULL CHECK (reserve_minor >= 0),
  keys_returned int NOT NULL DEFAULT 0,
  actor_id      bigint,
  actor_role    text NOT NULL,
  why           text NOT NULL,
  made_at       timestamptz NOT NULL,
  PRIMARY KEY (shop_id, order_id, step),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders,
  CONSTRAINT claim_payout_pays CHECK (deposit_minor + reserve_minor > 0)
);

-- ---------------------------------------------------------------- instructions

-- from_account is the custodian's account the money comes out of ('' is the payment itself), to_account where it goes
-- instead of the payer's account, recoup_minor the part of a release that goes to the reserve.
ALTER TABLE custody_instruction ALTER COLUMN order_id DROP NOT NULL,
  ADD COLUMN from_account text NOT NULL DEFAULT '',
  ADD COLUMN to_account text NOT NULL DEFAULT '' CHECK (length(to_account) <= 60),
  ADD COLUMN recoup_minor bigint NOT NULL DEFAULT 0,
  ADD COLUMN redirect_of uuid,
  DROP CONSTRAINT custody_instruction_kind_check, DROP CONSTRAINT custody_instruction_transfer_kind_check,
  DROP CONSTRAINT custody_instruction_state_check,
  ADD CONSTRAINT custody_instruction_kind_known
    CHECK (kind IN ('release', 'refund', 'claim_refund', 'damages', 'deposit_return')),
  ADD CONSTRAINT custody_instruction_transfer_kind_known CHECK (transfer_kind IN
    ('release', 'refund', 'unapplied_refund', 'claim_refund', 'damages', 'deposit_return')),
  ADD CONSTRAINT custody_instruction_state_known CHECK (state IN ('pending', 'done', 'refused', 'redirected')),
  ADD CONSTRAINT custody_instruction_recoups_its_own CHECK (recoup_minor BETWEEN 0 AND amount_minor - fee_minor);
CREATE UNIQUE INDEX custody_instruction_redirected_once ON custody_instruction (shop_id, redirect_of)
  WHERE redirect_of IS NOT NULL;

-- ---------------------------------------------------------------- the simulated institution

ALTER TABLE sandbox.checkout ADD COLUMN into_account text NOT NULL DEFAULT '';
ALTER TABLE sandbox.payment ADD COLUMN into_account text NOT NULL DEFAULT '';
ALTER TABLE sandbox.booking DROP CONSTRAINT booking_kind_check,
  ADD COLUMN from_account text NOT NULL DEFAULT '',
  ADD COLUMN to_account text NOT NULL DEFAULT '',
  ADD COLUMN recoup_minor bigint NOT NULL DEFAULT 0,
  ADD CONSTRAINT booking_kind_known CHECK (kind IN ('release', 'refund', 'claim_refund', 'damages', 'deposit_return'));

-- Accounts the institution keeps for deposits and the reserve, with its own running balance.
CREATE TABLE sandbox.account (
  account_ref   text NOT NULL,
  currency      text NOT NULL,
  balance_minor bigint NOT NULL CONSTRAINT account_covers CHECK (balance_minor >= 0),
  PRIMARY KEY (account_ref, currency)
);
-- Accounts of payers that take no money any more: a payment's id stands for the account it was paid from.
CREATE TABLE sandbox.closed_account (
  account_ref text PRIMARY KEY,
  closed_at   timestamptz NOT NULL
);
-- Instructions refused for good; a repeat is answered alike, whatever the account does later.
CREATE TABLE sandbox.refusal (
  instruction_id uuid PRIMARY KEY,
  why            text NOT NULL,
  at             timestamptz NOT NULL
);

-- ---------------------------------------------------------------- the common parts

-- book_transfer_v1 for a transfer that may belong to no order and may name a reference.
CREATE FUNCTION book_transfer_v2(p_shop bigint, p_order bigint, p_step text, p_kind text, p_debit int, p_credit int,
  p_amount bigint, p_currency text, p_reference text, p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WITH t AS (
    INSERT INTO ledger_transfer (shop_id, transfer_id, debit_no, credit_no, amount_minor, currency, kind, order_id,
      reference, event_at)
    SELECT p_shop, md5(p_step || ':' || p_shop || ':' || coalesce(p_order, 0))::uuid, p_debit, p_credit, p_amount,
           p_currency, p_kind, p_order, p_reference, p_at
    WHERE p_amount > 0
    RETURNING transfer_id)
  INSERT INTO ledger_delta (shop_id, account_no, currency, transfer_id, delta)
  SELECT p_shop, p_debit, p_currency, transfer_id, -p_amount FROM t
  UNION ALL SELECT p_shop, p_credit, p_currency, transfer_id, p_amount FROM t;
END $$;

-- instruct_custodian_v1 out of one of the custodian's accounts, or to another account than the payer's.
CREATE FUNCTION instruct_custodian_v2(p_shop bigint, p_order bigint, p_step text, p_kind text, p_transfer_kind text,
  p_provider text, p_payment text, p_from text, p_to text, p_amount bigint, p_currency text, p_redirect_of uuid,
  p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO custody_instruction (shop_id, instruction_id, order_id, provider, payment_id, kind, amount_minor, currency,
    transfer_kind, from_account, to_account, redirect_of, due_at, created_at)
  SELECT p_shop, md5('ask:' || p_step || ':' || p_shop || ':' || coalesce(p_order, 0))::uuid, p_order, p_provider,
         p_payment, p_kind, p_amount, p_currency, p_transfer_kind, p_from, p_to, p_redirect_of, p_at, p_at
  WHERE p_amount > 0;
END $$;

-- Locks a shop's fund, opening it where there is none yet.
CREATE FUNCTION lock_fund_v1(p_shop bigint) RETURNS shop_fund LANGUAGE plpgsql AS $$
DECLARE v shop_fund;
BEGIN
  SELECT f.* INTO v FROM shop_fund f WHERE f.shop_id = p_shop FOR UPDATE;
  IF FOUND THEN RETURN v; END IF;
  INSERT INTO shop_fund (shop_id) VALUES (p_shop) ON CONFLICT DO NOTHING;
  SELECT f.* INTO v FROM shop_fund f WHERE f.shop_id = p_shop FOR UPDATE;
  RETURN v;
END $$;

-- ---------------------------------------------------------------- deposit and reserve

-- Books one payment into a shop's deposit, or into the reserve where p_shop is 0; exactly once whatever is replayed.
CREATE FUNCTION take_fund_payment_v1(p_shop bigint, p_provider text, p_payment text, p_account text, p_amount bigint,
  p_currency text, p_now timestamptz, OUT outcome text, OUT replayed boolean) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_old record;
BEGIN
  replayed := false;
  IF p_shop <> 0 AND NOT EXISTS (SELECT 1 FROM shop s WHERE s.shop_id = p_shop) THEN outcome := 'unknown_shop'; RETURN; END IF;
  outcome := CASE WHEN p_currency <> 'CNY' THEN 'wrong_currency' WHEN p_shop = 0 THEN 'reserve_paid' ELSE 'deposit_paid' END;
  INSERT INTO fund_payment (shop_id, provider, payment_id, amount_minor, currency, outcome, received_at)
  VALUES (p_shop, p_provider, p_payment, p_amount, p_currency, outcome, v_now) ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    SELECT f.* INTO v_old FROM fund_payment f WHERE f.shop_id = p_shop AND f.provider = p_provider AND f.payment_id = p_payment;
    replayed := true;
    outcome := CASE WHEN (v_old.amount_minor, v_old.currency) = (p_amount, p_currency) THEN v_old.outcome
                    ELSE 'contradicts_earlier_notice' END;
    RETURN;
  END IF;
  IF outcome = 'wrong_currency' THEN
    PERFORM book_transfer_v2(p_shop, NULL, 'unapplied:' || p_provider || ':' || p_payment, 'unapplied', 1, 6, p_amount,
      p_currency, p_payment, v_now);
    PERFORM book_transfer_v2(p_shop, NULL, 'unapplied_refund:' || p_provider || ':' || p_payment, 'unapplied_refund', 6, 5,
      p_amount, p_currency, p_payment, v_now);
    PERFORM instruct_custodian_v2(p_shop, NULL, 'unapplied_refund:' || p_provider || ':' || p_payment, 'refund',
      'unapplied_refund', p_provider, p_payment, p_account, '', p_amount, p_currency, NULL, v_now);
  ELSIF outcome = 'reserve_paid' THEN
    UPDATE reserve_fund SET paid_minor = paid_minor + p_amount WHERE currency = p_currency;
    PERFORM book_transfer_v2(0, NULL, 'reserve_paid:' || p_provider || ':' || p_payment, 'reserve_paid', 1, 9, p_amount,
      p_currency, p_payment, v_now);
  ELSE
    PERFORM lock_fund_v1(p_shop);
    UPDATE shop_fund SET deposit_minor = deposit_minor + p_amount WHERE shop_id = p_shop;
    PERFORM book_transfer_v2(p_shop, NULL, 'deposit_paid:' || p_provider || ':' || p_payment, 'deposit_paid', 1, 8, p_amount,
      p_currency, p_payment, v_now);
  END IF;
END $$;

-- Until when a released order may still be claimed on: its claim days, or its longer warranty, after the last opening, of
-- a key still sealed after the release. NULL before a release.
CREATE FUNCTION claim_until_v1(p_shop bigint, p_order bigint, p_days int) RETURNS timestamptz LANGUAGE sql STABLE AS $$
  SELECT coalesce(greatest(max(k.opened_at), CASE WHEN bool_or(k.state = 'sealed') THEN e.resolved_at END), e.resolved_at)
         + make_interval(days => greatest(coalesce((s.document -> 'terms' ->> 'claim_days')::int, p_days),
           (s.document -> 'terms' ->> 'warranty_days')::int))
    FROM escrow e
    JOIN orders o USING (shop_id, order_id)
    JOIN listing_snapshot s USING (shop_id, listing_id, snapshot_no)
    LEFT JOIN card_key k ON k.shop_id = e.shop_id AND k.order_id = e.order_id
   WHERE e.shop_id = p_shop AND e.order_id = p_order AND e.state IN ('released', 'split')
   GROUP BY e.resolved_at, s.document
$$;

-- Whether a shop's deposit is needed: money held, an open case, a debt, or an order that may still be claimed on.
CREATE FUNCTION deposit_is_bound_v1(p_shop bigint, p_days int, p_at timestamptz) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM shop_fund f WHERE f.shop_id = p_shop AND f.owed_minor > 0)
      OR EXISTS (SELECT 1 FROM cases c WHERE c.shop_id = p_shop AND c.closed_at IS NULL)
      OR EXISTS (SELECT 1 FROM escrow e WHERE e.shop_id = p_shop AND CASE WHEN e.state IN ('held', 'disputed') THEN true
           WHEN e.state IN ('released', 'split') THEN claim_until_v1(e.shop_id, e.order_id, p_days) > p_at ELSE false END)
$$;

-- Sends part or all of a deposit back to where it was last paid from. Answers a refusal without having written anything.
CREATE FUNCTION return_deposit_v1(p_shop bigint, p_owner bigint, p_step text, p_amount bigint, p_days int, p_now timestamptz,
  OUT refusal text, OUT deposit_minor bigint) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_fund shop_fund; v_paid record;
BEGIN
  PERFORM 1 FROM shop s WHERE s.shop_id = p_shop AND s.owner_id = p_owner;
  IF NOT FOUND THEN refusal := 'not_found'; RETURN; END IF;
  v_fund := lock_fund_v1(p_shop);
  IF EXISTS (SELECT 1 FROM ledger_transfer t WHERE t.shop_id = p_shop
      AND t.transfer_id = md5('deposit_return:' || p_step || ':' || p_shop || ':0')::uuid) THEN
    deposit_minor := v_fund.deposit_minor; RETURN;
  END IF;
  IF p_amount < 1 OR p_amount > v_fund.deposit_minor THEN refusal := 'deposit_out_of_range'; RETURN; END IF;
  IF deposit_is_bound_v1(p_shop, p_days, v_now) THEN refusal := 'deposit_bound'; RETURN; END IF;
  SELECT p.provider, p.payment_id INTO v_paid FROM fund_payment p WHERE p.shop_id = p_shop AND p.outcome = 'deposit_paid'
   ORDER BY p.received_at DESC, p.payment_id LIMIT 1;
  UPDATE shop_fund f SET deposit_minor = f.deposit_minor - p_amount WHERE f.shop_id = p_shop
    RETURNING f.deposit_minor INTO deposit_minor;
  PERFORM book_transfer_v2(p_shop, NULL, 'deposit_return:' || p_step, 'deposit_return', 8, 5, p_amount, 'CNY',
    v_paid.payment_id, v_now);
  PERFORM instruct_custodian_v2(p_shop, NULL, 'deposit_return:' || p_step, 'deposit_return', 'deposit_return',
    v_paid.provider, v_paid.payment_id, 'deposit:' || p_shop, '', p_amount, 'CNY', NULL, v_now);
END $$;

-- ---------------------------------------------------------------- recourse

-- Takes the agreed share of a release for what the shop owes the platform, rounded up so that it ends; the caller has
-- written the release and its instruction. Does nothing, and locks nothing, for a shop that owes nothing.
CREATE FUNCTION recoup_v1(p_shop bigint, p_order bigint, p_payable bigint, p_currency text, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_fund record; v_share bigint;
BEGIN
  SELECT f.owed_minor, f.recoup_bps INTO v_fund FROM shop_fund f WHERE f.shop_id = p_shop AND f.owed_minor > 0 FOR UPDATE;
  IF NOT FOUND THEN RETURN; END IF;
  v_share := least(v_fund.owed_minor, (p_payable * v_fund.recoup_bps + 9999) / 10000);
  IF v_share <= 0 THEN RETURN; END IF;
  UPDATE shop_fund SET owed_minor = owed_minor - v_share WHERE shop_id = p_shop;
  UPDATE reserve_fund SET advanced_minor = advanced_minor - v_share WHERE currency = p_currency;
  PERFORM book_transfer_v2(p_shop, p_order, 'recoup', 'recoup', 3, 10, v_share, p_currency, NULL, p_at);
  UPDATE custody_instruction SET recoup_minor = v_share
   WHERE shop_id = p_shop AND instruction_id = md5('ask:release:' || p_shop || ':' || p_order)::uuid;
END $$;

-- release_escrow_v1, and a share of it for what the shop owes.
CREATE OR REPLACE FUNCTION release_escrow_v1(p_shop bigint, p_order bigint, p_release bigint, p_fee bigint, p_state text,
  p_actor bigint, p_role text, p_why text, p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE v_escrow record; v_from text;
BEGIN
  UPDATE escrow SET released = p_release, fee = p_fee, due_at = NULL, remaining = NULL, resolved_at = p_at,
         state = CASE WHEN refunded > 0 THEN 'split' ELSE 'released' END
   WHERE shop_id = p_shop AND order_id = p_order RETURNING * INTO v_escrow;
  SELECT o.state INTO v_from FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order;
  UPDATE orders SET previous = state, state = p_state, ended_at = p_at, in_case = false
   WHERE shop_id = p_shop AND order_id = p_order;
  PERFORM book_transfer_v1(p_shop, p_order, 'release', 'release', 2, 3, p_release - p_fee, v_escrow.currency, p_at);
  PERFORM book_transfer_v1(p_shop, p_order, 'fee', 'fee', 2, 4, p_fee, v_escrow.currency, p_at);
  PERFORM instruct_custodian_v1(p_shop, p_order, 'release', 'release', 'release', v_escrow.provider, v_escrow.payment_id,
    p_release, p_fee, v_escrow.currency, p_at);
  PERFORM recoup_v1(p_shop, p_order, p_release - p_fee, v_escrow.currency, p_at);
  PERFORM log_order_v1(p_shop, p_order, p_why, v_from, p_state, p_actor, p_role, NULL, p_release, NULL, p_at);
END $$;
-- resolve_escrow_v2, and a share of what is released for what the shop owes.
CREATE OR REPLACE FUNCTION resolve_escrow_v2(p_shop bigint, p_order bigint, p_refund bigint, p_actor bigint, p_role text, p_why text,
  p_rulebook text, p_evidence bytea[], p_now timestamptz,
  OUT refusal text, OUT state text, OUT released_minor bigint, OUT fee_minor bigint) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_escrow record; v_order record; v_held bigint; v_from text;
BEGIN
  SELECT e.* INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND OR v_escrow.state <> 'disputed' THEN refusal := 'not_in_case'; RETURN; END IF;
  SELECT o.* INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  v_held := v_escrow.amount_minor - v_escrow.refunded;
  IF p_refund < 0 OR p_refund > v_held THEN refusal := 'refund_out_of_range'; RETURN; END IF;
  v_from := v_order.state;
  released_minor := v_held - p_refund;
  fee_minor := released_minor * v_order.fee_bps / 10000;
  state := CASE WHEN released_minor = 0 THEN 'refunded' WHEN p_refund = 0 THEN 'confirmed' ELSE 'partly_refunded' END;
  UPDATE escrow e SET refunded = e.refunded + p_refund, released = released_minor, fee = fee_minor, due_at = NULL,
         remaining = NULL, resolved_at = v_now,
         state = CASE WHEN released_minor = 0 THEN 'refunded' WHEN e.refunded + p_refund > 0 THEN 'split' ELSE 'released' END
   WHERE e.shop_id = p_shop AND e.order_id = p_order;
  UPDATE orders o SET previous = o.state, state = resolve_escrow_v2.state, in_case = false, ended_at = v_now
   WHERE o.shop_id = p_shop AND o.order_id = p_order;
  IF p_refund > 0 THEN
    PERFORM book_transfer_v1(p_shop, p_order, 'refund', 'refund', 2, 5, p_refund, v_escrow.currency, v_now);
    PERFORM instruct_custodian_v1(p_shop, p_order, 'refund', 'refund', 'refund', v_escrow.provider, v_escrow.payment_id,
      p_refund, 0, v_escrow.currency, v_now);
    PERFORM log_order_v2(p_shop, p_order, p_why || '_refund', v_from, state, p_actor, p_role, NULL, p_refund, NULL,
      p_rulebook, p_evidence, v_now);
  END IF;
  IF released_minor > 0 THEN
    PERFORM book_transfer_v1(p_shop, p_order, 'release', 'release', 2, 3, released_minor - fee_minor, v_escrow.currency, v_now);
    PERFORM book_transfer_v1(p_shop, p_order, 'fee', 'fee', 2, 4, fee_minor, v_escrow.currency, v_now);
    PERFORM instruct_custodian_v1(p_shop, p_order, 'release', 'release', 'release', v_escrow.provider, v_escrow.payment_id,
      released_minor, fee_minor, v_escrow.currency, v_now);
    PERFORM recoup_v1(p_shop, p_order, released_minor - fee_minor, v_escrow.currency, v_now);
    PERFORM log_order_v2(p_shop, p_order, p_why || '_release', v_from, state, p_actor, p_role, NULL, released_minor, NULL,
      p_rulebook, p_evidence, v_now);
  ELSE
    UPDATE card_key k SET state = 'available', order_id = NULL, pos = NULL, generation = 0
     WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.state = 'sealed';
  END IF;
END $$;
-- sweep_escrow_v1 without the shops that owe something; those are swept one by one.
CREATE OR REPLACE FUNCTION sweep_escrow_v1(p_shop bigint, p_batch int, p_now timestamptz) RETURNS int LANGUAGE sql AS $$
  WITH due AS MATERIALIZED (
    SELECT shop_id, order_id FROM escrow
     WHERE state = 'held' AND due_at <= coalesce(p_now, now()) AND (p_shop IS NULL OR shop_id = p_shop)
       AND shop_id <> ALL (ARRAY(SELECT f.shop_id FROM shop_fund f WHERE f.owed_minor > 0))
     ORDER BY due_at, shop_id, order_id FOR UPDATE SKIP LOCKED LIMIT p_batch),
  o AS (UPDATE orders SET previous = orders.state, state = 'confirmed', ended_at = coalesce(p_now, now()) FROM due
     WHERE orders.shop_id = due.shop_id AND orders.order_id = due.order_id
     RETURNING orders.shop_id, orders.order_id, orders.fee_bps, orders.previous),
  u AS (UPDATE escrow e SET released = e.amount_minor - e.refunded,
        fee = (e.amount_minor - e.refunded) * o.fee_bps / 10000, due_at = NULL, resolved_at = coalesce(p_now, now()),
        state = CASE WHEN e.refunded > 0 THEN 'split' ELSE 'released' END FROM o
     WHERE e.shop_id = o.shop_id AND e.order_id = o.order_id AND e.state = 'held'
     RETURNING e.shop_id, e.order_id, e.released, e.fee, e.currency, e.provider, e.payment_id, o.previous),
  t AS (INSERT INTO ledger_transfer (shop_id, transfer_id, debit_no, credit_no, amount_minor, currency, kind, order_id, event_at)
     SELECT shop_id, md5('release:' || shop_id || ':' || order_id)::uuid, 2, 3, released - fee, currency, 'release', order_id,
            coalesce(p_now, now()) FROM u WHERE released > fee
     UNION ALL
     SELECT shop_id, md5('fee:' || shop_id || ':' || order_id)::uuid, 2, 4, fee, currency, 'fee', order_id,
            coalesce(p_now, now()) FROM u WHERE fee > 0
     RETURNING shop_id, debit_no, credit_no, transfer_id, amount_minor, currency),
  d AS (INSERT INTO ledger_delta (shop_id, account_no, currency, transfer_id, delta)
     SELECT shop_id, debit_no, currency, transfer_id, -amount_minor FROM t
     UNION ALL SELECT shop_id, credit_no, currency, transfer_id, amount_minor FROM t),
  i AS (INSERT INTO custody_instruction (shop_id, instruction_id, order_id, provider, payment_id, kind, amount_minor,
        fee_minor, currency, transfer_kind, due_at, created_at)
     SELECT shop_id, md5('ask:release:' || shop_id || ':' || order_id)::uuid, order_id, provider, payment_id, 'release',
            released, fee, currency, 'release', coalesce(p_now, now()), coalesce(p_now, now()) FROM u),
  e AS (INSERT INTO order_event (shop_id, order_id, kind, from_state, to_state, actor_role, reason, amount_minor, at)
     SELECT shop_id, order_id, 'confirmed', previous, 'confirmed', 'system', 'due', released, coalesce(p_now, now()) FROM u)
  SELECT count(*)::int FROM u
$$;
-- Releases a batch of matured escrows of one shop that owes something; returns how many. One shop a call, so that no two
-- callers wait for each other's shop.
CREATE FUNCTION sweep_owing_v1(p_shop bigint, p_batch int, p_now timestamptz) RETURNS int LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v record; v_shop bigint; v_count int := 0; v_bps int;
BEGIN
  SELECT e.shop_id INTO v_shop FROM escrow e
   WHERE e.state = 'held' AND e.due_at <= v_now AND (p_shop IS NULL OR e.shop_id = p_shop)
     AND e.shop_id = ANY (ARRAY(SELECT f.shop_id FROM shop_fund f WHERE f.owed_minor > 0))
   ORDER BY e.due_at, e.shop_id, e.order_id FOR UPDATE SKIP LOCKED LIMIT 1;
  IF NOT FOUND THEN RETURN 0; END IF;
  FOR v IN SELECT e.order_id, e.amount_minor - e.refunded AS rest FROM escrow e
    WHERE e.shop_id = v_shop AND e.state = 'held' AND e.due_at <= v_now
    ORDER BY e.due_at, e.order_id FOR UPDATE SKIP LOCKED LIMIT p_batch
  LOOP
    SELECT o.fee_bps INTO v_bps FROM orders o WHERE o.shop_id = v_shop AND o.order_id = v.order_id FOR UPDATE;
    PERFORM release_escrow_v1(v_shop, v.order_id, v.rest, v.rest * v_bps / 10000, 'confirmed', NULL, 'system', 'confirmed',
      v_now);
    v_count := v_count + 1;
  END LOOP;
  RETURN v_count;
END $$;

-- ---------------------------------------------------------------- claims after the release

-- What of an order's price may still be given back after its release, in minor units.
CREATE FUNCTION claimable_v1(p_shop bigint, p_order bigint) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT e.amount_minor - e.refunded - coalesce((SELECT sum(c.deposit_minor + c.reserve_minor) FROM claim_payout c
           WHERE c.shop_id = p_shop AND c.order_id = p_order AND c.part = 'claim_refund'), 0)::bigint
    FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order AND e.state IN ('released', 'split')
$$;

-- Whether a case has decided where a released order's money went: it is not claimed on a second time. New keys given in
-- a case decide nothing of the money.
CREATE FUNCTION decided_in_case_v1(p_shop bigint, p_order bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM cases c JOIN escrow e USING (shop_id, order_id)
                  WHERE c.shop_id = p_shop AND c.order_id = p_order AND c.stage <> 'withdrawn' AND c.closed_at >= e.resolved_at
                    AND NOT EXISTS (SELECT 1 FROM order_event v WHERE v.shop_id = c.shop_id AND v.order_id = c.order_id
                                       AND v.kind = 'replaced' AND v.at = c.closed_at))
$$;

-- What a case may still move: what is held or, where the case was opened after the release, what may be given back.
CREATE FUNCTION at_stake_v1(p_shop bigint, p_order bigint, p_opened timestamptz) RETURNS bigint LANGUAGE sql STABLE AS $$
  SELECT CASE WHEN EXISTS (SELECT 1 FROM order_event v WHERE v.shop_id = p_shop AND v.order_id = p_order
                              AND v.kind = 'claimed' AND v.at = p_opened)
              THEN claimable_v1(p_shop, p_order) ELSE e.amount_minor - e.released - e.refunded END
    FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order
$$;

-- Pays an order's buyer out of the shop's deposit and, where p_with_reserve, the rest out of the reserve with an equal
-- recourse claim. All or nothing; a step that has paid pays no second time. The caller holds escrow and order.
CREATE FUNCTION pay_claim_v1(p_shop bigint, p_order bigint, p_step text, p_part text, p_amount bigint,
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
    IF NOT FOUND OR v_reserve.paid_minor - v_reserve.advanced_minor < reserve_part THEN
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

-- Marks a released order as in a case, inside its claim days. The escrow row is the guard, as before the release.
CREATE FUNCTION freeze_after_release_v1(p_shop bigint, p_order bigint, p_actor bigint, p_role text, p_days int,
  p_now timestamptz, OUT refusal text, OUT claimable_minor bigint) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_escrow record; v_order record;
BEGIN
  SELECT e.state INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_paid'; RETURN; END IF;
  SELECT o.state, o.in_case INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  IF v_order.in_case THEN refusal := 'in_case'; RETURN; END IF;
  IF v_escrow.state NOT IN ('released', 'split') THEN refusal := 'already_refunded'; RETURN; END IF;
  claimable_minor := claimable_v1(p_shop, p_order);
  IF claimable_minor <= 0 THEN refusal := 'already_refunded'; RETURN; END IF;
  IF decided_in_case_v1(p_shop, p_order) THEN refusal := 'case_closed'; RETURN; END IF;
  IF claim_until_v1(p_shop, p_order, p_days) <= v_now THEN refusal := 'claim_days_over'; RETURN; END IF;
  UPDATE orders SET in_case = true WHERE shop_id = p_shop AND order_id = p_order;
  PERFORM log_order_v1(p_shop, p_order, 'claimed', v_order.state, v_order.state, p_actor, p_role, NULL, claimable_minor, NULL,
    v_now);
END $$;

-- Ends the case of a released order without money: it was withdrawn.
CREATE FUNCTION unfreeze_after_release_v1(p_shop bigint, p_order bigint, p_actor bigint, p_role text, p_now timestamptz,
  OUT refusal text) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_state text;
BEGIN
  PERFORM 1 FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order AND e.state IN ('released', 'split') FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_in_case'; RETURN; END IF;
  UPDATE orders SET in_case = false WHERE shop_id = p_shop AND order_id = p_order AND in_case RETURNING state INTO v_state;
  IF NOT FOUND THEN refusal := 'not_in_case'; RETURN; END IF;
  PERFORM log_order_v1(p_shop, p_order, 'claim_ended', v_state, v_state, p_actor, p_role, NULL, NULL, NULL, v_now);
END $$;

-- Ends the case of a released order: p_refund to the buyer, out of the deposit and the reserve. p_voluntary is the
-- merchant's own gift outside any case. Answers a refusal without having written anything.
CREATE FUNCTION resolve_after_release_v1(p_shop bigint, p_order bigint, p_refund bigint, p_with_reserve boolean,
  p_voluntary boolean, p_actor bigint, p_role text, p_why text, p_rulebook text, p_evidence bytea[], p_now timestamptz,
  OUT refusal text, OUT state text, OUT deposit_part bigint, OUT reserve_part bigint) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_escrow record; v_order record; v_left bigint; v_step text; v_keys int;
BEGIN
  deposit_part := 0; reserve_part := 0;
  SELECT e.state INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_paid'; RETURN; END IF;
  SELECT o.state, o.in_case INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  state := v_order.state;
  IF p_voluntary AND v_order.in_case THEN refusal := 'in_case'; RETURN; END IF;
  IF v_escrow.state NOT IN ('released', 'split') OR v_order.in_case = p_voluntary THEN refusal := 'not_in_case'; RETURN; END IF;
  v_left := claimable_v1(p_shop, p_order);
  IF p_refund > v_left OR p_refund < p_voluntary::int THEN
    refusal := 'refund_out_of_range'; RETURN;
  END IF;
  IF p_refund > 0 THEN
    v_step := 'claim_refund:' || (SELECT count(*) + 1 FROM claim_payout c WHERE c.shop_id = p_shop AND c.order_id = p_order
                                     AND c.part = 'claim_refund');
    SELECT r.* INTO refusal, deposit_part, reserve_part FROM pay_claim_v1(p_shop, p_order, v_step, 'claim_refund', p_refund,
      p_with_reserve, p_actor, p_role, p_why, v_now) r;
    IF refusal IS NOT NULL THEN RETURN; END IF;
  END IF;
  IF p_refund = v_left THEN
    UPDATE card_key k SET state = 'available', order_id = NULL, pos = NULL, generation = 0
     WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.state = 'sealed';
    GET DIAGNOSTICS v_keys = ROW_COUNT;
    UPDATE claim_payout c SET keys_returned = v_keys WHERE c.shop_id = p_shop AND c.order_id = p_order AND c.step = v_step;
  END IF;
  UPDATE orders SET in_case = false WHERE shop_id = p_shop AND order_id = p_order AND in_case;
  PERFORM log_order_v2(p_shop, p_order, CASE WHEN p_refund > 0 THEN p_why || '_claim' ELSE 'claim_ended' END, v_order.state,
    v_order.state, p_actor, p_role, NULL, nullif(p_refund, 0), NULL, p_rulebook, p_evidence, v_now);
END $$;

-- Gives new sealed keys for the opened ones of a released order in a case, from stock; the money stays where it is.
CREATE FUNCTION replace_after_release_v1(p_shop bigint, p_order bigint, p_actor bigint, p_role text, p_now timestamptz,
  OUT refusal text, OUT replaced int, OUT due_at timestamptz) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_order record; v_old bigint[]; v_new bigint[];
BEGIN
  PERFORM 1 FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order AND e.state IN ('released', 'split') FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_in_case'; RETURN; END IF;
  SELECT o.* INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  IF NOT v_order.in_case THEN refusal := 'not_in_case'; RETURN; END IF;
  v_old := ARRAY(SELECT k.key_id FROM card_key k WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.state = 'opened'
    ORDER BY k.pos);
  IF cardinality(v_old) = 0 THEN refusal := 'nothing_to_replace'; RETURN; END IF;
  v_new := ARRAY(SELECT k.key_id FROM card_key k
    WHERE k.shop_id = p_shop AND k.listing_id = v_order.listing_id AND k.state = 'available'
    ORDER BY k.import_id, k.key_id FOR UPDATE SKIP LOCKED LIMIT cardinality(v_old));
  IF cardinality(v_new) < cardinality(v_old) THEN refusal := 'sold_out'; RETURN; END IF;
  UPDATE card_key k SET state = 'sealed', order_id = p_order, pos = o.pos, generation = o.generation + 1
    FROM unnest(v_old, v_new) AS x (old_id, new_id)
    JOIN card_key o ON o.shop_id = p_shop AND o.key_id = x.old_id
   WHERE k.shop_id = p_shop AND k.key_id = x.new_id;
  UPDATE card_key k SET state = 'replaced' WHERE k.shop_id = p_shop AND k.key_id = ANY (v_old);
  replaced := cardinality(v_old);
  due_at := v_now;
  UPDATE orders SET in_case = false WHERE shop_id = p_shop AND order_id = p_order;
  PERFORM log_order_v1(p_shop, p_order, 'replaced', v_order.state, v_order.state, p_actor, p_role, NULL, NULL, NULL, v_now);
END $$;

-- Pays damages beyond the price, once a step; the money of the price is not touched.
CREATE FUNCTION pay_damages_v1(p_shop bigint, p_order bigint, p_step text, p_amount bigint, p_with_reserve boolean,
  p_actor bigint, p_role text, p_why text, p_rulebook text, p_evidence bytea[], p_now timestamptz,
  OUT refusal text, OUT deposit_part bigint, OUT reserve_part bigint) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_state text; v_step text := 'damages:' || p_step;
BEGIN
  PERFORM 1 FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_paid'; RETURN; END IF;
  SELECT o.state INTO v_state FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  IF p_amount < 1 THEN refusal := 'refund_out_of_range'; RETURN; END IF;
  IF EXISTS (SELECT 1 FROM claim_payout c WHERE c.shop_id = p_shop AND c.order_id = p_order AND c.step = v_step) THEN
    SELECT c.deposit_minor, c.reserve_minor INTO deposit_part, reserve_part FROM claim_payout c
     WHERE c.shop_id = p_shop AND c.order_id = p_order AND c.step = v_step;
    RETURN;
  END IF;
  SELECT r.* INTO refusal, deposit_part, reserve_part FROM pay_claim_v1(p_shop, p_order, v_step, 'damages', p_amount,
    p_with_reserve, p_actor, p_role, p_why, v_now) r;
  IF refusal IS NOT NULL THEN RETURN; END IF;
  PERFORM log_order_v2(p_shop, p_order, 'damages', v_state, v_state, p_actor, p_role, NULL, p_amount, NULL, p_rulebook,
    p_evidence, v_now);
END $$;

-- reveal_keys_v1 that opens no sealed key in a case after the release either.
CREATE OR REPLACE FUNCTION reveal_keys_v1(p_shop bigint, p_order bigint, p_buyer bigint, p_positions int[], p_device text,
  p_network text, p_now timestamptz, OUT refusal text, OUT keys jsonb, OUT first_time boolean) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_order record; v_escrow record; v_opened int;
BEGIN
  first_time := false;
  PERFORM 1 FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order AND o.buyer_id = p_buyer;
  IF NOT FOUND THEN refusal := 'not_found'; RETURN; END IF;
  SELECT e.state, e.due_at INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_paid'; RETURN; END IF;
  SELECT o.state, o.in_case INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  IF v_order.state NOT IN ('delivered', 'opened', 'confirmed', 'settled', 'partly_refunded') THEN
    refusal := 'key_taken_back'; RETURN;
  END IF;
  IF EXISTS (SELECT 1 FROM unnest(p_positions) q (pos) WHERE NOT EXISTS (SELECT 1 FROM card_key k
      WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.pos = q.pos AND k.state IN ('sealed', 'opened'))) THEN
    refusal := 'key_taken_back'; RETURN;
  END IF;
  -- What both sides and support weigh in a case includes which keys are still sealed, so none is opened meanwhile.
  IF v_order.in_case AND EXISTS (SELECT 1 FROM card_key k
      WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.pos = ANY (p_positions) AND k.state = 'sealed') THEN
    refusal := 'in_case'; RETURN;
  END IF;
  WITH opened AS (
    UPDATE card_key k SET state = 'opened', opened_at = v_now
     WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.pos = ANY (p_positions) AND k.state = 'sealed'
     RETURNING k.pos, k.key_id, k.sealed_text)
  INSERT INTO reveal_receipt (shop_id, order_id, pos, key_id, first_at, device, network, digest)
  SELECT p_shop, p_order, pos, key_id, v_now, p_device, p_network,
         sha256(convert_to(p_shop || '|' || p_order || '|' || pos || '|' || key_id || '|' || v_now || '|', 'UTF8') || sealed_text)
    FROM opened;
  GET DIAGNOSTICS v_opened = ROW_COUNT;
  IF v_opened > 0 THEN
    first_time := true;
    IF v_order.state = 'delivered' THEN
      UPDATE orders SET previous = orders.state, state = 'opened', opened_at = coalesce(opened_at, v_now)
       WHERE shop_id = p_shop AND order_id = p_order;
    END IF;
    PERFORM log_order_v1(p_shop, p_order, 'opened', v_order.state,
      CASE v_order.state WHEN 'delivered' THEN 'opened' ELSE v_order.state END, p_buyer, 'buyer',
      array_to_string(p_positions, ','), NULL, v_escrow.due_at, v_now);
  END IF;
  keys := (SELECT jsonb_agg(jsonb_build_object('pos', k.pos, 'key_id', k.key_id, 'listing_id', k.listing_id,
             'dek_id', k.dek_id, 'sealed_text', encode(k.sealed_text, 'hex')) ORDER BY k.pos)
    FROM card_key k WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.pos = ANY (p_positions) AND k.state = 'opened');
END $$;
-- ---------------------------------------------------------------- what the custodian answers

-- finish_instruction_v1 for every kind of instruction, also without an order.
CREATE OR REPLACE FUNCTION finish_instruction_v1(p_shop bigint, p_instruction uuid, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v record; v_from text;
BEGIN
  UPDATE custody_instruction SET state = 'done', done_at = v_now, lease_until = NULL, last_error = NULL
   WHERE shop_id = p_shop AND instruction_id = p_instruction AND state = 'pending' RETURNING * INTO v;
  IF NOT FOUND THEN RETURN false; END IF;
  IF v.kind <> 'release' THEN
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
-- Records that the payee's account refused an instruction for good. The money is not lost: it lies unapplied until the
-- buyer names another account, and a deposit stays a deposit. A repeat changes nothing.
CREATE FUNCTION refuse_instruction_v1(p_shop bigint, p_instruction uuid, p_why text, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v record;
BEGIN
  UPDATE custody_instruction SET state = 'refused', done_at = v_now, lease_until = NULL, last_error = p_why
   WHERE shop_id = p_shop AND instruction_id = p_instruction AND state = 'pending' AND kind <> 'release' RETURNING * INTO v;
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

-- Sends everything that was refused for good of an order to another account of its buyer, each part once.
CREATE FUNCTION redirect_refund_v1(p_shop bigint, p_order bigint, p_buyer bigint, p_account text, p_now timestamptz,
  OUT refusal text, OUT redirected_minor bigint) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v record;
BEGIN
  redirected_minor := 0;
  PERFORM 1 FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order AND o.buyer_id = p_buyer FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_found'; RETURN; END IF;
  FOR v IN UPDATE custody_instruction i SET state = 'redirected'
     WHERE i.shop_id = p_shop AND i.order_id = p_order AND i.state = 'refused' RETURNING i.*
  LOOP
    PERFORM book_transfer_v2(p_shop, p_order, 'redirect:' || v.instruction_id, 'redirect', 6, 5, v.amount_minor, v.currency,
      NULL, v_now);
    PERFORM instruct_custodian_v2(p_shop, p_order, 'redirect:' || v.instruction_id, v.kind, v.transfer_kind, v.provider,
      v.payment_id, v.from_account, p_account, v.amount_minor, v.currency, v.instruction_id, v_now);
    redirected_minor := redirected_minor + v.amount_minor;
  END LOOP;
  IF redirected_minor = 0 THEN refusal := 'nothing_to_redirect'; RETURN; END IF;
  PERFORM log_order_v1(p_shop, p_order, 'refund_redirected', NULL, NULL, p_buyer, 'buyer', NULL, redirected_minor, NULL, v_now);
END $$;

-- ---------------------------------------------------------------- grants

GRANT SELECT, INSERT ON shop_fund, fund_payment, claim_payout TO kabao_app;
GRANT UPDATE (deposit_minor, owed_minor) ON shop_fund TO kabao_app;
GRANT UPDATE (keys_returned) ON claim_payout TO kabao_app;
GRANT SELECT ON reserve_fund TO kabao_app;
GRANT UPDATE (paid_minor, advanced_minor) ON reserve_fund TO kabao_app;
GRANT SELECT ON shop_fund, reserve_fund, fund_payment, claim_payout TO kabao_audit;
GRANT SELECT, INSERT ON sandbox.account, sandbox.closed_account, sandbox.refusal TO kabao_app;
GRANT UPDATE (balance_minor) ON sandbox.account TO kabao_app;
GRANT SELECT ON sandbox.account, sandbox.closed_account, sandbox.refusal TO kabao_audit;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO kabao_app;
