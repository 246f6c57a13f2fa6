"""kabao (卡保): escrow, sealed card keys and fair refunds for shops that sell virtual goods."""
