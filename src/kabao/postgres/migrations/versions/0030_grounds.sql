-- What a ruling rests on beside its words: an answer to each point of the parties, the articles and the law that whoever
-- ruled named, and why an open question was not waited for. NULL on what is older, whose records read as they did.
ALTER TABLE ruling ADD COLUMN grounds jsonb
  CONSTRAINT ruling_grounds_is_object CHECK (jsonb_typeof(grounds) = 'object');
ALTER TABLE ruling_submission ADD COLUMN grounds jsonb
  CONSTRAINT ruling_submission_grounds_is_object CHECK (jsonb_typeof(grounds) = 'object');
ALTER TABLE panel_vote ADD COLUMN grounds jsonb
  CONSTRAINT panel_vote_grounds_is_object CHECK (jsonb_typeof(grounds) = 'object');

-- A question nobody needs to answer any more: taken back, or decided without.
ALTER TABLE case_question ADD COLUMN withdrawn_at timestamptz,
  ADD CONSTRAINT case_question_ended_once CHECK (num_nonnulls(answered_at, withdrawn_at) <= 1);
DROP INDEX case_question_open;
CREATE INDEX case_question_open ON case_question (asked_at, shop_id, case_id)
  WHERE answered_at IS NULL AND withdrawn_at IS NULL;
GRANT UPDATE (withdrawn_at) ON case_question TO kabao_app;

-- desk_cases_v1 that knows of questions withdrawn.
CREATE OR REPLACE FUNCTION desk_cases_v1(p_staff bigint, p_support boolean, p_duty boolean)
  RETURNS TABLE (shop_id bigint, case_id bigint, due_at timestamptz, is_mine boolean, is_waiting boolean)
  LANGUAGE sql STABLE AS $$
  SELECT c.shop_id, c.case_id, c.due_at,
         CASE c.turn
           WHEN 'support' THEN p_support
           WHEN 'duty' THEN p_duty
             AND NOT EXISTS (SELECT 1 FROM ruling g
               WHERE g.shop_id = c.shop_id AND g.case_id = c.case_id AND g.staff_id = p_staff)
             AND NOT EXISTS (SELECT 1 FROM panel_seat l WHERE l.shop_id = c.shop_id AND l.case_id = c.case_id
               AND l.panellist_id = p_staff AND l.recused_at IS NOT NULL)
             AND NOT EXISTS (SELECT 1 FROM first_view f WHERE f.shop_id = c.shop_id AND f.case_id = c.case_id
               AND f.staff_id = p_staff AND c.stage = 'review' AND f.stage <> 'review')
             AND NOT EXISTS (SELECT 1 FROM message m WHERE m.shop_id = c.shop_id AND m.order_id = c.order_id
               AND m.author_id = p_staff AND m.author_role IN ('buyer', 'merchant'))
           ELSE t.panellist_id IS NOT NULL AND NOT (c.stage = 'panel' AND EXISTS (SELECT 1 FROM panel_vote v
             WHERE v.shop_id = c.shop_id AND v.case_id = c.case_id AND v.panellist_id = p_staff
               AND v.taken_back_at IS NULL)) END,
         EXISTS (SELECT 1 FROM case_question q WHERE q.shop_id = c.shop_id AND q.case_id = c.case_id
                    AND q.stage = c.stage AND q.answered_at IS NULL AND q.withdrawn_at IS NULL)
    FROM cases c
    JOIN shop h ON h.shop_id = c.shop_id
    LEFT JOIN panel_seat t ON t.shop_id = c.shop_id AND t.case_id = c.case_id AND t.stage = c.stage
                          AND t.panellist_id = p_staff AND t.recused_at IS NULL
   WHERE c.closed_at IS NULL AND c.turn IN ('support', 'panel', 'duty')
     AND c.buyer_id <> p_staff AND h.owner_id <> p_staff
     AND (p_support OR t.panellist_id IS NOT NULL OR c.turn = 'duty' AND p_duty)
$$;

-- The cases a member of staff may open, each in one lane: it waits for a party while a question holds the clock, else for
-- him or for somebody else. runs_from is the moment from which the time left counts: now, or the end of a pause.
CREATE FUNCTION desk_cases_v2(p_staff bigint, p_support boolean, p_duty boolean, p_now timestamptz)
  RETURNS TABLE (shop_id bigint, case_id bigint, due_at timestamptz, lane text, is_asked boolean, runs_from timestamptz)
  LANGUAGE sql STABLE AS $$
  SELECT d.shop_id, d.case_id, d.due_at,
         CASE WHEN d.is_waiting AND p.ends_at IS NOT NULL THEN 'waiting' WHEN d.is_mine THEN 'mine' ELSE 'others' END,
         d.is_waiting, coalesce(p.ends_at, p_now)
    FROM desk_cases_v1(p_staff, p_support, p_duty) d
    JOIN cases c USING (shop_id, case_id)
    LEFT JOIN LATERAL (SELECT max(u.ends_at) AS ends_at FROM case_pause u
                        WHERE u.shop_id = c.shop_id AND u.case_id = c.case_id AND u.stage = c.stage
                          AND u.began_at >= c.stage_since AND u.began_at <= p_now AND u.ends_at > p_now) p ON true
$$;
GRANT EXECUTE ON FUNCTION desk_cases_v2 TO kabao_app;
