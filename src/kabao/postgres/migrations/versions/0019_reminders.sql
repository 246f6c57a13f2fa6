-- Reminders before a time limit passes, hours in which nobody is woken, and the daily letter to those who decide cases.

-- What was told of which deadline: at most once a case, deadline and mark. A deadline that moved is another one.
CREATE TABLE case_reminder (
  shop_id bigint NOT NULL,
  case_id bigint NOT NULL,
  due_at  timestamptz NOT NULL,
  mark    text NOT NULL CHECK (mark IN ('day', 'soon', 'asked_buyer', 'asked_merchant')),
  told_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id, due_at, mark),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases
);
CREATE INDEX case_question_open ON case_question (asked_at, shop_id, case_id) WHERE answered_at IS NULL;

-- Minutes of the day by the clock of the zone; from after to: over midnight.
CREATE TABLE quiet_hours (
  account_id  bigint PRIMARY KEY REFERENCES account,
  from_minute int NOT NULL CHECK (from_minute BETWEEN 0 AND 1439),
  to_minute   int NOT NULL CHECK (to_minute BETWEEN 0 AND 1439),
  zone        text NOT NULL CHECK (length(zone) BETWEEN 1 AND 40),
  changed_at  timestamptz NOT NULL,
  CONSTRAINT quiet_hours_some CHECK (from_minute <> to_minute)
);

CREATE TABLE staff_digest (
  account_id bigint NOT NULL REFERENCES account,
  day        date NOT NULL,
  made_at    timestamptz NOT NULL,
  PRIMARY KEY (account_id, day)
);

ALTER TABLE mail_choice DROP CONSTRAINT mail_choice_topic_check, ADD CONSTRAINT mail_choice_topic_check
  CHECK (topic IN ('orders', 'cases', 'receipts', 'reminders', 'digest'));
ALTER TABLE mail DROP CONSTRAINT mail_topic_check, ADD CONSTRAINT mail_topic_check
  CHECK (topic IN ('orders', 'cases', 'receipts', 'reminders', 'digest'));

GRANT SELECT, INSERT ON case_reminder, staff_digest TO kabao_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON quiet_hours TO kabao_app;
GRANT SELECT ON case_reminder, quiet_hours, staff_digest TO kabao_audit;
