"""Python imports this by itself when its folder is on the path: OpenVINO is as if it were not installed (see :mod:`benchmarks.plain`)."""

import sys

sys.modules["openvino"] = None  # type: ignore[assignment]
