-- Each money step is one call. The escrow row is the guard: every step after payment locks it first, then the
-- order, then keys. p_now is NULL in production: the database's clock decides.

-- Writes one balanced transfer and its two deltas; a repeated transfer id is a bug and raises.
CREATE FUNCTION book_transfer_v1(p_shop bigint, p_order bigint, p_step text, p_kind text, p_debit int, p_credit int,
  p_amount bigint, p_currency text, p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WITH t AS (
    INSERT INTO ledger_transfer (shop_id, transfer_id, debit_no, credit_no, amount_minor, currency, kind, order_id, event_at)
    SELECT p_shop, md5(p_step || ':' || p_shop || ':' || p_order)::uuid, p_debit, p_credit, p_amount, p_currency, p_kind,
           p_order, p_at
    WHERE p_amount > 0
    RETURNING transfer_id)
  INSERT INTO ledger_delta (shop_id, account_no, currency, transfer_id, delta)
  SELECT p_shop, p_debit, p_currency, transfer_id, -p_amount FROM t
  UNION ALL SELECT p_shop, p_credit, p_currency, transfer_id, p_amount FROM t;
END $$;

-- Asks the custodian to move money; the id is derived, so that one step asks once.
CREATE FUNCTION instruct_custodian_v1(p_shop bigint, p_order bigint, p_step text, p_kind text, p_transfer_kind text,
  p_provider text, p_payment text, p_amount bigint, p_fee bigint, p_currency text, p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO custody_instruction (shop_id, instruction_id, order_id, provider, payment_id, kind, amount_minor, fee_minor,
    currency, transfer_kind, due_at, created_at)
  SELECT p_shop, md5('ask:' || p_step || ':' || p_shop || ':' || p_order)::uuid, p_order, p_provider, p_payment, p_kind,
         p_amount, p_fee, p_currency, p_transfer_kind, p_at, p_at
  WHERE p_amount > 0;
END $$;

CREATE FUNCTION log_order_v1(p_shop bigint, p_order bigint, p_kind text, p_from text, p_to text, p_actor bigint,
  p_role text, p_reason text, p_amount bigint, p_due timestamptz, p_at timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO order_event (shop_id, order_id, kind, from_state, to_state, actor_id, actor_role, reason, amount_minor, due_at, at)
  VALUES (p_shop, p_order, p_kind, p_from, p_to, p_actor, p_role, p_reason, p_amount, p_due, p_at);
END $$;

-- Places an order and reserves its keys. Answers a refusal without having written anything.
-- p_confirmed are the notices the buyer ticked; their wording is taken from the snapshot, never from the client.
CREATE FUNCTION place_order_v1(p_shop bigint, p_order bigint, p_buyer bigint, p_listing bigint, p_snapshot int,
  p_quantity int, p_idem text, p_confirmed text[], p_reserve interval, p_cap int, p_now timestamptz,
  OUT refusal text, OUT order_id bigint, OUT state text, OUT amount_minor bigint, OUT reserve_until timestamptz,
  OUT replayed boolean) LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := coalesce(p_now, now());
  v_found record; v_snap record; v_keys bigint[]; v_slot int; v_try int;
BEGIN
  replayed := false;
  SELECT o.order_id, o.state, o.amount_minor, o.reserve_until, o.listing_id, o.snapshot_no, o.quantity INTO v_found
    FROM orders o WHERE o.shop_id = p_shop AND o.buyer_id = p_buyer AND o.idempotency_key = p_idem;
  IF FOUND THEN
    IF (v_found.listing_id, v_found.snapshot_no, v_found.quantity) <> (p_listing, p_snapshot, p_quantity) THEN
      refusal := 'idempotency_key_reused'; RETURN;
    END IF;
    replayed := true; order_id := v_found.order_id; state := v_found.state;
    amount_minor := v_found.amount_minor; reserve_until := v_found.reserve_until; RETURN;
  END IF;
  SELECT s.price_minor, s.currency, s.escrow_seconds, s.max_quantity, s.notice_ids, s.document, l.state AS listing_state,
         l.snapshot_no AS current_no, h.state AS shop_state, h.owner_id, h.fee_bps INTO v_snap
    FROM listing_snapshot s JOIN listing l USING (shop_id, listing_id) JOIN shop h USING (shop_id)
   WHERE s.shop_id = p_shop AND s.listing_id = p_listing AND s.snapshot_no = p_snapshot;
  IF NOT FOUND OR v_snap.listing_state = 'draft' THEN refusal := 'not_found'; RETURN; END IF;
  IF v_snap.listing_state <> 'live' OR v_snap.shop_state <> 'open' THEN refusal := 'not_on_sale'; RETURN; END IF;
  IF v_snap.current_no <> p_snapshot THEN refusal := 'listing_changed'; RETURN; END IF;
  IF v_snap.owner_id = p_buyer THEN refusal := 'own_shop'; RETURN; END IF;
  IF p_quantity < 1 OR p_quantity > v_snap.max_quantity THEN refusal := 'quantity_out_of_range'; RETURN; END IF;
  IF NOT v_snap.notice_ids <@ p_confirmed THEN refusal := 'notice_unconfirmed'; RETURN; END IF;
  v_keys := ARRAY(SELECT k.key_id FROM card_key k
    WHERE k.shop_id = p_shop AND k.listing_id = p_listing AND k.state = 'available'
    ORDER BY k.import_id, k.key_id FOR UPDATE SKIP LOCKED LIMIT p_quantity);
  IF cardinality(v_keys) < p_quantity THEN refusal := 'sold_out'; RETURN; END IF;
  -- The free slot is the per-buyer cap on unpaid orders: the partial unique index holds it under any race.
  FOR v_try IN 1 .. p_cap LOOP
    SELECT min(slot) INTO v_slot FROM generate_series(1, p_cap) slot
     WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.shop_id = p_shop AND o.buyer_id = p_buyer
                         AND o.state = 'placed' AND o.reserve_slot = slot);
    IF v_slot IS NULL THEN refusal := 'too_many_unpaid'; RETURN; END IF;
    INSERT INTO orders (shop_id, order_id, buyer_id, listing_id, snapshot_no, quantity, unit_minor, amount_minor, currency,
        fee_bps, escrow_seconds, previous, state, idempotency_key, reserve_slot, reserve_until, placed_at)
    VALUES (p_shop, p_order, p_buyer, p_listing, p_snapshot, p_quantity, v_snap.price_minor,
        v_snap.price_minor * p_quantity, v_snap.currency, v_snap.fee_bps, v_snap.escrow_seconds, 'none', 'placed', p_idem,
        v_slot, v_now + p_reserve, v_now)
    ON CONFLICT DO NOTHING;
    EXIT WHEN FOUND;
    IF EXISTS (SELECT 1 FROM orders o WHERE o.shop_id = p_shop AND o.buyer_id = p_buyer AND o.idempotency_key = p_idem) THEN
      SELECT r.* INTO refusal, order_id, state, amount_minor, reserve_until, replayed
        FROM place_order_v1(p_shop, p_order, p_buyer, p_listing, p_snapshot, p_quantity, p_idem, p_confirmed, p_reserve,
                            p_cap, p_now) r;
      RETURN;
    END IF;
    IF v_try = p_cap THEN refusal := 'too_many_unpaid'; RETURN; END IF;
  END LOOP;
  UPDATE card_key k SET state = 'reserved', order_id = p_order, pos = x.pos
    FROM unnest(v_keys) WITH ORDINALITY AS x (key_id, pos)
   WHERE k.shop_id = p_shop AND k.key_id = x.key_id;
  INSERT INTO notice_confirmation (shop_id, order_id, notice_id, wording, place, version, confirmed_at)
  SELECT p_shop, p_order, n ->> 'notice_id', n ->> 'wording', n ->> 'place', n ->> 'version', v_now
    FROM jsonb_array_elements(v_snap.document -> 'notices') n WHERE n ->> 'notice_id' = ANY (v_snap.notice_ids);
  PERFORM log_order_v1(p_shop, p_order, 'placed', 'none', 'placed', p_buyer, 'buyer', NULL,
    v_snap.price_minor * p_quantity, v_now + p_reserve, v_now);
  order_id := p_order; state := 'placed'; amount_minor := v_snap.price_minor * p_quantity;
  reserve_until := v_now + p_reserve;
END $$;

-- Books one payment notice of the custodian, exactly once whatever is replayed, and delivers sealed in the same call.
CREATE FUNCTION apply_payment_v1(p_shop bigint, p_order bigint, p_provider text, p_payment text, p_amount bigint,
  p_currency text, p_now timestamptz, OUT outcome text, OUT state text, OUT replayed boolean) LANGUAGE plpgsql AS $$
DECLARE
  v_now timestamptz := coalesce(p_now, now());
  v_order record; v_keys bigint[]; v_due timestamptz; v_old record;
BEGIN
  replayed := false;
  SELECT o.* INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  IF NOT FOUND THEN outcome := 'unknown_order'; RETURN; END IF;
  SELECT p.* INTO v_old FROM payment p WHERE p.shop_id = p_shop AND p.provider = p_provider AND p.payment_id = p_payment;
  IF FOUND THEN
    replayed := true; state := v_order.state;
    outcome := CASE WHEN (v_old.order_id, v_old.amount_minor, v_old.currency) = (p_order, p_amount, p_currency)
                    THEN v_old.outcome ELSE 'contradicts_earlier_notice' END;
    RETURN;
  END IF;
  IF (p_amount, p_currency) <> (v_order.amount_minor, v_order.currency) THEN outcome := 'wrong_amount';
  ELSIF v_order.state = 'placed' THEN outcome := 'applied';
  ELSIF v_order.state = 'expired' THEN
    v_keys := ARRAY(SELECT k.key_id FROM card_key k
      WHERE k.shop_id = p_shop AND k.listing_id = v_order.listing_id AND k.state = 'available'
      ORDER BY k.import_id, k.key_id FOR UPDATE SKIP LOCKED LIMIT v_order.quantity);
    outcome := CASE WHEN cardinality(v_keys) = v_order.quantity THEN 'applied' ELSE 'late_refunded' END;
  ELSIF v_order.state = 'cancelled' THEN outcome := 'late_refunded';
  ELSE outcome := 'second_payment';
  END IF;
  INSERT INTO payment (shop_id, provider, payment_id, order_id, amount_minor, currency, outcome, received_at)
  VALUES (p_shop, p_provider, p_payment, p_order, p_amount, p_currency, outcome, v_now)
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN  -- another order of this shop took the same payment a moment ago
    outcome := 'contradicts_earlier_notice'; state := v_order.state; RETURN;
  END IF;
  IF outcome <> 'applied' THEN
    PERFORM book_transfer_v1(p_shop, p_order, 'unapplied:' || p_provider || ':' || p_payment, 'unapplied', 1, 6, p_amount,
      p_currency, v_now);
    PERFORM book_transfer_v1(p_shop, p_order, 'unapplied_refund:' || p_provider || ':' || p_payment, 'unapplied_refund', 6,
      5, p_amount, p_currency, v_now);
    PERFORM instruct_custodian_v1(p_shop, p_order, 'unapplied_refund:' || p_provider || ':' || p_payment, 'refund',
      'unapplied_refund', p_provider, p_payment, p_amount, 0, p_currency, v_now);
    PERFORM log_order_v1(p_shop, p_order, outcome, v_order.state, v_order.state, NULL, 'custodian', NULL, p_amount, NULL, v_now);
    state := v_order.state; RETURN;
  END IF;
  v_due := v_now + make_interval(secs => v_order.escrow_seconds);
  IF v_keys IS NULL THEN
    UPDATE card_key k SET state = 'sealed' WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.state = 'reserved';
  ELSE
    UPDATE card_key k SET state = 'sealed', order_id = p_order, pos = x.pos
      FROM unnest(v_keys) WITH ORDINALITY AS x (key_id, pos) WHERE k.shop_id = p_shop AND k.key_id = x.key_id;
  END IF;
  UPDATE orders o SET previous = o.state, state = 'delivered', paid_at = v_now, delivered_at = v_now, ended_at = NULL
   WHERE o.shop_id = p_shop AND o.order_id = p_order;
  INSERT INTO escrow (shop_id, order_id, provider, payment_id, amount_minor, currency, due_at)
  VALUES (p_shop, p_order, p_provider, p_payment, p_amount, p_currency, v_due);
  PERFORM book_transfer_v1(p_shop, p_order, 'hold', 'hold', 1, 2, p_amount, p_currency, v_now);
  INSERT INTO order_event (shop_id, order_id, kind, from_state, to_state, actor_role, amount_minor, due_at, at)
  VALUES (p_shop, p_order, 'paid', v_order.state, v_order.state, 'custodian', p_amount, NULL, v_now),
         (p_shop, p_order, 'delivered', v_order.state, 'delivered', 'system', NULL, v_due, v_now);
  state := 'delivered';
END $$;

-- Ends an unpaid order (the buyer cancels it) and returns its keys to stock.
CREATE FUNCTION cancel_order_v1(p_shop bigint, p_order bigint, p_buyer bigint, p_now timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_state text;
BEGIN
  SELECT o.state INTO v_state FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order AND o.buyer_id = p_buyer FOR UPDATE;
  IF NOT FOUND THEN RETURN 'not_found'; END IF;
  IF v_state = 'cancelled' THEN RETURN NULL; END IF;
  IF v_state <> 'placed' THEN RETURN 'already_paid_or_ended'; END IF;
  UPDATE orders SET previous = state, state = 'cancelled', ended_at = v_now WHERE shop_id = p_shop AND order_id = p_order;
  UPDATE card_key SET state = 'available', order_id = NULL, pos = NULL
   WHERE shop_id = p_shop AND order_id = p_order AND state = 'reserved';
  PERFORM log_order_v1(p_shop, p_order, 'cancelled', 'placed', 'cancelled', p_buyer, 'buyer', NULL, NULL, NULL, v_now);
  RETURN NULL;
END $$;

-- Expires a batch of unpaid orders whose reservation ran out; returns how many.
CREATE FUNCTION expire_orders_v1(p_shop bigint, p_batch int, p_now timestamptz) RETURNS int LANGUAGE sql AS $$
  WITH due AS MATERIALIZED (
    SELECT shop_id, order_id FROM orders
     WHERE state = 'placed' AND reserve_until <= coalesce(p_now, now()) AND (p_shop IS NULL OR shop_id = p_shop)
     ORDER BY reserve_until, shop_id, order_id FOR UPDATE SKIP LOCKED LIMIT p_batch),
  o AS (UPDATE orders SET previous = orders.state, state = 'expired', ended_at = coalesce(p_now, now()) FROM due
     WHERE orders.shop_id = due.shop_id AND orders.order_id = due.order_id AND orders.state = 'placed'
     RETURNING orders.shop_id, orders.order_id),
  k AS (UPDATE card_key SET state = 'available', order_id = NULL, pos = NULL FROM o
     WHERE card_key.shop_id = o.shop_id AND card_key.order_id = o.order_id AND card_key.state = 'reserved'),
  e AS (INSERT INTO order_event (shop_id, order_id, kind, from_state, to_state, actor_role, at)
     SELECT shop_id, order_id, 'expired', 'placed', 'expired', 'system', coalesce(p_now, now()) FROM o)
  SELECT count(*)::int FROM o
$$;

-- Marks sealed keys of an order as opened by its buyer, once; returns the keys to decrypt (also on a repeat).
CREATE FUNCTION reveal_keys_v1(p_shop bigint, p_order bigint, p_buyer bigint, p_positions int[], p_device text,
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
  IF v_escrow.state = 'disputed' AND EXISTS (SELECT 1 FROM card_key k
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

-- Refunds every sealed key of an order at once, without a reason; the keys go back to stock. A replacement was agreed
-- in a case and stays.
CREATE FUNCTION refund_sealed_v1(p_shop bigint, p_order bigint, p_buyer bigint, p_now timestamptz,
  OUT refusal text, OUT refunded_minor bigint, OUT state text) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_escrow record; v_order record; v_sealed int; v_fresh int;
  v_end boolean; v_step text;
BEGIN
  PERFORM 1 FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order AND o.buyer_id = p_buyer;
  IF NOT FOUND THEN refusal := 'not_found'; RETURN; END IF;
  SELECT e.* INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_paid'; RETURN; END IF;
  SELECT o.* INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  state := v_order.state;
  IF v_escrow.state = 'disputed' THEN refusal := 'in_case'; RETURN; END IF;
  IF v_escrow.state = 'refunded' THEN refusal := 'already_refunded'; RETURN; END IF;
  IF v_escrow.state <> 'held' THEN refusal := 'already_released'; RETURN; END IF;
  SELECT count(*) FILTER (WHERE k.generation = 0), count(*) INTO v_sealed, v_fresh
    FROM card_key k WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.state = 'sealed';
  IF v_sealed = 0 THEN
    refusal := CASE WHEN v_fresh > 0 THEN 'replacement_stays' ELSE 'already_opened' END; RETURN;
  END IF;
  refunded_minor := least(v_order.unit_minor * v_sealed, v_escrow.amount_minor - v_escrow.refunded);
  v_end := v_escrow.refunded + refunded_minor = v_escrow.amount_minor;
  v_step := 'refund_sealed:' || v_escrow.refunded;
  UPDATE escrow SET refunded = refunded + refunded_minor, resolved_at = CASE WHEN v_end THEN v_now END,
         due_at = CASE WHEN v_end THEN NULL ELSE due_at END, state = CASE WHEN v_end THEN 'refunded' ELSE escrow.state END
   WHERE shop_id = p_shop AND order_id = p_order;
  IF v_end THEN
    UPDATE orders SET previous = orders.state, state = 'refunded', ended_at = v_now WHERE shop_id = p_shop AND order_id = p_order;
    state := 'refunded';
  END IF;
  UPDATE card_key SET state = 'available', order_id = NULL, pos = NULL
   WHERE shop_id = p_shop AND order_id = p_order AND card_key.state = 'sealed' AND generation = 0;
  PERFORM book_transfer_v1(p_shop, p_order, v_step, 'refund', 2, 5, refunded_minor, v_escrow.currency, v_now);
  PERFORM instruct_custodian_v1(p_shop, p_order, v_step, 'refund', 'refund', v_escrow.provider, v_escrow.payment_id,
    refunded_minor, 0, v_escrow.currency, v_now);
  PERFORM log_order_v1(p_shop, p_order, 'refunded_sealed', v_order.state, state, p_buyer, 'buyer', NULL, refunded_minor,
    NULL, v_now);
END $$;

-- Releases what is still held, less the fee, because the buyer confirmed. The fee is floor(rest * bps / 10000).
CREATE FUNCTION confirm_order_v1(p_shop bigint, p_order bigint, p_buyer bigint, p_now timestamptz,
  OUT refusal text, OUT state text, OUT released_minor bigint, OUT fee_minor bigint) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_escrow record; v_order record;
BEGIN
  PERFORM 1 FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order AND o.buyer_id = p_buyer;
  IF NOT FOUND THEN refusal := 'not_found'; RETURN; END IF;
  SELECT e.* INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_paid'; RETURN; END IF;
  SELECT o.* INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  state := v_order.state;
  IF v_escrow.state = 'disputed' THEN refusal := 'in_case'; RETURN; END IF;
  IF v_escrow.state = 'refunded' THEN refusal := 'already_refunded'; RETURN; END IF;
  IF v_escrow.state <> 'held' THEN refusal := 'already_released'; RETURN; END IF;
  released_minor := v_escrow.amount_minor - v_escrow.refunded;
  fee_minor := released_minor * v_order.fee_bps / 10000;
  PERFORM release_escrow_v1(p_shop, p_order, released_minor, fee_minor, 'confirmed', p_buyer, 'buyer', 'confirmed', v_now);
  state := 'confirmed';
END $$;

-- The common end of a release: escrow row, order row, transfers, instruction, event. The caller holds both locks.
CREATE FUNCTION release_escrow_v1(p_shop bigint, p_order bigint, p_release bigint, p_fee bigint, p_state text,
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
  PERFORM log_order_v1(p_shop, p_order, p_why, v_from, p_state, p_actor, p_role, NULL, p_release, NULL, p_at);
END $$;

-- Stops the release clock because a case was opened; whoever gets the escrow row first wins.
CREATE FUNCTION freeze_order_v1(p_shop bigint, p_order bigint, p_actor bigint, p_role text, p_now timestamptz,
  OUT refusal text, OUT held_minor bigint) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_escrow record; v_state text;
BEGIN
  SELECT e.* INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND THEN refusal := 'not_paid'; RETURN; END IF;
  IF v_escrow.state = 'disputed' THEN refusal := 'in_case'; RETURN; END IF;
  IF v_escrow.state = 'refunded' THEN refusal := 'already_refunded'; RETURN; END IF;
  IF v_escrow.state <> 'held' THEN refusal := 'already_released'; RETURN; END IF;
  WITH e AS (UPDATE escrow SET state = 'disputed', remaining = greatest(due_at - v_now, interval '0'), due_at = NULL
              WHERE shop_id = p_shop AND order_id = p_order)
  UPDATE orders SET in_case = true WHERE shop_id = p_shop AND order_id = p_order RETURNING orders.state INTO v_state;
  held_minor := v_escrow.amount_minor - v_escrow.refunded;
  PERFORM log_order_v1(p_shop, p_order, 'frozen', v_state, v_state, p_actor, p_role, NULL, held_minor, NULL, v_now);
END $$;

-- Starts the clock again with what remained, at least p_least, because the case was withdrawn.
CREATE FUNCTION unfreeze_order_v1(p_shop bigint, p_order bigint, p_actor bigint, p_role text, p_least interval,
  p_now timestamptz, OUT refusal text, OUT due_at timestamptz) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_escrow record; v_state text;
BEGIN
  SELECT e.* INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND OR v_escrow.state <> 'disputed' THEN refusal := 'not_in_case'; RETURN; END IF;
  due_at := v_now + greatest(v_escrow.remaining, p_least);
  UPDATE escrow e SET state = 'held', remaining = NULL, due_at = unfreeze_order_v1.due_at
   WHERE e.shop_id = p_shop AND e.order_id = p_order;
  UPDATE orders SET in_case = false WHERE shop_id = p_shop AND order_id = p_order RETURNING orders.state INTO v_state;
  PERFORM log_order_v1(p_shop, p_order, 'unfrozen', v_state, v_state, p_actor, p_role, NULL, NULL, due_at, v_now);
END $$;

-- Ends a disputed escrow: p_refund to the buyer, the rest less the fee to the merchant. Sealed keys go back to stock
-- when everything is refunded.
CREATE FUNCTION resolve_escrow_v1(p_shop bigint, p_order bigint, p_refund bigint, p_actor bigint, p_role text, p_why text,
  p_now timestamptz, OUT refusal text, OUT state text, OUT released_minor bigint, OUT fee_minor bigint) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_escrow record; v_order record; v_held bigint;
BEGIN
  SELECT e.* INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND OR v_escrow.state <> 'disputed' THEN refusal := 'not_in_case'; RETURN; END IF;
  SELECT o.* INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
  v_held := v_escrow.amount_minor - v_escrow.refunded;
  IF p_refund < 0 OR p_refund > v_held THEN refusal := 'refund_out_of_range'; RETURN; END IF;
  released_minor := v_held - p_refund;
  fee_minor := released_minor * v_order.fee_bps / 10000;
  state := CASE WHEN released_minor = 0 THEN 'refunded' WHEN p_refund = 0 THEN 'confirmed' ELSE 'partly_refunded' END;
  IF p_refund > 0 THEN
    UPDATE escrow e SET refunded = e.refunded + p_refund, remaining = NULL,
           state = CASE WHEN released_minor = 0 THEN 'refunded' ELSE e.state END,
           resolved_at = CASE WHEN released_minor = 0 THEN v_now END
     WHERE e.shop_id = p_shop AND e.order_id = p_order;
    PERFORM book_transfer_v1(p_shop, p_order, 'refund', 'refund', 2, 5, p_refund, v_escrow.currency, v_now);
    PERFORM instruct_custodian_v1(p_shop, p_order, 'refund', 'refund', 'refund', v_escrow.provider, v_escrow.payment_id,
      p_refund, 0, v_escrow.currency, v_now);
    PERFORM log_order_v1(p_shop, p_order, p_why || '_refund', v_order.state, state, p_actor, p_role, NULL, p_refund, NULL, v_now);
  END IF;
  IF released_minor > 0 THEN
    PERFORM release_escrow_v1(p_shop, p_order, released_minor, fee_minor, state, p_actor, p_role, p_why || '_release', v_now);
  ELSE
    UPDATE orders o SET previous = o.state, state = resolve_escrow_v1.state, in_case = false, ended_at = v_now
     WHERE o.shop_id = p_shop AND o.order_id = p_order;
    UPDATE card_key k SET state = 'available', order_id = NULL, pos = NULL, generation = 0
     WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.state = 'sealed';
  END IF;
END $$;

-- Gives new sealed keys for the disputed ones from stock and starts the release clock afresh.
CREATE FUNCTION replace_keys_v1(p_shop bigint, p_order bigint, p_actor bigint, p_role text, p_now timestamptz,
  OUT refusal text, OUT replaced int, OUT due_at timestamptz) LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v_escrow record; v_order record; v_old bigint[]; v_new bigint[];
BEGIN
  SELECT e.* INTO v_escrow FROM escrow e WHERE e.shop_id = p_shop AND e.order_id = p_order FOR UPDATE;
  IF NOT FOUND OR v_escrow.state <> 'disputed' THEN refusal := 'not_in_case'; RETURN; END IF;
  SELECT o.* INTO v_order FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order FOR UPDATE;
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
  due_at := v_now + make_interval(secs => v_order.escrow_seconds);
  UPDATE escrow e SET state = 'held', remaining = NULL, due_at = replace_keys_v1.due_at
   WHERE e.shop_id = p_shop AND e.order_id = p_order;
  UPDATE orders o SET previous = o.state, state = 'delivered', in_case = false, delivered_at = v_now
   WHERE o.shop_id = p_shop AND o.order_id = p_order;
  PERFORM log_order_v1(p_shop, p_order, 'replaced', v_order.state, 'delivered', p_actor, p_role, NULL, NULL, due_at, v_now);
END $$;

-- Releases a batch of matured escrows (all shops where p_shop is NULL); returns how many. Any number of workers.
CREATE FUNCTION sweep_escrow_v1(p_shop bigint, p_batch int, p_now timestamptz) RETURNS int LANGUAGE sql AS $$
  WITH due AS MATERIALIZED (
    SELECT shop_id, order_id FROM escrow
     WHERE state = 'held' AND due_at <= coalesce(p_now, now()) AND (p_shop IS NULL OR shop_id = p_shop)
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

-- Records that the custodian executed an instruction; a repeat changes nothing.
CREATE FUNCTION finish_instruction_v1(p_shop bigint, p_instruction uuid, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE v_now timestamptz := coalesce(p_now, now()); v record; v_from text;
BEGIN
  UPDATE custody_instruction SET state = 'done', done_at = v_now, lease_until = NULL, last_error = NULL
   WHERE shop_id = p_shop AND instruction_id = p_instruction AND state = 'pending' RETURNING * INTO v;
  IF NOT FOUND THEN RETURN false; END IF;
  IF v.kind = 'refund' THEN
    PERFORM book_transfer_v1(p_shop, v.order_id, 'refund_paid:' || p_instruction, 'refund_paid', 5, 1, v.amount_minor,
      v.currency, v_now);
    PERFORM log_order_v1(p_shop, v.order_id, 'refund_paid', NULL, NULL, NULL, 'custodian', NULL, v.amount_minor, NULL, v_now);
  ELSE
    PERFORM book_transfer_v1(p_shop, v.order_id, 'paid_out:' || p_instruction, 'paid_out', 3, 7, v.amount_minor - v.fee_minor,
      v.currency, v_now);
    UPDATE orders SET previous = orders.state, state = 'settled' WHERE shop_id = p_shop AND order_id = v.order_id
       AND orders.state = 'confirmed' RETURNING previous INTO v_from;
    PERFORM log_order_v1(p_shop, v.order_id, 'paid_out', v_from, CASE WHEN v_from IS NULL THEN NULL ELSE 'settled' END, NULL,
      'custodian', NULL, v.amount_minor - v.fee_minor, NULL, v_now);
  END IF;
  RETURN true;
END $$;

-- Folds the deltas of one shop into its balances; exact whatever the commit order, any number of workers.
CREATE FUNCTION fold_balances_v1(p_shop bigint) RETURNS int LANGUAGE sql AS $$
  WITH d AS (DELETE FROM ledger_delta WHERE shop_id = p_shop RETURNING account_no, currency, delta),
  s AS (SELECT account_no, currency, sum(delta)::bigint AS b, count(*) AS c FROM d GROUP BY 1, 2 ORDER BY 1, 2),
  w AS (INSERT INTO ledger_balance AS l (shop_id, account_no, currency, balance, folded)
     SELECT p_shop, account_no, currency, b, c FROM s
     ON CONFLICT (shop_id, account_no, currency)
     DO UPDATE SET balance = l.balance + EXCLUDED.balance, folded = l.folded + EXCLUDED.folded)
  SELECT coalesce(sum(c), 0)::int FROM s
$$;
