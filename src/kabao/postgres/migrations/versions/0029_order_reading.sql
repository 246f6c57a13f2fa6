-- What the terms checker found in the words of an order's listing, read once, as the first case of the order is opened:
-- a later catalogue never alters what an old case is decided on. checker names the catalogue that read.
CREATE TABLE order_reading (
  shop_id  bigint NOT NULL,
  order_id bigint NOT NULL,
  checker  text NOT NULL,
  clauses  jsonb NOT NULL CONSTRAINT order_reading_is_list CHECK (jsonb_typeof(clauses) = 'array'),
  read_at  timestamptz NOT NULL,
  PRIMARY KEY (shop_id, order_id),
  FOREIGN KEY (shop_id, order_id) REFERENCES orders
);

GRANT SELECT, INSERT ON order_reading TO kabao_app;
GRANT SELECT ON order_reading TO kabao_audit;
