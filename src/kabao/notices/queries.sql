-- A person's inbox. The last parameter of a step that needs the time is the clock's instant; NULL: the database's.

-- name: add
-- Adds a line to an inbox; notice_pkey.
INSERT INTO notice (account_id, notice_id, kind, subject, link, made_at)
VALUES ($1, $2, $3, $4, $5, coalesce($6::timestamptz, now()));

-- name: unread_count
-- Counts unread lines up to what is shown; notice_unread.
SELECT count(*) FROM (SELECT 1 FROM notice WHERE account_id = $1 AND read_at IS NULL LIMIT $2) unread;

-- name: inbox
-- The newest lines before an id; notice_pkey backwards.
SELECT notice_id, kind, subject, link, made_at, read_at FROM notice
WHERE account_id = $1 AND notice_id < coalesce($2::bigint, 9223372036854775807)
ORDER BY notice_id DESC LIMIT $3;

-- name: mark_read
-- Marks one line read, keeping the first time; notice_pkey.
UPDATE notice SET read_at = coalesce(read_at, $3::timestamptz, now()) WHERE account_id = $1 AND notice_id = $2
RETURNING notice_id;

-- name: mark_all_read
-- Marks every unread line read; notice_unread.
UPDATE notice SET read_at = coalesce($2::timestamptz, now()) WHERE account_id = $1 AND read_at IS NULL;
