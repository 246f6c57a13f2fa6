-- Endpoints of shops, what is told there, and what became of it. The parameter named last is the clock's instant; NULL: the
-- database's.

-- name: owner
-- Who owns a shop. Index: shop_pkey.
SELECT owner_id FROM shop WHERE shop_id = $1

-- name: endpoints
-- A shop's endpoints, oldest first, one where $2 names it. Index: webhook_endpoint_pkey, webhook_delivery_due.
SELECT e.shop_id, e.endpoint_id, e.url, e.state, e.generation,
       CASE WHEN e.previous_until > coalesce($3::timestamptz, now()) THEN e.previous_until END AS previous_until,
       e.failing_since, e.made_at,
       (SELECT count(*) FROM (SELECT 1 FROM webhook_delivery d WHERE d.shop_id = e.shop_id
           AND d.endpoint_id = e.endpoint_id AND d.state = 'waiting' LIMIT 1000) d) AS waiting
  FROM webhook_endpoint e WHERE e.shop_id = $1 AND ($2::bigint IS NULL OR e.endpoint_id = $2) ORDER BY e.endpoint_id

-- name: lock_shop
-- Locks a shop, so that its endpoints are counted one after the other. Index: shop_pkey.
SELECT 1 FROM shop WHERE shop_id = $1 FOR NO KEY UPDATE

-- name: add_endpoint
-- Adds an endpoint unless the shop has that address or as many as it may. Index: webhook_endpoint_url_once.
INSERT INTO webhook_endpoint (shop_id, endpoint_id, url, since, made_at)
SELECT $1, $2, $3, coalesce($5::timestamptz, now()), coalesce($5::timestamptz, now())
 WHERE (SELECT count(*) FROM webhook_endpoint WHERE shop_id = $1) < $4
ON CONFLICT ON CONSTRAINT webhook_endpoint_url_once DO NOTHING RETURNING endpoint_id

-- name: rotate
-- Makes a new secret beside the one there is, unless two live already. Index: webhook_endpoint_pkey.
UPDATE webhook_endpoint SET generation = generation + 1, previous_until = coalesce($4::timestamptz, now()) + $3::interval
 WHERE shop_id = $1 AND endpoint_id = $2
   AND (previous_until IS NULL OR previous_until <= coalesce($4::timestamptz, now())) RETURNING endpoint_id

-- name: end_previous
-- Ends the secret before this one. Index: webhook_endpoint_pkey.
UPDATE webhook_endpoint SET previous_until = NULL WHERE shop_id = $1 AND endpoint_id = $2

-- name: turn_on
-- Lets events from now on go to an endpoint. Index: webhook_endpoint_pkey.
UPDATE webhook_endpoint SET state = 'on', since = coalesce($3::timestamptz, now()), failures = 0, failing_since = NULL,
       resting_until = NULL
 WHERE shop_id = $1 AND endpoint_id = $2 AND state <> 'on'

-- name: turn_off
-- Stops an endpoint. Index: webhook_endpoint_pkey.
UPDATE webhook_endpoint SET state = $3 WHERE shop_id = $1 AND endpoint_id = $2 AND state = 'on' RETURNING endpoint_id

-- name: drop_waiting
-- Drops what still waits for an endpoint. Index: webhook_delivery_due.
UPDATE webhook_delivery SET state = 'dropped', lease_until = NULL, ended_at = coalesce($3::timestamptz, now())
 WHERE shop_id = $1 AND endpoint_id = $2 AND state = 'waiting'

-- name: remove
-- Forgets an endpoint with its log. Index: webhook_endpoint_pkey, webhook_delivery_pkey.
DELETE FROM webhook_endpoint WHERE shop_id = $1 AND endpoint_id = $2

-- name: add_test
-- Adds a message that tries an endpoint. Index: webhook_delivery_once.
INSERT INTO webhook_delivery (shop_id, endpoint_id, event, kind, number, at, due_at)
SELECT shop_id, endpoint_id, $3, 'test', 1, coalesce($4::timestamptz, now()), coalesce($4::timestamptz, now())
  FROM webhook_endpoint WHERE shop_id = $1 AND endpoint_id = $2 AND state = 'on' RETURNING delivery_id

-- name: deliveries
-- An endpoint's newest messages. Index: webhook_delivery_pkey.
SELECT event, kind, order_id, case_id, number, state, attempt, status, last_error, at, due_at, ended_at
  FROM webhook_delivery WHERE shop_id = $1 AND endpoint_id = $2 ORDER BY delivery_id DESC LIMIT $3

-- name: begin
-- Makes the cursor, once. Index: digest_cursor_pkey.
INSERT INTO digest_cursor (name, read_until) VALUES ('webhooks', coalesce($1::timestamptz, now())) ON CONFLICT DO NOTHING

-- name: horizon
-- Locks the cursor and answers it with how far the histories are whole, or nothing where another runner has it: an event
-- bears the time its transaction began, so they are whole up to the oldest that still runs. Index: digest_cursor_pkey.
SELECT c.read_until, coalesce($2::timestamptz, least(clock_timestamp() - $1::interval,
         (SELECT min(a.xact_start) FROM pg_stat_activity a
           WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()))) AS whole_until
  FROM digest_cursor c WHERE c.name = 'webhooks' FOR UPDATE SKIP LOCKED

-- name: move_on
-- Remembers how far the histories were read. Index: digest_cursor_pkey.
UPDATE digest_cursor SET read_until = $1 WHERE name = 'webhooks'

-- name: tell_orders
-- Writes a message for every endpoint that is on and every step of an order in a stretch of time.
-- Index: order_event_at, webhook_endpoint_on, order_event_pkey, webhook_delivery_once.
INSERT INTO webhook_delivery (shop_id, endpoint_id, event, kind, order_id, number, standing, at, due_at)
SELECT e.shop_id, p.endpoint_id, 'o' || e.event_id, 'order.' || e.kind, e.order_id,
       (SELECT count(*) FROM order_event b
         WHERE b.shop_id = e.shop_id AND b.order_id = e.order_id AND b.event_id <= e.event_id),
       e.to_state, e.at, coalesce($4::timestamptz, now())
  FROM order_event e JOIN webhook_endpoint p USING (shop_id)
 WHERE e.at >= $1 AND e.at < $2 AND e.kind = ANY($3::text[]) AND p.state = 'on' AND e.at >= p.since
 ORDER BY e.event_id ON CONFLICT ON CONSTRAINT webhook_delivery_once DO NOTHING

-- name: tell_cases
-- Writes a message for every endpoint that is on and every step of a case in a stretch of time.
-- Index: case_event_at, webhook_endpoint_on, case_event_pkey, webhook_delivery_once.
INSERT INTO webhook_delivery (shop_id, endpoint_id, event, kind, order_id, case_id, number, standing, answer_by, at, due_at)
SELECT e.shop_id, p.endpoint_id, 'c' || e.event_id, 'case.' || e.kind, c.order_id, e.case_id,
       (SELECT count(*) FROM case_event b
         WHERE b.shop_id = e.shop_id AND b.case_id = e.case_id AND b.event_id <= e.event_id),
       e.to_stage, e.due_at, e.at, coalesce($4::timestamptz, now())
  FROM case_event e JOIN webhook_endpoint p USING (shop_id) JOIN cases c USING (shop_id, case_id)
 WHERE e.at >= $1 AND e.at < $2 AND e.kind = ANY($3::text[]) AND p.state = 'on' AND e.at >= p.since
 ORDER BY e.event_id ON CONFLICT ON CONSTRAINT webhook_delivery_once DO NOTHING

-- name: claim
-- Leases messages that are due, the oldest of each endpoint first and few of each, so that none waits behind another's;
-- an expired lease is simply due again. Index: webhook_endpoint_on, webhook_delivery_due.
WITH due AS MATERIALIZED (
  SELECT d.shop_id, d.endpoint_id, d.delivery_id
    FROM webhook_endpoint e CROSS JOIN LATERAL (
      SELECT w.shop_id, w.endpoint_id, w.delivery_id FROM webhook_delivery w
       WHERE w.shop_id = e.shop_id AND w.endpoint_id = e.endpoint_id AND w.state = 'waiting'
         AND w.due_at <= coalesce($4::timestamptz, now())
         AND (w.lease_until IS NULL OR w.lease_until <= coalesce($4::timestamptz, now()))
       ORDER BY w.due_at, w.delivery_id FOR UPDATE SKIP LOCKED LIMIT $2) d
   WHERE e.state = 'on' AND (e.resting_until IS NULL OR e.resting_until <= coalesce($4::timestamptz, now()))
   ORDER BY e.resting_until NULLS FIRST LIMIT $3)
UPDATE webhook_delivery d SET attempt = d.attempt + 1, lease_until = coalesce($4::timestamptz, now()) + $1::interval
  FROM due JOIN webhook_endpoint e USING (shop_id, endpoint_id) JOIN shop h USING (shop_id)
 WHERE d.shop_id = due.shop_id AND d.endpoint_id = due.endpoint_id AND d.delivery_id = due.delivery_id
RETURNING d.shop_id, d.endpoint_id, d.delivery_id, d.attempt, coalesce($4::timestamptz, now()) AS now, e.url, e.generation,
          e.previous_until, e.failures, e.failing_since, h.owner_id, d.event, d.kind, d.order_id, d.case_id, d.number,
          d.standing, d.answer_by, d.at

-- name: lock_endpoint
-- Locks an endpoint; whoever changes it together with its messages locks it first. Index: webhook_endpoint_pkey.
SELECT 1 FROM webhook_endpoint WHERE shop_id = $1 AND endpoint_id = $2 FOR NO KEY UPDATE

-- name: end_delivery
-- Ends a message, fenced by its attempt. Index: webhook_delivery_pkey.
UPDATE webhook_delivery SET state = $5, status = $6, last_error = $7, lease_until = NULL,
       ended_at = coalesce($8::timestamptz, now())
 WHERE shop_id = $1 AND endpoint_id = $2 AND delivery_id = $3 AND attempt = $4 AND state = 'waiting' RETURNING delivery_id

-- name: postpone
-- Gives a message back after a failure, fenced by its attempt. Index: webhook_delivery_pkey.
UPDATE webhook_delivery SET due_at = coalesce($8::timestamptz, now()) + $7::interval, status = $5, last_error = $6,
       lease_until = NULL
 WHERE shop_id = $1 AND endpoint_id = $2 AND delivery_id = $3 AND attempt = $4 AND state = 'waiting' RETURNING delivery_id

-- name: arrived
-- Forgets an endpoint's failures. Index: webhook_endpoint_pkey.
UPDATE webhook_endpoint SET failures = 0, failing_since = NULL, resting_until = NULL
 WHERE shop_id = $1 AND endpoint_id = $2 AND failing_since IS NOT NULL

-- name: failed
-- Counts a failure and leaves the endpoint alone for a while. Index: webhook_endpoint_pkey.
UPDATE webhook_endpoint SET failures = failures + 1, failing_since = coalesce(failing_since, $4::timestamptz, now()),
       resting_until = coalesce($4::timestamptz, now()) + $3::interval
 WHERE shop_id = $1 AND endpoint_id = $2

-- name: forget_old
-- Forgets a batch of messages that ended long ago. Index: webhook_delivery_ended.
DELETE FROM webhook_delivery d USING (SELECT shop_id, endpoint_id, delivery_id FROM webhook_delivery
    WHERE state <> 'waiting' AND ended_at <= coalesce($2::timestamptz, now()) - $1::interval ORDER BY ended_at LIMIT 5000) old
 WHERE d.shop_id = old.shop_id AND d.endpoint_id = old.endpoint_id AND d.delivery_id = old.delivery_id
RETURNING d.delivery_id
