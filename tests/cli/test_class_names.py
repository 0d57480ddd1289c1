"""A name means one thing: no class of the command line has the name of another one of the package."""

from __future__ import annotations

import ast
from collections import defaultdict
from pathlib import Path

import audiocycle

PACKAGE = Path(audiocycle.__file__).parent


def test_classes_of_the_command_line_have_names_of_their_own() -> None:
    places: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].add(path.relative_to(PACKAGE).as_posix())
    assert len(places) > 50
    shared = {name: files for name, files in places.items() if len(files) > 1 and any(file.startswith("cli/") for file in files)}
    assert shared == {}
