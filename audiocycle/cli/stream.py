"""``audiocycle stream``."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Self

import typer

from audiocycle.cli.convert import check_stdout, choose_bundle
from audiocycle.cli.flags import flags_of, given, with_flags
from audiocycle.errors import ConfigError, InputError, OutputError, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from audiocycle.spec import FloatArray
    from audiocycle.voice.stream import StreamAtRate

FORMATS = {"s16": ("<i2", 32768.0), "f32": ("<f4", 1.0)}
"""Short names to numpy's and full scale; little-endian, one channel."""
STREAM_HELP = """Convert a voice while it speaks: raw samples from stdin to stdout, or microphone to loudspeaker.

\b
  audiocycle stream --target 27 --microphone                        # whoever speaks; needs: pip install 'audiocycle[live]'
  arecord -q -t raw -f S16_LE -r 16000 | audiocycle stream --target ben --rate 16000 | aplay -q -t raw -f S16_LE -r 16000
  ffmpeg -v error -i in.mp3 -f s16le -ac 1 -ar 48000 - | audiocycle stream --target ben --rate 48000 > out.raw
  audiocycle stream --target ben --input in.wav -o out.wav          # what it sounds like; then compare with convert

\b
Samples are one channel, 16-bit integers (s16) or floats (f32), little-endian. As many come out as go in, and the first
that comes out belongs to the first that went in. Wear headphones: a microphone that hears the loudspeaker howls.
"""


@with_flags(flags_of(["voice"], labelled=False))
def stream(
    target: Annotated[str, typer.Option("--target", "-t", help="The speaker to convert to.")],
    source: Annotated[str | None, typer.Option(help="Who speaks, if several can be converted to the target.")] = None,
    model: Annotated[str | None, typer.Option("--model", "-m", help="A bundle's folder, an installed model's name, or hf:owner/name[@revision].")] = None,
    rate: Annotated[int | None, typer.Option(min=8000, max=192000, metavar="HZ", help="Of both ends (default: the model's, the microphone's or the file's).")] = None,
    form: Annotated[str, typer.Option("--format", help="Of the samples on stdin and stdout: s16 or f32.")] = "s16",
    recording: Annotated[Path | None, typer.Option("--input", "-i", metavar="FILE", help="Read a recording instead of stdin.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write a recording instead of stdout.")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    microphone: Annotated[bool, typer.Option("--microphone", help="Microphone to loudspeaker, until Ctrl-C.")] = False,
    input_device: Annotated[str | None, typer.Option(metavar="NAME", help="The microphone, by name or number.")] = None,
    output_device: Annotated[str | None, typer.Option(metavar="NAME", help="The loudspeaker, by name or number.")] = None,
    block: Annotated[float, typer.Option(metavar="MS", help="Converted at a time, 20 to 180 (models that convert everybody: to 100): shorter is sooner, and more work.")] = 100.0,
    **asked: Any,
) -> None:
    """Convert until the input ends, or until Ctrl-C."""
    check_ends(microphone, recording, output, overwrite, form, rate)
    bundle = choose_bundle(model, target, source)

    def opened(sample_rate: int | None, band_limit: float | None = None) -> StreamAtRate:
        import torch

        from audiocycle.conversion.live import open_stream
        from audiocycle.voice.stream import StreamAtRate

        torch.set_num_threads(1)  # two that wait for each other are late when one of them is: a block in thirty took three times as long
        live = open_stream(bundle, target, source, sample_rate=rate or sample_rate, block_seconds=block / 1000.0, band_limit=band_limit, **given(asked))
        assert isinstance(live, StreamAtRate)  # only voices are streamed
        say(f"latency: {1000 * live.latency:.0f} ms ({live.parts}), and the time to compute a block; {live.sample_rate} Hz")
        return live

    if microphone:
        converse(opened, input_device, output_device)
    elif recording is not None:
        from audiocycle.voice.sound_file import mono_blocks, open_input, survey_of

        with open_input(recording) as (sound, name):
            found = survey_of(sound, name)
            meter = Meter(opened(sound.samplerate, found.band_limit))
            for note in found.notes(meter.stream.inner.adapter, sound.notes):
                say(f"note: {name}: {note}")
            send(meter.converted(mono_blocks(sound, name, meter.stream.block, found)), meter, output, form)
    else:
        meter = Meter(opened(None))
        with Interrupt() as interrupt:
            send(meter.converted(raw_blocks(sys.stdin.buffer, form, meter.stream.block, interrupt)), meter, output, form)


def check_ends(microphone: bool, recording: Path | None, output: Path | None, overwrite: bool, form: str, rate: int | None) -> None:
    """Refuse what cannot be before the network is loaded.

    Raises:
        ConfigError, OutputError: options that do not go together, a terminal where samples should flow, an output that exists.
    """
    if form not in FORMATS:
        raise ConfigError(f"--format {form}: unknown; choose one of: {', '.join(FORMATS)}")
    if microphone:
        if recording is not None or output is not None:
            raise ConfigError("--microphone: plays what it hears; leave --input and --output out")
        return
    if recording is not None and rate is not None:
        raise ConfigError("--rate: a recording says its rate itself; leave it out")
    if recording is None and sys.stdin.isatty():
        raise ConfigError("stdin is a terminal; pipe samples into it, or add --microphone or --input FILE")
    if output is None:
        check_stdout("-", False)
        return
    from audiocycle.voice.sound_file import check_output

    check_output(output)
    if output.exists() and not overwrite:
        raise OutputError(f"{output}: exists already; add --overwrite to replace it, or name another output with -o")


class Meter:
    """Keeps the time of a stream."""

    def __init__(self, stream: StreamAtRate) -> None:
        self.stream = stream
        self.samples, self.seconds, self.slowest, self.late = 0, 0.0, 0.0, 0

    def push(self, samples: FloatArray) -> FloatArray:
        """As the stream's."""
        begin = time.perf_counter()
        made = self.stream.push(samples)
        taken = time.perf_counter() - begin
        self.samples += len(samples)
        self.seconds += taken
        self.slowest = max(self.slowest, taken)
        self.late += taken > self.stream.block / self.stream.sample_rate
        return made

    def converted(self, blocks: Iterator[FloatArray]) -> Iterator[FloatArray]:
        """All blocks, and what remains at the end."""
        for samples in blocks:
            yield self.push(samples)
        yield self.stream.finish()

    def report(self, lost: int | None = None) -> None:
        """Say how it went."""
        heard, block = self.samples / self.stream.sample_rate, 1000.0 * self.stream.block / self.stream.sample_rate
        if heard:
            gaps = "" if lost is None else f"; dropouts: {lost}"
            say(
                f"real-time factor {self.seconds / heard:.2f} over {heard:.1f} s; slowest block {1000 * self.slowest:.0f} of {block:.0f} ms; "
                f"blocks that were late: {self.late}{gaps}"
            )


def converse(opened: Callable[[int | None], StreamAtRate], input_device: str | None, output_device: str | None) -> None:
    """Microphone to loudspeaker."""
    from audiocycle.voice.sound_card import PlayLine, SoundCard

    card = SoundCard(input_device, output_device)
    meter = Meter(opened(card.sample_rate))
    line = PlayLine(meter.stream.block)
    say(f"speak; Ctrl-C ends. Held back for slow blocks: {1000 * line.reserve / meter.stream.sample_rate:.0f} ms")
    try:
        card.converse(meter.push, meter.stream.sample_rate, meter.stream.block, line)
    except KeyboardInterrupt:
        meter.report(line.lost)


def send(blocks: Iterator[FloatArray], meter: Meter, output: Path | None, form: str) -> None:
    """Write all blocks, to a recording or raw to stdout, and say how it went."""
    if output is None:
        import numpy as np

        kind, scale = FORMATS[form]
        for made in blocks:
            whole = np.clip(np.round(made * scale), -scale, scale - 1.0) if scale > 1.0 else made
            sys.stdout.buffer.write(whole.astype(kind).tobytes())
            sys.stdout.buffer.flush()
    else:
        from audiocycle.voice.sound_file import write_sound

        write_sound(output, blocks, meter.stream.sample_rate)
    meter.report()


class Interrupt:
    """Ctrl-C, or a terminal that is closed, as the end of the input: it is taken while waiting for samples, and never within a block.
    The second one is as usual."""

    SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGHUP") if hasattr(signal, name))  # Windows has no SIGHUP

    def __init__(self) -> None:
        self.wanted = self.waiting = False

    def __enter__(self) -> Self:
        heard = [number for number in self.SIGNALS if signal.getsignal(number) != signal.SIG_IGN]  # nohup
        self.before = {number: signal.signal(number, self.press) for number in heard}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def press(self, *_: Any) -> None:
        """The signal's handler."""
        again, self.wanted = self.wanted, True
        if self.waiting or again:
            raise KeyboardInterrupt

    def read(self, pipe: IO[bytes], count: int) -> bytes:
        """At most ``count`` bytes, as soon as there are any; none at the end of the pipe, or after Ctrl-C."""
        try:
            self.waiting = True
            return b"" if self.wanted else (getattr(pipe, "read1", None) or pipe.read)(count)
        except KeyboardInterrupt:
            return b""
        finally:
            self.waiting = False


def raw_blocks(pipe: IO[bytes], form: str, size: int, interrupt: Interrupt) -> Iterator[FloatArray]:
    """Samples within [-1, 1] as they come, at most (size,) at a time, until the end of the pipe or Ctrl-C.

    Raises:
        InputError: a WAV file instead of raw samples, or floats that are not numbers.
    """
    import numpy as np

    from audiocycle.voice.sound_file import finite

    kind, scale = FORMATS[form]
    width, rest, first = np.dtype(kind).itemsize, b"", True
    while data := interrupt.read(pipe, size * width - len(rest)):
        data = rest + data
        if first and data.startswith(b"RIFF"):
            raise InputError("stdin: is a WAV file, and raw samples are expected; use --input FILE")
        whole = len(data) // width * width
        rest, first = data[whole:], False
        if whole:
            yield finite((np.frombuffer(data[:whole], kind) / np.float32(scale)).astype(np.float32), "stdin")


def say(line: str) -> None:
    """A line for people."""
    typer.echo(printable(line), err=True)
