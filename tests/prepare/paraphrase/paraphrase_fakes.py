"""A chat service that says what a test wants, and small stores of clips to ask about."""

import base64
import json
import threading
import time
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from instructavatar.data.header import Header
from instructavatar.data.record import complete
from instructavatar.data.store import FeatureStore
from instructavatar.data.writer import StoreWriter
from instructavatar.face.action_units import ACTION_UNITS, vector
from instructavatar.features.text import TextEncoder
from instructavatar.prepare.paraphrase import Service

SECRET = "sk-very-secret-9f3"
THREE = "1. Raise the left cheek {n}.\n2. Cheeks up {n}.\n3. A lifted lip {n}."


def text_of(body):
    content = body["messages"][0]["content"]
    return content if isinstance(content, str) else content[0]["text"]


def picture_in(body):
    content = body["messages"][0]["content"]
    return None if isinstance(content, str) else base64.b64decode(content[1]["image_url"]["url"].partition(",")[2])


def said(text, **more):
    return 200, {}, {"choices": [{"message": {"content": text, **more}}], "usage": {"prompt_tokens": 100, "completion_tokens": 20}}


def first(*answers):
    """Behaves so at first, and well from then on."""
    return lambda number, body: answers[number] if number < len(answers) else said(THREE.format(n=number))


class FakeService:
    """Speaks the protocol; `behave(number, body)` gives (status, headers, JSON or bytes), or None to hang up."""

    def __init__(self):
        self.bodies, self.headers, self.times, self.models = [], [], [], ["eye"]
        self.behave = lambda number, body: said(THREE.format(n=number))
        self.released = threading.Event()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                self.answer(200, {}, {"data": [{"id": name} for name in owner.models]})

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                owner.times.append(time.monotonic())
                owner.headers.append(dict(self.headers))
                owner.bodies.append(body)
                answer = owner.behave(len(owner.bodies) - 1, body)
                if answer is not None:
                    self.answer(*answer)

            def answer(self, status, headers, payload):
                data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
                try:
                    self.send_response(status)
                    for name, value in {"Content-Length": str(len(data)), **headers}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def close(self):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def quick(self, **changed):
        settings = {"model": "eye", "requests_per_minute": 60_000, "at_once": 1, "timeout_s": 5, "backoff_s": 0.01, "attempts": 3}
        return Service(self.url, **{**settings, **changed})


def clip(units=(), instruction=(), sound=True, pictures=0, frames=10, seed=0):
    motion = np.zeros((frames, 58), np.float32)
    for name in units:
        motion += np.linspace(0, 1, frames, dtype=np.float32)[:, None] * vector(ACTION_UNITS[name].shape)
    jpegs = [b"\xff\xd8" + f"{seed}-{i}".encode() * 40 for i in range(pictures)]
    return complete(
        {
            "motion_latent": motion,
            "pose": np.zeros((frames, 3), np.float32),
            "latent_length": frames,
            "audio_feat": np.zeros((2 * frames if sound else 0, 384), np.float16),
            "audio_flag": sound,
            "instruction": list(instruction),
            "inst_flag": bool(instruction),
            "action_units": list(units),
            "unit_strengths": [1.0] * len(units),
            "face_frames": np.frombuffer(b"".join(jpegs), np.uint8),
            "face_offsets": np.cumsum([0, *map(len, jpegs)]).astype(np.int64) if jpegs else np.zeros(0, np.int64),
        }
    )


CLIPS = {
    "seen": clip(("cheek_raiser", "lip_corner_puller"), ("talk happily",), pictures=10),
    "unseen": clip(("jaw_drop",), ("talk",)),
    "told": clip((), ("neutral.  turn left.",), sound=False),
    "told_too": clip(("jaw_drop",), ("neutral.  turn left.",), sound=False),
    "timed": clip((), ("0-0.2s: smile | 0.2-0.4s: turn left",), sound=False),
    "nothing": clip(),
    "held_out": clip(("jaw_drop",), ("talk",)),
}


TEXTS = ["talk happily", "talk", "neutral.  turn left.", "neutral.  turn right.", "smile", "turn left", "turn right"]


@cache
def states():
    encoder = TextEncoder.load()
    return encoder.version, dict(zip(TEXTS, encoder.encode_many(TEXTS), strict=True))


def write_store(path, clips=CLIPS, valid=("held_out",)):
    version, texts = states()
    with StoreWriter(path, Header.started("0" * 64, {"text": version})) as writer:
        for name, record in clips.items():
            writer.add(name, record)
        for text, tokens in texts.items():
            writer.add_text(text, tokens.astype(np.float16), tokens.mean(0).astype(np.float16))
        writer.finish({"train": [name for name in clips if name not in valid], "valid": [name for name in clips if name in valid]})
    return path


def wordings(path, name):
    return FeatureStore.open(path)[name]["instruction"]


def content(path):
    return (path / "data.mdb").read_bytes()
