"""Gain per action (a name without its side stands for both sides), so that 1.0 reads like a strong real expression. Found by tools/calibrate_rig.py."""

GAINS: dict[str, float] = {}
