-- A key that nobody has seen does not stay with a buyer whose bank took the money back before the merchant had it.

-- Whether the bank took an order's payment back and its release has not reached the merchant.
CREATE FUNCTION is_taken_back_unpaid_v1(p_shop bigint, p_order bigint) RETURNS boolean LANGUAGE sql STABLE AS $$
  SELECT EXISTS (SELECT 1 FROM escrow e JOIN chargeback b USING (shop_id, provider, payment_id)
                   JOIN custody_instruction i ON i.shop_id = e.shop_id AND i.order_id = e.order_id AND i.kind = 'release'
                  WHERE e.shop_id = p_shop AND e.order_id = p_order AND i.state <> 'done')
$$;

-- reveal_keys_v1 that opens no sealed key of an order whose bank was quicker than its release.
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
  IF is_taken_back_unpaid_v1(p_shop, p_order) AND EXISTS (SELECT 1 FROM card_key k
      WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.pos = ANY (p_positions) AND k.state = 'sealed') THEN
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

-- stop_instruction_v1 that takes the keys back that are still sealed, where the merchant's own payout was stopped. The
-- order's row, which an opening locks as well, decides which of the two was first.
CREATE OR REPLACE FUNCTION stop_instruction_v1(p_shop bigint, p_instruction uuid, p_why text, p_now timestamptz) RETURNS text
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
  IF v.kind = 'release' THEN
    UPDATE card_key k SET state = 'available', order_id = NULL, pos = NULL, generation = 0
     WHERE k.shop_id = p_shop AND k.order_id = v.order_id AND k.state = 'sealed';
  END IF;
  PERFORM log_order_v1(p_shop, v.order_id, 'payout_stopped', NULL, NULL, NULL, 'custodian', NULL, v.amount_minor, NULL, v_now);
  RETURN 'stopped';
END $$;

UPDATE card_key k SET state = 'available', order_id = NULL, pos = NULL, generation = 0
  FROM custody_instruction i
 WHERE i.state = 'stopped' AND i.kind = 'release' AND k.shop_id = i.shop_id AND k.order_id = i.order_id AND k.state = 'sealed';

GRANT EXECUTE ON FUNCTION is_taken_back_unpaid_v1 TO kabao_app;
