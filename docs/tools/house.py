"""The house: which room of the package stands on which, read from the imports; as text in ARCHITECTURE.md and as a picture.

    make house        writes both
    python docs/tools/house.py --check       only says whether the text is up to date

``LAYERS`` is the only list of layers: it makes the drawing, and ``tests/test_architecture.py`` holds the imports to it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).parents[2]
PACKAGE = TOP / "audiocycle"
PAGE, PICTURE = TOP / "ARCHITECTURE.md", TOP / "docs" / "pictures" / "house.png"
BEGIN, END = "<!-- made by `make house` from the imports -->", "<!-- end of the house -->"

LAYERS: tuple[tuple[str, ...], ...] = (
    ("cli",),
    ("evaluation",),
    ("training",),
    ("conversion",),
    ("bundles",),
    ("build",),
    ("voice", "music"),
    ("modality", "objectives"),
    ("models", "data", "metrics"),
    ("spec",),
    ("system",),
    ("errors",),
)
"""From the roof down. A room imports from rooms below it, and from none beside it."""


@dataclass(frozen=True)
class Room:
    """A folder of the package, or a file at its top.

    Attributes:
        purpose: the first sentence of its docstring.
        lines: of code, with comments.
        inside: folders in it, or else its files.
        uses: rooms that it imports from, and in how many of its files.
    """

    name: str
    purpose: str
    lines: int
    files: int
    inside: tuple[str, ...]
    uses: Mapping[str, int]

    @property
    def is_file(self) -> bool:
        """Whether it is one file at the top of the package."""
        return (PACKAGE / f"{self.name}.py").is_file()


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


def room_of(module: str) -> str:
    """``audiocycle.voice.f0`` lies in ``voice``."""
    return module.split(".")[1]


def files_of(name: str) -> list[Path]:
    """The code of a room."""
    folder = PACKAGE / name
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{name}.py"]


def layer_of(name: str) -> int:
    """0 is the roof."""
    return next(number for number, names in enumerate(LAYERS) if name in names)


def read_room(name: str) -> Room:
    """Look into a room."""
    paths, folder = files_of(name), PACKAGE / name
    head = folder / "__init__.py" if folder.is_dir() else paths[0]
    purpose = (ast.get_docstring(ast.parse(head.read_text(encoding="utf-8"))) or "").split("\n")[0].rstrip(".")
    uses: dict[str, int] = {}
    for path in paths:
        found = {room_of(module) for module in imports(path) if module.startswith("audiocycle.")} - {name, "__version__"}
        for other in found:
            uses[other] = uses.get(other, 0) + 1
    folders = [path.name + "/" for path in sorted(folder.iterdir()) if (path / "__init__.py").is_file()] if folder.is_dir() else []
    own = [path.stem for path in paths if path.parent == folder and path.stem != "__init__"]
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)
    return Room(name, purpose, lines, len(paths), (*folders, *own), uses)


def house() -> dict[str, Room]:
    """All rooms, from the roof down."""
    return {name: read_room(name) for names in LAYERS for name in names}


def needed_arrows(rooms: Mapping[str, Room]) -> list[tuple[str, str]]:
    """Arrows that no longer way implies."""

    def reachable(name: str) -> set[str]:
        return {name}.union(*(reachable(other) for other in rooms[name].uses))

    kept = []
    for name, room in rooms.items():
        for other in room.uses:
            if not any(other in reachable(between) for between in room.uses if between != other):
                kept.append((name, other))
    return kept


def as_text(rooms: Mapping[str, Room]) -> str:
    """The drawing in ARCHITECTURE.md: a floor a line, from the roof down."""
    lines = [f"{name + ('.py' if rooms[name].is_file else '/'):14}{rooms[name].purpose}" for names in LAYERS for name in names]
    beside = [" · ".join(names) for names in LAYERS if len(names) > 1]
    arrows, pairs = sum(len(room.uses) for room in rooms.values()), len(rooms) * (len(rooms) - 1) // 2
    return "\n".join(
        [
            BEGIN, "```", *lines, "```", "",
            f"Side by side, and unknown to each other: {'; '.join(beside)}. {len(rooms)} rooms, {arrows} arrows of {pairs} that could be; all point down.", END,
        ]
    )  # fmt: skip


def with_text(page: str, text: str) -> str:
    """A page with the drawing put into its place."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + text + after


def draw(rooms: Mapping[str, Room], path: Path) -> None:
    """A picture: floors, rooms as wide as they have lines, and the arrows that no longer way implies."""
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, Rectangle

    sys.path.insert(0, str(TOP))
    from audiocycle.system.figure import write_figure

    width, height, gap = 14.5, 0.62, 0.42
    figure = Figure(figsize=(width, len(LAYERS) * (height + gap) + 0.6), dpi=110, layout="constrained")
    axes: Any = figure.subplots()
    most = max(room.lines for room in rooms.values())
    places: dict[str, tuple[float, float, float]] = {}
    for floor, names in enumerate(LAYERS):
        wide = [2.4 + 4.2 * (rooms[name].lines / most) ** 0.6 for name in names]
        left, bottom = (width - sum(wide) - 0.5 * (len(names) - 1)) / 2, (len(LAYERS) - floor) * (height + gap)
        for name, own in zip(names, wide, strict=True):
            room = rooms[name]
            axes.add_patch(Rectangle((left, bottom), own, height, facecolor="#dfeaf4", edgecolor="#27516f", linewidth=1.2, zorder=2))
            axes.text(left + 0.1, bottom + height - 0.1, room.name, fontsize=12, fontweight="bold", va="top", zorder=3)
            axes.text(left + own - 0.1, bottom + height - 0.12, f"{room.lines:,}", fontsize=8, va="top", ha="right", color="#555", zorder=3)
            inside, shown = ", ".join(room.inside), int(own * 15.5)
            axes.text(left + 0.1, bottom + 0.12, inside if len(inside) <= shown else inside[: shown - 3] + "...", fontsize=7.5, color="#333", zorder=3)
            places[name] = (left, bottom, own)
            left += own + 0.5
    for name, other in needed_arrows(rooms):
        (x, y, own), (x_other, y_other, other_wide) = places[name], places[other]
        middle, other_middle = x + own / 2, x_other + other_wide / 2
        start = min(max(other_middle, x + 0.3), x + own - 0.3)
        end = min(max(middle, x_other + 0.3), x_other + other_wide - 0.3)
        arrow = FancyArrowPatch((start, y), (end, y_other + height), arrowstyle="-|>", mutation_scale=12, color="#9a5b1f", linewidth=1.1, zorder=1)
        axes.add_patch(arrow)
    axes.set_xlim(0, width)
    axes.set_ylim(height, (len(LAYERS) + 1) * (height + gap) - gap / 2)
    axes.axis("off")
    axes.set_title("A room uses the rooms that it stands on, and those below them (numbers: lines)", fontsize=10, loc="left")
    write_figure(figure, path)


def main() -> None:
    """Write the text and the picture, or check the text."""
    rooms = house()
    page = PAGE.read_text(encoding="utf-8")
    wanted = with_text(page, as_text(rooms))
    if "--check" in sys.argv[1:]:
        raise SystemExit(0 if page == wanted else f"{PAGE.name}: the house is out of date; make house")
    PAGE.write_text(wanted, encoding="utf-8")
    draw(rooms, PICTURE)
    print(as_text(rooms))


if __name__ == "__main__":
    main()
