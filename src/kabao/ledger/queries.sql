-- name: open_accounts
-- Opens the fixed set of accounts of a shop; a repeat changes nothing. Index: ledger_account_pkey.
INSERT INTO ledger_account (shop_id, account_no)
SELECT $1, account_no FROM generate_series(1, 10) account_no
ON CONFLICT DO NOTHING

-- name: shops_to_fold
-- The shops that have deltas waiting, the platform among them. Index: ledger_delta_pkey (skip scan over shop_id).
SELECT s.shop_id FROM (SELECT 0::bigint AS shop_id UNION ALL SELECT shop_id FROM shop) s WHERE EXISTS (SELECT 1 FROM ledger_delta d WHERE d.shop_id = s.shop_id)

-- name: fold
-- Folds the deltas of one shop into its balances. Index: ledger_delta_pkey.
SELECT fold_balances_v1($1)

-- name: balances
-- Every account's balance: folded plus waiting deltas. Index: ledger_balance_pkey, ledger_delta_pkey.
SELECT account_no, currency, sum(amount)::bigint AS balance_minor
  FROM (SELECT account_no, currency, balance AS amount FROM ledger_balance WHERE shop_id = $1
        UNION ALL
        SELECT account_no, currency, delta FROM ledger_delta WHERE shop_id = $1) parts
 GROUP BY account_no, currency ORDER BY account_no, currency

-- name: transfers_of
-- The transfers of one order in the order they happened. Index: ledger_transfer_of_order.
SELECT transfer_id, debit_no, credit_no, amount_minor, currency, kind, order_id, event_at
  FROM ledger_transfer WHERE shop_id = $1 AND order_id = $2 ORDER BY event_at, recorded_at, transfer_id

-- name: statement
-- Every movement of a shop's deposit (8) and recourse (10), newest first, with the balance after it.
-- Index: ledger_transfer_of_fund.
SELECT account_no, kind, change_minor, sum(change_minor) OVER (PARTITION BY account_no ORDER BY recorded_at, transfer_id)::bigint
         AS balance_minor, order_id, reference, event_at
  FROM (SELECT CASE WHEN debit_no IN (8, 10) THEN debit_no ELSE credit_no END AS account_no, kind,
               CASE WHEN debit_no IN (8, 10) THEN -amount_minor ELSE amount_minor END AS change_minor,
               order_id, reference, event_at, recorded_at, transfer_id
          FROM ledger_transfer WHERE shop_id = $1 AND (debit_no IN (8, 10) OR credit_no IN (8, 10))) moved
 ORDER BY recorded_at DESC, transfer_id DESC LIMIT $2
