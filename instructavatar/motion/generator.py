"""Generator: a voice, an instruction and a portrait's own expression become motion, with ONNX Runtime alone.

T video frames (25 Hz) of 2 speech features each (50 Hz), C feature width, D numbers of motion: the 58 of FaceMotion, or a codec's latents.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict, Unpack

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from instructavatar.errors import BadBundle, BadOption
from instructavatar.face.motion import ACTION_COUNT, MOTION_DIM, ROTATION, FaceMotion
from instructavatar.face.script import Script, clock_of
from instructavatar.motion.bundle import DEFAULT_BUNDLE, NETWORK, BundleConfig, check_file
from instructavatar.motion.conditions import Text, TextStates, speech_of
from instructavatar.motion.guidance import Branch, branches, combine
from instructavatar.motion.sampler import sampler
from instructavatar.motion.schedule import levels, schedule
from instructavatar.motion.windows import Window, join, windows

Array = NDArray[np.float32]
# Runs the network: named inputs to x0 [B, T, D].
Network = Callable[[dict[str, Array]], Array]


class Wishes(TypedDict, total=False):
    """What `Generator.values` may be asked for, which explains each; all may be left out."""

    speech: Array | None
    script: Script | None
    text_states: TextStates | None
    rest: Array | None
    pose: Array | None
    seed: int
    text_guidance: float | None
    speech_guidance: float | None
    steps: int | None
    intensity: float
    progress: Callable[[int, int], None] | None


@dataclass(frozen=True)
class Request:
    """Everything a clip is generated from."""

    speech: Array | None  # [2T, C]
    text: Text
    known: Array  # [T, D] normalised
    known_mask: Array  # [T, D]
    key: Array  # [D] normalised
    pose: Array | None  # [T, 3] degrees, where it is given
    seed: int
    branches: tuple[Branch, ...]
    steps: int


class Generator:
    """Generates motion of any length. Make one with `load`."""

    def __init__(self, network: Network, config: BundleConfig) -> None:
        self.network = network
        self.config = config

    @classmethod
    def load(cls, bundle: str | Path | None = None, threads: int = 0) -> Generator:
        """The generator in a bundle's folder; without one, the default that ships with the package."""
        folder = Path(bundle) if bundle is not None else DEFAULT_BUNDLE
        config = BundleConfig.read(folder)
        path = check_file(folder, NETWORK)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        try:
            session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises kinds of its own, none of them public
            raise BadBundle(f"expected an ONNX network in {path}, could not open it; copy or export the bundle again") from error
        return cls(lambda feed: session.run(None, feed)[0], config)

    @property
    def name(self) -> str:
        """Name of the model, for marks and reports."""
        return self.config.name

    @property
    def text_guidance(self) -> float:
        """Guidance scale of the instruction when none is given."""
        return self.config.text_guidance

    @property
    def speech_guidance(self) -> float:
        """Guidance scale of the speech when none is given."""
        return self.config.speech_guidance

    @property
    def motion_dim(self) -> int:
        """D: 58 for FaceMotion, otherwise the width of a codec's latents."""
        return self.config.motion_dim

    @property
    def codec(self) -> str:
        """Version of the codec whose latents it makes, as a store's `latents` extractor names it; "" for FaceMotion."""
        return self.config.codec

    def generate(self, frames: int, **wishes: Unpack[Wishes]) -> FaceMotion:
        """`values` as FaceMotion; a generator of latents is refused."""
        if self.motion_dim != MOTION_DIM:
            raise BadBundle(
                f"expected a generator of {MOTION_DIM} motion columns, {self.name} makes latents of {self.motion_dim}; "
                f"decode them with their codec ({self.codec or 'not named in the bundle'})"
            )
        return FaceMotion(self.values(frames, **wishes))

    def values(
        self,
        frames: int,
        speech: Array | None = None,
        script: Script | None = None,
        text_states: TextStates | None = None,
        rest: Array | None = None,
        pose: Array | None = None,
        seed: int = 0,
        text_guidance: float | None = None,
        speech_guidance: float | None = None,
        steps: int | None = None,
        intensity: float = 1.0,
        progress: Callable[[int, int], None] | None = None,
    ) -> Array:
        """Motion [T, D] of that many frames in the units it was trained on; the same seed gives the same motion.

        Args:
            frames: T.
            speech: features [2T, C] of the sound to follow, or None for a silent clip.
            script: the instruction's segments, or None.
            text_states: encoded texts of the segments, in their order.
            rest: the portrait's own motion [D]; the clip starts from it. Without it FaceMotion starts neutral, latents where they will.
            pose: head pitch, yaw, roll [T, 3] in degrees to follow.
            seed: fixes the take.
            text_guidance: 0 ignores the instruction, 1 follows it plainly, more exaggerates.
            speech_guidance: the same for the speech.
            steps: denoising steps.
            intensity: strength of the instruction, 0 (none) to 2; multiplies the text's guidance early and late.
            progress: called with (frames done, T).
        """
        if frames < 1:
            raise BadOption(f"expected at least one frame, got {frames}; ask for a longer clip")
        known, known_mask = self._known(frames, self._checked_rest(rest), self._checked_pose(frames, pose))
        text = Text.of(script, text_states, self.config.text_width)
        pull = self.text_guidance if text_guidance is None else text_guidance
        request = Request(
            speech=speech,
            text=text,
            known=known,
            known_mask=known_mask,
            key=known[0] * known_mask[0],
            pose=pose,
            seed=seed,
            branches=branches(
                speech is not None,
                bool(text.segments),
                self.speech_guidance if speech_guidance is None else speech_guidance,
                pull * intensity,
                min(pull, self.config.late_text_guidance) * intensity,
            ),
            steps=self.config.steps if steps is None else steps,
        )
        return self._clip(request, frames, progress)

    def _checked_rest(self, rest: Array | None) -> Array | None:
        if rest is not None and np.shape(rest) != (self.motion_dim,):
            raise BadOption(
                f"expected the portrait's own motion as {self.motion_dim} numbers, got {list(np.shape(rest))}; "
                f"encode it with the codec that {self.name} was trained for"
            )
        return rest

    def _checked_pose(self, frames: int, pose: Array | None) -> Array | None:
        if pose is None:
            return None
        if pose.shape != (frames, 3):
            raise BadOption(f"expected a pose of shape [{frames}, 3], got {list(pose.shape)}; give pitch, yaw and roll for every frame")
        if self.motion_dim != MOTION_DIM and "pose" not in self.config.inputs:
            raise BadOption(f"{self.name} makes latents and takes no head pose; leave the pose out or use a model with a pose input")
        return np.asarray(pose, np.float32)

    def _known(self, frames: int, rest: Array | None, pose: Array | None) -> tuple[Array, Array]:
        """Given motion [T, D], normalised, and its mask: the first frame, and the head's rotation if asked for."""
        known = np.zeros((frames, self.motion_dim), np.float32)
        mask = np.zeros_like(known)
        # zero is a neutral face in FaceMotion and nothing in particular in latents
        mask[0] = float(rest is not None or self.motion_dim == MOTION_DIM)
        if rest is not None:
            known[0] = rest
        if pose is not None and self.motion_dim == MOTION_DIM:
            known[:, ROTATION] = pose
            mask[:, ROTATION] = 1
        return ((known - self.config.mean) / self.config.std).astype(np.float32), mask

    def _clip(self, request: Request, frames: int, progress: Callable[[int, int], None] | None) -> Array:
        values = np.zeros((frames, self.config.motion_dim), np.float32)
        for number, window in enumerate(windows(frames, self.config.window_frames, self.config.overlap_frames)):
            made = self._window(request, window, values[window.start : window.start + window.given], number)
            made = self._joined(made, window, request)
            values[window.start + window.given : window.stop] = made[window.given :]
            if progress:
                progress(window.stop, frames)
        motion = values * self.config.std + self.config.mean
        if self.motion_dim == MOTION_DIM:
            motion[:, :ACTION_COUNT] = motion[:, :ACTION_COUNT].clip(0, 1)
        return motion

    def _joined(self, made: Array, window: Window, request: Request) -> Array:
        """The window without the jump after its given frames: in the head where motion has columns for it, in all of a latent."""
        if self.motion_dim != MOTION_DIM:
            # a latent trembles from frame to frame, so going on at its last speed would add to the jump
            return join(made, window.given, slice(None), going_on=False)
        return made if request.pose is not None else join(made, window.given, slice(ACTION_COUNT, None))

    def _window(self, request: Request, window: Window, tail: Array, number: int) -> Array:
        """One window [T, D], normalised; its first frames are the tail of the last window."""
        known, mask = request.known[window.start : window.stop].copy(), request.known_mask[window.start : window.stop].copy()
        known[: len(tail)], mask[: len(tail)] = tail, 1
        feed = self._feed(request, window, known, mask)
        noise = np.random.default_rng((request.seed, number)).standard_normal(known.shape, np.float32)

        def denoise(x: Array, t: float) -> Array:
            count = len(request.branches)
            outputs = self.network({**feed, "x": np.repeat(x[None], count, 0), "noise_level": np.full(count, t, np.float32)})
            return combine(outputs, request.branches, t)

        made = sampler(self.config.method)(denoise, noise, levels(request.steps), schedule(self.config.schedule))
        return made * (1 - mask) + known * mask

    def _feed(self, request: Request, window: Window, known: Array, mask: Array) -> dict[str, Array]:
        """Inputs of the network that stay the same over the steps, one row per branch."""
        text, frames = request.text.within(window), len(window)
        alive = text.alive(window)
        clock = clock_of(text.segments, window.start, frames)
        speech = speech_of(request.speech, window, self.config.speech_width)
        sound = np.full(frames, float(request.speech is not None), np.float32)
        once = np.ones(len(request.branches), np.float32)
        with_text = np.array([b.text for b in request.branches], np.float32)
        with_speech = np.array([b.speech for b in request.branches], np.float32)
        return {
            "known": _rows(known, once),
            "known_mask": _rows(mask, once),
            # hidden speech is zero features under a mask of 1: unknown sound, not silence
            "speech": _rows(speech, with_speech),
            "speech_mask": _rows(sound, once),
            "tokens": _rows(text.tokens, once),
            "pooled": _rows(text.pooled, once),
            "tokens_alive": _rows(alive[:, text.owner], with_text),
            "pooled_alive": _rows(alive, with_text),
            "clock": _rows(clock, with_text),
            "frame_mask": _rows(np.ones(frames, np.float32), once),
            **{name: _rows(value, once) for name, value in self._extras(request, window).items()},
        }

    def _extras(self, request: Request, window: Window) -> dict[str, Array]:
        """Inputs that only some networks have."""
        pose = np.zeros((len(window), 3), np.float32) if request.pose is None else request.pose[window.start : window.stop]
        given = np.full(len(window), float(request.pose is not None), np.float32)
        offered = {"key": request.key, "pose": pose, "pose_mask": given}
        return {name: value for name, value in offered.items() if name in self.config.inputs}


def _rows(values: Array, shares: Array) -> Array:
    """The same array once per branch, times the branch's share: [branches, ...]."""
    return (shares.reshape(-1, *[1] * values.ndim) * values[None]).astype(np.float32)
