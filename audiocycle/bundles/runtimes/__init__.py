"""What computes a bundle's network: torch, ONNX Runtime or OpenVINO. The last two need no torch, and start at once."""
