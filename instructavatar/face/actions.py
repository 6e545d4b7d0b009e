"""What each of the 52 ARKit actions looks like, in groups, and which of them a landmarker can read back from a real face.

Left and right are the subject's own. Descriptions say what a person would see at 1.0.
"""

from __future__ import annotations

from instructavatar.face.motion import ACTIONS, INDEX, mirror_name

# One-sided actions are described once, under their name without the side.
_LOOKS: dict[str, dict[str, str]] = {
    "brows": {
        "browDown": "the brow is pulled down and in, as in a frown",
        "browInnerUp": "the inner ends of both brows rise, as in worry or surprise",
        "browOuterUp": "the outer half of the brow rises",
    },
    "eyes": {
        "eyeBlink": "the eye closes",
        "eyeSquint": "the eye narrows, the lower lid rises",
        "eyeWide": "the upper lid rises and shows white above the iris",
    },
    "gaze": {
        "eyeLookDown": "the eye looks down, the lid follows",
        "eyeLookIn": "the eye looks towards the nose",
        "eyeLookOut": "the eye looks away from the nose",
        "eyeLookUp": "the eye looks up",
    },
    "jaw": {
        "jawForward": "the jaw is pushed forward",
        "jawLeft": "the jaw moves to the subject's left",
        "jawOpen": "the jaw drops and the mouth opens",
        "jawRight": "the jaw moves to the subject's right",
    },
    "mouth": {
        "mouthClose": "the lips meet although the jaw is open",
        "mouthDimple": "the corner of the mouth is pulled back into a dimple",
        "mouthFrown": "the corner of the mouth goes down",
        "mouthFunnel": "the lips form an open ring, as in 'oh'",
        "mouthLeft": "the whole mouth moves to the subject's left",
        "mouthLowerDown": "the lower lip is pulled down and shows lower teeth",
        "mouthPress": "the lips press together at the corner",
        "mouthPucker": "the closed lips are pushed out, as for a kiss",
        "mouthRight": "the whole mouth moves to the subject's right",
        "mouthRollLower": "the lower lip rolls in over the teeth",
        "mouthRollUpper": "the upper lip rolls in over the teeth",
        "mouthShrugLower": "the chin pushes the lower lip up",
        "mouthShrugUpper": "the upper lip is pushed up, as in doubt",
        "mouthSmile": "the corner of the mouth goes up and back",
        "mouthStretch": "the corner of the mouth is pulled straight aside, as in fear",
        "mouthUpperUp": "the upper lip rises and shows upper teeth",
    },
    "cheeks": {
        "cheekPuff": "both cheeks are filled with air",
        "cheekSquint": "the cheek rises under the eye",
    },
    "nose": {"noseSneer": "the side of the nose wrinkles up"},
    "tongue": {"tongueOut": "the tongue shows"},
}


def _sides(stem: str) -> tuple[str, ...]:
    """The action or actions that a description stands for."""
    return (stem,) if stem in INDEX else (f"{stem}Left", f"{stem}Right")


GROUPS: dict[str, tuple[str, ...]] = {group: tuple(name for stem in looks for name in _sides(stem)) for group, looks in _LOOKS.items()}
"""Group -> its actions; each action is in one group."""

LOOKS: dict[str, str] = {name: text for looks in _LOOKS.values() for stem, text in looks.items() for name in _sides(stem)}
"""Action -> what it looks like at 1.0."""

PAIRS: tuple[tuple[str, str], ...] = tuple((name, mirror_name(name)) for name in ACTIONS if "Left" in name)
"""(left, right) of every two-sided action."""

# Settled by measurement: over five videos of real people talking and making faces (1,362 frames), the range between the 1st and the 99th
# percentile of these scores reached 0.25 in at least one video on at least one side. The others stayed below: eyeWide 0.15, mouthFunnel
# 0.13, mouthFrown 0.14, jawLeft 0.19, jawRight 0.02, jawForward 0.01, and 0.00 for cheekPuff, cheekSquint, noseSneer and tongueOut.
_HARDLY_EVER = (
    "eyeWide",
    "jawForward",
    "jawLeft",
    "jawRight",
    "mouthFrown",
    "mouthFunnel",
    "cheekPuff",
    "cheekSquint",
    "noseSneer",
    "tongueOut",
)

UNREADABLE: frozenset[str] = frozenset(name for stem in _HARDLY_EVER for name in _sides(stem))
"""Actions that are drawn but that the landmarker's scores hardly ever show on real faces."""

READABLE: tuple[str, ...] = tuple(name for name in ACTIONS if name not in UNREADABLE)
"""Actions whose scores vary on real faces, in ARKit's order: what read-back checks may judge."""


def group_of(name: str) -> str:
    """The group of an action.

    >>> group_of("mouthSmileLeft")
    'mouth'
    """
    return next(group for group, names in GROUPS.items() if name in names)
