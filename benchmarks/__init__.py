"""Measurements of training, conversion and analysis on the processor of this machine.

    python -m benchmarks [--quick] [--long] [--bundle DIR] [--only NAME ...] [--json FILE]
    python -m benchmarks.draw bench.json FOLDER
    python -m benchmarks.any_voice --model BUNDLE --sources FOLDER ... --target NAME=FOLDER

The last measures what conversions are worth; all else, how long things take.

Run it from the repository's root on a machine that does nothing else.
"""
