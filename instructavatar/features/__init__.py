"""Frozen measurement: landmarks, face motion, speech, text."""
