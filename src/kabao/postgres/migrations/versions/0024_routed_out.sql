-- A case may be handed to an authority: its money stays frozen until a panel rules on it, after thirty days at the latest.

INSERT INTO case_step (previous, stage) VALUES
  ('support', 'routed_out'), ('panel', 'routed_out'), ('routed_out', 'panel');

ALTER TABLE cases DROP CONSTRAINT cases_rose_why_known, ADD CONSTRAINT cases_rose_why_known CHECK (rose_why IN
  ('merchant_silent', 'buyer_silent', 'buyer_asked', 'merchant_asked', 'support_late', 'support_asked', 'routed_long'));
