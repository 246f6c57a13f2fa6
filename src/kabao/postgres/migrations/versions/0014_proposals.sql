-- Proposals to change the rules: from people, and from cases that were decided against a clause. Few, and about rules
-- that all shops share, so it is one small table. What was written is kept; what the public reads is a copy that the
-- rulekeeper put up.
CREATE TABLE rule_proposal (
  proposal_id bigint PRIMARY KEY,
  shop_id     bigint,
  case_id     bigint,
  by_id       bigint REFERENCES account,
  article     text CHECK (length(article) <= 80),
  clause      text NOT NULL CHECK (length(clause) BETWEEN 1 AND 1000),
  suggestion  text NOT NULL CHECK (length(suggestion) BETWEEN 1 AND 1000),
  reason      text NOT NULL CHECK (length(reason) BETWEEN 1 AND 1000),
  filed_at    timestamptz NOT NULL,
  shown_at    timestamptz,
  shown_clause     text CHECK (length(shown_clause) BETWEEN 1 AND 1000),
  shown_suggestion text CHECK (length(shown_suggestion) BETWEEN 1 AND 1000),
  shown_reason     text CHECK (length(shown_reason) BETWEEN 1 AND 1000),
  state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'taken_up', 'declined')),
  version     text REFERENCES rulebook_version,
  answer      text CHECK (length(answer) BETWEEN 1 AND 1000),
  answered_at timestamptz,
  CONSTRAINT rule_proposal_of_case UNIQUE (shop_id, case_id),
  CONSTRAINT rule_proposal_from CHECK ((by_id IS NULL) = (case_id IS NOT NULL) AND (shop_id IS NULL) = (case_id IS NULL)),
  CONSTRAINT rule_proposal_shown CHECK (num_nulls(shown_at, shown_clause, shown_suggestion, shown_reason) IN (0, 4)),
  CONSTRAINT rule_proposal_answered CHECK ((state = 'open') = (answered_at IS NULL)),
  CONSTRAINT rule_proposal_taken_up CHECK ((state = 'taken_up') = (version IS NOT NULL)),
  CONSTRAINT rule_proposal_declined CHECK ((state = 'declined') = (answer IS NOT NULL))
);
CREATE INDEX rule_proposal_shown_at ON rule_proposal (shown_at DESC) WHERE shown_at IS NOT NULL;
CREATE INDEX rule_proposal_by ON rule_proposal (by_id, proposal_id DESC) WHERE by_id IS NOT NULL;

GRANT SELECT, INSERT ON rule_proposal TO kabao_app;
GRANT UPDATE (shown_at, shown_clause, shown_suggestion, shown_reason, state, version, answer, answered_at)
  ON rule_proposal TO kabao_app;
GRANT SELECT ON rule_proposal TO kabao_audit;
