-- Replies kept under an Idempotency-Key. These rows need not survive a crash: each step is guarded by the state it
-- changes, so a lost row only means that the step is asked again. They are therefore committed without waiting for
-- the disk, and the money step alone pays for it.

-- name: claim
-- Claims a key, or tells what stands under it; a claim without a reply may be taken over after a minute.
-- Index: idempotent_reply_pkey.
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true) AS done),
claimed AS (
  INSERT INTO idempotent_reply AS r (account_id, reply_key, fingerprint)
  SELECT $1, $2, $3 FROM quick
  ON CONFLICT (account_id, reply_key) DO UPDATE SET created_at = clock_timestamp()
    WHERE r.status IS NULL AND r.fingerprint = EXCLUDED.fingerprint
      AND r.created_at < clock_timestamp() - make_interval(secs => $4)
  RETURNING true)
SELECT true AS is_mine, $3::bytea AS fingerprint, NULL::int AS status, NULL::bytea AS body FROM claimed
UNION ALL
SELECT false, r.fingerprint, r.status, r.body FROM idempotent_reply r
 WHERE r.account_id = $1 AND r.reply_key = $2 AND NOT EXISTS (SELECT 1 FROM claimed)

-- name: keep
-- Keeps the reply of a claimed key. Index: idempotent_reply_pkey.
WITH quick AS (SELECT set_config('synchronous_commit', 'off', true) AS done)
UPDATE idempotent_reply SET status = $3, body = $4 FROM quick
 WHERE account_id = $1 AND reply_key = $2 AND status IS NULL

-- name: give_up
-- Lets a claimed key go, because the step did not take place. Index: idempotent_reply_pkey.
DELETE FROM idempotent_reply WHERE account_id = $1 AND reply_key = $2 AND status IS NULL

-- name: forget_old
-- Removes replies older than a number of days, some at a time. Scans the table; run rarely.
DELETE FROM idempotent_reply WHERE ctid = ANY (ARRAY(
  SELECT ctid FROM idempotent_reply WHERE created_at < now() - make_interval(days => $1) LIMIT $2))
