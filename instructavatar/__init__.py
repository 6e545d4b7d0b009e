"""A portrait, a voice and a sentence become a talking video; and the recipe to train your own.

`from instructavatar import Avatar` is all most programs need. The import is light: nothing heavy loads before it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from instructavatar.avatar import Avatar, Clip

__version__ = "0.1.0"
__all__ = ["Avatar", "Clip", "__version__"]


def __getattr__(name: str) -> Any:
    """Load the product only when somebody asks for it."""
    if name in ("Avatar", "Clip"):
        from instructavatar import avatar

        return getattr(avatar, name)
    raise AttributeError(f"module 'instructavatar' has no attribute {name!r}")
