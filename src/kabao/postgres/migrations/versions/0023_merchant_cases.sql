-- A case may be opened by the merchant: he demands that what is held is paid out to him, or a part of it. The buyer
-- answers; silence never decides against a buyer.

-- Who opened the case; the other side answers first. buyer_id stays the order's buyer.
ALTER TABLE cases
  ADD COLUMN opened_by text NOT NULL DEFAULT 'buyer' CHECK (opened_by IN ('buyer', 'merchant')),
  DROP CONSTRAINT cases_demand_check, ADD CONSTRAINT cases_demand_known
    CHECK (demand IN ('full_refund', 'partial_refund', 'replacement') OR demand = 'release' AND opened_by = 'merchant');
ALTER TABLE case_offer DROP CONSTRAINT case_offer_kind_check, ADD CONSTRAINT case_offer_kind_known
  CHECK (kind IN ('full_refund', 'partial_refund', 'replacement', 'release'));
