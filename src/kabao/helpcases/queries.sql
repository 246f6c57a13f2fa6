-- Saved cases of self-help and their files. The parameter named last is the clock's instant; NULL: the database's.

-- name: lock_account
-- Locks an account, so that its cases and bytes are counted by one at a time. Index: account_pkey.
SELECT account_id FROM account WHERE account_id = $1 FOR NO KEY UPDATE

-- name: count_cases
-- How many cases an account has saved. Index: help_case_pkey.
SELECT count(*) FROM help_case WHERE account_id = $1

-- name: add_case
-- Saves a new case. Index: help_case_pkey.
INSERT INTO help_case (account_id, case_id, version, wrapped_key, sealed, made_at, saved_at, remind_at)
VALUES ($1, $2, 1, $3, $4, coalesce($6::timestamptz, now()), coalesce($6::timestamptz, now()), $5)
RETURNING account_id, case_id, version, wrapped_key, sealed, made_at, saved_at, remind_at

-- name: cases
-- An account's cases, the last saved first. Index: help_case_pkey.
SELECT account_id, case_id, version, wrapped_key, sealed, made_at, saved_at, remind_at
  FROM help_case WHERE account_id = $1 ORDER BY saved_at DESC, case_id DESC LIMIT $2

-- name: any_case
-- One case, whosever it is, to try the server's key on. Index: help_case_pkey.
SELECT account_id, case_id, version, wrapped_key, sealed, made_at, saved_at, remind_at
  FROM help_case ORDER BY account_id DESC, case_id DESC LIMIT 1

-- name: find_case
-- One case of an account. Index: help_case_pkey.
SELECT account_id, case_id, version, wrapped_key, sealed, made_at, saved_at, remind_at
  FROM help_case WHERE account_id = $1 AND case_id = $2

-- name: lock_case
-- One case of an account, to be changed. Index: help_case_pkey.
SELECT account_id, case_id, version, wrapped_key, sealed, made_at, saved_at, remind_at
  FROM help_case WHERE account_id = $1 AND case_id = $2 FOR UPDATE

-- name: change_case
-- Saves a locked case anew; $3 is the version it has from now on. Index: help_case_pkey.
UPDATE help_case SET version = $3, sealed = $4, remind_at = $5, saved_at = coalesce($6::timestamptz, now())
 WHERE account_id = $1 AND case_id = $2
RETURNING account_id, case_id, version, wrapped_key, sealed, made_at, saved_at, remind_at

-- name: delete_files
-- Removes the rows of a case's files and says where their bytes lie. Index: help_file_pkey.
DELETE FROM help_file WHERE account_id = $1 AND case_id = $2 RETURNING blob

-- name: delete_case
-- Removes a case and with it its key. Index: help_case_pkey.
DELETE FROM help_case WHERE account_id = $1 AND case_id = $2

-- name: delete_notices
-- Removes what the inbox says of a case. Index: notice_pkey.
DELETE FROM notice WHERE account_id = $1 AND kind = 'due_help' AND link = $2

-- name: used
-- Files and bytes of a case, and bytes of all of an account's. Index: help_file_pkey.
SELECT count(*) FILTER (WHERE case_id = $2) AS files,
       coalesce(sum(blob_size) FILTER (WHERE case_id = $2), 0)::bigint AS case_bytes,
       coalesce(sum(blob_size), 0)::bigint AS account_bytes
  FROM help_file WHERE account_id = $1

-- name: add_file
-- Notes where a file's bytes lie. Index: help_file_pkey.
INSERT INTO help_file (account_id, case_id, file_id, blob, blob_size, given_at)
VALUES ($1, $2, $3, $4, $5, coalesce($6::timestamptz, now()))

-- name: files
-- Where the bytes of a case's files lie. Index: help_file_pkey.
SELECT file_id, blob, blob_size FROM help_file WHERE account_id = $1 AND case_id = $2

-- name: delete_file
-- Removes a file's row and says where its bytes lie. Index: help_file_pkey.
DELETE FROM help_file WHERE account_id = $1 AND case_id = $2 AND file_id = $3 RETURNING blob

-- name: due_case
-- Takes one case whose next day has to be told; one that somebody changes just now is left to the next run.
-- Index: help_case_remind.
SELECT account_id, case_id, version, wrapped_key, sealed, made_at, saved_at, remind_at,
       coalesce($1::timestamptz, now()) AS now
  FROM help_case WHERE remind_at <= coalesce($1::timestamptz, now())
 ORDER BY remind_at FOR UPDATE SKIP LOCKED LIMIT 1

-- name: remind_next
-- Notes when the next day of a case is told. Index: help_case_pkey.
UPDATE help_case SET remind_at = $3 WHERE account_id = $1 AND case_id = $2

-- name: count_ending
-- Counts how a case ended: the month and the word; a copy of a case that is counted adds nothing. Index: help_outcome_pkey.
INSERT INTO help_outcome (outcome_id, month, ending) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING
