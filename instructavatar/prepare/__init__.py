"""Corpus -> store."""
