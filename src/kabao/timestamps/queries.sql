-- Timestamps. The parameter of a step that needs the time is the clock's instant; NULL: the database's.

-- name: want
-- Keeps data that is to be timestamped and asks every authority; data known already changes nothing. Index: timestamp_data_pkey.
WITH fresh AS (
  INSERT INTO timestamp_data (digest, data, subject, wanted_at)
  VALUES ($1, $2, $3, coalesce($5::timestamptz, now())) ON CONFLICT (digest) DO NOTHING RETURNING digest, wanted_at)
INSERT INTO timestamp_request (digest, authority, round, wanted_at, next_at)
SELECT digest, name, 1, wanted_at, wanted_at FROM fresh, unnest($4::text[]) AS name

-- name: mend_requests
-- Makes due what a clock that jumped put off beyond every wait there is. Index: timestamp_request_due.
UPDATE timestamp_request SET next_at = coalesce($3, now())
 WHERE authority = $1 AND state = 'waiting' AND next_at > coalesce($3, now()) + $2

-- name: mend_authority
-- Ends a rest that a clock that jumped made longer than every rest there is. Index: timestamp_authority_pkey.
UPDATE timestamp_authority SET resting_until = NULL
 WHERE name = $1 AND resting_until > coalesce($3, now()) + $2

-- name: claim
-- Leases the request of an authority that is due longest, unless the authority rests. Index: timestamp_request_due.
UPDATE timestamp_request r SET attempts = r.attempts + 1, next_at = coalesce($3, now()) + $2
  FROM (SELECT q.digest, q.authority, q.round, d.data FROM timestamp_request q JOIN timestamp_data d USING (digest)
         WHERE q.authority = $1 AND q.state = 'waiting' AND q.next_at <= coalesce($3, now())
           AND NOT EXISTS (SELECT 1 FROM timestamp_authority a WHERE a.name = $1 AND a.resting_until > coalesce($3, now()))
         ORDER BY q.next_at, q.digest LIMIT 1 FOR UPDATE OF q SKIP LOCKED) due
 WHERE r.digest = due.digest AND r.authority = due.authority AND r.round = due.round
RETURNING r.digest, r.round, r.attempts AS attempt, due.data AS body, r.wanted_at

-- name: now
-- The database's clock at this moment.
SELECT coalesce($1, clock_timestamp())

-- name: finish
-- Stores a stamp that holds and what it was checked against, fenced by the attempt. Index: timestamp_request_pkey, timestamp_roots_pkey, timestamp_data_pkey.
WITH roots AS (
  INSERT INTO timestamp_roots (digest, pem) VALUES ($9, $10) ON CONFLICT (digest) DO NOTHING),
 done AS (
  UPDATE timestamp_request
     SET state = 'stamped', next_at = NULL, last_fault = NULL, last_error = NULL, response = $5, stamped_at = $6,
         serial = $7, expires_at = $8, roots = $9
   WHERE digest = $1 AND authority = $2 AND round = $3 AND attempts = $4 AND state = 'waiting' RETURNING digest),
 renewal AS (
  UPDATE timestamp_data d SET renew_at = greatest(d.renew_at, $11) FROM done WHERE d.digest = done.digest)
SELECT count(*) FROM done

-- name: postpone
-- Gives a request back after a failure, or ends it where next_at is NULL, fenced by the attempt. Index: timestamp_request_pkey.
UPDATE timestamp_request
   SET state = CASE WHEN $5::timestamptz IS NULL THEN 'refused' ELSE 'waiting' END, next_at = $5, last_fault = $6,
       last_error = $7
 WHERE digest = $1 AND authority = $2 AND round = $3 AND attempts = $4 AND state = 'waiting'

-- name: authority_answered
-- Notes a good answer. Index: timestamp_authority_pkey.
INSERT INTO timestamp_authority (name, answered_at) VALUES ($1, $2)
ON CONFLICT (name) DO UPDATE SET failures = 0, resting_until = NULL, last_fault = NULL, last_error = NULL,
       answered_at = EXCLUDED.answered_at

-- name: authority_failed
-- Notes a failure and returns how many there were in a row. Index: timestamp_authority_pkey.
INSERT INTO timestamp_authority AS a (name, failures, last_fault, last_error) VALUES ($1, 1, $2, $3)
ON CONFLICT (name) DO UPDATE SET failures = a.failures + 1, last_fault = EXCLUDED.last_fault,
       last_error = EXCLUDED.last_error
RETURNING failures

-- name: authority_rests
-- Leaves an authority in peace until a time. Index: timestamp_authority_pkey.
UPDATE timestamp_authority SET resting_until = $2 WHERE name = $1

-- name: stamps
-- Every stamp of one digest, asked for or made. Index: timestamp_request_pkey.
SELECT r.authority, r.round, r.state, r.attempts, r.response, o.pem AS roots_pem, r.stamped_at, r.expires_at, r.serial,
       r.next_at, r.last_fault, r.last_error
  FROM timestamp_request r LEFT JOIN timestamp_roots o ON o.digest = r.roots
 WHERE r.digest = $1 ORDER BY r.authority, r.round

-- name: waiting
-- What each authority owes and how it behaved last, those that are named now and those that still owe. Index: timestamp_request_due.
SELECT name, name = ANY($1) AS is_named, coalesce(w.count, 0) AS count, w.oldest_at, a.last_fault, a.last_error,
       coalesce(a.failures, 0) AS failures, a.resting_until, a.answered_at
  FROM (SELECT unnest($1::text[]) AS name UNION SELECT authority FROM timestamp_request WHERE state = 'waiting') names
  LEFT JOIN (SELECT authority, count(*), min(wanted_at) AS oldest_at FROM timestamp_request WHERE state = 'waiting'
              GROUP BY authority) w ON w.authority = name
  LEFT JOIN timestamp_authority a USING (name)
 ORDER BY name

-- name: due_renewals
-- Locks data whose newest stamp's certificate ends soon. Index: timestamp_data_renewal.
SELECT digest FROM timestamp_data WHERE renew_at <= coalesce($1, now())
 ORDER BY renew_at LIMIT $2 FOR UPDATE SKIP LOCKED

-- name: renew
-- Asks every authority that owes none for a stamp of a further round, and sets when to look again. Index: timestamp_request_pkey.
WITH looked AS (
  UPDATE timestamp_data SET renew_at = coalesce($3, now()) + $4 WHERE digest = ANY($1::bytea[]) RETURNING digest)
INSERT INTO timestamp_request (digest, authority, round, wanted_at, next_at)
SELECT l.digest, n.name, 1 + coalesce((SELECT max(r.round) FROM timestamp_request r WHERE r.digest = l.digest), 0),
       coalesce($3, now()), coalesce($3, now())
  FROM looked l, unnest($2::text[]) AS n (name)
 WHERE NOT EXISTS (SELECT 1 FROM timestamp_request r WHERE r.digest = l.digest AND r.authority = n.name AND r.state = 'waiting')

-- name: kept
-- What is stored of each request, and of data without any, by key from one on. Index: timestamp_data_pkey,
-- timestamp_request_pkey, timestamp_roots_pkey.
SELECT d.digest, d.data, d.subject, coalesce(r.authority, '') AS authority, coalesce(r.round, 1) AS round, r.response,
       o.pem AS roots_pem, r.stamped_at, r.expires_at, r.serial
  FROM timestamp_data d LEFT JOIN timestamp_request r USING (digest) LEFT JOIN timestamp_roots o ON o.digest = r.roots
 WHERE d.digest >= $1 AND (d.digest, coalesce(r.authority, ''), coalesce(r.round, 1)) > ($1, $2, $3)
 ORDER BY 1, 4, 5 LIMIT $4

-- name: missing_rounds
-- Rounds below the newest that no request tells of. Index: none, it reads all.
SELECT m.digest, n AS round
  FROM (SELECT digest, max(round) AS newest FROM timestamp_request GROUP BY digest) m, generate_series(1, m.newest) n
 WHERE NOT EXISTS (SELECT 1 FROM timestamp_request r WHERE r.digest = m.digest AND r.round = n)
 ORDER BY 1, 2

-- name: odd_roots
-- Roots whose digest is another's. Index: none, there are few.
SELECT digest FROM timestamp_roots WHERE sha256(pem) <> digest ORDER BY digest
