-- The first schema. shop_id stands first in every key of shop data; no triggers, no deferred constraints;
-- histories (transfers, events, snapshots, payments, confirmations, rulings) are append-only by grants.

-- ---------------------------------------------------------------- people (global reference data)

CREATE TABLE account (
  account_id   bigint PRIMARY KEY,
  phone        text NOT NULL CONSTRAINT account_phone_taken UNIQUE CHECK (phone ~ '^\+[1-9][0-9]{6,14}$'),
  email        text CHECK (length(email) <= 254),
  display_name text NOT NULL CHECK (length(display_name) BETWEEN 1 AND 40),
  created_at   timestamptz NOT NULL DEFAULT now(),
  frozen_at    timestamptz
);

CREATE TABLE account_role (
  account_id bigint NOT NULL REFERENCES account,
  role       text NOT NULL CHECK (role IN ('buyer', 'merchant', 'support', 'operator')),
  granted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, role)
);

CREATE TABLE sign_in_code (
  phone      text PRIMARY KEY,
  code_hash  bytea NOT NULL,
  attempts   int NOT NULL DEFAULT 0,
  sent_at    timestamptz NOT NULL,
  expires_at timestamptz NOT NULL
);

CREATE TABLE sign_in_link (
  link_hash  bytea PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES account,
  role       text NOT NULL,
  expires_at timestamptz NOT NULL,
  used_at    timestamptz
);

CREATE TABLE session (
  session_hash bytea PRIMARY KEY,
  account_id   bigint NOT NULL REFERENCES account,
  device       text NOT NULL CHECK (length(device) <= 200),
  network      text NOT NULL CHECK (length(network) <= 64),
  created_at   timestamptz NOT NULL,
  seen_at      timestamptz NOT NULL,
  expires_at   timestamptz NOT NULL,
  staff_until  timestamptz
);
CREATE INDEX session_account ON session (account_id);

CREATE TABLE staff_credential (
  account_id     bigint PRIMARY KEY REFERENCES account,
  password_hash  text NOT NULL,
  totp_sealed    bytea NOT NULL,
  totp_last_step bigint NOT NULL DEFAULT 0
);

CREATE TABLE api_token (
  token_hash bytea PRIMARY KEY,
  account_id bigint NOT NULL REFERENCES account,
  role       text NOT NULL CHECK (role IN ('buyer', 'merchant', 'support', 'operator')),
  created_at timestamptz NOT NULL DEFAULT now(),
  revoked_at timestamptz
);

CREATE TABLE rate_window (
  bucket       text NOT NULL,
  window_start timestamptz NOT NULL,
  hits         int NOT NULL,
  PRIMARY KEY (bucket, window_start)
);

CREATE TABLE idempotent_reply (
  account_id  bigint NOT NULL,
  reply_key   text NOT NULL CHECK (length(reply_key) BETWEEN 1 AND 200),
  fingerprint bytea NOT NULL,
  status      int,
  body        bytea,
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (account_id, reply_key)
);

CREATE TABLE sweep_state (
  name         text PRIMARY KEY,
  halted_at    timestamptz,
  halted_why   text,
  ticked_at    timestamptz,
  accept_until timestamptz
);

-- ---------------------------------------------------------------- shops

CREATE TABLE shop (
  shop_id        bigint PRIMARY KEY,
  owner_id       bigint NOT NULL REFERENCES account,
  name           text NOT NULL CHECK (length(name) BETWEEN 2 AND 40),
  legal_name     text NOT NULL CHECK (length(legal_name) BETWEEN 2 AND 80),
  address        text NOT NULL CHECK (length(address) BETWEEN 5 AND 200),
  licence_number text NOT NULL CHECK (length(licence_number) BETWEEN 8 AND 30),
  contact_phone  text NOT NULL,
  fee_bps        int NOT NULL CHECK (fee_bps BETWEEN 0 AND 3000),
  state          text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'paused', 'closed')),
  created_at     timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX shop_owner ON shop (owner_id);

CREATE TABLE listing (
  shop_id     bigint NOT NULL REFERENCES shop,
  listing_id  bigint NOT NULL,
  snapshot_no int NOT NULL,
  state       text NOT NULL CHECK (state IN ('draft', 'live', 'paused')),
  created_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, listing_id)
);
CREATE INDEX listing_live ON listing (created_at DESC, shop_id, listing_id) WHERE state = 'live';

CREATE TABLE listing_snapshot (
  shop_id        bigint NOT NULL,
  listing_id     bigint NOT NULL,
  snapshot_no    int NOT NULL,
  title          text NOT NULL,
  price_minor    bigint NOT NULL CHECK (price_minor > 0),
  currency       text NOT NULL CHECK (currency = 'CNY'),
  escrow_seconds int NOT NULL CHECK (escrow_seconds BETWEEN 3600 AND 7776000),
  max_quantity   int NOT NULL CHECK (max_quantity BETWEEN 1 AND 50),
  notice_ids     text[] NOT NULL,
  document       jsonb NOT NULL,
  digest         bytea NOT NULL,
  made_at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, listing_id, snapshot_no),
  FOREIGN KEY (shop_id, listing_id) REFERENCES listing
);

-- ---------------------------------------------------------------- inventory

CREATE TABLE shop_data_key (
  shop_id    bigint NOT NULL REFERENCES shop,
  dek_id     int NOT NULL,
  kek_id     text NOT NULL,
  wrapped    bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  retired_at timestamptz,
  PRIMARY KEY (shop_id, dek_id)
);

CREATE TABLE key_import (
  shop_id     bigint NOT NULL,
  import_id   bigint NOT NULL,
  listing_id  bigint NOT NULL,
  file_name   text NOT NULL,
  state       text NOT NULL CHECK (state IN ('running', 'done', 'failed')),
  bytes_total bigint NOT NULL,
  bytes_done  bigint NOT NULL DEFAULT 0,
  line_count  bigint NOT NULL DEFAULT 0,
  added       bigint NOT NULL DEFAULT 0,
  duplicates  bigint NOT NULL DEFAULT 0,
  bad         bigint NOT NULL DEFAULT 0,
  bad_lines   jsonb NOT NULL DEFAULT '[]',
  failure     text,
  created_at  timestamptz NOT NULL DEFAULT now(),
  finished_at timestamptz,
  PRIMARY KEY (shop_id, import_id),
  FOREIGN KEY (shop_id, listing_id) REFERENCES listing
);

-- state: available -> reserved -> sealed -> opened; replaced and withdrawn never come back.
CREATE TABLE card_key (
  shop_id     bigint NOT NULL,
  key_id      bigint NOT NULL,
  listing_id  bigint NOT NULL,
  import_id   bigint NOT NULL,
  dek_id      int NOT NULL,
  blind       bytea NOT NULL CHECK (octet_length(blind) = 16),
  sealed_text bytea NOT NULL,
  state       text NOT NULL CHECK (state IN ('available', 'reserved', 'sealed', 'opened', 'replaced', 'withdrawn')),
  order_id    bigint,
  pos         int,
  generation  int NOT NULL DEFAULT 0,
  opened_at   timestamptz,
  PRIMARY KEY (shop_id, key_id),
  CONSTRAINT card_key_once_per_shop UNIQUE (shop_id, blind),
  CONSTRAINT card_key_one_place UNIQUE (shop_id, order_id, pos, generation),
  CHECK ((order_id IS NULL) = (pos IS NULL)),
  CHECK ((state IN ('reserved', 'sealed', 'opened', 'replaced')) = (order_id IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX card_key_available ON card_key (shop_id, listing_id, key_id) WHERE state = 'available';

-- ---------------------------------------------------------------- orders and escrow

CREATE TABLE order_step (
  previous text NOT NULL,
  state    text NOT NULL,
  PRIMARY KEY (previous, state)
);
INSERT INTO order_step (previous, state) VALUES
  ('none', 'placed'),
  ('placed', 'delivered'), ('placed', 'expired'), ('placed', 'cancelled'),
  ('expired', 'delivered'),
  ('delivered', 'opened'), ('delivered', 'confirmed'), ('delivered', 'refunded'), ('delivered', 'partly_refunded'),
  ('opened', 'confirmed'), ('opened', 'refunded'), ('opened', 'partly_refunded'), ('opened', 'delivered'),
  ('delivered', 'delivered'),
  ('confirmed', 'settled');

CREATE TABLE orders (
  shop_id         bigint NOT NULL,
  order_id        bigint NOT NULL,
  buyer_id        bigint NOT NULL REFERENCES account,
  listing_id      bigint NOT NULL,
  snapshot_no     int NOT NULL,
  quantity        int NOT NULL CHECK (quantity BETWEEN 1 AND 50),
  unit_minor      bigint NOT NULL CHECK (unit_minor > 0),
  amount_minor    bigint NOT NULL CHECK (amount_minor = unit_minor * quantity),
  currency        text NOT NULL,
  fee_bps         int NOT NULL,
  escrow_seconds  int NOT NULL,
  previous        text NOT NULL,
  state           text NOT NULL,
  in_case         boolean NOT NULL DEFAULT false,
  idempotency_key text NOT NULL CHECK (length(idempotency_key) BETWEEN 1 AND 200),
  reserve_slot    int NOT NULL,
  reserve_until   timestamptz NOT NULL,
  placed_at       timestamptz NOT NULL,
  paid_at         timestamptz,
  delivered_at    timestamptz,
  opened_at       timestamptz,
  ended_at        timestamptz,
  PRIMARY KEY (shop_id, order_id),
  CONSTRAINT orders_step_allowed FOREIGN KEY (previous, state) REFERENCES order_step,
  CONSTRAINT orders_once_per_key UNIQUE (shop_id, buyer_id, idempotency_key),
  FOREIGN KEY (shop_id, listing_id, snapshot_no) REFERENCES listing_snapshot
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX orders_unpaid_slot ON orders (shop_id, buyer_id, reserve_slot) WHERE state = 'placed';
CREATE INDEX orders_reserve_due ON orders (reserve_until, shop_id, order_id) WHERE state = 'placed';
CREATE INDEX orders_by_buyer ON orders (buyer_id, order_id DESC);

CREATE TABLE order_event (
  shop_id          bigint NOT NULL,
  order_id         bigint NOT NULL,
  event_id         bigint GENERATED ALWAYS AS IDENTITY,
  kind             text NOT NULL,
  from_state       text,
  to_state         text,
  actor_id         bigint,
  actor_role       text NOT NULL,
  reason           text,
  amount_minor     bigint,
  rulebook_version text,
  evidence_digests bytea[],
  due_at           timestamptz,
  at               timestamptz NOT NULL,
  PRIMARY KEY (shop_id, order_id, event_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);

CREATE TABLE notice_confirmation (
  shop_id      bigint NOT NULL,
  order_id     bigint NOT NULL,
  notice_id    text NOT NULL,
  wording      text NOT NULL,
  place        text NOT NULL,
  version      text NOT NULL,
  confirmed_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, order_id, notice_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);

CREATE TABLE reveal_receipt (
  shop_id  bigint NOT NULL,
  order_id bigint NOT NULL,
  pos      int NOT NULL,
  key_id   bigint NOT NULL,
  first_at timestamptz NOT NULL,
  device   text NOT NULL,
  network  text NOT NULL,
  digest   bytea NOT NULL,
  PRIMARY KEY (shop_id, order_id, key_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);

-- What the custodian told us, once per custodian transaction.
CREATE TABLE payment (
  shop_id      bigint NOT NULL,
  provider     text NOT NULL,
  payment_id   text NOT NULL CHECK (length(payment_id) BETWEEN 1 AND 100),
  order_id     bigint NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  outcome      text NOT NULL CHECK (outcome IN ('applied', 'wrong_amount', 'second_payment', 'late_refunded')),
  received_at  timestamptz NOT NULL,
  PRIMARY KEY (shop_id, provider, payment_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);
CREATE INDEX payment_of_order ON payment (shop_id, order_id);

CREATE TABLE escrow (
  shop_id       bigint NOT NULL,
  order_id      bigint NOT NULL,
  provider      text NOT NULL,
  payment_id    text NOT NULL,
  amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
  released      bigint NOT NULL DEFAULT 0 CHECK (released >= 0),
  refunded      bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0),
  fee           bigint NOT NULL DEFAULT 0,
  currency      text NOT NULL,
  state         text NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'disputed', 'released', 'refunded', 'split')),
  due_at        timestamptz,
  remaining     interval,
  resolved_at   timestamptz,
  PRIMARY KEY (shop_id, order_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders,
  CONSTRAINT escrow_never_more_than_paid CHECK (released + refunded <= amount_minor),
  CHECK (fee BETWEEN 0 AND released),
  CHECK ((state IN ('released', 'refunded', 'split')) = (released + refunded = amount_minor)),
  CHECK ((state = 'held') = (due_at IS NOT NULL))
) WITH (fillfactor = 80);
CREATE INDEX escrow_due ON escrow (due_at, shop_id, order_id) WHERE state = 'held';

-- ---------------------------------------------------------------- ledger

-- One set per shop, the kind is the id: 1 custody, 2 escrow, 3 seller_payable, 4 platform_fee, 5 refund_out,
-- 6 unapplied, 7 paid_out, 8 deposit, 9 reserve.
CREATE TABLE ledger_account (
  shop_id    bigint NOT NULL REFERENCES shop,
  account_no int NOT NULL CHECK (account_no BETWEEN 1 AND 9),
  PRIMARY KEY (shop_id, account_no)
);

CREATE TABLE ledger_transfer (
  shop_id      bigint NOT NULL,
  transfer_id  uuid NOT NULL,
  debit_no     int NOT NULL,
  credit_no    int NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency     text NOT NULL,
  kind         text NOT NULL CHECK (kind IN
    ('hold', 'release', 'fee', 'refund', 'unapplied', 'unapplied_refund', 'refund_paid', 'paid_out')),
  order_id     bigint NOT NULL,
  event_at     timestamptz NOT NULL,
  recorded_at  timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (shop_id, transfer_id),
  CHECK (debit_no <> credit_no AND debit_no BETWEEN 1 AND 9 AND credit_no BETWEEN 1 AND 9)
);
CREATE INDEX ledger_transfer_of_order ON ledger_transfer (shop_id, order_id);

CREATE TABLE ledger_delta (
  shop_id     bigint NOT NULL,
  account_no  int NOT NULL,
  currency    text NOT NULL,
  transfer_id uuid NOT NULL,
  delta       bigint NOT NULL,
  PRIMARY KEY (shop_id, account_no, transfer_id)
);

CREATE TABLE ledger_balance (
  shop_id    bigint NOT NULL,
  account_no int NOT NULL,
  currency   text NOT NULL,
  balance    bigint NOT NULL,
  folded     bigint NOT NULL,
  PRIMARY KEY (shop_id, account_no, currency)
);

-- ---------------------------------------------------------------- custody: what we ask the institution to do

CREATE TABLE custody_instruction (
  shop_id        bigint NOT NULL,
  instruction_id uuid NOT NULL,
  order_id       bigint NOT NULL,
  provider       text NOT NULL,
  payment_id     text NOT NULL,
  kind           text NOT NULL CHECK (kind IN ('release', 'refund')),
  amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
  fee_minor      bigint NOT NULL DEFAULT 0 CHECK (fee_minor BETWEEN 0 AND amount_minor),
  currency       text NOT NULL,
  transfer_kind  text NOT NULL CHECK (transfer_kind IN ('release', 'refund', 'unapplied_refund')),
  state          text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'done')),
  attempt        int NOT NULL DEFAULT 0,
  due_at         timestamptz NOT NULL,
  lease_until    timestamptz,
  last_error     text,
  created_at     timestamptz NOT NULL,
  done_at        timestamptz,
  PRIMARY KEY (shop_id, instruction_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);
CREATE INDEX custody_instruction_due ON custody_instruction (due_at, shop_id, instruction_id) WHERE state = 'pending';
CREATE INDEX custody_instruction_of_order ON custody_instruction (shop_id, order_id);

-- ---------------------------------------------------------------- evidence: chat and files of an order

CREATE TABLE message (
  shop_id     bigint NOT NULL,
  order_id    bigint NOT NULL,
  message_id  bigint NOT NULL,
  author_id   bigint NOT NULL,
  author_role text NOT NULL CHECK (author_role IN ('buyer', 'merchant', 'support')),
  body        text NOT NULL CHECK (length(body) BETWEEN 1 AND 2000),
  digest      bytea NOT NULL,
  at          timestamptz NOT NULL,
  PRIMARY KEY (shop_id, order_id, message_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);

CREATE TABLE evidence_item (
  shop_id        bigint NOT NULL,
  order_id       bigint NOT NULL,
  item_id        bigint NOT NULL,
  item_no        int NOT NULL,
  case_id        bigint,
  file_name      text NOT NULL CHECK (length(file_name) BETWEEN 1 AND 120),
  media_type     text NOT NULL,
  byte_size      bigint NOT NULL,
  digest         bytea NOT NULL CHECK (octet_length(digest) = 32),
  preview_digest bytea,
  given_by       bigint NOT NULL,
  given_role     text NOT NULL CHECK (given_role IN ('buyer', 'merchant', 'support')),
  at             timestamptz NOT NULL,
  PRIMARY KEY (shop_id, order_id, item_id),
  CONSTRAINT evidence_item_numbered UNIQUE (shop_id, order_id, item_no),
  CONSTRAINT evidence_item_once UNIQUE (shop_id, order_id, digest, given_by),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);

-- ---------------------------------------------------------------- cases

CREATE TABLE case_step (
  previous text NOT NULL,
  stage    text NOT NULL,
  PRIMARY KEY (previous, stage)
);
INSERT INTO case_step (previous, stage) VALUES
  ('none', 'negotiation'), ('negotiation', 'support'),
  ('negotiation', 'settled'), ('negotiation', 'withdrawn'),
  ('support', 'settled'), ('support', 'withdrawn'), ('support', 'ruled');

CREATE TABLE cases (
  shop_id      bigint NOT NULL,
  case_id      bigint NOT NULL,
  order_id     bigint NOT NULL,
  buyer_id     bigint NOT NULL,
  claim        text NOT NULL,
  demand       text NOT NULL CHECK (demand IN ('full_refund', 'partial_refund', 'replacement')),
  demand_minor bigint NOT NULL CHECK (demand_minor >= 0),
  statement    text NOT NULL CHECK (length(statement) BETWEEN 1 AND 2000),
  previous     text NOT NULL,
  stage        text NOT NULL,
  turn         text NOT NULL CHECK (turn IN ('buyer', 'merchant', 'support', 'nobody')),
  due_at       timestamptz,
  opened_at    timestamptz NOT NULL,
  stage_since  timestamptz NOT NULL,
  answered_at  timestamptz,
  closed_at    timestamptz,
  rose_why     text CHECK (rose_why IN ('merchant_silent', 'buyer_asked', 'merchant_asked')),
  PRIMARY KEY (shop_id, case_id),
  CONSTRAINT cases_step_allowed FOREIGN KEY (previous, stage) REFERENCES case_step,
  FOREIGN KEY (shop_id, order_id) REFERENCES orders,
  CHECK ((stage IN ('settled', 'withdrawn', 'ruled')) = (closed_at IS NOT NULL))
);
CREATE UNIQUE INDEX cases_one_open ON cases (shop_id, order_id) WHERE closed_at IS NULL;
CREATE INDEX cases_of_order ON cases (shop_id, order_id);
CREATE INDEX cases_due ON cases (due_at, shop_id, case_id) WHERE closed_at IS NULL;
CREATE INDEX cases_by_buyer ON cases (buyer_id, case_id DESC);

CREATE TABLE case_offer (
  shop_id      bigint NOT NULL,
  case_id      bigint NOT NULL,
  offer_id     bigint NOT NULL,
  by_id        bigint NOT NULL,
  by_role      text NOT NULL CHECK (by_role IN ('buyer', 'merchant')),
  kind         text NOT NULL CHECK (kind IN ('full_refund', 'partial_refund', 'replacement')),
  refund_minor bigint NOT NULL CHECK (refund_minor >= 0),
  note         text NOT NULL CHECK (length(note) <= 500),
  state        text NOT NULL CHECK (state IN ('open', 'accepted', 'refused', 'superseded', 'lapsed')),
  made_at      timestamptz NOT NULL,
  decided_at   timestamptz,
  PRIMARY KEY (shop_id, case_id, offer_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases
);
CREATE UNIQUE INDEX case_offer_one_open ON case_offer (shop_id, case_id) WHERE state = 'open';

CREATE TABLE case_event (
  shop_id    bigint NOT NULL,
  case_id    bigint NOT NULL,
  event_id   bigint GENERATED ALWAYS AS IDENTITY,
  kind       text NOT NULL,
  from_stage text,
  to_stage   text,
  actor_id   bigint,
  actor_role text NOT NULL,
  body       text,
  offer_id   bigint,
  due_at     timestamptz,
  at         timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id, event_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases
);

CREATE TABLE ruling (
  shop_id      bigint NOT NULL,
  case_id      bigint NOT NULL,
  staff_id     bigint NOT NULL,
  outcome      text NOT NULL CHECK (outcome IN ('full_refund', 'partial_refund', 'no_refund')),
  refund_minor bigint NOT NULL CHECK (refund_minor >= 0),
  facts        text NOT NULL CHECK (length(facts) BETWEEN 1 AND 4000),
  reasons      text NOT NULL CHECK (length(reasons) BETWEEN 1 AND 4000),
  made_at      timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases
);

-- ---------------------------------------------------------------- notices to people

CREATE TABLE notice (
  account_id bigint NOT NULL REFERENCES account,
  notice_id  bigint NOT NULL,
  kind       text NOT NULL,
  subject    text NOT NULL,
  link       text NOT NULL,
  made_at    timestamptz NOT NULL,
  read_at    timestamptz,
  PRIMARY KEY (account_id, notice_id)
);

-- ---------------------------------------------------------------- the simulated institution and its own books

CREATE SCHEMA sandbox;
CREATE TABLE sandbox.checkout (
  checkout_id  text PRIMARY KEY,
  merchant_ref text NOT NULL,
  subject      text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency     text NOT NULL,
  return_path  text NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE sandbox.payment (
  payment_id   text PRIMARY KEY,
  checkout_id  text NOT NULL REFERENCES sandbox.checkout,
  merchant_ref text NOT NULL,
  amount_minor bigint NOT NULL CHECK (amount_minor > 0),
  currency     text NOT NULL,
  paid_at      timestamptz NOT NULL,
  notified_at  timestamptz,
  attempt      int NOT NULL DEFAULT 0,
  due_at       timestamptz NOT NULL
);
CREATE INDEX sandbox_payment_unnotified ON sandbox.payment (due_at) WHERE notified_at IS NULL;
CREATE TABLE sandbox.booking (
  instruction_id uuid PRIMARY KEY,
  payment_id     text NOT NULL REFERENCES sandbox.payment,
  kind           text NOT NULL CHECK (kind IN ('release', 'refund')),
  amount_minor   bigint NOT NULL CHECK (amount_minor > 0),
  fee_minor      bigint NOT NULL,
  currency       text NOT NULL,
  booked_at      timestamptz NOT NULL
);
CREATE INDEX sandbox_booking_of_payment ON sandbox.booking (payment_id);
