-- Accounts, codes, links, sessions, staff credentials, API tokens and rate windows.
-- The last parameter of a step that needs the time is the clock's instant; NULL leaves it to the database.

-- name: allow
-- Counts one hit in its window unless the window is full, and answers nothing then; rate_window_pkey.
INSERT INTO rate_window AS w (bucket, window_start, hits)
VALUES ($1, date_bin(make_interval(secs => $3::int), coalesce($4::timestamptz, now()), 'epoch'::timestamptz), 1)
ON CONFLICT (bucket, window_start) DO UPDATE SET hits = w.hits + 1 WHERE w.hits < $2
RETURNING hits;

-- name: lock_code
-- Locks a phone's code for one try; sign_in_code_pkey.
SELECT code_hash, attempts, sent_at, expires_at, coalesce($2::timestamptz, now()) AS now
FROM sign_in_code WHERE phone = $1 FOR UPDATE;

-- name: save_code
-- Replaces a phone's code unless the last one is younger than the spacing; sign_in_code_pkey.
INSERT INTO sign_in_code AS c (phone, code_hash, attempts, sent_at, expires_at)
SELECT $1, $2, 0, at, at + make_interval(secs => $3::int) FROM (SELECT coalesce($5::timestamptz, now()) AS at) clock
ON CONFLICT (phone) DO UPDATE
SET code_hash = excluded.code_hash, attempts = 0, sent_at = excluded.sent_at, expires_at = excluded.expires_at
WHERE c.sent_at <= excluded.sent_at - make_interval(secs => $4::int)
RETURNING phone;

-- name: set_attempts
-- Writes down the tries spent on a code; sign_in_code_pkey.
UPDATE sign_in_code SET attempts = $2 WHERE phone = $1;

-- name: add_account
-- Adds an account unless the phone has one; account_phone_taken.
INSERT INTO account (account_id, phone, display_name, created_at)
VALUES ($1, $2, $3, coalesce($4::timestamptz, now())) ON CONFLICT (phone) DO NOTHING
RETURNING account_id;

-- name: add_roles
-- Grants roles to an account that exists; account_role_pkey.
INSERT INTO account_role (account_id, role, granted_at)
SELECT a.account_id, r.role, coalesce($3::timestamptz, now())
FROM account a, unnest($2::text[]) AS r (role) WHERE a.account_id = $1 ON CONFLICT DO NOTHING;

-- name: account_by_phone
-- One account with its roles; account_phone_taken, account_role_pkey.
SELECT a.account_id, a.phone, a.display_name, a.frozen_at IS NOT NULL AS is_frozen,
       ARRAY(SELECT r.role FROM account_role r WHERE r.account_id = a.account_id) AS roles
FROM account a WHERE a.phone = $1;

-- name: account_by_id
-- One account with its roles; account_pkey, account_role_pkey.
SELECT a.account_id, a.phone, a.display_name, a.frozen_at IS NOT NULL AS is_frozen,
       ARRAY(SELECT r.role FROM account_role r WHERE r.account_id = a.account_id) AS roles
FROM account a WHERE a.account_id = $1;

-- name: reachable_phone
-- The phone of an account that is not frozen; account_pkey.
SELECT phone FROM account WHERE account_id = $1 AND frozen_at IS NULL;

-- name: accounts_by_name
-- The accounts of a display name, two at most, since two are already too many; for the command line, a full scan.
SELECT a.account_id, a.phone, a.display_name, a.frozen_at IS NOT NULL AS is_frozen,
       ARRAY(SELECT r.role FROM account_role r WHERE r.account_id = a.account_id) AS roles
FROM account a WHERE a.display_name = $1 LIMIT 2;

-- name: staff
-- Everybody who holds a staff role, by name; for the command line, a full scan.
SELECT a.account_id, a.phone, a.display_name, a.frozen_at IS NOT NULL AS is_frozen, array_agg(r.role) AS roles
FROM account_role r JOIN account a USING (account_id)
WHERE r.role IN ('support', 'panel', 'duty', 'operator') GROUP BY a.account_id ORDER BY a.display_name, a.account_id;

-- name: take_roles
-- Takes roles from an account; account_role_pkey.
DELETE FROM account_role WHERE account_id = $1 AND role = ANY($2::text[]) RETURNING role;

-- name: revoke_role_tokens
-- Revokes an account's tokens of roles it lost, so that none lives again with the role; for the command line, a full scan.
UPDATE api_token SET revoked_at = coalesce($3::timestamptz, now())
WHERE account_id = $1 AND role = ANY($2::text[]) AND revoked_at IS NULL;

-- name: drop_credential
-- Takes password and authenticator from who is no staff member any more; staff_credential_pkey.
DELETE FROM staff_credential WHERE account_id = $1 AND NOT EXISTS (
  SELECT 1 FROM account_role r WHERE r.account_id = $1 AND r.role IN ('support', 'panel', 'duty', 'operator'));

-- name: rename
-- Changes a display name; account_pkey.
UPDATE account SET display_name = $2 WHERE account_id = $1 RETURNING account_id;

-- name: email
-- An account's address, whether it works, and the one that waits for its code; account_pkey, email_code_pkey.
SELECT a.email, a.email IS NOT NULL AND a.email_failed_at IS NULL AS is_working, c.email AS pending
FROM account a
LEFT JOIN email_code c ON c.account_id = a.account_id AND c.expires_at > coalesce($2::timestamptz, now())
WHERE a.account_id = $1;

-- name: lock_email_code
-- Locks the code of an account's new address for one try; email_code_pkey.
SELECT email, code_hash, attempts, sent_at, expires_at, coalesce($2::timestamptz, now()) AS now
FROM email_code WHERE account_id = $1 FOR UPDATE;

-- name: save_email_code
-- Replaces an account's code unless the last one is younger than the spacing; email_code_pkey.
INSERT INTO email_code AS c (account_id, email, code_hash, attempts, sent_at, expires_at)
SELECT $1, $2, $3, 0, at, at + make_interval(secs => $4::int) FROM (SELECT coalesce($6::timestamptz, now()) AS at) clock
ON CONFLICT (account_id) DO UPDATE
SET email = excluded.email, code_hash = excluded.code_hash, attempts = 0, sent_at = excluded.sent_at,
    expires_at = excluded.expires_at
WHERE c.sent_at <= excluded.sent_at - make_interval(secs => $5::int)
RETURNING account_id;

-- name: set_email_attempts
-- Writes down the tries spent on a code; email_code_pkey.
UPDATE email_code SET attempts = $2 WHERE account_id = $1;

-- name: drop_email_code
-- Forgets the code of a new address, or the one with this hash alone; email_code_pkey.
DELETE FROM email_code WHERE account_id = $1 AND code_hash = coalesce($2, code_hash);

-- name: set_email
-- Takes a confirmed address, or none, in place of what was there; account_pkey.
UPDATE account SET email = $2::text, email_failed_at = NULL,
       email_confirmed_at = CASE WHEN $2::text IS NOT NULL THEN coalesce($3::timestamptz, now()) END
WHERE account_id = $1;

-- name: fail_email
-- Marks an address as not working, once, while it is still the account's; account_pkey.
UPDATE account SET email_failed_at = coalesce($3::timestamptz, now())
WHERE account_id = $1 AND email = $2 AND email_failed_at IS NULL RETURNING account_id;

-- name: set_frozen
-- Freezes an account, keeping the first time, or thaws it; account_pkey.
UPDATE account SET frozen_at = CASE WHEN $2 THEN coalesce(frozen_at, $3::timestamptz, now()) END
WHERE account_id = $1 RETURNING account_id;

-- name: add_link
-- Stores a link for an account that holds the role; account_role_pkey.
INSERT INTO sign_in_link (link_hash, account_id, role, expires_at)
SELECT $1, r.account_id, r.role, coalesce($5::timestamptz, now()) + make_interval(secs => $4::int)
FROM account_role r WHERE r.account_id = $2 AND r.role = $3 RETURNING account_id;

-- name: use_link
-- Spends a link; of several at once the row lock lets one through; sign_in_link_pkey.
UPDATE sign_in_link SET used_at = coalesce($2::timestamptz, now())
WHERE link_hash = $1 AND used_at IS NULL AND expires_at > coalesce($2::timestamptz, now())
RETURNING account_id, role;

-- name: add_session
-- Begins a session; session_pkey.
INSERT INTO session (session_hash, account_id, device, network, created_at, seen_at, expires_at)
SELECT $1, $2, $3, $4, at, at, at + make_interval(secs => $5::int) FROM (SELECT coalesce($6::timestamptz, now()) AS at) clock
RETURNING expires_at;

-- name: session
-- A live session with its person; session_pkey, account_pkey, account_role_pkey.
SELECT a.account_id, a.phone, a.display_name, s.seen_at, s.staff_until, coalesce($2::timestamptz, now()) AS now,
       ARRAY(SELECT r.role FROM account_role r WHERE r.account_id = a.account_id) AS roles
FROM session s JOIN account a ON a.account_id = s.account_id
WHERE s.session_hash = $1 AND s.expires_at > coalesce($2::timestamptz, now()) AND a.frozen_at IS NULL;

-- name: touch_session
-- Slides a session's end; session_pkey.
UPDATE session SET seen_at = $2, expires_at = $2 + make_interval(secs => $3::int)
WHERE session_hash = $1 AND seen_at < $2;

-- name: end_session
-- Ends one session; session_pkey.
DELETE FROM session WHERE session_hash = $1;

-- name: end_sessions
-- Ends every session of an account; session_account.
DELETE FROM session WHERE account_id = $1 RETURNING session_hash;

-- name: save_credential
-- Sets a staff member's password and authenticator anew; staff_credential_pkey.
INSERT INTO staff_credential (account_id, password_hash, totp_sealed, totp_last_step) VALUES ($1, $2, $3, 0)
ON CONFLICT (account_id) DO UPDATE
SET password_hash = excluded.password_hash, totp_sealed = excluded.totp_sealed, totp_last_step = 0;

-- name: end_staff_checks
-- Takes the staff check from an account's sessions; session_account.
UPDATE session SET staff_until = NULL WHERE account_id = $1 AND staff_until IS NOT NULL;

-- name: credential
-- A staff member's credential and the time; one row, empty for who is no staff member; staff_credential_pkey.
SELECT c.password_hash, c.totp_sealed, coalesce($2::timestamptz, now()) AS now
FROM (SELECT 1) one LEFT JOIN staff_credential c ON c.account_id = $1 AND EXISTS (
  SELECT 1 FROM account_role r WHERE r.account_id = $1 AND r.role IN ('support', 'panel', 'duty', 'operator'));

-- name: spend_step
-- Spends a time step of the credential that was checked; the row lock lets each step through once; staff_credential_pkey.
UPDATE staff_credential SET totp_last_step = $2
WHERE account_id = $1 AND totp_last_step < $2 AND password_hash = $3 RETURNING account_id;

-- name: mark_staff
-- Marks a live session as checked; session_pkey.
UPDATE session SET staff_until = coalesce($4::timestamptz, now()) + make_interval(secs => $3::int)
WHERE session_hash = $1 AND account_id = $2 AND expires_at > coalesce($4::timestamptz, now()) RETURNING account_id;

-- name: add_token
-- Stores an API token for an account that holds the role; account_role_pkey.
INSERT INTO api_token (token_hash, account_id, role, created_at)
SELECT $1, r.account_id, r.role, coalesce($4::timestamptz, now())
FROM account_role r WHERE r.account_id = $2 AND r.role = $3 RETURNING account_id;

-- name: token
-- The person behind an API token, with the token's role alone while the account still holds it; api_token_pkey.
SELECT a.account_id, a.phone, a.display_name, ARRAY[r.role] AS roles
FROM api_token t
JOIN account a ON a.account_id = t.account_id
JOIN account_role r ON r.account_id = t.account_id AND r.role = t.role
WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND a.frozen_at IS NULL;

-- name: revoke_token
-- Revokes an API token, once; api_token_pkey.
UPDATE api_token SET revoked_at = coalesce($2::timestamptz, now())
WHERE token_hash = $1 AND revoked_at IS NULL RETURNING account_id;

-- name: purge
-- Removes what has no meaning any more: a job's full scan of small tables.
WITH clock AS (SELECT coalesce($1::timestamptz, now()) AS at),
gone AS (
  DELETE FROM rate_window USING clock WHERE window_start < at - interval '1 day' RETURNING 1),
codes AS (
  DELETE FROM sign_in_code USING clock WHERE expires_at < at - interval '1 hour' RETURNING 1),
mail_codes AS (
  DELETE FROM email_code USING clock WHERE expires_at < at - interval '1 hour' RETURNING 1),
links AS (
  DELETE FROM sign_in_link USING clock WHERE expires_at < at RETURNING 1),
sessions AS (
  DELETE FROM session USING clock WHERE expires_at < at RETURNING 1)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM codes) + (SELECT count(*) FROM mail_codes)
     + (SELECT count(*) FROM links) + (SELECT count(*) FROM sessions);
