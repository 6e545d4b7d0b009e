"""One file per corpus; each yields ClipRecords."""
