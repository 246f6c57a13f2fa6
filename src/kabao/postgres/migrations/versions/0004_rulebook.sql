-- The versions of the rulebook: a text once kept never changes; a draft may be published, with notice, once.

CREATE TABLE rulebook_version (
  version      text PRIMARY KEY CHECK (length(version) BETWEEN 1 AND 40),
  body         text NOT NULL,
  digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
  is_major     boolean NOT NULL,
  kept_at      timestamptz NOT NULL,
  published_at timestamptz,
  effective_at timestamptz,
  CHECK ((published_at IS NULL) = (effective_at IS NULL)),
  CHECK (effective_at >= published_at)
);
CREATE UNIQUE INDEX rulebook_version_effective ON rulebook_version (effective_at) WHERE effective_at IS NOT NULL;

-- What a party or support says of a fact of a case, with the file that shows it. Nothing said is ever taken out.
CREATE TABLE case_fact (
  shop_id    bigint NOT NULL,
  case_id    bigint NOT NULL,
  said_id    bigint NOT NULL,
  fact       text NOT NULL CHECK (fact ~ '^[a-z][a-z0-9_]{0,47}$'),
  shows      boolean NOT NULL,
  kind       text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{0,47}$'),
  confidence int NOT NULL CHECK (confidence BETWEEN 1 AND 100),
  by_id      bigint NOT NULL,
  by_role    text NOT NULL CHECK (by_role IN ('buyer', 'merchant', 'support')),
  item_id    bigint,
  note       text NOT NULL CHECK (length(note) <= 500),
  at         timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id, said_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases
);

GRANT SELECT, INSERT ON case_fact TO kabao_app;
GRANT SELECT ON case_fact TO kabao_audit;
GRANT SELECT, INSERT ON rulebook_version TO kabao_app;
GRANT UPDATE (published_at, effective_at) ON rulebook_version TO kabao_app;
GRANT SELECT ON rulebook_version TO kabao_audit;
