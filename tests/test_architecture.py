"""The layers of the package, read from its imports: they point down only, and heavy ones happen inside commands."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import audiocycle
from audiocycle import build
from audiocycle.objectives.config import GAMES, TERMS
from audiocycle.system.registry import resolve

ROOT = Path(audiocycle.__file__).parent
sys.path.insert(0, str(ROOT.parent / "docs" / "tools"))
import house  # noqa: E402  (the list of layers, which makes the drawing, too)

HEAVY = (
    "torch",
    "librosa",
    "matplotlib",
    "scipy",
    "soundfile",
    "av",
    "pyworld",
    "hydra",
    "torchaudio",
    "pretty_midi",
    "symusic",
    "distributed",
    "onnxruntime",
    "openvino",
    "sounddevice",
    "resemblyzer",
    "faster_whisper",
    "speechmos",
    "midirenderer",
    "verovio",
)
OWNERS = {
    "hydra": {"cli"},
    "omegaconf": {"cli"},
    "typer": {"cli"},
    "soundfile": {"voice", "metrics", "music"},  # music writes previews, and may not import voice
    "av": {"voice"},
    "pyworld": {"voice"},
    "soxr": {"voice", "metrics", "music"},
    "pretty_midi": {"music"},
    "symusic": {"music"},
    "mido": {"music"},
    "midirenderer": {"music"},
    "verovio": {"music"},
    "distributed": {"conversion"},
    "onnxruntime": {"bundles", "voice"},  # voice: the content encoder, a graph of our own
    "google": {"bundles"},
    "openvino": {"bundles"},
    "onnx_ir": {"bundles"},
    "sounddevice": {"voice"},
    "resemblyzer": {"metrics"},
    "faster_whisper": {"system"},
    "speechmos": {"metrics"},
}
"""The only modules that may import a library."""


FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")
EACH_FILE = pytest.mark.parametrize("path", FILES, ids=[path.relative_to(ROOT).as_posix() for path in FILES])


def owner(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


@EACH_FILE
def test_imports_point_down_only(path: Path) -> None:
    name = owner(path)
    if name == "__main__":
        return
    for module in house.imports(path):
        used = house.room_of(module) if module.startswith("audiocycle.") else ""
        if used not in ("", "__version__", name):
            assert house.layer_of(used) > house.layer_of(name), f"{name} imports {used}, which does not lie below it (see LAYERS in docs/tools/house.py)"


def test_every_room_has_its_layer_and_says_what_it_is() -> None:
    rooms = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" and path.stem[0] != "_"}
    rooms |= {path.name for path in ROOT.iterdir() if (path / "__init__.py").is_file()}
    assert rooms == set(house.house())
    assert all(room.purpose for room in house.house().values())


def test_the_drawing_shows_the_house_as_it_is() -> None:
    page = house.PAGE.read_text(encoding="utf-8")
    assert page == house.with_text(page, house.as_text(house.house())), "make house"


def test_arrows_of_the_picture_run_beside_rooms() -> None:
    rooms = house.house()
    places = house.lay_out(rooms)
    drawn = house.arrows(rooms, places)
    assert set(drawn) == set(house.needed_arrows(rooms))
    for (name, other), points in drawn.items():
        for (x, y), (x_next, y_next) in pairwise(points):
            for place in places.values():
                top = house.top_of(place.floor)
                beside = max(x, x_next) < place.left or min(x, x_next) > place.right
                assert beside or min(y, y_next) >= top or max(y, y_next) <= top - house.HEIGHT, f"{name} to {other}: {place}"
    for place in places.values():
        assert len(place.lines) <= house.MOST_LINES


def test_the_core_knows_no_modality() -> None:
    """What differs between voices and scores is said by modalities and adapters."""
    for name in ("data", "objectives", "models", "bundles", "conversion", "training", "modality", "spec", "system"):
        for path in house.files_of(name):
            used = {house.room_of(module) for module in house.imports(path) if module.startswith("audiocycle.")}
            assert not used & {"voice", "music"}, path


@EACH_FILE
def test_libraries_are_used_where_they_belong(path: Path) -> None:
    for module in house.imports(path):
        owners = OWNERS.get(module.split(".")[0])
        assert owners is None or owner(path) in owners, f"{owner(path)} imports {module}; only {owners} may"


@EACH_FILE
def test_networks_and_losses_know_no_files(path: Path) -> None:
    if owner(path) in ("models", "objectives"):
        outside = {module.split(".")[0] for module in house.imports(path)} - {"audiocycle"}
        assert outside <= {"torch", "numpy", "math", "itertools", "collections", "dataclasses", "typing", "functools", "abc", "platform", "__future__"}


def test_a_breach_would_be_seen(tmp_path: Path) -> None:
    source = "import hydra\ndef f():\n    from audiocycle.voice import f0\n    from audiocycle import cli\n    import audiocycle.models.layers\n"
    (tmp_path / "a.py").write_text(source)
    found = list(house.imports(tmp_path / "a.py"))
    assert sorted(found) == ["audiocycle.cli", "audiocycle.models.layers", "audiocycle.voice", "hydra"]
    assert house.layer_of("cli") < house.layer_of("voice") < house.layer_of("spec")


TABLES = {"adapter": build.ADAPTERS, "renderer": build.RENDERERS, "modality": build.MODALITIES, "generator": build.GENERATORS, "critic": build.CRITICS}
TABLES |= {"translator": build.TRANSLATORS, "game": GAMES, "term": TERMS}


@pytest.mark.parametrize("table", TABLES)
def test_every_short_name_stands_for_a_class(table: str) -> None:
    assert TABLES[table]
    for name in TABLES[table]:
        assert isinstance(resolve(TABLES[table], table, name), type)


def test_a_term_is_called_as_its_file() -> None:
    assert all(resolve(TERMS, "term", name).name == name for name in TERMS)


def test_no_two_classes_have_one_name() -> None:
    named: dict[str, list[str]] = {}
    for path in FILES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                named.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    assert not {name: paths for name, paths in named.items() if len(paths) > 1}


def loaded_by(statement: str) -> set[str]:
    """Heavy libraries that a fresh interpreter has loaded after a statement."""
    report = f"import json, sys\n{statement}\nprint('\\n' + json.dumps([m for m in {HEAVY!r} if sys.modules.get(m)]))"
    done = subprocess.run(
        [sys.executable, "-c", report], cwd=ROOT.parent, capture_output=True, text=True, check=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


HELP = "sys.argv = ['audiocycle', '--help']\nfrom audiocycle.cli.main import main\ntry:\n    main()\nexcept SystemExit:\n    pass"


@pytest.mark.parametrize(
    "statement", ["import audiocycle", "import audiocycle.cli.main", HELP], ids=["package", "command line", "help"]
)
def test_heavy_imports_happen_inside_commands(statement: str) -> None:
    assert loaded_by(statement) == set()


def test_networks_load_no_audio_library() -> None:
    assert loaded_by("import audiocycle.training.trainer") == {"torch"}
