"""Whether a recording is what a conversion of anybody is made for: one person, who speaks.

Nothing is computed for it but what a conversion computes anyhow.

**Speech.** The states of the content encoder, which was made by a recogniser of speech, move from sound to sound of it. They hardly do where there is
music or noise (:func:`~audiocycle.voice.content.hearing.articulation`).

**Two at once.** The mean of these states tells (:func:`~audiocycle.voice.content.hearing.voices_at_once`).

**Two in turn.** See :mod:`audiocycle.voice.turns`.

A chunk of a recording counts where it is about as loud as the others: a long pause is no noise that somebody gave for speech.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from audiocycle.spec import Encoded
from audiocycle.voice.adapter import VoiceAdapter
from audiocycle.voice.content.english import Familiarity
from audiocycle.voice.sides import RecordingSide, VoiceSide
from audiocycle.voice.turns import Turns

UNLIKE = "sounds like noise or music, not like speech"
ARTICULATION = 7.9
"""Less is no speech. 824 recordings of 1 to 17 s, of 259 people in several rooms: 7.95 at least, 9.3 of all but one in a hundred; with pink noise 5 dB below, 8.9 at
least. 136 of noise, chords, plucked strings, drums and rendered MIDI: 7.69 at most. So all of these were told, and nobody who spoke; of pieces of 2 s, 7 of 2,474.
Not looked at: played music, and songs with words, which are speech here."""
AT_ONCE = 0.5
"""More is two people at once. The same 824: 0.42 at most; with pink noise, echo, music 10 dB below, a telephone's band, or without pauses, 0.42 at most; of pieces of 2 s,
1 in 2,072, with noise 5 in 561. 90 pairs that were added, 0 to 10 dB apart, 30 of them of VCC2016, which gave nothing to the weights: 0.53 at least; of pieces of 2 s, 260 of 265.
Not looked at: two in one room, and who interrupts for a moment."""
HEARD_SECONDS = 1.5
"""Of sound: less is not asked."""
LOUD_DB = 25.0
"""Chunks further below the loudest are pauses."""
PART = 0.1
"""Of a recording, that is told of."""
KNOWN_SECONDS = 1.0
"""Of a speaker that the model was not trained on."""


def unlike_speech(side: VoiceSide | RecordingSide) -> bool:
    """Whether what is said moves as little as in noise or music; False where that is not known."""
    return bool(side.articulation) and float(side.articulation or 0.0) < ARTICULATION


class SourceDoubts:
    """What was heard of one recording, whose chunks come in order."""

    def __init__(self, adapter: VoiceAdapter) -> None:
        self.adapter, self.turns, self.familiarity = adapter, Turns(adapter), Familiarity()
        self.voiced = 0
        self.frames, self.levels = list[int](), list[float]()
        self.unlike, self.at_once = list[bool](), list[bool]()

    def add(self, encoded: Encoded[VoiceSide]) -> None:
        """Take in the next chunk."""
        side, speech = encoded.side, self.adapter.speech(encoded.features)
        asked = speech.sum() >= HEARD_SECONDS * self.adapter.spec.frame_rate
        self.voiced += 0 if side.f0 is None else int((side.f0 > 0).sum())
        self.frames.append(int(speech.sum()))
        self.levels.append(float(np.mean(encoded.features[0, speech])) if speech.any() else -np.inf)
        self.unlike.append(bool(asked) and unlike_speech(side))
        self.at_once.append(bool(asked) and not self.unlike[-1] and (side.voices_at_once or 0.0) > AT_ONCE)
        if not self.unlike[-1] and not self.at_once[-1]:
            self.turns.add(encoded)
            if (likeness := self.adapter.familiarity(encoded.features)) is not None:
                self.familiarity.add(likeness, float(speech.sum()) / self.adapter.spec.frame_rate)

    def notes(self, seconds: float) -> Iterator[str]:
        """What people should know of a recording so long: a line for each kind."""
        if not self.frames:
            yield "holds only digital silence, and so does the output"
            return
        unlike, at_once = self.share(self.unlike), self.share(self.at_once)
        if unlike > PART:
            yield f"{extent(unlike)} {UNLIKE}, and nothing of that can be understood; give a recording of somebody who speaks"
        elif not self.voiced:
            yield "nothing in it has a pitch: is this speech? A whisper stays one"
        if at_once > PART:
            yield f"{extent(at_once)} sounds like two people who speak at once, and what comes out is a voice of neither; give a recording of one of them"
        if (found := self.turns.registers()) is not None:
            high, low = found
            what = f"two people in turn (about {high:.0f} and {low:.0f} Hz), or like one with two microphones"
            yield f"sounds like {what}: both are moved as their mean would be, and the pitch is wrong for either; split it, and convert the parts by themselves"
        if unlike <= PART:
            yield from self.familiarity.notes()
        if seconds < KNOWN_SECONDS:
            yield f"shorter than {KNOWN_SECONDS:g} s, of which little can be told of a voice; the pitch may be off"

    def share(self, flagged: Sequence[bool]) -> float:
        """How much of what is not a pause lies in these chunks."""
        levels, frames = np.array(self.levels), np.array(self.frames)
        counted = frames * (levels >= levels.max() - LOUD_DB * np.log(10.0) / 10.0)
        return float((counted * np.array(flagged)).sum() / max(1, counted.sum()))


def extent(share: float) -> str:
    """Of a recording, in words."""
    return "it" if share > 1.0 - PART else f"about {100 * share:.0f} % of it"
