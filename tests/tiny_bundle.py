"""Bundles that are made in milliseconds, voices and songs that need no files, and the command line in this process."""

from __future__ import annotations

import signal
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from audiocycle.build import build_adapter, build_translator
from audiocycle.bundles.format import BundleConfig, stats_to_json
from audiocycle.bundles.writing import write_bundle
from audiocycle.spec import Domain, FloatArray, directions

MODEL = {"generator": "gated_212d", "width": 0.01, "generator_options": {"n_blocks": 1}}
CONTENT_MODEL = {"translator": "shared", "generator": "content_1d", "critic": "envelope_patch", "width": 0.05, "generator_options": {"n_blocks": 1}}
PITCHES = {"anna": 210.0, "ben": 120.0, "cleo": 160.0}
MUSIC_MODEL = {
    "generator": "gated_2d", "critic": "conv_patch", "width": 0.03, "generator_options": {"n_blocks": 1, "skip": 1.0},
}  # fmt: skip
"""Untrained, it keeps most of what it sees, and makes some notes of its own: the skip is weak."""
UNCHANGING_MUSIC_MODEL = MUSIC_MODEL | {"generator_options": {"n_blocks": 1, "skip": 8.0}}
"""Untrained, it gives back what it sees."""
SONG_TPQ = 480
CHORDS = ((0, 4, 7), (9, 0, 4), (5, 9, 0), (7, 11, 2))
ENDINGS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Signals that the command line hears."""
LYRICS = ("one", "two", "three")


def vowel(seconds: float, sample_rate: int = 16000, f0: float = 140.0, level: float = 0.3) -> FloatArray:
    """(N,) of a voice that glides, with two formants, breath, and a syllable about four times a second."""
    n = round(seconds * sample_rate)
    t = np.arange(n) / sample_rate
    track = f0 * (1 + 0.15 * np.sin(2 * np.pi * 0.7 * t))
    phase = 2 * np.pi * np.cumsum(track) / sample_rate
    sound = np.zeros(n)
    for k in range(1, int(0.45 * sample_rate / f0 / 1.15)):
        hertz = k * track
        formants = sum(1 / (1 + ((hertz - centre) / width) ** 2) for centre, width in ((700, 90), (1200, 150), (2600, 300)))
        sound += (formants + 0.003) * np.sin(k * phase)
    sound += 0.002 * np.random.default_rng(7).standard_normal(n)
    sound *= 0.6 + 0.4 * np.sin(2 * np.pi * 4 * t)
    return np.asarray(level * sound / max(1e-9, np.abs(sound).max()), dtype=np.float32)


def tiny_bundle(folder: Path, domains: tuple[str, ...] = ("anna", "ben"), **changes: Any) -> Path:
    """Write a bundle with random weights (seeded) and statistics of synthetic voices."""
    adapter_config: dict[str, Any] = changes.pop("adapter", {"name": "world"})
    adapter = build_adapter(adapter_config)
    torch.manual_seed(1)
    translator = build_translator(MODEL, directions(list(map(Domain, domains)), changes.get("one_way", False)), adapter.spec)
    stats = {
        domain: stats_to_json(adapter.fit([adapter.analyze(vowel(1.0, adapter.sample_rate, f0=PITCHES[domain]))]))
        for domain in domains
    }
    config = BundleConfig(
        **{"name": folder.name, "modality": "voice", "domains": domains, "adapter": adapter_config, "model": MODEL, "stats": stats}
        | changes
    )
    write_bundle(folder, config, translator.state_dict())
    return folder


def tiny_content_bundle(folder: Path, domains: tuple[str, ...] = ("anna", "ben"), **changes: Any) -> Path:
    """Write a bundle that converts everybody, with random weights (seeded) and statistics of synthetic voices."""
    adapter = build_adapter({"name": "content"})
    torch.manual_seed(1)
    translator = build_translator(CONTENT_MODEL, directions(list(map(Domain, domains)), any_source=True), adapter.spec)
    stats = {domain: stats_to_json(adapter.fit([adapter.analyze(vowel(1.0, f0=PITCHES[domain]))])) for domain in domains}
    config = BundleConfig(folder.name, "voice", domains, {"name": "content"}, CONTENT_MODEL, stats, any_source=True, **changes)
    write_bundle(folder, config, translator.state_dict())
    return folder


def song(bars: int = 8, seed: int = 0, programs: tuple[int, int, int] = (0, 33, 73)) -> Any:
    """A symusic score in ticks: chords, bass, a melody in sixteenths and drums, all within bars of 4/4.

    Lyrics, markers, a key signature, a change of tempo and a controller are in it, too. Songs of two seeds have the same bars.
    """
    import symusic

    random = np.random.default_rng(seed)
    beat, score = SONG_TPQ, symusic.Score(SONG_TPQ)
    chords, bass, melody = (symusic.Track(name, program) for name, program in zip(("chords", "bass", "melody"), programs, strict=True))
    drums = symusic.Track("drums", 0, True)
    for bar in range(bars):
        begin, chord = 4 * beat * bar, CHORDS[bar % 4]
        chords.notes.extend([symusic.Note(begin + 2 * beat * half, 2 * beat, 60 + pitch, 70) for half in range(2) for pitch in chord])
        bass.notes.extend([symusic.Note(begin + beat * n, beat - 10, 36 + chord[0], 80 + 10 * (n == 0)) for n in range(4)])
        for step in np.flatnonzero(random.random(16) < 0.5).tolist():
            late, pitch = random.integers(0, 12), 72 + int(random.choice(chord))  # played by hand: nearly on the grid
            melody.notes.append(symusic.Note(begin + beat // 4 * step + int(late), beat // 4 - 15, pitch, int(random.integers(60, 110))))
        drums.notes.extend([symusic.Note(begin + beat * n, 60, 36 if n % 2 == 0 else 38, 100) for n in range(4)])
    chords.controls.append(symusic.ControlChange(0, 7, 90))
    melody.lyrics.extend([symusic.TextMeta(4 * beat * i, word) for i, word in enumerate(LYRICS)])
    score.tracks.extend([chords, bass, melody, drums])
    score.tempos.extend([symusic.Tempo(0, 96), symusic.Tempo(4 * beat * (bars // 2), 108)])
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    score.key_signatures.append(symusic.KeySignature(0, 0, 0))
    score.markers.append(symusic.TextMeta(4 * beat, "verse"))
    return score


def tiny_song(path: Path, bars: int = 8, seed: int = 0, **options: Any) -> Path:
    """Write a :func:`song` as a MIDI file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    song(bars, seed, **options).dump_midi(path)
    return path


def tiny_music_bundle(folder: Path, domains: tuple[str, ...] = ("jazz", "pop"), **changes: Any) -> Path:
    """Write a bundle for MIDI files with random weights (seeded); each domain's usual programs are another song's."""
    adapter_config: dict[str, Any] = {"name": "piano_roll"} | changes.pop("adapter", {})
    adapter = build_adapter(adapter_config)
    torch.manual_seed(1)
    translator = build_translator(MUSIC_MODEL, directions(list(map(Domain, domains))), adapter.spec)
    songs = [song(4, seed=i, programs=(1 + i, 34 + i, 74 + i)) for i in range(len(domains))]
    fitted = [adapter.fit([adapter.analyze_score(each, domain)]) for each, domain in zip(songs, domains, strict=True)]
    config = BundleConfig(
        **{
            "name": folder.name, "modality": "music", "domains": domains, "adapter": adapter_config, "model": MUSIC_MODEL,
            "stats": {domain: stats_to_json(stats) for domain, stats in zip(domains, fitted, strict=True)},
        } | changes
    )  # fmt: skip
    write_bundle(folder, config, translator.state_dict())
    return folder


@dataclass(frozen=True)
class Outcome:
    """What a command did: exit code, stdout, and the lines of stderr."""

    code: int
    out: str
    err: list[str]

    @property
    def error(self) -> str:
        """The only line on stderr, which starts with ``error:`` and is no traceback."""
        assert self.code == 1, self
        assert len(self.err) == 1, self
        assert self.err[0].startswith("error: "), self
        assert self.out == "", self
        return self.err[0].removeprefix("error: ")


def run_cli(capsys: pytest.CaptureFixture[Any], *arguments: object) -> Outcome:
    """``audiocycle ARGUMENTS`` in this process, and what it printed."""
    capsys.readouterr()
    code = exit_code(*arguments)
    captured = capsys.readouterr()
    return Outcome(code, captured.out, captured.err.splitlines())


def exit_code(*arguments: object) -> int:
    """``audiocycle ARGUMENTS`` in this process."""
    from audiocycle.cli.main import main

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["audiocycle", *map(str, arguments)])
        before = {number: signal.getsignal(number) for number in map(signal.Signals, ENDINGS)}
        try:
            main()
        except SystemExit as stop:
            return int(stop.code or 0)
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
    return 0
