"""The default codec: a textured mesh moved by the rig."""
