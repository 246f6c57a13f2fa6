-- Purchases made elsewhere that a person saved. Everything told is in sealed, encrypted under a key of this case alone,
-- which wrapped_key holds, itself encrypted under the server's key: with the row goes the key. remind_at is when the next
-- day of the case has to be told, which is all that stands in the clear.
CREATE TABLE help_case (
  account_id  bigint NOT NULL REFERENCES account,
  case_id     bigint NOT NULL,
  version     integer NOT NULL CONSTRAINT help_case_version CHECK (version > 0),
  wrapped_key bytea NOT NULL CONSTRAINT help_case_key CHECK (octet_length(wrapped_key) = 60),
  sealed      bytea NOT NULL CONSTRAINT help_case_room CHECK (octet_length(sealed) <= 1048576),
  made_at     timestamptz NOT NULL,
  saved_at    timestamptz NOT NULL,
  remind_at   timestamptz,
  PRIMARY KEY (account_id, case_id)
);
CREATE INDEX help_case_remind ON help_case (remind_at) WHERE remind_at IS NOT NULL;

-- Files of such a case: blob names what lies in the blob store, encrypted under the case's key.
CREATE TABLE help_file (
  account_id bigint NOT NULL,
  case_id    bigint NOT NULL,
  file_id    bigint NOT NULL,
  blob       bytea NOT NULL CONSTRAINT help_file_blob CHECK (octet_length(blob) = 32),
  blob_size  bigint NOT NULL CONSTRAINT help_file_size CHECK (blob_size > 0),
  given_at   timestamptz NOT NULL,
  PRIMARY KEY (account_id, case_id, file_id),
  FOREIGN KEY (account_id, case_id) REFERENCES help_case
);

-- How cases ended whose people allowed it to be counted: a month and a word, of nobody.
CREATE TABLE help_outcome (
  outcome_id bigint PRIMARY KEY,
  month      date NOT NULL CONSTRAINT help_outcome_month CHECK (extract(day FROM month) = 1),
  ending     text NOT NULL CONSTRAINT help_outcome_ending
             CHECK (ending IN ('refunded', 'partly', 'replaced', 'refused', 'stopped'))
);

GRANT SELECT, INSERT, UPDATE, DELETE ON help_case TO kabao_app;
GRANT SELECT, INSERT, DELETE ON help_file TO kabao_app;
GRANT SELECT, INSERT ON help_outcome TO kabao_app;
