"""How many words a model loses in languages that it was perhaps not made for.

    pip install 'audiocycle[languages,eval]'
    python recipes/languages/measure.py data/languages --model any-voices --target 27 --out converted

Whisper base hears what speak.py made, and what the model makes of it. Lost are the words (in Japanese the characters) that differ, as a share of those of the
source (Levenshtein 1966). "copy" is the vocoder alone. English is heard by Whisper tiny.en, too: Whisper base is also the multilingual encoder, and tiny.en the
English one, so that neither judge is a stranger to both; what each makes of English says how partial it is.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile

from audiocycle.conversion.converter import Converter
from audiocycle.metrics.voice.recognition import Recognizer, word_errors, words
from audiocycle.spec import FloatArray
from audiocycle.system.progress import console
from audiocycle.voice.content import multilingual
from audiocycle.voice.renderers import WorldRenderer
from audiocycle.voice.world_adapter import WorldAdapter

LANGUAGES = ("es", "fr", "it", "ja", "en")
IN_CHARACTERS = ("ja",)
"""Written without blanks between words."""
COPY = "copy"


def units(text: str, language: str) -> Sequence[str]:
    """Words, or characters."""
    return "".join(words(text)) if language in IN_CHARACTERS else words(text)


def whisper_base(folder: Path) -> Path:
    """The packages' files as faster-whisper wants them."""
    spec = find_spec(multilingual.PARTS[1].partition("/")[0])
    parts = b"".join(multilingual.part(file) for file in multilingual.PARTS)
    (folder / "model.bin").write_bytes(multilingual.checked(parts))
    assert spec is not None
    assert spec.origin is not None
    for name in ("config.json", "tokenizer.json", "vocabulary.json"):
        (folder / name).write_bytes((Path(spec.origin).parent / "data" / name).read_bytes())
    return folder


def read(path: Path) -> FloatArray:
    samples, rate = soundfile.read(path, dtype="float32")
    if rate != 16000:
        sys.exit(f"error: {path}: not at 16 kHz; render it by recipes/languages/speak.py")
    return samples


def copied(source: Path, out: Path) -> None:
    """Analysed and rendered, with nothing between."""
    adapter = WorldAdapter()
    made = WorldRenderer(adapter).render(adapter.analyze(read(source)))
    soundfile.write(out, made.samples, made.sample_rate)


def convert(sources: Sequence[Path], model: str, target: str, folder: Path) -> list[Path]:
    """Each source converted, if it is not yet, or copied."""
    folder.mkdir(parents=True, exist_ok=True)
    outs, converter = [folder / f"{path.stem}.wav" for path in sources], None
    for source, out in zip(sources, outs, strict=True):
        if out.exists():
            continue
        if model == COPY:
            copied(source, out)
            continue
        converter = converter or Converter.from_pretrained(model)
        converter.convert_file(source, out, target)
    return outs


def lost(recognizer: Recognizer, sources: Sequence[Path], outs: Sequence[Path], language: str) -> tuple[int, int]:
    """Units that differ, and those of the sources."""
    said = [units(recognizer.transcribe(read(path)), language) for path in sources]
    heard = [units(recognizer.transcribe(read(path)), language) for path in outs]
    return sum(map(word_errors, said, heard)), sum(map(len, said))


def main() -> None:
    """A line for each language, model and judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="what speak.py wrote")
    parser.add_argument("--model", action="append", default=[], help="a bundle; several may be given")
    parser.add_argument("--target", required=True)
    parser.add_argument("--out", type=Path, required=True, help="conversions are kept here")
    arguments = parser.parse_args()
    with TemporaryDirectory() as made:
        base = whisper_base(Path(made))
        for language in LANGUAGES:
            judges = {"base": Recognizer(base, language)} | ({"tiny.en": Recognizer()} if language == "en" else {})
            sources = sorted((arguments.data / language).glob("*.flac"))
            for model in (COPY, *arguments.model):
                name = Path(model).parent.name if Path(model).name == "bundle" else Path(model).name
                outs = convert(sources, model, arguments.target, arguments.out / name / arguments.target / language)
                for judge, recognizer in judges.items():
                    wrong, all_of_them = lost(recognizer, sources, outs, language)
                    console().print(f"{language}  {name:16} {judge:8} {100 * wrong / all_of_them:5.1f} % lost ({wrong} of {all_of_them})", markup=False)


if __name__ == "__main__":
    main()
