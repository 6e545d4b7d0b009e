"""The warp codec: the portrait itself, moved by the rig."""

from instructavatar.codecs.warp.codec import WarpAppearance, WarpCodec

__all__ = ["WarpAppearance", "WarpCodec"]
