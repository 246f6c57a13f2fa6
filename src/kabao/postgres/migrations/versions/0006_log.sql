-- The public log. Head, lease, tiles, checkpoints and cosignatures are one small log for all shops; only records are
-- shop data. A tile grows at its end until it is full; nothing else in the log changes but the salt and body of an
-- erased record.

CREATE TABLE log_head (
  one    boolean PRIMARY KEY DEFAULT true CHECK (one),
  origin text NOT NULL CHECK (length(origin) BETWEEN 1 AND 255),
  vkey   text NOT NULL CHECK (length(vkey) BETWEEN 1 AND 400),
  size   bigint NOT NULL CHECK (size >= 0),
  root   bytea NOT NULL CHECK (octet_length(root) = 32),
  -- How many checkpoints were signed; each bears its number, so that none is lost unseen.
  signed bigint NOT NULL DEFAULT 0 CHECK (signed >= 0)
);

CREATE TABLE log_lease (
  one    boolean PRIMARY KEY DEFAULT true CHECK (one),
  holder text NOT NULL,
  number bigint NOT NULL,
  until  timestamptz NOT NULL
);
INSERT INTO log_lease (holder, number, until) VALUES ('', 0, '-infinity');

-- Level 0 and above hold tree hashes; level -1 the entries themselves, which are commitments of 32 bytes.
CREATE TABLE log_tile (
  level  smallint NOT NULL CHECK (level BETWEEN -1 AND 7),
  index  bigint NOT NULL CHECK (index >= 0),
  width  smallint NOT NULL CHECK (width BETWEEN 1 AND 256),
  hashes bytea NOT NULL,
  PRIMARY KEY (level, index),
  CONSTRAINT log_tile_width CHECK (octet_length(hashes) = 32 * width)
);
ALTER TABLE log_tile ALTER hashes SET STORAGE EXTERNAL;  -- hashes do not compress

CREATE TABLE log_record (
  shop_id    bigint NOT NULL,
  record_id  bigint NOT NULL CHECK (record_id >= 0),
  order_id   bigint NOT NULL,
  source     text NOT NULL CHECK (source ~ '^[a-z][a-z0-9_]{0,31}$'),
  source_id  bigint NOT NULL,
  kind       text NOT NULL CHECK (kind ~ '^[a-z][a-z0-9_]{0,47}$'),
  body       bytea CHECK (octet_length(body) <= 262144),
  salt       bytea CHECK (octet_length(salt) = 32),
  commitment bytea NOT NULL CHECK (octet_length(commitment) = 32),
  at         timestamptz NOT NULL,
  erased_at  timestamptz,
  PRIMARY KEY (shop_id, record_id),
  CONSTRAINT log_record_source UNIQUE (shop_id, order_id, source, source_id),
  CONSTRAINT log_record_erased CHECK ((body IS NULL) = (salt IS NULL) AND (body IS NULL) = (erased_at IS NOT NULL))
);
CREATE INDEX log_record_position ON log_record (record_id);

CREATE TABLE log_checkpoint (
  size      bigint PRIMARY KEY CHECK (size >= 0),
  root      bytea NOT NULL CHECK (octet_length(root) = 32),
  note      bytea NOT NULL CHECK (octet_length(note) <= 4096),
  signed_at timestamptz NOT NULL,
  number    bigint NOT NULL CHECK (number > 0)
);

CREATE TABLE log_cosignature (
  size    bigint NOT NULL REFERENCES log_checkpoint,
  witness text NOT NULL CHECK (length(witness) BETWEEN 1 AND 400),
  line    bytea NOT NULL CHECK (octet_length(line) <= 1024),
  at      timestamptz NOT NULL,
  PRIMARY KEY (size, witness)
);
CREATE INDEX log_cosignature_witness ON log_cosignature (witness, size);

GRANT SELECT, INSERT ON log_head, log_tile, log_record, log_checkpoint, log_cosignature TO kabao_app;
GRANT UPDATE (size, root, signed) ON log_head TO kabao_app;
GRANT SELECT, UPDATE ON log_lease TO kabao_app;
GRANT UPDATE (width, hashes) ON log_tile TO kabao_app;
GRANT UPDATE (body, salt, erased_at) ON log_record TO kabao_app;
GRANT SELECT ON log_head, log_lease, log_tile, log_record, log_checkpoint, log_cosignature TO kabao_audit;
