"""What a network costs, found without building it: on torch's meta device, where tensors have shapes and no numbers.

Shapes: B batch, T frames.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

FRAMES = 128
"""That the cost of a frame is the mean of; a multiple of what networks pad to, up to 7 halvings."""
FLOAT_BYTES = 4


@dataclass(frozen=True)
class Cost:
    """Of one network, and of one frame of features through it.

    Attributes:
        shapes: of its parameters, by name.
        products: multiplications of its convolutions for a frame.
        bytes: that the largest layer's input and output take for a frame, in float32.
    """

    shapes: dict[str, tuple[int, ...]]
    products: float
    bytes: float

    @property
    def parameters(self) -> int:
        """How many numbers it holds."""
        return sum(torch.Size(shape).numel() for shape in self.shapes.values())


def cost(make: Callable[[], nn.Module], shape: Sequence[int]) -> Cost:
    """The cost of the network that ``make`` builds, for features (B, *shape, T). Takes some milliseconds, and no memory."""
    products, largest = 0, 0

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal products, largest
        largest = max(largest, inputs[0].numel() + output.numel())
        weight: Any = getattr(layer, "weight", None)
        if isinstance(layer, nn.Conv1d | nn.Conv2d):
            products += weight.numel() * (output.numel() // output.shape[1])
        elif isinstance(layer, nn.ConvTranspose2d):
            products += weight.numel() * (inputs[0].numel() // inputs[0].shape[1])

    with torch.device("meta"), torch.no_grad():
        network = make().eval()
        for layer in network.modules():
            if not any(layer.children()):
                layer.register_forward_hook(count)
        network(torch.zeros(1, *shape, FRAMES))
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    return Cost(shapes, products / FRAMES, FLOAT_BYTES * largest / FRAMES)
