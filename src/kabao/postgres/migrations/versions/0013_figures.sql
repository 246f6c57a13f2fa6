-- The public case library: of a ruled case only what names nobody, with a random address of its own. It is one small
-- table for all shops, searched over all of them, so it points at its case without a foreign key.
CREATE TABLE precedent (
  public_id        text PRIMARY KEY CHECK (public_id ~ '^[0-9a-f]{12}$'),
  shop_id          bigint NOT NULL,
  case_id          bigint NOT NULL,
  quarter          text NOT NULL CHECK (quarter ~ '^[0-9]{4}-Q[1-4]$'),
  rulebook_version text NOT NULL REFERENCES rulebook_version,
  claim            text NOT NULL,
  category         text NOT NULL,
  facts            text[] NOT NULL,
  articles         text[] NOT NULL,
  stage            text NOT NULL,
  outcome          text NOT NULL CHECK (outcome IN ('full_refund', 'partial_refund', 'no_refund')),
  differs          boolean NOT NULL,
  share_buyer      int NOT NULL,
  share_merchant   int NOT NULL,
  share_platform   int NOT NULL,
  price_band       int NOT NULL,
  refund_band      int NOT NULL,
  summary          text CHECK (length(summary) BETWEEN 1 AND 1000),
  summary_by       bigint,
  summary_at       timestamptz,
  CONSTRAINT precedent_once UNIQUE (shop_id, case_id),
  CONSTRAINT precedent_summary_whole CHECK (num_nulls(summary, summary_by, summary_at) IN (0, 3))
);
CREATE INDEX precedent_by_quarter ON precedent (quarter DESC, public_id);
CREATE INDEX precedent_by_claim ON precedent (claim, quarter DESC, public_id);
CREATE INDEX precedent_facts ON precedent USING gin (facts);

-- The latest closed cases of a claim, for how similar cases ended; and those carried out, for the library.
CREATE INDEX cases_closed_of_claim ON cases (claim, closed_at DESC) WHERE closed_at IS NOT NULL;
CREATE INDEX cases_executed ON cases (closed_at, shop_id, case_id) WHERE stage = 'executed';

GRANT SELECT, INSERT ON precedent TO kabao_app;
GRANT UPDATE (summary, summary_by, summary_at) ON precedent TO kabao_app;
GRANT SELECT ON precedent TO kabao_audit;
