-- When the turn began that a case is in (NULL: before it was kept, and nobody is reminded of it). A mark 'waits_…' of a
-- reminder stands with that instant in the place of the deadline.
ALTER TABLE cases ADD COLUMN turn_since timestamptz;
CREATE INDEX cases_turn_since ON cases (turn_since, shop_id, case_id) WHERE closed_at IS NULL;
ALTER TABLE case_reminder DROP CONSTRAINT case_reminder_mark_check;
ALTER TABLE case_reminder ADD CONSTRAINT case_reminder_mark_check
  CHECK (mark IN ('day', 'soon', 'asked_buyer', 'asked_merchant', 'waits_day', 'waits_two'));

-- What the parties of orders say to each other is read behind a cursor, by the time it was said.
CREATE INDEX message_of_parties ON message (at) WHERE author_role <> 'support';
