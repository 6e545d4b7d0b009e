"""Appearance + motion <-> pixels."""
