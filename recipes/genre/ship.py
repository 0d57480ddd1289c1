"""Put a trained bundle, with the two pieces that the project encodes, where the package looks for bundled models.

    python recipes/genre/ship.py runs/jazz-classic/bundle
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pieces

from audiocycle.bundle import load_translator, model_card, read_config, write_bundle
from audiocycle.export import export_bundle
from audiocycle.models.layers import parameter_count
from audiocycle.music.midi_file import write_score

NAME = "jazz-classic"
LICENCE = "other"
ORIGIN = """
## Data and origin

Trained with `recipes/genre` on 4-bar phrases of

| genre | source | licence as found |
|---|---|---|
| jazz | Weimar Jazz Database (jazzomat.hfm-weimar.de), 388 solos made beat-aligned, with walking bass and comping added by rule | ODbL |
| jazz | 404 lead sheets (standards, some pop) with realised chords | repository MIT; the tunes may be protected |
| classic | Classical Piano MIDI Page (piano-midi.de, Bernd Krueger), 55 pieces in 4/4 | CC BY-SA 3.0 DE |
| classic | CRNN-GAN's collection of classical MIDI, 146 pieces in 4/4 | none stated |
| classic | PIANOCORE, 156 pieces in 4/4 | unverified |

No song can be read out of the weights as far as we know, but nobody has proved it, and what the licences of these sources ask of a
model's weights is not settled. Hence "other": fine to try and to study; settle it yourself before you publish what you make
with it. `samples/` holds a prelude of Bach (public domain) and a blues of our own, both encoded by `recipes/genre/pieces.py`.

## Limits

Straight sixteenths in 4/4; anything else passes through unchanged. Jazz here means solos, walking bass and comping; classic means solo
piano: half of what a listener hears as genre, swing, touch and timbre, is not in a roll. Figures: `docs/results.md` of the repository.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, help="RUN/bundle of the training")
    parser.add_argument("--out", type=Path, default=Path("audiocycle/pretrained") / NAME)
    arguments = parser.parse_args()
    config = replace(read_config(arguments.bundle), name=NAME, licence=LICENCE)
    translator = load_translator(arguments.bundle, config)
    card = model_card(config, parameter_count(translator)) + ORIGIN
    write_bundle(arguments.out, config, translator.state_dict(), card=card)
    export_bundle(arguments.out)
    write_score(arguments.out / "samples" / "classic-prelude.mid", pieces.prelude())
    write_score(arguments.out / "samples" / "jazz-blues.mid", pieces.blues())
    print(f"{arguments.out}: {sum(p.stat().st_size for p in arguments.out.rglob('*') if p.is_file()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
