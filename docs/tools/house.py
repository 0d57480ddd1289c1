"""The house: which room of the package stands on which, read from the imports; as text in ARCHITECTURE.md and as a picture.

    make house        writes both
    python docs/tools/house.py --check       only says whether the text is up to date

``LAYERS`` is the only list of layers: it makes the drawing, and ``tests/test_architecture.py`` holds the imports to it.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from textwrap import wrap
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
    return "\n".join(
        [
            BEGIN, "```", *lines, "```", "",
            f"Side by side, and unknown to each other: {'; '.join(beside)}.", END,
        ]
    )  # fmt: skip


def with_text(page: str, text: str) -> str:
    """A page with the drawing put into its place."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + text + after


WIDTH, HEIGHT, BAND = 15.0, 0.88, 0.5
"""Of the picture, without its margins; of a floor; between floors."""
CHARACTERS = 15.5
"""Of the small print, in a unit of width."""
MOST_LINES = 3
"""Of small print in a room."""
STEP, APART, TURN, CROSSING = 0.1, 0.28, 1.0, 3.0
"""Between places where an arrow may run; how near two may come; what a turn and coming too near cost, in units of way."""
COLOURS = ("#9a5b1f", "#27516f", "#6a3d7c", "#2f7d4f", "#a8324a", "#4d4d4d", "#b07d00", "#137d86")
"""Of arrows, by the room from which they come."""


@dataclass(frozen=True)
class Place:
    """Where a room is drawn."""

    floor: int
    left: float
    right: float
    lines: tuple[str, ...]

    def clear(self, x: float) -> bool:
        """Whether an arrow may pass beside it here."""
        return not self.left - 0.2 < x < self.right + 0.2


def top_of(floor: int) -> float:
    """Upper edge of the rooms of a floor."""
    return (len(LAYERS) - floor) * (HEIGHT + BAND)


def lay_out(rooms: Mapping[str, Room]) -> dict[str, Place]:
    """Rooms as wide as they have lines, or as their small print needs; each floor in the middle."""
    most = max(room.lines for room in rooms.values())
    places = {}
    for floor, names in enumerate(LAYERS):
        lists = [", ".join(rooms[name].inside) for name in names]
        wide = [
            max(2.4 + 2.6 * (rooms[name].lines / most) ** 0.6, len(text) / CHARACTERS / (MOST_LINES - 0.25) + 0.2)
            for name, text in zip(names, lists, strict=True)
        ]
        left = (WIDTH - sum(wide) - 0.7 * (len(names) - 1)) / 2
        for name, own, text in zip(names, wide, lists, strict=True):
            lines = wrap(text, int((own - 0.2) * CHARACTERS), break_long_words=False)
            places[name] = Place(floor, left, left + own, tuple(lines))
            left += own + 0.7
    return places


def way_of(places: Mapping[str, Place], name: str, other: str, taken: list[set[float]]) -> list[float]:
    """Where an arrow leaves its room, passes each floor between, and arrives: the shortest way with few turns, beside all rooms.

    Args:
        taken: of each band between floors, where other arrows run; this one is added.
    """
    source, target = places[name], places[other]
    grid = [round(-0.9 + STEP * number, 2) for number in range(int((WIDTH + 1.8) / STEP))]
    floors: list[list[float]] = [[x for x in grid if source.left + 0.2 <= x <= source.right - 0.2]]
    for floor in range(source.floor + 1, target.floor):
        floors.append([x for x in grid if all(place.clear(x) for place in places.values() if place.floor == floor)])
    floors.append([x for x in grid if target.left + 0.2 <= x <= target.right - 0.2])

    def near(x: float, band: int) -> float:
        return CROSSING * sum(abs(x - there) < APART for there in taken[band])

    middle = (source.left + source.right) / 2
    best: dict[float, tuple[float, list[float]]] = {x: (0.1 * abs(x - middle) + near(x, source.floor), [x]) for x in floors[0]}
    for number, passage in enumerate(floors[1:]):
        band = source.floor + number
        reached: dict[float, tuple[float, list[float]]] = {}
        for x in passage:
            beside = near(x, band) + (near(x, band + 1) if number + 2 < len(floors) else 0.0)
            cost, before = min((cost + abs(x - way[-1]) + TURN * (x != way[-1]), way) for cost, way in best.values())
            reached[x] = (cost + beside, [*before, x])
        best = reached
    way = min(best.values())[1]
    for number, (x, following) in enumerate(pairwise(way)):
        taken[source.floor + number] |= {x, following}
    return way


def corners(way: Sequence[float], floor: int, turns: list[int]) -> list[tuple[float, float]]:
    """A way as points: upright but for turns between floors, each at a height of its own.

    Args:
        floor: from which it leaves.
        turns: how many there are in each band so far; counted on.
    """
    points = [(way[0], top_of(floor) - HEIGHT)]
    for number, (x, following) in enumerate(pairwise(way)):
        if x != following:
            band = floor + number
            level = top_of(band) - HEIGHT - BAND * (0.22 + 0.16 * (turns[band] % 4))
            turns[band] += 1
            points += [(x, level), (following, level)]
    return [*points, (way[-1], top_of(floor + len(way) - 1))]


def arrows(rooms: Mapping[str, Room], places: Mapping[str, Place]) -> dict[tuple[str, str], list[tuple[float, float]]]:
    """Corners of all needed arrows. The shortest choose first, and go straight."""
    taken: list[set[float]] = [set() for _ in LAYERS]
    turns = [0] * len(LAYERS)
    pairs = sorted(needed_arrows(rooms), key=lambda pair: places[pair[1]].floor - places[pair[0]].floor)
    return {(name, other): corners(way_of(places, name, other, taken), places[name].floor, turns) for name, other in pairs}


def draw(rooms: Mapping[str, Room], path: Path) -> None:
    """A picture: floors, rooms with what is in them, and the arrows that no longer way implies, which run beside rooms."""
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, Rectangle
    from matplotlib.path import Path as Line

    sys.path.insert(0, str(TOP))
    from audiocycle.system.figure import write_figure

    figure = Figure(figsize=(WIDTH, len(LAYERS) * (HEIGHT + BAND) * 0.86 + 0.5), dpi=110, layout="constrained")
    axes: Any = figure.subplots()
    places = lay_out(rooms)
    for name, place in places.items():
        top, room = top_of(place.floor), rooms[name]
        axes.add_patch(Rectangle((place.left, top - HEIGHT), place.right - place.left, HEIGHT, facecolor="#dfeaf4", edgecolor="#27516f", linewidth=1.2))
        axes.text(place.left + 0.1, top - 0.08, room.name, fontsize=12, fontweight="bold", va="top")
        axes.text(place.right - 0.1, top - 0.1, f"{room.lines:,}", fontsize=8, va="top", ha="right", color="#555")
        axes.text(place.left + 0.1, top - 0.33, "\n".join(place.lines), fontsize=7.5, va="top", color="#333", linespacing=1.15)
    colours = dict(zip(rooms, COLOURS * len(rooms), strict=False))
    for (name, _), points in arrows(rooms, places).items():
        axes.add_patch(FancyArrowPatch(path=Line(points), arrowstyle="-|>", mutation_scale=12, color=colours[name], linewidth=1.3, joinstyle="round"))
    axes.set_xlim(-1.0, WIDTH + 1.0)
    axes.set_ylim(top_of(len(LAYERS)) + BAND - 0.1, top_of(0) + 0.1)
    axes.axis("off")
    axes.set_title("A room uses the rooms that it stands on, and those below them (numbers: lines; arrows have their room's colour)", fontsize=10, loc="left")
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
