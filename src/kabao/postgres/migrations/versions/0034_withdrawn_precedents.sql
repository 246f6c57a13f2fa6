-- A precedent that was taken out of the library again: since when, by whom, and which of the published reasons.
ALTER TABLE precedent
  ADD COLUMN withdrawn_at timestamptz,
  ADD COLUMN withdrawn_by bigint,
  ADD COLUMN withdrawn_why text CHECK (withdrawn_why IN ('names', 'overturned', 'asked', 'mistaken')),
  ADD CONSTRAINT precedent_withdrawal_whole CHECK (num_nulls(withdrawn_at, withdrawn_by, withdrawn_why) IN (0, 3));
GRANT UPDATE (withdrawn_at, withdrawn_by, withdrawn_why) ON precedent TO kabao_app;
