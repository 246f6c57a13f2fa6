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

ALTER TABLE ruling ADD COLUMN rulebook_version text REFERENCES rulebook_version;
ALTER TABLE ruling ADD COLUMN decision jsonb;

GRANT SELECT, INSERT ON rulebook_version TO kabao_app;
GRANT UPDATE (published_at, effective_at) ON rulebook_version TO kabao_app;
GRANT SELECT ON rulebook_version TO kabao_audit;
