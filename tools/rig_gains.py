"""Gain per action, so that 1.0 reads like a strong real expression; found by tools/calibrate_rig.py.

A name without its side stands for both sides.
"""

GAINS: dict[str, float] = {}
