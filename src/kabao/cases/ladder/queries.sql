-- name: pauses
-- The pauses of a stage since a case came to it. Index: case_pause_pkey.
SELECT began_at, ends_at FROM case_pause
 WHERE shop_id = $1 AND case_id = $2 AND stage = $3 AND began_at >= $4 ORDER BY began_at

-- name: begin_pause
-- Stops a stage's clock; the end is set ahead. Index: case_pause_pkey.
INSERT INTO case_pause (shop_id, case_id, stage, began_at, ends_at) VALUES ($1, $2, $3, $4, $5)

-- name: end_pause
-- Lets a stage's clock run on earlier than set ahead. Index: case_pause_pkey.
UPDATE case_pause SET ends_at = $5 WHERE shop_id = $1 AND case_id = $2 AND stage = $3 AND began_at = $4

-- name: questions
-- The questions of a case, oldest first. Index: case_question_pkey.
SELECT question_id, stage, by_role, to_role, body, asked_at, answer, answered_at, withdrawn_at
  FROM case_question WHERE shop_id = $1 AND case_id = $2 ORDER BY question_id

-- name: add_question
-- Asks a party. Index: case_question_pkey.
INSERT INTO case_question (shop_id, case_id, question_id, stage, by_id, by_role, to_role, body, asked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)

-- name: answer_question
-- Keeps the answer to a question, once. Index: case_question_pkey.
UPDATE case_question SET answer = $4, answered_at = $5
 WHERE shop_id = $1 AND case_id = $2 AND question_id = $3 AND answered_at IS NULL AND withdrawn_at IS NULL

-- name: withdraw_question
-- Keeps that a question needs no answer any more. Index: case_question_pkey.
UPDATE case_question SET withdrawn_at = $4
 WHERE shop_id = $1 AND case_id = $2 AND question_id = $3 AND answered_at IS NULL AND withdrawn_at IS NULL

-- name: end_waiting
-- Ends what a stage waits for once it is ruled: open questions need no answer, a pause that runs is over.
-- Index: case_question_pkey, case_pause_pkey.
WITH over AS (
  UPDATE case_pause SET ends_at = $4 WHERE shop_id = $1 AND case_id = $2 AND stage = $3 AND began_at <= $4 AND ends_at > $4)
UPDATE case_question SET withdrawn_at = $4
 WHERE shop_id = $1 AND case_id = $2 AND stage = $3 AND answered_at IS NULL AND withdrawn_at IS NULL

-- name: move_due
-- Writes a deadline that a question or an answer has moved. Index: cases_pkey.
UPDATE cases SET due_at = $3 WHERE shop_id = $1 AND case_id = $2

-- name: add_first_view
-- Keeps a first view, once a stage and person. Index: first_view_pkey.
INSERT INTO first_view (shop_id, case_id, stage, staff_id, outcome, refund_minor, share_buyer, share_merchant,
    share_platform, sentence, at, damages_minor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
ON CONFLICT DO NOTHING RETURNING staff_id

-- name: viewed_stages
-- The stages of a case in which somebody has put down a first view. Index: first_view_pkey.
SELECT stage FROM first_view WHERE shop_id = $1 AND case_id = $2 AND staff_id = $3

-- name: candidates
-- Who may be drawn for a case: on the panel, not frozen, no party, not barred, without a seat in this stage or one he has
-- left, and without a first view in another stage, after which he has seen what the rules suggest; with the seats he has
-- at the moment. Index: account_role_by_role, panel_seat_of, first_view_pkey.
SELECT r.account_id AS panellist_id,
       (SELECT count(*) FROM panel_seat t JOIN cases c USING (shop_id, case_id)
         WHERE t.panellist_id = r.account_id AND t.recused_at IS NULL AND c.stage = t.stage) AS open_seats
  FROM account_role r JOIN account a USING (account_id)
 WHERE r.role = 'panel' AND a.frozen_at IS NULL AND r.account_id <> ALL($4::bigint[])
   AND NOT EXISTS (SELECT 1 FROM panel_seat t WHERE t.shop_id = $1 AND t.case_id = $2
                      AND t.panellist_id = r.account_id AND (t.stage = $3 OR t.recused_at IS NOT NULL))
   AND NOT EXISTS (SELECT 1 FROM first_view v WHERE v.shop_id = $1 AND v.case_id = $2
                      AND v.staff_id = r.account_id AND v.stage <> $3)

-- name: add_seats
-- Gives seats to those who were drawn. Index: panel_seat_pkey.
INSERT INTO panel_seat (shop_id, case_id, stage, seat_no, panellist_id, drawn_at)
SELECT $1, $2, $3, x.n + (SELECT count(*) FROM panel_seat t WHERE t.shop_id = $1 AND t.case_id = $2 AND t.stage = $3),
       x.panellist_id, $5
  FROM unnest($4::bigint[]) WITH ORDINALITY AS x (panellist_id, n)

-- name: leave_seat
-- Takes a panellist off a case. Index: panel_seat_once.
UPDATE panel_seat SET recused_at = $5, recused_why = $6
 WHERE shop_id = $1 AND case_id = $2 AND stage = $3 AND panellist_id = $4 AND recused_at IS NULL

-- name: votes
-- The votes of those who sit on the panel, in the order of their seats. Index: panel_vote_once, panel_seat_once.
SELECT v.panellist_id, v.upholds, v.refund_minor, v.share_buyer, v.share_merchant, v.share_platform, v.facts, v.reasons,
       v.differs_reason, v.damages_minor, v.replaces, coalesce(v.grounds, '{}') AS grounds, coalesce(v.seen, '{}') AS seen
  FROM panel_vote v JOIN panel_seat t USING (shop_id, case_id, panellist_id)
 WHERE v.shop_id = $1 AND v.case_id = $2 AND v.taken_back_at IS NULL AND t.stage = 'panel' AND t.recused_at IS NULL
 ORDER BY t.seat_no

-- name: add_vote
-- Keeps a vote, one a panellist. Index: panel_vote_once.
INSERT INTO panel_vote (shop_id, case_id, vote_id, panellist_id, upholds, refund_minor, share_buyer, share_merchant,
    share_platform, facts, reasons, differs_reason, at, damages_minor, replaces, grounds, seen)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)

-- name: take_back_vote
-- Takes back a vote that nobody has seen. Index: panel_vote_once.
UPDATE panel_vote SET taken_back_at = $4
 WHERE shop_id = $1 AND case_id = $2 AND panellist_id = $3 AND taken_back_at IS NULL

-- name: drop_votes
-- Takes back the votes of a panel that has to look anew. Index: panel_vote_once.
UPDATE panel_vote SET taken_back_at = $3 WHERE shop_id = $1 AND case_id = $2 AND taken_back_at IS NULL

-- name: submit_ruling
-- Keeps a ruling as handed in, one at a time, beside what was demanded at most: where no person decides, the table takes
-- nothing beyond it. Index: ruling_submission_one_pending, cases_pkey, card_key_one_place.
INSERT INTO ruling_submission (shop_id, case_id, submission_id, staff_id, stage, by_duty, outcome, refund_minor,
    share_buyer, share_merchant, share_platform, facts, reasons, differs_reason, dissent, rulebook_version, case_file,
    decision, submitted_at, visible_at, damages_minor, grounds, seen, demanded_minor)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
       CASE c.demand WHEN 'replacement' THEN in_place_v1(c.shop_id, c.order_id) ELSE c.demand_minor END
  FROM cases c WHERE c.shop_id = $1 AND c.case_id = $2

-- name: in_place
-- What was paid for the opened keys that an order holds. Index: orders_pkey, card_key_one_place.
SELECT in_place_v1($1, $2)

-- name: submitted
-- What is handed in and still waits. Index: ruling_submission_one_pending.
SELECT outcome, refund_minor, damages_minor, staff_id, stage, by_duty, seen FROM ruling_submission
 WHERE shop_id = $1 AND case_id = $2 AND ended_at IS NULL

-- name: end_submission
-- Says what became of a ruling that was handed in. Index: ruling_submission_pkey.
UPDATE ruling_submission SET ended_at = $4, ended_as = $5
 WHERE shop_id = $1 AND case_id = $2 AND submission_id = $3 AND ended_at IS NULL

-- name: publish_ruling
-- Makes a ruling of what was handed in, and names in its grounds what had not been read. Index: ruling_submission_pkey,
-- ruling_pkey.
INSERT INTO ruling (shop_id, case_id, ruling_no, staff_id, stage, by_duty, outcome, refund_minor, share_buyer,
    share_merchant, share_platform, facts, reasons, differs_reason, dissent, made_at, damages_minor, grounds)
SELECT s.shop_id, s.case_id, (SELECT count(*) + 1 FROM ruling r WHERE r.shop_id = $1 AND r.case_id = $2), s.staff_id,
       s.stage, s.by_duty, s.outcome, s.refund_minor, s.share_buyer, s.share_merchant, s.share_platform, s.facts,
       s.reasons, s.differs_reason, s.dissent, $4, s.damages_minor,
       CASE WHEN $5::text[] IS NULL THEN s.grounds ELSE jsonb_set(s.grounds, '{unread}', to_jsonb($5::text[])) END
  FROM ruling_submission s WHERE s.shop_id = $1 AND s.case_id = $2 AND s.submission_id = $3
RETURNING ruling_no

-- name: keep_decision
-- Keeps beside a ruling what the rulebook said when it was handed in. Index: ruling_submission_pkey.
INSERT INTO case_decision (shop_id, case_id, ruling_no, rulebook_version, case_file, case_file_digest, decision,
    decision_digest, made_at)
SELECT s.shop_id, s.case_id, $4, s.rulebook_version, s.case_file, sha256(convert_to(s.case_file, 'UTF8')), s.decision,
       sha256(convert_to(s.decision, 'UTF8')), $5
  FROM ruling_submission s
 WHERE s.shop_id = $1 AND s.case_id = $2 AND s.submission_id = $3 AND s.rulebook_version IS NOT NULL

-- name: add_review
-- Keeps who asked for a review and why, once a case. Index: case_review_pkey.
INSERT INTO case_review (shop_id, case_id, ruling_no, by_role, by_id, reason, asked_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)

-- name: add_waiver
-- Keeps who waived the review of a ruling. Index: case_waiver_pkey.
INSERT INTO case_waiver (shop_id, case_id, ruling_no, by_role, by_id, at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: lock_idle_case
-- Locks a case unless somebody is moving it just now. Index: cases_pkey.
SELECT case_id FROM cases WHERE shop_id = $1 AND case_id = $2 FOR UPDATE SKIP LOCKED

-- name: lock_open_case
-- Locks the case that is open on an order, before its money is locked. Index: cases_one_open.
SELECT case_id FROM cases WHERE shop_id = $1 AND order_id = $2 AND closed_at IS NULL FOR UPDATE

-- name: case_ended_by_bank
-- The open case of an order whose payment was taken back while it ran. Index: cases_one_open, chargeback_of_order.
SELECT c.case_id FROM cases c
 WHERE c.shop_id = $1 AND c.order_id = $2 AND c.closed_at IS NULL
   AND EXISTS (SELECT 1 FROM chargeback b WHERE b.shop_id = $1 AND b.order_id = $2 AND b.ended_case)

-- name: visible_submissions
-- Cases with a ruling that nobody may take back any more. Index: ruling_submission_due.
SELECT shop_id, case_id, visible_at AS at FROM ruling_submission
 WHERE ended_at IS NULL AND visible_at <= coalesce($1, now()) AND (visible_at, shop_id, case_id) > ($2, $3, $4)
 ORDER BY visible_at, shop_id, case_id LIMIT $5

-- name: charged_back_cases
-- Open cases on orders whose payment the payer's bank took back while they ran and which did not end with it. Index: chargeback_ended_case, cases_one_open.
SELECT b.received_at AS at, c.shop_id, c.case_id FROM chargeback b
  JOIN cases c ON c.shop_id = b.shop_id AND c.order_id = b.order_id AND c.closed_at IS NULL
 WHERE b.ended_case AND b.received_at <= coalesce($1, now()) AND (b.received_at, c.shop_id, c.case_id) > ($2, $3, $4)
 ORDER BY b.received_at, c.shop_id, c.case_id LIMIT $5

-- name: due_cases
-- Cases past their deadline; one where a ruling was handed in waits for it, and a panel's is the duty officer's already.
-- Index: cases_due.
SELECT c.shop_id, c.case_id, c.due_at AS at FROM cases c
 WHERE c.closed_at IS NULL AND c.due_at <= coalesce($1, now()) AND (c.due_at, c.shop_id, c.case_id) > ($2, $3, $4)
   AND NOT (c.stage = 'panel' AND c.turn = 'duty')
   AND NOT EXISTS (SELECT 1 FROM ruling_submission p
                    WHERE p.shop_id = c.shop_id AND p.case_id = c.case_id AND p.ended_at IS NULL)
 ORDER BY c.due_at, c.shop_id, c.case_id LIMIT $5

-- name: unseated_cases
-- Cases whose panel has an empty seat. Index: cases_due.
SELECT c.shop_id, c.case_id, c.due_at AS at FROM cases c
 WHERE c.closed_at IS NULL AND c.turn = 'panel' AND (c.due_at, c.shop_id, c.case_id) > ($2, $3, $4)
   AND c.due_at > coalesce($1, now())
   AND (SELECT count(*) FROM panel_seat t WHERE t.shop_id = c.shop_id AND t.case_id = c.case_id AND t.stage = c.stage
           AND t.recused_at IS NULL)
       < CASE WHEN c.stage = 'panel' AND at_stake_v1(c.shop_id, c.order_id, c.opened_at)
                   >= coalesce((c.windows ->> 'three_from_minor')::bigint, 50000) THEN 3 ELSE 1 END
 ORDER BY c.due_at, c.shop_id, c.case_id LIMIT $5
