-- The ladder above support: the panel, a ruling that waits for its review before money moves, the review itself. Pauses,
-- questions, first views, seats, votes, waivers and submitted rulings each have rows of their own.

-- ---------------------------------------------------------------- roles

ALTER TABLE account_role DROP CONSTRAINT account_role_role_check, ADD CONSTRAINT account_role_role_check
  CHECK (role IN ('buyer', 'merchant', 'support', 'panel', 'duty', 'operator'));
ALTER TABLE api_token DROP CONSTRAINT api_token_role_check, ADD CONSTRAINT api_token_role_check
  CHECK (role IN ('buyer', 'merchant', 'support', 'panel', 'duty', 'operator'));
CREATE INDEX account_role_by_role ON account_role (role, account_id) WHERE role IN ('panel', 'duty');

-- ---------------------------------------------------------------- stages

ALTER TABLE cases DROP CONSTRAINT cases_check, DROP CONSTRAINT cases_turn_check, DROP CONSTRAINT cases_rose_why_check;

INSERT INTO case_step (previous, stage) VALUES
  ('negotiation', 'ruled_open'), ('support', 'panel'), ('support', 'ruled_open'),
  ('panel', 'settled'), ('panel', 'withdrawn'), ('panel', 'ruled_open'),
  ('ruled_open', 'review'), ('ruled_open', 'executed'), ('review', 'executed');

-- A ruling used to be carried out the moment it was made.
UPDATE cases SET previous = 'ruled_open', stage = 'executed' WHERE stage = 'ruled';
DELETE FROM case_step WHERE stage = 'ruled';

-- windows: the times and amounts of the rulebook that binds the case, fixed when it was opened.
ALTER TABLE cases
  ADD COLUMN windows jsonb NOT NULL DEFAULT '{}',
  ADD CONSTRAINT cases_closed_at_its_end
    CHECK ((stage IN ('settled', 'withdrawn', 'executed')) = (closed_at IS NOT NULL)),
  ADD CONSTRAINT cases_turn_known CHECK (turn IN ('buyer', 'merchant', 'support', 'panel', 'duty', 'parties', 'nobody')),
  ADD CONSTRAINT cases_rose_why_known CHECK (rose_why IN ('merchant_silent', 'buyer_silent', 'buyer_asked',
    'merchant_asked', 'support_late', 'support_asked'));

-- ---------------------------------------------------------------- questions and pauses

CREATE TABLE case_question (
  shop_id     bigint NOT NULL,
  case_id     bigint NOT NULL,
  question_id bigint NOT NULL,
  stage       text NOT NULL CHECK (stage IN ('support', 'panel', 'review')),
  by_id       bigint NOT NULL,
  by_role     text NOT NULL CHECK (by_role IN ('support', 'panel', 'duty')),
  to_role     text NOT NULL CHECK (to_role IN ('buyer', 'merchant')),
  body        text NOT NULL CHECK (length(body) BETWEEN 1 AND 500),
  asked_at    timestamptz NOT NULL,
  answer      text CHECK (length(answer) BETWEEN 1 AND 2000),
  answered_at timestamptz,
  PRIMARY KEY (shop_id, case_id, question_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases,
  CONSTRAINT case_question_answered CHECK ((answer IS NULL) = (answered_at IS NULL))
);

-- ends_at is set ahead when a pause begins, so that an unanswered question lets the clock run on by itself.
CREATE TABLE case_pause (
  shop_id  bigint NOT NULL,
  case_id  bigint NOT NULL,
  stage    text NOT NULL CHECK (stage IN ('support', 'panel', 'review')),
  began_at timestamptz NOT NULL,
  ends_at  timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id, stage, began_at),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases,
  CHECK (ends_at >= began_at)
);

-- ---------------------------------------------------------------- those who decide

CREATE TABLE first_view (
  shop_id        bigint NOT NULL,
  case_id        bigint NOT NULL,
  stage          text NOT NULL CHECK (stage IN ('support', 'panel', 'review')),
  staff_id       bigint NOT NULL,
  outcome        text NOT NULL CHECK (outcome IN ('full_refund', 'partial_refund', 'no_refund')),
  refund_minor   bigint NOT NULL CHECK (refund_minor >= 0),
  share_buyer    int NOT NULL CHECK (share_buyer >= 0),
  share_merchant int NOT NULL CHECK (share_merchant >= 0),
  share_platform int NOT NULL CHECK (share_platform >= 0),
  sentence       text NOT NULL CHECK (length(sentence) BETWEEN 1 AND 500),
  at             timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id, stage, staff_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases,
  CONSTRAINT first_view_shares_whole CHECK (share_buyer + share_merchant + share_platform = 100)
);

CREATE TABLE panel_seat (
  shop_id      bigint NOT NULL,
  case_id      bigint NOT NULL,
  stage        text NOT NULL CHECK (stage IN ('panel', 'review')),
  seat_no      int NOT NULL,
  panellist_id bigint NOT NULL REFERENCES account,
  drawn_at     timestamptz NOT NULL,
  recused_at   timestamptz,
  recused_why  text CHECK (length(recused_why) BETWEEN 1 AND 500),
  PRIMARY KEY (shop_id, case_id, stage, seat_no),
  CONSTRAINT panel_seat_once UNIQUE (shop_id, case_id, panellist_id, stage),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases,
  CHECK ((recused_at IS NULL) = (recused_why IS NULL))
);
CREATE INDEX panel_seat_of ON panel_seat (panellist_id, shop_id, case_id) WHERE recused_at IS NULL;

-- A vote taken back within the moment after the last one makes room for another.
CREATE TABLE panel_vote (
  shop_id        bigint NOT NULL,
  case_id        bigint NOT NULL,
  vote_id        bigint NOT NULL,
  panellist_id   bigint NOT NULL,
  upholds        boolean NOT NULL,
  refund_minor   bigint NOT NULL CHECK (refund_minor >= 0),
  share_buyer    int NOT NULL CHECK (share_buyer >= 0),
  share_merchant int NOT NULL CHECK (share_merchant >= 0),
  share_platform int NOT NULL CHECK (share_platform >= 0),
  facts          text NOT NULL CHECK (length(facts) BETWEEN 1 AND 4000),
  reasons        text NOT NULL CHECK (length(reasons) BETWEEN 1 AND 4000),
  differs_reason text NOT NULL CHECK (length(differs_reason) <= 4000),
  at             timestamptz NOT NULL,
  taken_back_at  timestamptz,
  PRIMARY KEY (shop_id, case_id, vote_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases,
  CONSTRAINT panel_vote_shares_whole CHECK (share_buyer + share_merchant + share_platform = 100)
);
CREATE UNIQUE INDEX panel_vote_once ON panel_vote (shop_id, case_id, panellist_id) WHERE taken_back_at IS NULL;

-- ---------------------------------------------------------------- rulings

-- A case may now have a ruling and the one of its review. Nobody's ruling (staff_id NULL) is one by default of an answer.
ALTER TABLE ruling
  ADD COLUMN ruling_no      int NOT NULL DEFAULT 1,
  ADD COLUMN stage          text NOT NULL DEFAULT 'support' CHECK (stage IN ('support', 'panel', 'review', 'default', 'green')),
  ADD COLUMN by_duty        boolean NOT NULL DEFAULT false,
  ADD COLUMN share_buyer    int,
  ADD COLUMN share_merchant int,
  ADD COLUMN share_platform int,
  ADD COLUMN damages_minor  bigint NOT NULL DEFAULT 0 CHECK (damages_minor >= 0),
  ADD COLUMN payer          text CHECK (payer IN ('buyer', 'merchant', 'platform')),
  ADD COLUMN differs_reason text NOT NULL DEFAULT '' CHECK (length(differs_reason) <= 4000),
  ADD COLUMN dissent        text NOT NULL DEFAULT '',
  ADD CONSTRAINT ruling_shares_whole CHECK (num_nulls(share_buyer, share_merchant, share_platform) IN (0, 3)
    AND share_buyer + share_merchant + share_platform = 100),
  ALTER COLUMN staff_id DROP NOT NULL,
  DROP CONSTRAINT ruling_pkey,
  ADD PRIMARY KEY (shop_id, case_id, ruling_no);
ALTER TABLE ruling ALTER COLUMN ruling_no DROP DEFAULT, ALTER COLUMN stage DROP DEFAULT;
ALTER TABLE case_decision
  ADD COLUMN ruling_no int NOT NULL DEFAULT 1,
  DROP CONSTRAINT case_decision_pkey,
  ADD PRIMARY KEY (shop_id, case_id, ruling_no);
ALTER TABLE case_decision ALTER COLUMN ruling_no DROP DEFAULT;

-- A ruling as handed in, with what the rulebook said beside it. Nobody but its author sees it before visible_at; then it
-- is published (copied to ruling), or it has been taken back or has lapsed because the parties settled meanwhile.
CREATE TABLE ruling_submission (
  shop_id          bigint NOT NULL,
  case_id          bigint NOT NULL,
  submission_id    bigint NOT NULL,
  staff_id         bigint,
  stage            text NOT NULL CHECK (stage IN ('support', 'panel', 'review', 'default')),
  by_duty          boolean NOT NULL,
  outcome          text NOT NULL CHECK (outcome IN ('full_refund', 'partial_refund', 'no_refund')),
  refund_minor     bigint NOT NULL CHECK (refund_minor >= 0),
  share_buyer      int NOT NULL CHECK (share_buyer >= 0),
  share_merchant   int NOT NULL CHECK (share_merchant >= 0),
  share_platform   int NOT NULL CHECK (share_platform >= 0),
  facts            text NOT NULL CHECK (length(facts) BETWEEN 1 AND 4000),
  reasons          text NOT NULL CHECK (length(reasons) BETWEEN 1 AND 4000),
  differs_reason   text NOT NULL CHECK (length(differs_reason) <= 4000),
  dissent          text NOT NULL,
  rulebook_version text REFERENCES rulebook_version,
  case_file        text,
  decision         text,
  submitted_at     timestamptz NOT NULL,
  visible_at       timestamptz NOT NULL,
  ended_at         timestamptz,
  ended_as         text CHECK (ended_as IN ('published', 'taken_back', 'lapsed')),
  PRIMARY KEY (shop_id, case_id, submission_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases,
  CONSTRAINT ruling_submission_shares_whole CHECK (share_buyer + share_merchant + share_platform = 100),
  CHECK (num_nulls(case_file, decision) IN (0, 2)),
  CHECK ((ended_at IS NULL) = (ended_as IS NULL))
);
CREATE UNIQUE INDEX ruling_submission_one_pending ON ruling_submission (shop_id, case_id) WHERE ended_at IS NULL;
CREATE INDEX ruling_submission_due ON ruling_submission (visible_at, shop_id, case_id) WHERE ended_at IS NULL;

-- ---------------------------------------------------------------- review and waiver

CREATE TABLE case_review (
  shop_id   bigint NOT NULL,
  case_id   bigint NOT NULL,
  ruling_no int NOT NULL,
  by_role   text NOT NULL CHECK (by_role IN ('buyer', 'merchant')),
  by_id     bigint NOT NULL,
  reason    text NOT NULL CHECK (length(reason) BETWEEN 1 AND 2000),
  asked_at  timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id),
  FOREIGN KEY (shop_id, case_id, ruling_no) REFERENCES ruling
);

CREATE TABLE case_waiver (
  shop_id   bigint NOT NULL,
  case_id   bigint NOT NULL,
  ruling_no int NOT NULL,
  by_role   text NOT NULL CHECK (by_role IN ('buyer', 'merchant')),
  by_id     bigint NOT NULL,
  at        timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id, ruling_no, by_role),
  FOREIGN KEY (shop_id, case_id, ruling_no) REFERENCES ruling
);

-- ---------------------------------------------------------------- rights

GRANT SELECT, INSERT ON case_question, case_pause, first_view, panel_seat, panel_vote, ruling_submission, case_review,
  case_waiver TO kabao_app;
GRANT UPDATE (answer, answered_at) ON case_question TO kabao_app;
GRANT UPDATE (ends_at) ON case_pause TO kabao_app;
GRANT UPDATE (recused_at, recused_why) ON panel_seat TO kabao_app;
GRANT UPDATE (taken_back_at) ON panel_vote TO kabao_app;
GRANT UPDATE (ended_at, ended_as) ON ruling_submission TO kabao_app;
GRANT SELECT ON case_question, case_pause, first_view, panel_seat, panel_vote, ruling_submission, case_review, case_waiver
  TO kabao_audit;
