-- The desk where staff rule: who has a case open just now, a draft of one's own, and the queue with what stands in it.

-- A lease: a page that is open renews it, one that is closed lets it run out. For staff only.
CREATE TABLE case_presence (
  shop_id  bigint NOT NULL,
  case_id  bigint NOT NULL,
  staff_id bigint NOT NULL,
  role     text NOT NULL CHECK (role IN ('support', 'panel', 'duty')),
  seen_at  timestamptz NOT NULL,
  until    timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id, staff_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases
);
CREATE INDEX case_presence_until ON case_presence (until);

-- What somebody has typed of a ruling and not handed in: its author's alone, and nothing that anybody audits.
CREATE TABLE ruling_draft (
  shop_id    bigint NOT NULL,
  case_id    bigint NOT NULL,
  stage      text NOT NULL CHECK (stage IN ('support', 'panel', 'review')),
  staff_id   bigint NOT NULL,
  typed      jsonb NOT NULL,
  saved_at   timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  PRIMARY KEY (shop_id, case_id, stage, staff_id),
  FOREIGN KEY (shop_id, case_id) REFERENCES cases
);
CREATE INDEX ruling_draft_expires ON ruling_draft (expires_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON case_presence, ruling_draft TO kabao_app;

-- The open cases that wait for staff and that a member of staff may open, without his own: all of them for support, those
-- where he has a seat, and those of the duty officer. `is_mine` where it waits for him, `is_waiting` where a party has been
-- asked and has not answered.
CREATE FUNCTION desk_cases_v1(p_staff bigint, p_support boolean, p_duty boolean)
  RETURNS TABLE (shop_id bigint, case_id bigint, due_at timestamptz, is_mine boolean, is_waiting boolean)
  LANGUAGE sql STABLE AS $$
  SELECT c.shop_id, c.case_id, c.due_at,
         CASE c.turn
           WHEN 'support' THEN p_support
           WHEN 'duty' THEN p_duty AND NOT EXISTS (SELECT 1 FROM ruling g
             WHERE g.shop_id = c.shop_id AND g.case_id = c.case_id AND g.staff_id = p_staff)
           ELSE t.panellist_id IS NOT NULL AND NOT (c.stage = 'panel' AND EXISTS (SELECT 1 FROM panel_vote v
             WHERE v.shop_id = c.shop_id AND v.case_id = c.case_id AND v.panellist_id = p_staff
               AND v.taken_back_at IS NULL)) END,
         EXISTS (SELECT 1 FROM case_question q WHERE q.shop_id = c.shop_id AND q.case_id = c.case_id
                    AND q.stage = c.stage AND q.answered_at IS NULL)
    FROM cases c
    JOIN shop h ON h.shop_id = c.shop_id
    LEFT JOIN panel_seat t ON t.shop_id = c.shop_id AND t.case_id = c.case_id AND t.stage = c.stage
                          AND t.panellist_id = p_staff AND t.recused_at IS NULL
   WHERE c.closed_at IS NULL AND c.turn IN ('support', 'panel', 'duty')
     AND c.buyer_id <> p_staff AND h.owner_id <> p_staff
     AND (p_support OR t.panellist_id IS NOT NULL OR c.turn = 'duty' AND p_duty)
$$;
GRANT EXECUTE ON FUNCTION desk_cases_v1 TO kabao_app;
