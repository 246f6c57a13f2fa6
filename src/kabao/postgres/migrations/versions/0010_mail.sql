-- E-mail: addresses that were confirmed, what is to be sent, who wants what, and the merchants' digest.

-- An address nobody confirmed was never written to and is not kept.
UPDATE account SET email = NULL WHERE email IS NOT NULL;
ALTER TABLE account
  ADD COLUMN email_confirmed_at timestamptz,
  ADD COLUMN email_failed_at timestamptz,
  ADD CONSTRAINT account_email_confirmed CHECK ((email IS NULL) = (email_confirmed_at IS NULL)),
  ADD CONSTRAINT account_email_failed CHECK (email_failed_at IS NULL OR email IS NOT NULL);

CREATE TABLE email_code (
  account_id bigint PRIMARY KEY REFERENCES account,
  email      text NOT NULL CHECK (length(email) <= 254),
  code_hash  bytea NOT NULL,
  attempts   int NOT NULL DEFAULT 0,
  sent_at    timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);

-- No row: the topic is wanted.
CREATE TABLE mail_choice (
  account_id bigint NOT NULL REFERENCES account,
  topic      text NOT NULL CHECK (topic IN ('orders', 'cases', 'receipts')),
  is_on      boolean NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, topic)
);

-- The address is looked up as a letter goes out, so that none goes to one that was given up meanwhile.
CREATE TABLE mail (
  account_id  bigint NOT NULL REFERENCES account,
  mail_id     bigint NOT NULL,
  kind        text NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
  topic       text NOT NULL CHECK (topic IN ('orders', 'cases', 'receipts')),
  subject     text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
  body        text CHECK (octet_length(body) <= 65536),
  attachments jsonb NOT NULL DEFAULT '[]',
  state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dropped', 'failed')),
  attempt     int NOT NULL DEFAULT 0,
  due_at      timestamptz NOT NULL,
  lease_until timestamptz,
  last_error  text CHECK (length(last_error) <= 200),
  made_at     timestamptz NOT NULL,
  ended_at    timestamptz,
  PRIMARY KEY (account_id, mail_id),
  CHECK ((state = 'waiting') = (ended_at IS NULL)),
  CHECK (state <> 'waiting' OR body IS NOT NULL)
);
CREATE INDEX mail_due ON mail (due_at, account_id, mail_id) WHERE state = 'waiting';
CREATE INDEX mail_to_empty ON mail (ended_at) WHERE body IS NOT NULL AND state <> 'waiting';

-- How far the merchants' digest has read the history of orders, and what it still has to tell.
CREATE TABLE digest_cursor (
  name       text PRIMARY KEY,
  read_until timestamptz NOT NULL
);
CREATE TABLE merchant_tally (
  shop_id      bigint NOT NULL REFERENCES shop,
  kind         text NOT NULL CHECK (kind IN ('sale', 'payout')),
  orders       int NOT NULL CHECK (orders >= 0),
  amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
  order_id     bigint NOT NULL,
  told_at      timestamptz,
  PRIMARY KEY (shop_id, kind)
);
CREATE INDEX merchant_tally_untold ON merchant_tally (told_at) WHERE orders > 0;
-- Events are only added, in the order of time: a block range index finds the latest and costs a step next to nothing.
CREATE INDEX order_event_at ON order_event USING brin (at) WITH (pages_per_range = 16, autosummarize = on);

GRANT SELECT, INSERT, UPDATE, DELETE ON email_code TO kabao_app;
GRANT SELECT, INSERT ON mail_choice, mail, digest_cursor, merchant_tally TO kabao_app;
GRANT UPDATE (is_on, changed_at) ON mail_choice TO kabao_app;
GRANT UPDATE (state, attempt, due_at, lease_until, last_error, ended_at, body, attachments) ON mail TO kabao_app;
GRANT UPDATE (read_until) ON digest_cursor TO kabao_app;
GRANT UPDATE (orders, amount_minor, order_id, told_at) ON merchant_tally TO kabao_app;
GRANT SELECT ON mail_choice, digest_cursor, merchant_tally TO kabao_audit;
GRANT SELECT (account_id, mail_id, kind, topic, state, attempt, due_at, lease_until, last_error, made_at, ended_at)
  ON mail TO kabao_audit;
