-- Where each business row stands in the public log: NULL until it is logged. The money steps write no row and no
-- column more; the index of what waits holds the event's number alone and is empty most of the time.

ALTER TABLE order_event ADD COLUMN log_position bigint;
CREATE INDEX order_event_unlogged ON order_event (event_id) WHERE log_position IS NULL;
ALTER TABLE case_event ADD COLUMN log_position bigint;
CREATE INDEX case_event_unlogged ON case_event (event_id) WHERE log_position IS NULL;
ALTER TABLE message ADD COLUMN log_position bigint;
CREATE INDEX message_unlogged ON message (message_id) WHERE log_position IS NULL;
ALTER TABLE evidence_item ADD COLUMN log_position bigint;
CREATE INDEX evidence_item_unlogged ON evidence_item (item_id) WHERE log_position IS NULL;
-- The log names a row by one number within its order.
ALTER TABLE evidence_mask ADD COLUMN mask_id bigint GENERATED ALWAYS AS IDENTITY, ADD COLUMN log_position bigint;
CREATE INDEX evidence_mask_unlogged ON evidence_mask (mask_id) WHERE log_position IS NULL;
ALTER TABLE case_fact ADD COLUMN log_position bigint;
CREATE INDEX case_fact_unlogged ON case_fact (said_id) WHERE log_position IS NULL;

-- How long a buyer had a notice before the eyes until ticking it. measured_by: the page itself, tick by tick, or the
-- server, from showing the form until taking it. No row where nobody measured.
CREATE TABLE notice_dwell (
  shop_id     bigint NOT NULL,
  order_id    bigint NOT NULL,
  notice_id   text NOT NULL CHECK (length(notice_id) <= 48),
  millis      int NOT NULL CHECK (millis BETWEEN 0 AND 86400000),
  measured_by text NOT NULL CHECK (measured_by IN ('page', 'server')),
  PRIMARY KEY (shop_id, order_id, notice_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);
GRANT SELECT, INSERT ON notice_dwell TO kabao_app;
GRANT SELECT ON notice_dwell TO kabao_audit;

-- What was erased, by whom and why: itself a record of the log, and only ever added.
CREATE TABLE record_erasure (
  shop_id      bigint NOT NULL,
  order_id     bigint NOT NULL,
  erasure_id   bigint NOT NULL,
  record_id    bigint NOT NULL,
  source       text NOT NULL,
  source_id    bigint NOT NULL,
  by_id        bigint NOT NULL,
  reason       text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
  at           timestamptz NOT NULL,
  log_position bigint,
  PRIMARY KEY (shop_id, order_id, erasure_id),
  CONSTRAINT record_erasure_once UNIQUE (shop_id, order_id, record_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);
CREATE INDEX record_erasure_unlogged ON record_erasure (erasure_id) WHERE log_position IS NULL;

-- Takes the words of one row out for good. It belongs to the owner, so that the application can erase through it and
-- in no other way change a history. Answers whether there was something to take out.
CREATE FUNCTION erase_words_v1(p_shop bigint, p_order bigint, p_source text, p_source_id bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  IF p_source = 'message' THEN
    UPDATE message SET body = '█' WHERE shop_id = p_shop AND order_id = p_order AND message_id = p_source_id;
  ELSIF p_source = 'case_event' THEN
    -- Only what a person wrote: the reason a case rose for is a word of ours.
    UPDATE case_event e SET body = '█' FROM cases c
     WHERE e.shop_id = p_shop AND c.shop_id = p_shop AND c.case_id = e.case_id AND c.order_id = p_order
       AND e.event_id = p_source_id AND e.kind IN ('opened', 'answered', 'offered', 'granted');
    IF NOT FOUND THEN RETURN false; END IF;
    UPDATE cases c SET statement = '█' FROM case_event e
     WHERE c.shop_id = p_shop AND c.order_id = p_order AND e.shop_id = p_shop AND e.case_id = c.case_id
       AND e.event_id = p_source_id AND e.kind = 'opened';
    UPDATE case_offer f SET note = '█' FROM case_event e JOIN cases c USING (shop_id, case_id)
     WHERE f.shop_id = p_shop AND f.offer_id = e.offer_id AND f.case_id = e.case_id AND e.shop_id = p_shop
       AND e.event_id = p_source_id AND c.order_id = p_order AND e.kind IN ('offered', 'granted');
    RETURN true;
  ELSIF p_source = 'case_fact' THEN
    UPDATE case_fact f SET note = '█' FROM cases c
     WHERE f.shop_id = p_shop AND c.shop_id = p_shop AND c.case_id = f.case_id AND c.order_id = p_order
       AND f.said_id = p_source_id;
  ELSIF p_source = 'order_event' THEN
    -- The device and network of an opening; the rest of an order's history names nobody.
    UPDATE reveal_receipt r SET device = '█', network = '█' FROM order_event e
     WHERE r.shop_id = p_shop AND r.order_id = p_order AND e.shop_id = p_shop AND e.order_id = p_order
       AND e.event_id = p_source_id AND e.kind = 'opened' AND r.first_at = e.at
       AND r.pos = ANY (string_to_array(e.reason, ',')::int[]);
  END IF;
  RETURN FOUND;
END $$;
REVOKE ALL ON FUNCTION erase_words_v1(bigint, bigint, text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erase_words_v1(bigint, bigint, text, bigint) TO kabao_app;

GRANT UPDATE (log_position) ON order_event, case_event, message, evidence_item, evidence_mask, case_fact TO kabao_app;
GRANT SELECT, INSERT ON record_erasure TO kabao_app;
GRANT UPDATE (log_position) ON record_erasure TO kabao_app;
GRANT SELECT ON record_erasure TO kabao_audit;

-- Up to which position of the log receipts have been mailed; one row.
CREATE TABLE receipt_mail (
  is_only  boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  position bigint NOT NULL CHECK (position >= 0)
);
INSERT INTO receipt_mail (position) VALUES (0);
GRANT SELECT ON receipt_mail TO kabao_app, kabao_audit;
GRANT UPDATE (position) ON receipt_mail TO kabao_app;
