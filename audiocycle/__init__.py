"""CycleGAN voice conversion and symbolic genre transfer without paired data."""

__version__ = "0.1.0"
