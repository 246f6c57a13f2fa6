"""Timestamps (RFC 3161) of digests from outside authorities, asked for until they come and verified when they do."""
