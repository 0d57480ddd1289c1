"""What a person can ask of a MIDI conversion."""

from __future__ import annotations

from dataclasses import dataclass

from audiocycle.errors import ConfigError

TRACKS = ("keep", "merge")
PROGRAMS = ("source", "target")
THICKNESS = ("target", "network")
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
        tracks: keep gives each new note to the track that plays nearest; merge makes one track, or one a register.
        programs: the source's instruments, or the target genre's usual ones.
        thickness: as many pitches at once, and notes, as phrases of the target usually have, or as the network says.
        threshold: probability from which a note begins.
        shortest: steps; shorter new notes are left out.
        first_bar: quarter notes before the first whole bar of a song with an upbeat that its signatures do not show.
    """

    strength: float = 1.0
    key_lock: bool = False
    tracks: str = "keep"
    programs: str = "source"
    thickness: str = "target"
    threshold: float = 0.5
    shortest: int = 1
    first_bar: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength <= 1.0:
            raise ConfigError(f"--strength {self.strength:g}: choose between 0 (the source) and 1 (the whole transfer)")
        if not 0.01 <= self.threshold <= 0.99:
            raise ConfigError(f"--threshold {self.threshold:g}: choose between 0.01 and 0.99")
        if self.tracks not in TRACKS:
            raise ConfigError(f"--tracks {self.tracks}: choose one of {', '.join(TRACKS)}")
        if self.programs not in PROGRAMS:
            raise ConfigError(f"--programs {self.programs}: choose one of {', '.join(PROGRAMS)}")
        if self.thickness not in THICKNESS:
            raise ConfigError(f"--thickness {self.thickness}: choose one of {', '.join(THICKNESS)}")
        if self.shortest < 1:
            raise ConfigError(f"--shortest {self.shortest}: must be 1 step or more")
        if not 0.0 <= self.first_bar <= MOST_UPBEAT:
            raise ConfigError(f"--first-bar {self.first_bar:g}: choose between 0 (the file's own bars) and {MOST_UPBEAT} quarter notes")

    @property
    def hold(self) -> float:
        """Probability at which a note goes on: below the threshold (hysteresis), but equal to it without strength."""
        return self.threshold * (1.0 - HYSTERESIS * self.strength)
