-- Which channels beside mail an account has switched on; no row: off.
CREATE TABLE short_choice (
  account_id bigint NOT NULL REFERENCES account,
  channel    text NOT NULL CHECK (channel IN ('sms', 'wechat')),
  is_on      boolean NOT NULL,
  changed_at timestamptz NOT NULL,
  PRIMARY KEY (account_id, channel)
);

-- The phone is looked up as a message goes out; one that ended is deleted after seven days.
CREATE TABLE short_message (
  account_id  bigint NOT NULL REFERENCES account,
  message_id  bigint NOT NULL,
  channel     text NOT NULL CHECK (channel IN ('sms', 'wechat')),
  kind        text NOT NULL CHECK (length(kind) BETWEEN 1 AND 40),
  subject     text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
  link        text NOT NULL CHECK (length(link) BETWEEN 1 AND 300),
  state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'sent', 'dropped', 'failed')),
  attempt     int NOT NULL DEFAULT 0,
  due_at      timestamptz NOT NULL,
  lease_until timestamptz,
  last_error  text CHECK (length(last_error) <= 200),
  made_at     timestamptz NOT NULL,
  ended_at    timestamptz,
  PRIMARY KEY (account_id, message_id),
  CHECK ((state = 'waiting') = (ended_at IS NULL))
);
CREATE INDEX short_message_due ON short_message (channel, due_at, account_id, message_id) WHERE state = 'waiting';
CREATE INDEX short_message_ended ON short_message (ended_at) WHERE state <> 'waiting';
CREATE INDEX short_of_account ON short_message (account_id, channel, made_at);

GRANT SELECT, INSERT ON short_choice, short_message TO kabao_app;
GRANT UPDATE (is_on, changed_at) ON short_choice TO kabao_app;
GRANT UPDATE (state, attempt, due_at, lease_until, last_error, ended_at) ON short_message TO kabao_app;
GRANT DELETE ON short_message TO kabao_app;
GRANT SELECT ON short_choice TO kabao_audit;
GRANT SELECT (account_id, message_id, channel, kind, state, attempt, due_at, lease_until, last_error, made_at, ended_at)
  ON short_message TO kabao_audit;
