-- A person's inbox, and the letters that go out by mail. The last parameter of a step that needs the time is the clock's instant; NULL: the database's.

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

-- name: is_wanted
-- Whether a topic is wanted by mail; mail_choice_pkey.
SELECT NOT EXISTS (SELECT 1 FROM mail_choice WHERE account_id = $1 AND topic = $2 AND NOT is_on);

-- name: topics_off
-- The topics an account does not want by mail; mail_choice_pkey.
SELECT topic FROM mail_choice WHERE account_id = $1 AND NOT is_on;

-- name: choose
-- Sets whether a topic is wanted by mail; mail_choice_pkey.
INSERT INTO mail_choice (account_id, topic, is_on, changed_at) VALUES ($1, $2, $3, coalesce($4::timestamptz, now()))
ON CONFLICT (account_id, topic) DO UPDATE SET is_on = excluded.is_on, changed_at = excluded.changed_at;

-- name: add_mail
-- Queues a letter, held until a time where one is given; mail_pkey.
INSERT INTO mail (account_id, mail_id, kind, topic, subject, body, attachments, due_at, made_at)
SELECT $1, $2, $3, $4, $5, $6, $7, coalesce($9::timestamptz, at), at
  FROM (SELECT coalesce($8::timestamptz, now()) AS at) clock;

-- name: quiet_hours
-- An account's quiet hours and the time it is; quiet_hours_pkey.
SELECT q.from_minute, q.to_minute, q.zone, coalesce($2::timestamptz, now()) AS now
  FROM quiet_hours q WHERE q.account_id = $1;

-- name: set_quiet_hours
-- Sets an account's quiet hours; quiet_hours_pkey.
INSERT INTO quiet_hours (account_id, from_minute, to_minute, zone, changed_at)
VALUES ($1, $2, $3, $4, coalesce($5::timestamptz, now()))
ON CONFLICT (account_id) DO UPDATE SET from_minute = excluded.from_minute, to_minute = excluded.to_minute,
  zone = excluded.zone, changed_at = excluded.changed_at;

-- name: end_quiet_hours
-- Takes an account's quiet hours away; quiet_hours_pkey.
DELETE FROM quiet_hours WHERE account_id = $1;

-- name: release_held
-- Makes an account's letters due at once that only its quiet hours hold; mail_pkey.
UPDATE mail SET due_at = coalesce($2::timestamptz, now())
 WHERE account_id = $1 AND state = 'waiting' AND attempt = 0 AND due_at > coalesce($2::timestamptz, now());

-- name: claim
-- Leases the letter that is due longest; an expired lease is simply due again; mail_due.
UPDATE mail m SET attempt = m.attempt + 1, lease_until = coalesce($2::timestamptz, now()) + $1::interval
FROM (SELECT account_id, mail_id FROM mail
      WHERE state = 'waiting' AND due_at <= coalesce($2::timestamptz, now())
        AND (lease_until IS NULL OR lease_until <= coalesce($2::timestamptz, now()))
      ORDER BY due_at, account_id, mail_id FOR UPDATE SKIP LOCKED LIMIT 1) due
WHERE m.account_id = due.account_id AND m.mail_id = due.mail_id
RETURNING m.account_id, m.mail_id, m.topic, m.subject, m.body, m.attachments, m.attempt, m.made_at,
          coalesce($2::timestamptz, now()) AS now;

-- name: postpone
-- Gives a letter back after a failure, fenced by its attempt; mail_pkey.
UPDATE mail SET due_at = coalesce($4::timestamptz, now()) + $5::interval, lease_until = NULL, last_error = $6
WHERE account_id = $1 AND mail_id = $2 AND attempt = $3 AND state = 'waiting';

-- name: end_mail
-- Ends a letter, fenced by its attempt; mail_pkey.
UPDATE mail SET state = $4, last_error = $5, ended_at = coalesce($6::timestamptz, now()), lease_until = NULL
WHERE account_id = $1 AND mail_id = $2 AND attempt = $3 AND state = 'waiting' RETURNING mail_id;

-- name: empty_old
-- Empties a batch of letters that ended long ago; mail_to_empty.
UPDATE mail m SET body = NULL, attachments = '[]'
FROM (SELECT account_id, mail_id FROM mail
      WHERE body IS NOT NULL AND state <> 'waiting' AND ended_at <= coalesce($2::timestamptz, now()) - $1::interval
      ORDER BY ended_at LIMIT 1000) old
WHERE m.account_id = old.account_id AND m.mail_id = old.mail_id RETURNING m.mail_id;

-- name: short_on
-- The channels that an account has switched on; short_choice_pkey.
SELECT channel FROM short_choice WHERE account_id = $1 AND is_on ORDER BY channel;

-- name: choose_short
-- Switches a channel on or off; short_choice_pkey.
INSERT INTO short_choice (account_id, channel, is_on, changed_at) VALUES ($1, $2, $3, coalesce($4::timestamptz, now()))
ON CONFLICT (account_id, channel) DO UPDATE SET is_on = excluded.is_on, changed_at = excluded.changed_at;

-- name: add_short
-- Queues a short message, held until a time where one is given, unless so many were made within a day; short_of_account.
INSERT INTO short_message (account_id, message_id, channel, kind, subject, link, due_at, made_at)
SELECT $1, $2, $3, $4, $5, $6, coalesce($8::timestamptz, at), at
  FROM (SELECT coalesce($7::timestamptz, now()) AS at) clock
 WHERE (SELECT count(*) FROM short_message m
         WHERE m.account_id = $1 AND m.channel = $3 AND m.made_at > clock.at - interval '24 hours') < $9;

-- name: claim_short
-- Leases the message of a channel that is due longest; short_message_due.
UPDATE short_message m SET attempt = m.attempt + 1, lease_until = coalesce($3::timestamptz, now()) + $2::interval
FROM (SELECT account_id, message_id FROM short_message
      WHERE channel = $1 AND state = 'waiting' AND due_at <= coalesce($3::timestamptz, now())
        AND (lease_until IS NULL OR lease_until <= coalesce($3::timestamptz, now()))
      ORDER BY due_at, account_id, message_id FOR UPDATE SKIP LOCKED LIMIT 1) due
WHERE m.account_id = due.account_id AND m.message_id = due.message_id
RETURNING m.account_id, m.message_id, m.channel, m.kind, m.subject, m.link, m.attempt, m.made_at,
          coalesce($3::timestamptz, now()) AS now;

-- name: postpone_short
-- Gives a message back after a failure, fenced by its attempt; short_message_pkey.
UPDATE short_message SET due_at = coalesce($4::timestamptz, now()) + $5::interval, lease_until = NULL, last_error = $6
WHERE account_id = $1 AND message_id = $2 AND attempt = $3 AND state = 'waiting';

-- name: end_short
-- Ends a message, fenced by its attempt; short_message_pkey.
UPDATE short_message SET state = $4, last_error = $5, ended_at = coalesce($6::timestamptz, now()), lease_until = NULL
WHERE account_id = $1 AND message_id = $2 AND attempt = $3 AND state = 'waiting' RETURNING message_id;

-- name: drop_short
-- Deletes a batch of messages that ended long ago; short_message_ended.
DELETE FROM short_message m USING (SELECT account_id, message_id FROM short_message
      WHERE state <> 'waiting' AND ended_at <= coalesce($2::timestamptz, now()) - $1::interval
      ORDER BY ended_at LIMIT 1000) old
WHERE m.account_id = old.account_id AND m.message_id = old.message_id RETURNING m.message_id;

-- name: release_short
-- Makes an account's messages due at once that only its quiet hours hold; short_of_account.
UPDATE short_message SET due_at = coalesce($2::timestamptz, now())
 WHERE account_id = $1 AND state = 'waiting' AND attempt = 0 AND due_at > coalesce($2::timestamptz, now());
