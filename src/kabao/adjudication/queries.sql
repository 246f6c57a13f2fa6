-- name: keep
-- Keeps the text of a version; the same version again changes nothing. Index: rulebook_version_pkey.
INSERT INTO rulebook_version (version, body, digest, is_major, kept_at, published_at, effective_at)
VALUES ($1, $2, $3, $4, coalesce($5, now()), $6, $7) ON CONFLICT DO NOTHING RETURNING version

-- name: has_published
-- Whether any version binds or will. Index: rulebook_version_effective.
SELECT EXISTS (SELECT 1 FROM rulebook_version WHERE effective_at IS NOT NULL)

-- name: now
-- The database's clock.
SELECT coalesce($1, now())

-- name: versions
-- Every version, the one that binds longest in front; drafts last. Index: none, a handful of rows.
SELECT version, digest, is_major, kept_at, published_at, effective_at FROM rulebook_version
 ORDER BY effective_at DESC NULLS LAST, kept_at DESC

-- name: body
-- The text of one version. Index: rulebook_version_pkey.
SELECT body FROM rulebook_version WHERE version = $1

-- name: in_force
-- The version that binds at an instant. Index: rulebook_version_effective.
SELECT version FROM rulebook_version WHERE effective_at <= coalesce($1, now()) ORDER BY effective_at DESC LIMIT 1

-- name: binding
-- The version that binds what was ordered at an instant: the one in force then, the first one for what is older than any.
-- Index: rulebook_version_effective, a handful of rows.
SELECT version FROM rulebook_version WHERE effective_at <= coalesce($2, now())
 ORDER BY effective_at <= $1 DESC, CASE WHEN effective_at <= $1 THEN effective_at END DESC, effective_at LIMIT 1

-- name: publish
-- Publishes a draft with its effective time; a published version is never moved. Index: rulebook_version_pkey.
UPDATE rulebook_version SET published_at = coalesce($2, now()), effective_at = $3
 WHERE version = $1 AND published_at IS NULL RETURNING version
