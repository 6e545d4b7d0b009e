"""Videos -> numbers."""
