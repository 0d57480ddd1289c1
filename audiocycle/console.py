"""What ``audiocycle convert`` shows: a progress bar, records, and a summary with the bad files at its end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from audiocycle import progress
from audiocycle.batch import REPORT
from audiocycle.convert import Record


def show_records(
    start: Callable[[Callable[[float], None]], Iterator[Record]], n_files: int, folder: Path | None, as_json: bool
) -> bool:
    """Convert and show the records as they come; True when no file failed.

    Args:
        start: begins the conversion; given what to call with the share of the file in work that is done.
        folder: of the outputs; None for a single file.
        as_json: one JSON record a line on stdout.
    """
    console = progress.console()
    finished: list[Record] = []
    with progress.counted(console) as bar:
        task = bar.add_task("converting", total=n_files)
        for record in start(lambda share: bar.update(task, completed=len(finished) + share)):
            finished.append(record)
            bar.update(task, completed=len(finished))
            if as_json:
                print(json.dumps(record.to_json()), flush=True)  # ASCII: no terminal's encoding can be in the way
    if folder is not None:
        counts = Counter(record.status for record in finished)
        audio, work = sum(r.audio_seconds for r in finished), sum(r.seconds for r in finished)
        speed = f", {audio:.0f} s of audio in {work:.0f} s of work" if work else ""
        kept = f", {counts['kept']} kept as they were (--overwrite redoes them)" if counts["kept"] else ""
        text = f"{folder}: {counts['converted']} converted{kept}, {counts['failed']} failed{speed}; {folder / REPORT}"
        console.print(text, markup=False)
    elif finished and finished[0].status == "converted" and finished[0].output != "-":
        record = finished[0]
        text = f"{record.output}: {record.audio_seconds:.1f} s of audio in {record.seconds:.2f} s"
        console.print(text, markup=False)
    bad = [record for record in finished if record.status == "failed"]
    for record in bad:
        console.print(f"error: {record.error}".replace("\n", "\\n"), markup=False)
    return not bad
