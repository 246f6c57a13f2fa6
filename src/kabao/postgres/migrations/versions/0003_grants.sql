-- What the application's role may do. Histories are INSERT and SELECT only; the schema belongs to the owner.

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public, sandbox TO kabao_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO kabao_app;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA sandbox TO kabao_app;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO kabao_app;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO kabao_app;

REVOKE UPDATE, DELETE ON ledger_transfer, ledger_account, order_event, case_event, listing_snapshot, payment,
  notice_confirmation, reveal_receipt, message, evidence_item, ruling FROM kabao_app;
REVOKE INSERT, UPDATE, DELETE ON order_step, case_step FROM kabao_app;
REVOKE DELETE ON account, shop, listing, card_key, shop_data_key, orders, escrow, custody_instruction, cases, case_offer,
  ledger_balance FROM kabao_app;
REVOKE UPDATE, DELETE ON sandbox.booking, sandbox.checkout FROM kabao_app;

GRANT USAGE ON SCHEMA public, sandbox TO kabao_audit;
GRANT SELECT ON ALL TABLES IN SCHEMA public, sandbox TO kabao_audit;
REVOKE SELECT ON session, sign_in_code, sign_in_link, staff_credential, api_token, shop_data_key FROM kabao_audit;
