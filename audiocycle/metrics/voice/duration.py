"""Duration: does the converted sentence last as long as the target speaker's own?"""

from __future__ import annotations

from audiocycle.errors import InputError

DEFINITION = (
    "Duration error: |converted - reference| / reference of the time from the first to the last frame within 40 dB of "
    "the recording's own loudest, so that pauses around the sentence do not count; 0 is perfect. A converter that "
    "keeps the source's timing has the source speaker's error."
)


def duration_error(reference_seconds: float, converted_seconds: float) -> float:
    """How far two durations of one sentence are apart, as a share of the reference's; 0 or more.

    Raises:
        InputError: the reference has no duration.
    """
    if not reference_seconds > 0.0:
        raise InputError(f"duration error needs a reference that lasts, got {reference_seconds} s: is it silent?")
    return abs(converted_seconds - reference_seconds) / reference_seconds
