"""What the platform knows of an order and its case, put together: records for the log, receipts, checklist, pack."""
