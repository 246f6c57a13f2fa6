-- What was paid for the opened keys that an order holds: what takes the place of new ones, where there is no stock.
CREATE FUNCTION in_place_v1(p_shop bigint, p_order bigint) RETURNS bigint STABLE LANGUAGE sql AS $$
  SELECT o.unit_minor * (SELECT count(*) FROM card_key k
                          WHERE k.shop_id = p_shop AND k.order_id = p_order AND k.state = 'opened')
    FROM orders o WHERE o.shop_id = p_shop AND o.order_id = p_order
$$;

-- What was demanded at most when a ruling was handed in (NULL: from before it was kept). Where no person decided, for want
-- of an answer or on the records alone, a ruling gives nothing beyond it.
ALTER TABLE ruling_submission
  ADD COLUMN demanded_minor bigint,
  ADD CONSTRAINT ruling_submission_not_beyond_demand
    CHECK (stage NOT IN ('default', 'green') OR (refund_minor <= demanded_minor AND damages_minor = 0));

GRANT EXECUTE ON FUNCTION in_place_v1 TO kabao_app;
