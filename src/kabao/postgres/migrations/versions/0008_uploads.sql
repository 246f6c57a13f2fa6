-- Evidence by chunk, recordings, links, what files say of themselves, blacked-out previews, holds and erasure.

ALTER TABLE evidence_item
  ADD COLUMN kind      text NOT NULL DEFAULT 'file' CHECK (kind IN ('file', 'link', 'recording')),
  ADD COLUMN link      text NOT NULL DEFAULT '' CHECK (length(link) <= 2000),
  ADD COLUMN hints     jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN facts     jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN recording jsonb,
  ADD COLUMN upload_id bigint;
CREATE UNIQUE INDEX evidence_item_of_upload ON evidence_item (shop_id, order_id, upload_id);
-- Asked before a blob is removed: the same bytes may be evidence of another order.
CREATE INDEX evidence_item_by_digest ON evidence_item (digest);
-- What one account handed in within a day, over all its orders.
CREATE INDEX evidence_item_of_giver ON evidence_item (given_by, at) INCLUDE (byte_size);
CREATE INDEX evidence_item_by_preview ON evidence_item (preview_digest) WHERE preview_digest IS NOT NULL;

CREATE TABLE evidence_upload (
  shop_id      bigint NOT NULL,
  order_id     bigint NOT NULL,
  upload_id    bigint NOT NULL,
  case_id      bigint,
  kind         text NOT NULL CHECK (kind IN ('file', 'recording')),
  file_name    text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 120),
  byte_size    bigint NOT NULL CHECK (byte_size >= 0),
  chunk_bytes  int NOT NULL CHECK (chunk_bytes > 0),
  not_before   bytea NOT NULL,
  given_by     bigint NOT NULL,
  given_role   text NOT NULL CHECK (given_role IN ('buyer', 'merchant', 'support')),
  opened_at    timestamptz NOT NULL,
  touched_at   timestamptz NOT NULL,
  state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'finished', 'abandoned')),
  item_id      bigint,
  is_cleared   boolean NOT NULL DEFAULT false,
  PRIMARY KEY (shop_id, order_id, upload_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders,
  CHECK ((state = 'finished') = (item_id IS NOT NULL)),
  CHECK (NOT is_cleared OR state <> 'open')
);
CREATE INDEX evidence_upload_of_giver ON evidence_upload (given_by) INCLUDE (byte_size) WHERE state = 'open';
CREATE INDEX evidence_upload_due ON evidence_upload (touched_at, shop_id, order_id, upload_id) WHERE NOT is_cleared;

-- What arrived stays told: for a recording the chain is proof, for a file it costs little.
CREATE TABLE evidence_chunk (
  shop_id     bigint NOT NULL,
  order_id    bigint NOT NULL,
  upload_id   bigint NOT NULL,
  seq         int NOT NULL CHECK (seq BETWEEN 1 AND 100000),
  digest      bytea NOT NULL CHECK (octet_length(digest) = 32),
  byte_size   int NOT NULL CHECK (byte_size > 0),
  head        bytea CHECK (octet_length(head) = 32),
  received_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, order_id, upload_id, seq),
  FOREIGN KEY (shop_id, order_id, upload_id) REFERENCES evidence_upload
);

CREATE TABLE evidence_mask (
  shop_id        bigint NOT NULL,
  order_id       bigint NOT NULL,
  item_id        bigint NOT NULL,
  mask_no        int NOT NULL CHECK (mask_no BETWEEN 1 AND 50),
  preview_digest bytea NOT NULL CHECK (octet_length(preview_digest) = 32),
  marks          jsonb NOT NULL,
  by_id          bigint NOT NULL,
  at             timestamptz NOT NULL,
  PRIMARY KEY (shop_id, order_id, item_id, mask_no),
  FOREIGN KEY (shop_id, order_id, item_id) REFERENCES evidence_item
);
CREATE INDEX evidence_mask_by_preview ON evidence_mask (preview_digest);

-- While one stands, nothing of the order is removed for its age. It has no end until it is lifted.
CREATE TABLE evidence_hold (
  shop_id   bigint NOT NULL,
  order_id  bigint NOT NULL,
  hold_id   bigint NOT NULL,
  reason    text NOT NULL CHECK (length(reason) BETWEEN 1 AND 500),
  set_by    bigint NOT NULL,
  set_at    timestamptz NOT NULL,
  lifted_by bigint,
  lifted_at timestamptz,
  PRIMARY KEY (shop_id, order_id, hold_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders,
  CHECK ((lifted_by IS NULL) = (lifted_at IS NULL))
);
CREATE INDEX evidence_hold_standing ON evidence_hold (shop_id, order_id) WHERE lifted_at IS NULL;

-- The tombstone of an item: its digest and number stay in evidence_item, the bytes and the words go.
CREATE TABLE evidence_erasure (
  shop_id    bigint NOT NULL,
  order_id   bigint NOT NULL,
  item_id    bigint NOT NULL,
  why        text NOT NULL CHECK (why IN ('retention', 'personal_data')),
  by_id      bigint,
  at         timestamptz NOT NULL,
  is_cleared boolean NOT NULL DEFAULT false,
  PRIMARY KEY (shop_id, order_id, item_id),
  FOREIGN KEY (shop_id, order_id, item_id) REFERENCES evidence_item
);
CREATE INDEX evidence_erasure_due ON evidence_erasure (at, shop_id, order_id, item_id) WHERE NOT is_cleared;

-- The application may not change an item; this one change, and nothing else, is done for it by the owner.
CREATE FUNCTION erase_evidence_v1(p_shop bigint, p_order bigint, p_item bigint, p_why text, p_by bigint, p_at timestamptz)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  INSERT INTO public.evidence_erasure (shop_id, order_id, item_id, why, by_id, at)
  SELECT i.shop_id, i.order_id, i.item_id, p_why, p_by, coalesce(p_at, now())
    FROM public.evidence_item i WHERE i.shop_id = p_shop AND i.order_id = p_order AND i.item_id = p_item
  ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RETURN false;
  END IF;
  UPDATE public.evidence_item SET file_name = '已删除', link = '', hints = '{}', facts = '{}'
   WHERE shop_id = p_shop AND order_id = p_order AND item_id = p_item;
  UPDATE public.evidence_upload SET file_name = '已删除'
   WHERE shop_id = p_shop AND order_id = p_order AND item_id = p_item;
  RETURN true;
END $$;
REVOKE ALL ON FUNCTION erase_evidence_v1(bigint, bigint, bigint, text, bigint, timestamptz) FROM PUBLIC;

GRANT EXECUTE ON FUNCTION erase_evidence_v1(bigint, bigint, bigint, text, bigint, timestamptz) TO kabao_app;
GRANT SELECT, INSERT ON evidence_upload, evidence_chunk, evidence_mask, evidence_hold TO kabao_app;
GRANT SELECT ON evidence_erasure TO kabao_app;
GRANT UPDATE (state, item_id, touched_at, is_cleared) ON evidence_upload TO kabao_app;
GRANT UPDATE (lifted_by, lifted_at) ON evidence_hold TO kabao_app;
GRANT UPDATE (is_cleared) ON evidence_erasure TO kabao_app;
GRANT SELECT ON evidence_upload, evidence_chunk, evidence_mask, evidence_hold, evidence_erasure TO kabao_audit;
