"""Phones -> visemes -> mouth actions, with coarticulation by dominance functions (Cohen and Massaro 1993).

Each phone pulls the mouth towards its viseme with a dominance that fades with distance in time; a frame is the weighted mean of all pulls.
Jaw and lips have their own weights: /k/ hardly cares about the lips, /w/ cares about little else. Lip closures (p, b, m) and teeth on lip
(f, v) are gates on top, because a mean never quite closes. In silence the mouth is still.

T frames (25 Hz); frame t is judged at its middle, (t + 0.5) / 25 s. Times are seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from instructavatar.face.action_units import sides
from instructavatar.face.motion import ACTION_COUNT, FRAME_RATE_HZ, INDEX

Phone = tuple[str, float, float]
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Viseme:
    """One mouth shape and how firmly a phone insists on it."""

    shape: Mapping[str, float]
    jaw: float
    """Dominance over jawOpen."""
    lips: float
    """Dominance over all other mouth actions."""
    reach_s: float
    """How far its pull reaches beyond the phone, seconds (e-folding)."""


VISEMES: dict[str, Viseme] = {
    "silence": Viseme({}, 1.0, 1.0, 0.045),
    "neutral": Viseme({"jawOpen": 0.12}, 0.25, 0.12, 0.06),
    "closed": Viseme({"jawOpen": 0.02, "mouthPress": 0.25, "mouthRollLower": 0.15, "mouthRollUpper": 0.12}, 1.3, 1.0, 0.035),
    "teeth_on_lip": Viseme({"jawOpen": 0.06, "mouthRollLower": 0.45, "mouthUpperUp": 0.2}, 1.1, 1.2, 0.04),
    "tongue_teeth": Viseme({"jawOpen": 0.13, "mouthLowerDown": 0.22, "mouthUpperUp": 0.08, "mouthStretch": 0.08}, 0.9, 0.6, 0.045),
    "alveolar": Viseme({"jawOpen": 0.11, "mouthLowerDown": 0.22, "mouthStretch": 0.1}, 0.7, 0.35, 0.045),
    "hiss": Viseme({"jawOpen": 0.05, "mouthLowerDown": 0.28, "mouthUpperUp": 0.12, "mouthStretch": 0.18}, 1.1, 0.6, 0.045),
    "hush": Viseme({"jawOpen": 0.08, "mouthFunnel": 0.5, "mouthPucker": 0.22, "mouthUpperUp": 0.1}, 1.0, 1.0, 0.06),
    "velar": Viseme({"jawOpen": 0.15, "mouthLowerDown": 0.1}, 0.35, 0.12, 0.05),
    "rhotic": Viseme({"jawOpen": 0.12, "mouthPucker": 0.25, "mouthFunnel": 0.22}, 0.6, 0.7, 0.06),
    "lateral": Viseme({"jawOpen": 0.2, "mouthLowerDown": 0.2}, 0.6, 0.3, 0.05),
    "glide_y": Viseme({"jawOpen": 0.1, "mouthStretch": 0.22, "mouthSmile": 0.15}, 0.7, 0.5, 0.05),
    "glide_w": Viseme({"jawOpen": 0.06, "mouthPucker": 0.78, "mouthFunnel": 0.15}, 1.0, 1.4, 0.07),
    "open": Viseme({"jawOpen": 0.55, "mouthLowerDown": 0.25}, 1.0, 0.7, 0.07),
    "open_front": Viseme(
        {"jawOpen": 0.48, "mouthLowerDown": 0.3, "mouthUpperUp": 0.15, "mouthStretch": 0.2, "mouthSmile": 0.08}, 1.0, 0.8, 0.07
    ),
    "open_round": Viseme({"jawOpen": 0.45, "mouthFunnel": 0.4, "mouthPucker": 0.12}, 1.0, 1.0, 0.07),
    "mid": Viseme({"jawOpen": 0.34, "mouthLowerDown": 0.22, "mouthStretch": 0.05}, 0.8, 0.5, 0.065),
    "schwa": Viseme({"jawOpen": 0.22, "mouthLowerDown": 0.12}, 0.5, 0.3, 0.06),
    "mid_front": Viseme({"jawOpen": 0.34, "mouthLowerDown": 0.26, "mouthStretch": 0.18, "mouthUpperUp": 0.1}, 0.9, 0.7, 0.065),
    "close_front": Viseme({"jawOpen": 0.22, "mouthLowerDown": 0.2, "mouthStretch": 0.2, "mouthSmile": 0.08}, 0.8, 0.6, 0.06),
    "spread": Viseme(
        {"jawOpen": 0.13, "mouthLowerDown": 0.25, "mouthUpperUp": 0.12, "mouthStretch": 0.32, "mouthSmile": 0.2}, 1.0, 0.9, 0.07
    ),
    "half_round": Viseme({"jawOpen": 0.2, "mouthPucker": 0.35, "mouthFunnel": 0.22}, 0.8, 0.9, 0.065),
    "round": Viseme({"jawOpen": 0.12, "mouthPucker": 0.72, "mouthFunnel": 0.22}, 1.0, 1.2, 0.075),
    "mid_round": Viseme({"jawOpen": 0.3, "mouthPucker": 0.4, "mouthFunnel": 0.35}, 1.0, 1.0, 0.07),
    "bird": Viseme({"jawOpen": 0.2, "mouthPucker": 0.28, "mouthFunnel": 0.22}, 0.8, 0.8, 0.065),
}

_CONSONANTS = frozenset(
    (
        "silence",
        "neutral",
        "closed",
        "teeth_on_lip",
        "tongue_teeth",
        "alveolar",
        "hiss",
        "hush",
        "velar",
        "rhotic",
        "lateral",
        "glide_y",
        "glide_w",
    )
)

# ARPAbet as flite and pocketsphinx print it (case and stress digits dropped). Two visemes share the phone's time 60 to 40.
_ARPABET = """
silence: pau sil h# sp spn brth
closed: p b m em    teeth_on_lip: f v    tongue_teeth: th dh    alveolar: t d n dx en nx    hiss: s z
hush: sh zh ch jh    velar: k g ng hh hv eng    rhotic: r    lateral: l el    glide_y: y    glide_w: w wh
open: aa    open_front: ae    open_round: ao oh    mid: ah    schwa: ax ix    mid_front: eh    close_front: ih    spread: iy
half_round: uh    round: uw ux    bird: er axr
open+close_front: ay    open_front+round: aw    open_round+close_front: oy    mid_front+spread: ey    mid_round+round: ow
"""

# IPA as espeak and piper print it; English first, then what other languages add.
_IPA = """
closed: ɱ ɓ    teeth_on_lip: ʋ ɸ β    tongue_teeth: θ ð    alveolar: ɾ ɖ ɗ ʈ ɳ ɲ n̩ c ɟ    hiss: ts dz
hush: ʃ ʒ tʃ dʒ ɕ ʑ ʂ ʐ ç    velar: ɡ ŋ h ɦ x χ ʔ q ɣ ʁ ħ    rhotic: ɹ ɻ    lateral: ɫ ʎ ɭ ʟ l̩    glide_y: j    glide_w: ʍ ɥ ɰ
open: ɑ a ɐ    open_front: æ    open_round: ɔ ɒ    mid: ʌ    schwa: ə ɘ ᵻ    mid_front: ɛ e ε    close_front: ɪ    spread: i ɨ
half_round: ʊ ɵ    round: u ʉ ʏ    mid_round: o ø œ    bird: ɜ ɚ ɝ ɞ    mid: ɤ    spread: ɯ
open+close_front: aɪ    open_front+round: aʊ    open_round+close_front: ɔɪ    mid_front+spread: eɪ    mid_round+round: oʊ əʊ
"""

# Marks of stress and length belong to the phone before them, and so do short joints and padding.
_MARKS = frozenset("ˈˌːˑ˞ʲʰˤ̧̩̯̪̃")
_JOINTS = frozenset("^$_ '-\"()#") | {""}
# A joint longer than this is a pause.
_JOINT_S = 0.12
_PAUSES = frozenset(".,;:!?¿¡—…|")

CLOSURES = frozenset({"closed"})
TEETH_ON_LIP = frozenset({"teeth_on_lip"})
VOWELS = frozenset(name for name in VISEMES if name not in _CONSONANTS)
_MOUTH_ACTIONS: tuple[str, ...] = tuple(sorted({side for viseme in VISEMES.values() for name in viseme.shape for side in sides(name)}))
_COLUMNS = np.array([INDEX[name] for name in _MOUTH_ACTIONS])
_JAW = _MOUTH_ACTIONS.index("jawOpen")


def _read_table(text: str) -> dict[str, tuple[str, ...]]:
    table: dict[str, tuple[str, ...]] = {}
    current: tuple[str, ...] = ()
    for word in text.split():
        if word.endswith(":"):
            current = tuple(word[:-1].split("+"))
        else:
            table[word] = current
    return table


PHONES: dict[str, tuple[str, ...]] = _read_table(_ARPABET) | _read_table(_IPA)


def visemes_of(phone: str) -> tuple[str, ...] | None:
    """The visemes a phone passes through; () for a bare mark of stress or length, None for a phone nobody knows.

    >>> visemes_of("OW1"), visemes_of("SIL"), visemes_of("+NOISE+"), visemes_of("ˈ")
    (('mid_round', 'round'), ('silence',), ('silence',), ())
    """
    bare = phone.strip().lower()
    if bare in PHONES:
        return PHONES[bare]
    if bare in _MARKS or bare in _JOINTS:
        return ()
    if bare in _PAUSES or (bare.startswith(("+", "<")) and bare.endswith(("+", ">"))):
        return ("silence",)
    stripped = "".join(c for c in bare if c not in _MARKS and not c.isdigit())
    return PHONES.get(stripped, () if not stripped else None)


def unknown_phones(phones: Sequence[Phone]) -> Counter[str]:
    """Phones that no table knows, with their number; they are drawn as a neutral half-open mouth."""
    return Counter(phone for phone, _, _ in phones if visemes_of(phone) is None)


@dataclass(frozen=True)
class _Pull:
    viseme: str
    start_s: float
    end_s: float


def _pulls(phones: Sequence[Phone]) -> list[_Pull]:
    """Visemes with their times; marks lend their time to the phone before them."""
    pulls: list[_Pull] = []
    for phone, start_s, end_s in phones:
        names = visemes_of(phone)
        pause = phone.strip() in _JOINTS and end_s - start_s > _JOINT_S
        if names == () and not pulls and end_s <= start_s:
            continue
        if names == () and pulls and not pause:
            pulls[-1] = _Pull(pulls[-1].viseme, pulls[-1].start_s, max(end_s, pulls[-1].end_s))
            continue
        names = ("neutral",) if names is None else names or ("silence",)
        bounds = [start_s, start_s + 0.6 * (end_s - start_s), end_s] if len(names) == 2 else [start_s, end_s]
        pulls += [_Pull(name, a, b) for name, a, b in zip(names, bounds, bounds[1:], strict=False)]
    return _padded(pulls)


def _padded(pulls: list[_Pull]) -> list[_Pull]:
    """Silence before the first phone and after the last, and in every gap."""
    padded: list[_Pull] = []
    clock = -1e3
    for pull in pulls:
        if pull.start_s > clock + 1e-3:
            padded.append(_Pull("silence", clock, pull.start_s))
        padded.append(pull)
        clock = max(clock, pull.end_s)
    return [*padded, _Pull("silence", clock, 1e3)]


def _frame_times(frames: int) -> NDArray[np.float64]:
    return (np.arange(frames) + 0.5) / FRAME_RATE_HZ


def _distance(pulls: Sequence[_Pull], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Seconds [P, T] from each frame to the core (middle 40 %) of each phone; 0 inside."""
    middle = np.array([(p.start_s + p.end_s) / 2 for p in pulls])[:, None]
    half = np.array([(p.end_s - p.start_s) * 0.2 for p in pulls])[:, None]
    # Long silences are silent to their very edges less the time a mouth needs to close.
    silent = np.array([p.viseme == "silence" for p in pulls])[:, None]
    half = np.where(silent, np.maximum(half, (half * 2.5) - 0.06), half)
    return np.maximum(np.abs(times[None] - middle) - half, 0.0)


def _blend(pulls: Sequence[_Pull], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """The weighted mean of all pulls: [T, mouth actions]."""
    shapes = np.zeros((len(pulls), len(_MOUTH_ACTIONS)))
    weights = np.zeros((len(pulls), len(_MOUTH_ACTIONS)))
    for row, pull in enumerate(pulls):
        viseme = VISEMES[pull.viseme]
        weights[row] = viseme.lips
        weights[row, _JAW] = viseme.jaw
        for name, amount in viseme.shape.items():
            for side in sides(name):
                shapes[row, _MOUTH_ACTIONS.index(side)] = amount
    reach = np.array([VISEMES[p.viseme].reach_s for p in pulls])[:, None]
    dominance = np.exp(-_distance(pulls, times) / reach)
    return (dominance.T @ (weights * shapes)) / (dominance.T @ weights + 1e-9)


def _gate(pulls: Sequence[_Pull], names: frozenset[str], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """0..1 per frame: 1 while one of the visemes is held (for at least one frame's length), smooth ramps of 50 ms."""
    gate = np.zeros(len(times))
    for pull in pulls:
        if pull.viseme in names:
            half = max((pull.end_s - pull.start_s) / 2 - 0.005, 0.55 / FRAME_RATE_HZ)
            away = np.abs(times - (pull.start_s + pull.end_s) / 2) - half
            gate = np.maximum(gate, _smooth(1.0 - away / 0.05))
    return gate


def _smooth(u: NDArray[np.float64]) -> NDArray[np.float64]:
    u = np.clip(u, 0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


def closure_gate(phones: Sequence[Phone], frames: int) -> Array:
    """[T] 0..1: 1 where the lips must meet (p, b, m)."""
    return _gate(_pulls(phones), CLOSURES, _frame_times(frames)).astype(np.float32)


def teeth_gate(phones: Sequence[Phone], frames: int) -> Array:
    """[T] 0..1: 1 where the lower lip touches the upper teeth (f, v)."""
    return _gate(_pulls(phones), TEETH_ON_LIP, _frame_times(frames)).astype(np.float32)


def speech_activity(phones: Sequence[Phone], frames: int) -> Array:
    """[T] 0..1: 1 while somebody speaks, 0 in silence, with 0.12 s of anticipation and release."""
    times = _frame_times(frames)
    activity = np.zeros(frames)
    for pull in _pulls(phones):
        if pull.viseme != "silence":
            away = np.maximum(pull.start_s - times, times - pull.end_s)
            activity = np.maximum(activity, _smooth(1.0 - away / 0.12))
    return activity.astype(np.float32)


def mouth_actions(phones: Sequence[Phone], frames: int, articulation: float = 1.0) -> Array:
    """Mouth actions of speech [T, 52]; all else is zero. `articulation` scales opening and rounding, never a closure."""
    pulls, times = _pulls(phones), _frame_times(frames)
    mouth = _blend(pulls, times) * articulation * speech_activity(phones, frames)[:, None]
    for names in (CLOSURES, TEETH_ON_LIP):
        mouth = _pull_to(mouth, next(iter(names)), _gate(pulls, names, times))
    values = np.zeros((frames, ACTION_COUNT), np.float32)
    values[:, _COLUMNS] = mouth
    return np.clip(values, 0.0, 1.0)


def _pull_to(mouth: NDArray[np.float64], viseme: str, gate: NDArray[np.float64]) -> NDArray[np.float64]:
    """Towards a viseme where the gate is open; rounding (pucker, funnel) of the neighbours half remains."""
    target = np.zeros(len(_MOUTH_ACTIONS))
    for name, amount in VISEMES[viseme].shape.items():
        for side in sides(name):
            target[_MOUTH_ACTIONS.index(side)] = amount
    rounding = np.array([name in ("mouthPucker", "mouthFunnel") for name in _MOUTH_ACTIONS])
    goal = np.where(rounding, 0.5 * mouth, target)
    return mouth + gate[:, None] * (goal - mouth)


def aperture_of(actions: Array) -> Array:
    """How far the lips are apart [T] for actions [T, 52], in units of a full jawOpen; 0 when they meet."""

    def column(name: str) -> Array:
        return np.mean([actions[:, INDEX[side]] for side in sides(name)], axis=0)

    opening = column("jawOpen") + 0.3 * column("mouthLowerDown") + 0.2 * column("mouthUpperUp") + 0.1 * column("mouthFunnel")
    closing = (
        column("mouthClose")
        + 0.25 * (column("mouthRollLower") + column("mouthRollUpper"))
        + 0.15 * column("mouthPress")
        + 0.15 * column("mouthPucker")
    )
    return np.clip(opening - closing, 0.0, 1.0).astype(np.float32)


def lip_aperture(phones: Sequence[Phone], frames: int, articulation: float = 1.0) -> Array:
    """The lip opening [T] that speech asks for, from the same tables: what a good lip sync correlates with."""
    return aperture_of(mouth_actions(phones, frames, articulation))
