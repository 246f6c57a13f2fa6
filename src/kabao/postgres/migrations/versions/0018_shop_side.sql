-- What a shop's owner has beside the single case: an inbox by the time left, texts of his own, and cover for the time he
-- is away. None of it moves a deadline.

-- A case without a deadline stands last.
CREATE INDEX cases_open_of_shop ON cases (shop_id, (coalesce(due_at, 'infinity'::timestamptz)), case_id)
  WHERE closed_at IS NULL;
CREATE INDEX cases_ruled_of_shop ON cases (shop_id, case_id) WHERE stage IN ('ruled_open', 'review', 'executed');
CREATE INDEX cases_closed_of_shop ON cases (shop_id, case_id) WHERE closed_at IS NOT NULL;

-- ---------------------------------------------------------------- texts

CREATE TABLE case_template (
  shop_id     bigint NOT NULL REFERENCES shop,
  template_id bigint NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('answer', 'offer')),
  name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
  body        text NOT NULL CHECK (length(body) BETWEEN 1 AND 1000),
  made_at     timestamptz NOT NULL,
  PRIMARY KEY (shop_id, template_id)
);

-- What somebody typed in a case and has not sent: its author's alone, and nothing that anybody audits.
CREATE TABLE say_draft (
  shop_id    bigint NOT NULL,
  case_id    bigint NOT NULL,
  account_id bigint NOT NULL,
  body       text NOT NULL CHECK (length(body) BETWEEN 1 AND 2000),
  saved_at   timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id, account_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases
);
CREATE INDEX say_draft_saved ON say_draft (saved_at);

-- ---------------------------------------------------------------- cover

-- A promise made beforehand: what is demanded up to each_minor, and in all up to total_minor, is granted while it stands.
-- The merchant who made it is the one who granted.
CREATE TABLE shop_cover (
  shop_id     bigint NOT NULL REFERENCES shop,
  cover_id    bigint NOT NULL,
  from_at     timestamptz NOT NULL,
  until_at    timestamptz NOT NULL,
  each_minor  bigint NOT NULL CHECK (each_minor > 0),
  total_minor bigint NOT NULL,
  made_by     bigint NOT NULL REFERENCES account,
  made_at     timestamptz NOT NULL,
  ended_at    timestamptz,
  PRIMARY KEY (shop_id, cover_id),
  CONSTRAINT shop_cover_span CHECK (from_at < until_at),
  CONSTRAINT shop_cover_total CHECK (total_minor >= each_minor)
);
CREATE UNIQUE INDEX shop_cover_standing ON shop_cover (shop_id) WHERE ended_at IS NULL;

-- What a cover did with a case, once: granted, or refused and left to people.
CREATE TABLE cover_grant (
  shop_id      bigint NOT NULL,
  cover_id     bigint NOT NULL,
  case_id      bigint NOT NULL,
  refund_minor bigint NOT NULL CHECK (refund_minor >= 0),
  refused      text,
  at           timestamptz NOT NULL,
  PRIMARY KEY (shop_id, cover_id, case_id),
  FOREIGN KEY (shop_id, cover_id) REFERENCES shop_cover,
  FOREIGN KEY (shop_id, case_id) REFERENCES cases
);

-- ---------------------------------------------------------------- words and floods

-- What somebody wrote where both sides see it with abusive words masked; for staff alone.
CREATE TABLE said_original (
  shop_id     bigint NOT NULL,
  order_id    bigint NOT NULL,
  original_id bigint NOT NULL,
  author_id   bigint NOT NULL,
  author_role text NOT NULL CHECK (author_role IN ('buyer', 'merchant')),
  body        text NOT NULL,
  masked      text NOT NULL,
  at          timestamptz NOT NULL,
  PRIMARY KEY (shop_id, order_id, original_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);

-- A side that said so much in a day that it has to wait, and that a person of the staff is to look at.
CREATE TABLE case_flood (
  shop_id  bigint NOT NULL,
  case_id  bigint NOT NULL,
  by_role  text NOT NULL CHECK (by_role IN ('buyer', 'merchant')),
  day      date NOT NULL,
  at       timestamptz NOT NULL,
  seen_by  bigint REFERENCES account,
  seen_at  timestamptz,
  PRIMARY KEY (shop_id, case_id, by_role, day),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases,
  CONSTRAINT case_flood_seen CHECK ((seen_by IS NULL) = (seen_at IS NULL))
);
CREATE INDEX case_flood_waiting ON case_flood (at, shop_id, case_id) WHERE seen_at IS NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON say_draft TO kabao_app;
GRANT SELECT, INSERT, DELETE ON case_template TO kabao_app;
GRANT SELECT, INSERT ON shop_cover, cover_grant, said_original, case_flood TO kabao_app;
GRANT UPDATE (name, body) ON case_template TO kabao_app;
GRANT UPDATE (ended_at) ON shop_cover TO kabao_app;
GRANT UPDATE (seen_by, seen_at) ON case_flood TO kabao_app;
GRANT DELETE ON said_original TO kabao_app;
GRANT SELECT ON case_template, shop_cover, cover_grant, said_original, case_flood TO kabao_audit;
