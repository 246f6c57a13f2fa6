-- What the rulebook said of a case at the moment support ruled on it: the version that bound, the case file it read and
-- what it decided, as canonical JSON with their digests. Without the latter where that version has no words for the case.
CREATE TABLE case_decision (
  shop_id          bigint NOT NULL,
  case_id          bigint NOT NULL,
  rulebook_version text NOT NULL REFERENCES rulebook_version,
  case_file        text,
  case_file_digest bytea,
  decision         text,
  decision_digest  bytea,
  made_at          timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases,
  CONSTRAINT case_decision_whole CHECK (num_nulls(case_file, case_file_digest, decision, decision_digest) IN (0, 4)),
  CONSTRAINT case_decision_file_digest CHECK (case_file_digest = sha256(convert_to(case_file, 'UTF8'))),
  CONSTRAINT case_decision_digest CHECK (decision_digest = sha256(convert_to(decision, 'UTF8')))
);

-- The version that bound the case at a step, and the files that were there; older steps have neither.
ALTER TABLE case_event ADD COLUMN rulebook_version text, ADD COLUMN evidence_digests bytea[];

-- The same key by its blind index in any shop, among those somebody has opened. Opened keys never return to stock, so
-- this only grows with openings; one platform-wide lookup, which a distributed database asks of every node.
CREATE INDEX card_key_opened_anywhere ON card_key (blind) WHERE opened_at IS NOT NULL;

-- log_order_v1 with the version that bound and the digests of the files that were there.
CREATE FUNCTION log_order_v2(p_shop bigint, p_order bigint, p_kind text, p_from text, p_to text, p_actor bigint,
  p_role text, p_reason text, p_amount bigint, p_due timestamptz, p_rulebook text, p_evidence bytea[], p_at timestamptz)
RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO order_event (shop_id, order_id, kind, from_state, to_state, actor_id, actor_role, reason, amount_minor, due_at,
    rulebook_version, evidence_digests, at)
  VALUES (p_shop, p_order, p_kind, p_from, p_to, p_actor, p_role, p_reason, p_amount, p_due, p_rulebook, p_evidence, p_at);
END $$;

-- resolve_escrow_v1 whose lines in the order's history name the rulebook and the files. Answers a refusal without having
-- written anything.
CREATE FUNCTION resolve_escrow_v2(p_shop bigint, p_order bigint, p_refund bigint, p_actor bigint, p_role text, p_why text,
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
    PERFORM log_order_v2(p_shop, p_order, p_why || '_release', v_from, state, p_actor, p_role, NULL, released_minor, NULL,
      p_rulebook, p_evidence, v_now);
  ELSE
    UPDATE card_key k SET state = 'available', order_id = NULL, pos = NULL, generation = 0
     WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.state = 'sealed';
  END IF;
END $$;

GRANT SELECT, INSERT ON case_decision TO kabao_app;
GRANT SELECT ON case_decision TO kabao_audit;
GRANT EXECUTE ON FUNCTION log_order_v2, resolve_escrow_v2 TO kabao_app;
