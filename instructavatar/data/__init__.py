"""Store -> batch."""
