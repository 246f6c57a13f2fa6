-- Who paid, as far as the custodian tells: a mark of the payer's account, so that people who pay from one account share
-- what the green channel gives at once.

-- A keyed HMAC of the account that a notice named; the account itself is kept nowhere. Absent where a notice named none.
CREATE TABLE payment_payer (
  shop_id    bigint NOT NULL,
  provider   text NOT NULL,
  payment_id text NOT NULL,
  mark       bytea NOT NULL CONSTRAINT payment_payer_mark_length CHECK (octet_length(mark) = 32),
  PRIMARY KEY (shop_id, provider, payment_id),
  FOREIGN KEY (shop_id, provider, payment_id) REFERENCES payment
);

-- apply_payment_v1, and whose account paid. A repeat that names another account contradicts the first notice; what a
-- first notice did not name stays unnamed.
CREATE FUNCTION apply_payment_v2(p_shop bigint, p_order bigint, p_provider text, p_payment text, p_amount bigint,
  p_currency text, p_payer bytea, p_now timestamptz, OUT outcome text, OUT state text, OUT replayed boolean)
LANGUAGE plpgsql AS $$
BEGIN
  SELECT a.outcome, a.state, a.replayed INTO outcome, state, replayed
    FROM apply_payment_v1(p_shop, p_order, p_provider, p_payment, p_amount, p_currency, p_now) a;
  IF p_payer IS NULL OR outcome IN ('unknown_order', 'contradicts_earlier_notice') THEN RETURN; END IF;
  IF NOT replayed THEN
    INSERT INTO payment_payer (shop_id, provider, payment_id, mark) VALUES (p_shop, p_provider, p_payment, p_payer);
  ELSIF EXISTS (SELECT 1 FROM payment_payer y WHERE y.shop_id = p_shop AND y.provider = p_provider
      AND y.payment_id = p_payment AND y.mark <> p_payer) THEN
    outcome := 'contradicts_earlier_notice';
  END IF;
END $$;

-- green_use for a payer's account: when it was refunded at once, at most five in thirty days.
CREATE TABLE green_payer_use (
  mark    bytea PRIMARY KEY,
  used_at timestamptz[] NOT NULL CONSTRAINT green_payer_use_at_most CHECK (cardinality(used_at) <= 5)
);

-- Counts one more refund at once, of a person and of the account that paid, or of neither: answers NULL, or whose limit
-- is reached. Both rows are locks, always the person's first, so that cases of one moment are counted one after another.
CREATE FUNCTION take_green_use_v1(p_account bigint, p_payer bytea, p_now timestamptz, p_since timestamptz, p_most int)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE v_person int; v_payer int := 0;
BEGIN
  INSERT INTO green_use AS g (account_id, used_at) VALUES (p_account, '{}')
  ON CONFLICT (account_id) DO UPDATE SET used_at = ARRAY(SELECT used FROM unnest(g.used_at) used WHERE used > p_since)
  RETURNING cardinality(g.used_at) INTO v_person;
  IF p_payer IS NOT NULL THEN
    INSERT INTO green_payer_use AS g (mark, used_at) VALUES (p_payer, '{}')
    ON CONFLICT (mark) DO UPDATE SET used_at = ARRAY(SELECT used FROM unnest(g.used_at) used WHERE used > p_since)
    RETURNING cardinality(g.used_at) INTO v_payer;
  END IF;
  IF v_person >= p_most THEN RETURN 'person'; END IF;
  IF v_payer >= p_most THEN RETURN 'payer'; END IF;
  UPDATE green_use SET used_at = used_at || p_now WHERE account_id = p_account;
  UPDATE green_payer_use SET used_at = used_at || p_now WHERE mark = p_payer;
  RETURN NULL;
END $$;

-- Whose limit kept a case from being decided at once; NULL where none did.
ALTER TABLE cases ADD COLUMN limit_by text CONSTRAINT cases_limit_by_known CHECK (limit_by IN ('person', 'payer'));
UPDATE cases SET limit_by = 'person' WHERE over_limit;
ALTER TABLE cases DROP COLUMN over_limit;

-- desk_cases_v1 in which no late case is a duty officer's own that he may not decide: one in which he has ruled, left a
-- seat or spoken as a party, or whose review follows a first view of his. He still sees that it waits.
CREATE OR REPLACE FUNCTION desk_cases_v1(p_staff bigint, p_support boolean, p_duty boolean)
  RETURNS TABLE (shop_id bigint, case_id bigint, due_at timestamptz, is_mine boolean, is_waiting boolean)
  LANGUAGE sql STABLE AS $$
  SELECT c.shop_id, c.case_id, c.due_at,
         CASE c.turn
           WHEN 'support' THEN p_support
           WHEN 'duty' THEN p_duty
             AND NOT EXISTS (SELECT 1 FROM ruling g
               WHERE g.shop_id = c.shop_id AND g.case_id = c.case_id AND g.staff_id = p_staff)
             AND NOT EXISTS (SELECT 1 FROM panel_seat l WHERE l.shop_id = c.shop_id AND l.case_id = c.case_id
               AND l.panellist_id = p_staff AND l.recused_at IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM first_view f WHERE f.shop_id = c.shop_id AND f.case_id = c.case_id
               AND f.staff_id = p_staff AND c.stage = 'review' AND f.stage <> 'review')
             AND NOT EXISTS (SELECT 1 FROM message m WHERE m.shop_id = c.shop_id AND m.order_id = c.order_id
               AND m.author_id = p_staff AND m.author_role IN ('buyer', 'merchant'))
           ELSE t.panellist_id IS NOT NULL AND NOT (c.stage = 'panel' AND EXISTS (SELECT 1 FROM panel_vote v
             WHERE v.shop_id = c.shop_id AND v.case_id = c.case_id AND v.panellist_id = p_staff
               AND v.taken_back_at IS NULL)) END,
         EXISTS (SELECT 1 FROM case_question q WHERE q.shop_id = c.shop_id AND q.case_id = c.case_id
                    AND q.stage = c.stage AND q.answered_at IS NULL)
    FROM cases c
    JOIN shop h ON h.shop_id = c.shop_id
    LEFT JOIN panel_seat t ON t.shop_id = c.shop_id AND t.case_id = c.case_id AND t.stage = c.stage
                          AND t.panellist_id = p_staff AND t.recused_at IS NULL
   WHERE c.closed_at IS NULL AND c.turn IN ('support', 'panel', 'duty')
     AND c.buyer_id <> p_staff AND h.owner_id <> p_staff
     AND (p_support OR t.panellist_id IS NOT NULL OR c.turn = 'duty' AND p_duty)
$$;

-- The simulated institution's own number of who paid; '' where the payer gave none.
ALTER TABLE sandbox.payment ADD COLUMN payer text NOT NULL DEFAULT '';

GRANT SELECT, INSERT ON payment_payer TO kabao_app;
GRANT SELECT, INSERT ON green_payer_use TO kabao_app;
GRANT UPDATE (used_at) ON green_payer_use TO kabao_app;
GRANT SELECT ON payment_payer, green_payer_use TO kabao_audit;
GRANT EXECUTE ON FUNCTION apply_payment_v2, take_green_use_v1 TO kabao_app;
