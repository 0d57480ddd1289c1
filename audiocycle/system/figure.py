"""What all pictures have in common: written whole, with a palette, in letters that the font has.

matplotlib is imported inside the functions (it is slow to load), and only its ``Figure`` with the Agg
canvas: no pyplot, no global state, so pictures can be drawn from any thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from audiocycle.system.atomic import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_COLOURS = 256  # a palette halves the file and the eye does not notice
DPI = 100


def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as a PNG with a palette, whole or not at all.

    Raises:
        OutputError: the file cannot be written.
    """
    from PIL import Image  # matplotlib brings it

    image = Image.fromarray(_pixels(figure)).quantize(_COLOURS, dither=Image.Dither.NONE)
    with whole_file(path) as temporary:
        image.save(temporary, format="PNG", optimize=True)


def drawable(text: str) -> str:
    """A text as the picture's font can show it: ``?`` for letters that it lacks, such as Chinese ones.

    matplotlib would draw boxes and warn of each.
    """
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties()))
    return "".join(letter if font.get_char_index(ord(letter)) else "?" for letter in " ".join(text.split()))


def _pixels(figure: Figure) -> NDArray[np.uint8]:
    """The figure as ``(H, W, 3)`` uint8 RGB."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    return np.array(canvas.buffer_rgba(), dtype=np.uint8)[..., :3].copy()
