"""The outside world <-> arrays: sound, video, pictures, provenance."""
