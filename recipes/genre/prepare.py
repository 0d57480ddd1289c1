"""Sort folders of MIDI files into songs to train on and songs to judge with.

    python recipes/genre/prepare.py genres jazz=midi/solos,midi/leadsheets classic=midi/sonatas pop=midi/pop \
        --drop-track chords --unseen leadsheets

    genres/train/GENRE/SOURCE/*.mid     nine tenths of the songs
    genres/eval/GENRE/SOURCE/*.mid      the others; no song is in both, whatever its file is called
    genres/unseen/GENRE/SOURCE/*.mid    whole sources that nothing was trained on, to judge the genre classifier with

A song's place follows from a hash of its notes, so that a copy under another name lands on the same side (and is left out),
and adding files moves no other. With --every-tenth it is the sixth, sixteenth, ... file of each folder in order of names that is held out.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from pathlib import Path

from rich.progress import track

from audiocycle.errors import AudioCycleError
from audiocycle.music.midi.file import is_midi, read_score, write_score
from audiocycle.music.notes import notes_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    parser.add_argument("genres", nargs="+", metavar="GENRE=FOLDER[,FOLDER...]")
    parser.add_argument("--held-out", type=float, default=0.1, help="share of songs for judging (default 0.1)")
    parser.add_argument("--every-tenth", action="store_true", help="hold out by the files' names, not by their notes")
    parser.add_argument("--leave-out", type=Path, metavar="FILE", help="names of files, one a line, that are not what their folder says; after # a remark")
    parser.add_argument("--drop-track", action="append", default=[], metavar="NAME", help="leave tracks of this name out")
    parser.add_argument("--unseen", action="append", default=[], metavar="FOLDER", help="last part of a folder's name")
    arguments = parser.parse_args()
    for genre in arguments.genres:
        name, _, folders = genre.partition("=")
        if not folders:
            parser.error(f"{genre}: write GENRE=FOLDER[,FOLDER...]")
        sort_genre(arguments.output, name, [Path(f) for f in folders.split(",")], arguments)


def sort_genre(output: Path, genre: str, folders: list[Path], arguments: argparse.Namespace) -> None:
    seen: set[bytes] = set()
    lines = arguments.leave_out.read_text(encoding="utf-8").splitlines() if arguments.leave_out else []
    left_out = {line.partition("#")[0].strip() for line in lines}
    counts = {"train": 0, "eval": 0, "unseen": 0, "copies": 0, "unreadable": 0}
    for folder in folders:
        files = sorted(path for path in folder.rglob("*") if is_midi(path))
        if not files:
            sys.exit(f"error: {folder}: no MIDI files in it")
        for place, path in enumerate(track(files, description=f"{genre}: {folder.name}", disable=not sys.stderr.isatty())):
            if path.name in left_out:
                continue
            try:
                score = read_score(path)
            except AudioCycleError as error:
                print(f"skipped {error}", file=sys.stderr)
                counts["unreadable"] += 1
                continue
            score.tracks = type(score.tracks)([t for t in score.tracks if t.name not in arguments.drop_track])
            notes = notes_of(score)
            beats = notes.start * 96 // score.ticks_per_quarter
            digest = hashlib.blake2b(beats.tobytes() + notes.pitch.tobytes(), digest_size=8).digest()
            if digest in seen or not len(notes):
                counts["copies"] += 1
                continue
            seen.add(digest)
            by_hash = int.from_bytes(digest, "big") < arguments.held_out * 2**64
            held_out = place % 10 == 5 if arguments.every_tenth else by_hash
            part = "unseen" if folder.name in arguments.unseen else "eval" if held_out else "train"
            write_score(output / part / genre / folder.name / f"{path.stem}.mid", score)
            counts[part] += 1
    print(f"{genre}: " + ", ".join(f"{count} {what}" for what, count in counts.items() if count), file=sys.stderr)


if __name__ == "__main__":
    main()
