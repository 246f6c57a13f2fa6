-- Webhooks: where a shop's programs hear of its orders and cases, and every message that was sent there.

-- The secrets that sign are made from the server's key, the endpoint and its generation; none is stored. since: from when
-- on events go there. resting_until: nothing is tried before, because nobody answered.
CREATE TABLE webhook_endpoint (
  shop_id        bigint NOT NULL REFERENCES shop,
  endpoint_id    bigint NOT NULL,
  url            text NOT NULL CHECK (length(url) BETWEEN 12 AND 500),
  state          text NOT NULL DEFAULT 'on' CHECK (state IN ('on', 'off', 'failed')),
  since          timestamptz NOT NULL,
  generation     int NOT NULL DEFAULT 1,
  previous_until timestamptz,
  failures       int NOT NULL DEFAULT 0,
  failing_since  timestamptz,
  resting_until  timestamptz,
  made_at        timestamptz NOT NULL,
  PRIMARY KEY (shop_id, endpoint_id),
  CONSTRAINT webhook_endpoint_url_once UNIQUE (shop_id, url)
);
CREATE INDEX webhook_endpoint_on ON webhook_endpoint (shop_id, endpoint_id) WHERE state = 'on';

-- event: what makes a message the same one however often it is read from the history. number: its place in the history
-- of its order or case.
CREATE TABLE webhook_delivery (
  shop_id     bigint NOT NULL,
  endpoint_id bigint NOT NULL,
  delivery_id bigint GENERATED ALWAYS AS IDENTITY,
  event       text NOT NULL CHECK (length(event) <= 40),
  kind        text NOT NULL CHECK (length(kind) <= 60),
  order_id    bigint,
  case_id     bigint,
  number      int NOT NULL,
  standing    text,
  answer_by   timestamptz,
  at          timestamptz NOT NULL,
  state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'failed', 'dropped')),
  attempt     int NOT NULL DEFAULT 0,
  due_at      timestamptz NOT NULL,
  lease_until timestamptz,
  status      int,
  last_error  text CHECK (length(last_error) <= 200),
  ended_at    timestamptz,
  PRIMARY KEY (shop_id, endpoint_id, delivery_id),
  CONSTRAINT webhook_delivery_once UNIQUE (shop_id, endpoint_id, event),
  FOREIGN KEY (shop_id, endpoint_id) REFERENCES webhook_endpoint ON DELETE CASCADE,
  CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (shop_id, endpoint_id, due_at, delivery_id) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_ended ON webhook_delivery (ended_at) WHERE state <> 'waiting';
-- As for orders: events are only added, in the order of time.
CREATE INDEX case_event_at ON case_event USING brin (at) WITH (pages_per_range = 16, autosummarize = on);

GRANT SELECT, INSERT, UPDATE, DELETE ON webhook_endpoint, webhook_delivery TO kabao_app;
GRANT SELECT (shop_id, endpoint_id, state, since, generation, previous_until, failures, failing_since, resting_until, made_at)
  ON webhook_endpoint TO kabao_audit;
GRANT SELECT ON webhook_delivery TO kabao_audit;
