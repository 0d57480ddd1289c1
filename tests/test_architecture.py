"""The layers of the package, read from its imports: they point down only, and heavy ones happen inside commands."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import audiocycle
from audiocycle import build

ROOT = Path(audiocycle.__file__).parent
LAYERS = (  # a module imports from its own layer and those above it in this list; a package counts as one
    {"__version__", "errors", "spec", "atomic", "compat", "progress", "debugging", "threads", "distributed", "prefetch", "recognizer", "names", "scan", "limits", "foreign", "locks", "long_lines", "array_files", "hub"},
    {"models", "objective", "stabilizers", "voice", "music", "metrics", "pictures", "windows", "download", "archive", "pauses"},
    {"build", "bundle", "checkpoint", "data", "features", "corpus", "guides", "library", "devices", "runtimes"},
    {"trainer", "trainer_config", "readings", "train", "monitor", "samples", "deviations", "convert", "live", "export", "classifier", "evaluation", "demo"},
    {"plan", "worker", "ledger", "processes", "cluster", "batch"},
)
"""Modules that are in no set are what people touch (the command line, the app): nothing below may import them."""
FOUNDATION = LAYERS[0]
MAY_USE = {
    "voice": {"voice", "pictures"},
    "music": {"music", "pictures"},
    "models": {"models"},
    "objective": {"models"},
    "stabilizers": set[str](),
    "pauses": set[str](),
    "windows": set[str](),
    "metrics": {"metrics"},
    "trainer": {"models", "objective", "stabilizers", "checkpoint", "data", "trainer_config", "devices", "readings"},
}
"""What these import beside the foundation: modalities, networks and losses know nothing of each other."""
FIRST = {"errors": set[str](), "compat": set[str](), "threads": set[str](), "spec": {"errors", "limits"}, "limits": {"errors"}, "foreign": {"errors"}}
"""What these of the foundation may import of it: all else is told in their words."""
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
)
OWNERS = {
    "hydra": {"configure", "cli", "sweep", "sweep_job"},
    "omegaconf": {"configure", "cli", "sweep", "sweep_job"},
    "typer": {"cli", "commands"},
    "soundfile": {"voice", "metrics", "music"},  # music writes previews, and may not import voice
    "av": {"voice"},
    "pyworld": {"voice"},
    "soxr": {"voice", "metrics"},
    "pretty_midi": {"music"},
    "symusic": {"music"},
    "mido": {"music"},
    "distributed": {"cluster"},
    "onnxruntime": {"runtimes"},
    "google": {"runtimes"},
    "openvino": {"runtimes"},
    "onnx_ir": {"export"},
    "sounddevice": {"voice"},
    "resemblyzer": {"metrics"},
    "faster_whisper": {"recognizer"},
    "speechmos": {"metrics"},
}
"""The only modules that may import a library."""


def imports(path: Path) -> Iterator[str]:
    """Full names of everything that a file imports, wherever it does so."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import"
            assert all(alias.name != "*" for alias in node.names), f"{path}:{node.lineno}: star import"
            whole = node.module == "audiocycle"
            yield from (f"audiocycle.{alias.name}" for alias in node.names) if whole else [str(node.module)]


def part(module: str) -> str:
    """``audiocycle.voice.f0`` belongs to ``voice``."""
    return module.split(".")[1]


def layer(name: str) -> int:
    return next((level for level, names in enumerate(LAYERS) if name in names), len(LAYERS))


FILES = sorted(path for path in ROOT.rglob("*.py") if path != ROOT / "__init__.py")
EACH_FILE = pytest.mark.parametrize("path", FILES, ids=[path.relative_to(ROOT).as_posix() for path in FILES])


def owner(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


@EACH_FILE
def test_imports_point_down_only(path: Path) -> None:
    name = owner(path)
    for module in imports(path):
        if module.startswith("audiocycle."):
            used = part(module)
            assert layer(used) <= layer(name), f"{name} imports {used}, which stands above it (see LAYERS)"
            allowed = MAY_USE.get(name)
            assert allowed is None or used in allowed | FOUNDATION, f"{name} may not import {used}"


@EACH_FILE
def test_libraries_are_used_where_they_belong(path: Path) -> None:
    for module in imports(path):
        owners = OWNERS.get(module.split(".")[0])
        assert owners is None or owner(path) in owners, f"{owner(path)} imports {module}; only {owners} may"


@EACH_FILE
def test_networks_and_losses_know_no_files(path: Path) -> None:
    if owner(path) in ("models", "objective", "stabilizers"):
        outside = {module.split(".")[0] for module in imports(path)} - {"audiocycle"}
        assert outside <= {
            "torch",
            "numpy",
            "math",
            "itertools",
            "collections",
            "dataclasses",
            "typing",
            "functools",
            "__future__",
        }


def test_words_that_all_share_import_nothing_but_the_errors() -> None:
    for name, allowed in FIRST.items():
        own = {module for module in imports(ROOT / f"{name}.py") if module.startswith("audiocycle")}
        assert own <= {f"audiocycle.{module}" for module in allowed}, name


def test_a_breach_would_be_seen(tmp_path: Path) -> None:
    source = "import hydra\ndef f():\n    from audiocycle.voice import f0\n    from audiocycle import cli\n    import audiocycle.models.layers\n"
    (tmp_path / "a.py").write_text(source)
    found = list(imports(tmp_path / "a.py"))
    assert sorted(found) == ["audiocycle.cli.main", "audiocycle.models.layers", "audiocycle.voice", "hydra"]
    assert (layer("cli"), layer("spec"), part("audiocycle.voice.f0")) == (len(LAYERS), 0, "voice")


@pytest.mark.parametrize("table", ["ADAPTERS", "RENDERERS", "MEDIA", "GENERATORS", "CRITICS"])
def test_every_short_name_stands_for_a_class(table: str) -> None:
    names: dict[str, str] = getattr(build, table)
    for name in names:
        assert isinstance(build.resolve(names, table, name), type)


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
