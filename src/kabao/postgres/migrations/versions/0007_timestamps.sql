-- What is to be timestamped, and one line for each authority's stamp of it. A stamp once stored is never changed.

CREATE TABLE timestamp_data (
  digest    bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
  data      bytea NOT NULL CHECK (octet_length(data) BETWEEN 1 AND 65536),
  subject   text NOT NULL CHECK (length(subject) BETWEEN 1 AND 200),
  wanted_at timestamptz NOT NULL,
  renew_at  timestamptz
);
CREATE INDEX timestamp_data_renewal ON timestamp_data (renew_at) WHERE renew_at IS NOT NULL;

CREATE TABLE timestamp_roots (
  digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
  pem    bytea NOT NULL CHECK (octet_length(pem) BETWEEN 1 AND 65536)
);

CREATE TABLE timestamp_request (
  digest     bytea NOT NULL REFERENCES timestamp_data,
  authority  text NOT NULL CHECK (authority ~ '^[a-z0-9][a-z0-9-]{0,29}$'),
  round      int NOT NULL CHECK (round > 0),
  state      text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'stamped', 'refused')),
  wanted_at  timestamptz NOT NULL,
  attempts   int NOT NULL DEFAULT 0,
  next_at    timestamptz,
  last_fault text CHECK (length(last_fault) <= 40),
  last_error text CHECK (length(last_error) <= 200),
  response   bytea CHECK (octet_length(response) BETWEEN 1 AND 65536),
  stamped_at timestamptz,
  serial     text,
  expires_at timestamptz,
  roots      bytea REFERENCES timestamp_roots,
  PRIMARY KEY (digest, authority, round),
  CHECK ((state = 'waiting') = (next_at IS NOT NULL)),
  CHECK ((state = 'stamped') = (response IS NOT NULL)),
  CHECK (num_nulls(response, stamped_at, serial, expires_at, roots) IN (0, 5))
);
CREATE INDEX timestamp_request_due ON timestamp_request (authority, next_at, digest) WHERE state = 'waiting';

-- How each authority behaved last. A failing one is left in peace, ever longer, whatever waits for it.
CREATE TABLE timestamp_authority (
  name          text PRIMARY KEY CHECK (name ~ '^[a-z0-9][a-z0-9-]{0,29}$'),
  failures      int NOT NULL DEFAULT 0,
  resting_until timestamptz,
  last_fault    text CHECK (length(last_fault) <= 40),
  last_error    text CHECK (length(last_error) <= 200),
  answered_at   timestamptz
);

GRANT SELECT, INSERT ON timestamp_data, timestamp_roots, timestamp_request TO kabao_app;
GRANT SELECT, INSERT, UPDATE ON timestamp_authority TO kabao_app;
GRANT UPDATE (renew_at) ON timestamp_data TO kabao_app;
GRANT UPDATE (state, attempts, next_at, last_fault, last_error, response, stamped_at, serial, expires_at, roots)
  ON timestamp_request TO kabao_app;
GRANT SELECT ON timestamp_data, timestamp_roots, timestamp_request, timestamp_authority TO kabao_audit;
