"""CLIP-S: whether CLIP finds the instruction in the pictures (Radford et al. 2021): 100 x cosine of ViT-B/32's picture and text.

clip_s_max: the greatest over the frames, as the published system reports it; clip_s_mean: the mean. Higher is better. Traps: the scale is
narrow (the published code's comments note 23.1 for real clips and 22.2 for another clip's instruction), a single frame can win the
maximum, and no frame shows motion: left and right, or a nod, are beyond it. Compare with the row shuffled_text.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from instructavatar.errors import BadBundle, MissingFile
from instructavatar.metrics.base import NotScored, Scores, Value
from instructavatar.metrics.case import Case
from instructavatar.metrics.clips import PICTURES, Clip, Picture
from instructavatar.metrics.crops import stills
from instructavatar.metrics.weights import Net, NetMetric, needed, rows

# What CLIP was trained to see: mean and deviation of RGB 0..1.
_MEAN, _DEVIATION = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
NAME = "openai/clip-vit-base-patch32"


class ClipScore(NetMetric):
    """CLIP's cosine of picture and instruction.

    Args:
        pictures: frames of a clip that are looked at, up to 8; 0: every frame, as published.
        weights: a folder of transformers' CLIPModel with its tokenizer; None: clip-vit-base-patch32 in the folder of weights.
    """

    extra = "clip"
    reads = True
    values = {"clip_s_max": Value("100 x cosine"), "clip_s_mean": Value("100 x cosine")}

    def __init__(self, pictures: int = PICTURES, weights: str | None = None) -> None:
        super().__init__(weights)
        self.pictures = pictures

    def check(self) -> None:
        """Also torch and transformers must be there, and the weights must be a folder."""
        needed("torch", "clip_s")
        needed("transformers", "clip_s")
        if not self.path().is_dir():
            raise MissingFile(f"expected a folder of a CLIP model ({NAME}), got the file {self.path()}; name the folder")
        super().check()

    def score(self, case: Case) -> Scores:
        """Needs an instruction."""
        if not case.asked.instruction:
            raise NotScored("no instruction")
        _, text = towers(self.path())
        found = 100 * self._pictures(case.clip) @ text(case.asked.instruction)
        return {"clip_s_max": float(found.max()), "clip_s_mean": float(found.mean())}

    def _pictures(self, clip: Clip) -> NDArray[np.float32]:
        """Embeddings of the frames [K, D]."""

        def make() -> NDArray[np.float32]:
            picture, _ = towers(self.path())
            return rows(picture, [one for _, one in stills(clip, self.pictures)] if self.pictures else clip.frames())

        return clip.once(f"clip {self.path()} {self.pictures}", make)


@lru_cache(maxsize=2)
def towers(folder: Path) -> tuple[Net, Any]:
    """(picture -> [D], text -> [D]) of a CLIP model of transformers, both of length 1. Nothing is downloaded."""
    import torch
    import transformers

    torch.set_num_threads(1)  # clips are judged in several processes
    try:
        net: Any = transformers.CLIPModel.from_pretrained(str(folder), local_files_only=True).eval()
        tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    except Exception as error:  # transformers raises OSError, ValueError and kinds of its own
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BadBundle(f"expected a CLIP model with its tokenizer in {folder}, got an error ({reason}); get {NAME} again") from error
    side = int(net.config.vision_config.image_size)
    longest = int(net.config.text_config.max_position_embeddings)

    def picture(pixels: Picture) -> NDArray[np.float32]:
        with torch.inference_mode():
            found = net.visual_projection(net.vision_model(pixel_values=seen(pixels, side)).pooler_output)[0]
        return np.asarray((found / found.norm()).float().numpy())

    def text(sentence: str) -> NDArray[np.float32]:
        ids = tokenizer(sentence, truncation=True, max_length=longest, return_tensors="pt")
        with torch.inference_mode():
            found = net.text_projection(net.text_model(**ids).pooler_output)[0]
        return np.asarray((found / found.norm()).float().numpy())

    return picture, text


def seen(pixels: Picture, side: int) -> Any:
    """A picture as CLIP's own preprocessing makes it [1, 3, S, S]: the shorter edge to S, bicubic, the middle square, normalised."""
    import torch
    from torch.nn import functional

    batch = torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))[None].float()
    height, width = pixels.shape[:2]
    size = [int(side * height / min(height, width)), int(side * width / min(height, width))]
    small = functional.interpolate(batch, size, mode="bicubic", align_corners=False, antialias=True).round().clamp(0, 255)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    square = small[:, :, top : top + side, left : left + side] / 255
    mean, deviation = (torch.tensor(values).view(1, 3, 1, 1) for values in (_MEAN, _DEVIATION))
    return (square - mean) / deviation
