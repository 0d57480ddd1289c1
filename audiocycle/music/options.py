"""What a person can ask of a MIDI conversion."""

from __future__ import annotations

from dataclasses import dataclass

from audiocycle.errors import ConfigError
from audiocycle.system.options import option

TRACKS = ("keep", "merge")
PROGRAMS = ("source", "target")
DRUMS = ("keep", "drop")
THICKNESS = ("target", "network")
FEELS = ("target", "source")
LEAST_FEEL, MOST_FEEL = 0.5, 0.75
"""Parts of a beat."""
KEEP = ("melody", "bass", "chords", "none")
MOST_UPBEAT = 64
"""Quarter notes."""
HYSTERESIS = 0.4
"""A note goes on while its probability stays above 0.6 times what it needed to begin."""


@dataclass(frozen=True)
class MusicOptions:
    """Options of one conversion.

    Attributes:
        strength: 0 gives the source back note for note, 1 is the network's whole opinion; between them the edits that the
            network is surest of come first.
        key_lock: only pitch classes that the source sounds in the same phrase.
        keep: what stays of the source whatever the network says, with commas between: the melody on top, the bass at the bottom, and of chords that new
            notes have pitch classes of their beat; or none.
        tracks: keep gives each new note to a part that can play it; merge makes one track, or one a register.
        programs: the source's instruments, or the target genre's usual ones.
        drums: keep them as they are, or drop their notes.
        thickness: as many pitches at once, and notes, as phrases of the target usually have, or as the network says.
        threshold: probability from which a note begins.
        shortest: steps; shorter new notes are left out.
        feel: how off-beats swing: as the target's songs do (without statistics of that as the source), as the source does, or with the off-beat
            eighth at this place of its beat, from 0.5 (straight) to 0.75. Kept notes move with it, drums and controllers, too.
        first_bar: quarter notes (of ``beats``: beats) before the first whole bar of a song with an upbeat that its signatures do not show;
            0: as the file says, None: found by itself where that is certain.
        beats: where the beats are: as the file says, as estimated from what is played, as a file of beats says, or "auto": estimated where
            what is played does not keep to the file's beats, and fits the estimate better.

    Raises:
        ConfigError: a value that cannot be; it names the option, the value and what it may be.
    """

    strength: float = option(1.0, "from the source (0) to the whole transfer (1, default).", metavar="0...1")
    key_lock: bool = option(False, "only pitch classes that the source has in the same phrase.")
    keep: str = option("none", "what stays of the source for certain, as in melody,bass (none).", metavar="melody|bass|chords|none")
    tracks: str = option("keep", "keep (default) or merge the tracks.", choices=TRACKS)
    programs: str = option("source", "instruments of the source (default) or usual in the target.", choices=PROGRAMS)
    drums: str = option("keep", "keep (default) or drop the drums.", choices=DRUMS)
    thickness: str = option(
        "target",
        "as many notes, and pitches at once, as the target has (default), or as the network says.",
        metavar="target|network",
        choices=THICKNESS,
    )
    threshold: float = option(0.5, "probability from which a note begins (0.5).", metavar="0...1")
    shortest: int = option(1, "leave shorter new notes out (1).", metavar="STEPS")
    feel: str = option(
        "target", "off-beats as in the target (default), as in the source, or at this place of the beat (0.5 is straight).", metavar="target|source|0.5...0.75"
    )
    first_bar: float | None = option(None, "quarter notes before the first whole bar (default: found where that is certain).", metavar="BEATS")
    beats: str = option(
        "auto",
        "the file's beats, beats estimated from what is played (default: where that does not keep to the file's), or those that a file lists.",
        metavar="file|estimate|FILE",
    )

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise ConfigError(f"strength={self.strength:g}: choose between 0 (the source) and 1 (the whole transfer)")
        if not 0.01 <= self.threshold <= 0.99:
            raise ConfigError(f"threshold={self.threshold:g}: choose between 0.01 and 0.99")
        for name, words in (("tracks", TRACKS), ("programs", PROGRAMS), ("drums", DRUMS), ("thickness", THICKNESS)):
            if getattr(self, name) not in words:
                raise ConfigError(f"{name}={getattr(self, name)}: choose one of {', '.join(words)}")
        if self.swing is None and self.feel not in FEELS:
            raise ConfigError(f"feel={self.feel}: choose target, source, or a number from {LEAST_FEEL:g} (straight) to {MOST_FEEL:g}")
        if unknown := set(self.keep.split(",")) - set(KEEP):
            raise ConfigError(f"keep={self.keep}: there is no {min(unknown) or 'empty name'}; choose of {', '.join(KEEP)}, with commas and no spaces between")
        if "none" in self.kept and len(self.kept) > 1:
            raise ConfigError(f"keep={self.keep}: none goes with nothing else; leave it out")
        if self.shortest < 1:
            raise ConfigError(f"shortest={self.shortest}: must be 1 step or more")
        if self.first_bar is not None and not 0.0 <= self.first_bar <= MOST_UPBEAT:
            raise ConfigError(f"first_bar={self.first_bar:g}: choose between 0 (the file's own bars) and {MOST_UPBEAT} quarter notes")
        if not self.beats.strip():
            raise ConfigError(f"beats={self.beats}: choose file, estimate, or name a file with the times of beats")

    @property
    def swing(self) -> float | None:
        """The place of the off-beat eighth that was asked for; None: as the source, or the target, has it."""
        try:
            place = float(self.feel)
        except ValueError:
            return None
        return place if LEAST_FEEL <= place <= MOST_FEEL else None

    @property
    def kept(self) -> frozenset[str]:
        """What :attr:`keep` names."""
        return frozenset(self.keep.split(","))

    @property
    def hold(self) -> float:
        """Probability at which a note goes on: below the threshold (hysteresis), but equal to it without strength."""
        return self.threshold * (1.0 - HYSTERESIS * self.strength)
