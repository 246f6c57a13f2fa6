-- The SQL of the public log. Run by store.py alone.

-- name: head
-- The tree as it stands; no row before the log was first used.
SELECT origin, vkey, size, root, signed FROM log_head

-- name: begin
-- Fixes the log's origin and key at first use; whoever comes second changes nothing.
INSERT INTO log_head (origin, vkey, size, root) VALUES ($1, $2, 0, $3) ON CONFLICT (one) DO NOTHING

-- name: take_lease
-- Takes or renews the lease. One that ends later than a lease can last was written by a clock that has since been set
-- back, and binds nobody. A new holder gets a new number, by which the old one is turned away.
UPDATE log_lease
   SET holder = $1, number = number + (holder <> $1)::int, until = coalesce($3, clock_timestamp()) + $2::interval
 WHERE holder = $1 OR until NOT BETWEEN coalesce($3, clock_timestamp()) AND coalesce($3, clock_timestamp()) + $2::interval
RETURNING number

-- name: drop_lease
-- Gives the lease back at an orderly end, so that the next holder need not wait for it.
UPDATE log_lease SET until = '-infinity' WHERE holder = $1

-- name: lock_head
-- Locks the head, so that batches follow one another whoever writes them.
SELECT size, root FROM log_head FOR UPDATE

-- name: lease_number
-- Asked under the head's lock: who has another number than this is not the holder any more.
SELECT number FROM log_lease

-- name: set_head
-- Moves the head to the grown tree.
UPDATE log_head SET size = $1, root = $2

-- name: tiles
-- Some tiles, by the primary key.
SELECT t.level, t.index, t.hashes
  FROM unnest($1::smallint[], $2::bigint[]) AS wanted (level, index) JOIN log_tile t USING (level, index)

-- name: put_tiles
-- New tiles, and old ones with more hashes at their end; a tile never gets shorter.
INSERT INTO log_tile (level, index, width, hashes)
SELECT level, index, octet_length(hashes) / 32, hashes
  FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) AS grown (level, index, hashes)
    ON CONFLICT (level, index) DO UPDATE SET width = excluded.width, hashes = excluded.hashes
 WHERE log_tile.width < excluded.width

-- name: records_of_order
-- The records of one order in the log's order, by the unique index of sources.
SELECT shop_id, order_id, record_id, source, source_id, kind, body, salt, commitment, record_id AS position, at
  FROM log_record WHERE shop_id = $1 AND order_id = $2 ORDER BY record_id

-- name: to_prove
-- What a proof is written from beside the tree: the checkpoint's note, whether there is such a record, and its salt, null
-- once erased. By the primary key and log_record_position.
SELECT c.note, r.record_id IS NOT NULL AS is_there, r.salt
  FROM log_checkpoint c LEFT JOIN log_record r ON r.record_id = $1 WHERE c.size = $2

-- name: erase
-- Destroys a record's body and salt; its commitment stays in the tree. By the primary key.
UPDATE log_record SET body = NULL, salt = NULL, erased_at = coalesce($3, clock_timestamp())
 WHERE shop_id = $1 AND record_id = $2 AND body IS NOT NULL

-- name: newest_checkpoint
-- The newest signed tree head, by the primary key.
SELECT size, root, note, signed_at, number FROM log_checkpoint ORDER BY size DESC LIMIT 1

-- name: checkpoint
-- The signed tree head of one size.
SELECT size, root, note, signed_at, number FROM log_checkpoint WHERE size = $1

-- name: add_checkpoint
-- Keeps a signed tree head under the next number; the same head is signed to the same bytes by everyone, and counted
-- once. Asked under the head's lock.
WITH counted AS (
  UPDATE log_head SET signed = signed + 1 WHERE one AND NOT EXISTS (SELECT 1 FROM log_checkpoint WHERE size = $1)
  RETURNING signed)
INSERT INTO log_checkpoint (size, root, note, signed_at, number)
SELECT $1, $2, $3, coalesce($4, clock_timestamp()), signed FROM counted

-- name: cosignatures
-- The cosignature lines under one checkpoint.
SELECT line FROM log_cosignature WHERE size = $1 ORDER BY at, witness

-- name: add_cosignature
-- Keeps a witness's line; the first one stands.
INSERT INTO log_cosignature (size, witness, line, at) VALUES ($1, $2, $3, coalesce($4, clock_timestamp()))
    ON CONFLICT (size, witness) DO NOTHING

-- name: last_cosigned
-- How far a witness has cosigned and when, by log_cosignature_witness.
SELECT size, at FROM log_cosignature WHERE witness = $1 ORDER BY size DESC LIMIT 1

-- name: witnessed
-- Who cosigned the newest checkpoint that anyone has; a witness is its verifier key, which begins with its name. By the
-- primary key.
SELECT size, array_agg(split_part(witness, '+', 1) ORDER BY at, witness) AS names, max(at) AS at
  FROM log_cosignature WHERE size = (SELECT max(size) FROM log_cosignature) GROUP BY size

-- name: now
-- The instant that decides.
SELECT coalesce($1, clock_timestamp())

-- name: records_between
-- Records of some positions in the log's order, by log_record_position; without an end, a few.
SELECT shop_id, order_id, record_id, source, source_id, kind, body, salt, commitment, record_id AS position, at
  FROM log_record WHERE record_id >= $1 AND record_id < coalesce($2, 9223372036854775807)
 ORDER BY record_id, shop_id LIMIT CASE WHEN $2::bigint IS NULL THEN 20 END

-- name: leaves
-- How many leaves the tiles reach, by the primary key.
SELECT 256 * index + width FROM log_tile WHERE level = 0 ORDER BY index DESC LIMIT 1

-- name: tiles_from
-- A level's tiles from a number on, by the primary key.
SELECT index, width, hashes FROM log_tile WHERE level = $1 AND index >= $2 ORDER BY index LIMIT $3

-- name: checkpoints_from
-- Signed tree heads from a size on, by the primary key.
SELECT size, root, note, signed_at, number FROM log_checkpoint WHERE size >= $1 ORDER BY size LIMIT $2

-- name: cosignatures_of
-- Every cosignature of some checkpoints, by the primary key.
SELECT size, witness, line FROM log_cosignature WHERE size = ANY($1::bigint[]) ORDER BY size, witness

-- name: bench_insert
-- The bench's yardstick: the same records by one plain statement a batch.
INSERT INTO log_record (shop_id, record_id, order_id, source, source_id, kind, body, salt, commitment, at)
SELECT -1, r.*
  FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::text[], $6::bytea[], $7::bytea[], $8::bytea[],
              $9::timestamptz[]) AS r
