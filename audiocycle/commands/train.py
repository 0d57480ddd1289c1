"""``audiocycle train``."""

from __future__ import annotations

from typing import Annotated

import typer

from audiocycle.errors import ConfigError

TRAIN_HELP = """Train a model on folders of recordings or MIDI files, one folder for each speaker or genre.

\b
  audiocycle train experiment=vc2_quick data.root=recordings 'data.domains=[anna,ben]' max_steps=700
  audiocycle train experiment=vc2_quick data.root=recordings 'data.domains=[anna,ben]' resume=true max_steps=2400
  audiocycle train experiment=vc2 data.root=recordings 'data.domains=[anna,ben]'      # as published: days on a CPU
  audiocycle train experiment=genre_quick data.root=midi 'data.domains=[jazz,classic]'        # MIDI: an hour on a laptop

\b
Every setting is KEY=VALUE (Hydra overrides); the most used:
  experiment=NAME           voices: vc2_quick (an hour or two on a laptop) or vc2 (the paper's schedule);
                            MIDI: genre_quick, genre, or pairs (the same tunes in both genres)
  data.root=DIR             holds one folder of recordings (WAV, FLAC, MP3, ...) or MIDI files for each domain
  data.domains=[A,B]        the folders' names; quote it: the shell takes brackets for a pattern
  run_dir=RUN               where everything goes (default runs/A-B); RUN/bundle is the model
  max_steps=N max_minutes=M whichever comes first; minutes count over resumes
  resume=true               continue exactly where the run stopped
  overwrite=true            start a finished or stopped run again
  adapter=mel               mel spectrograms for neural vocoders instead of WORLD features
  model.width=0.5           a factor on every layer's width
  trainer.batch_size=8 trainer.lr=5e-4 trainer.precision=bf16 trainer.device=cuda ...
  --cfg                     print all settings with their values, and stop
"""


def train(
    context: typer.Context,
    cfg: Annotated[bool, typer.Option("--cfg", help="Print the settings and stop.")] = False,
) -> None:
    """Compose the configuration and train."""
    from audiocycle.configure import compose_run, show_config

    odd = [word for word in context.args if word.startswith("-") or "=" not in word]
    if odd:
        raise ConfigError(f"{odd[0]}: not a setting; write KEY=VALUE, e.g. max_minutes=60 (audiocycle train --help)")
    if cfg:
        typer.echo(show_config(context.args))
        return
    config = compose_run(context.args)

    from audiocycle.train import train as run

    bundle = run(config)
    target = config.domains[-1]
    typer.echo(f"model: {bundle}\ntry it: audiocycle convert IN --model {bundle} --target {target} -o OUT", err=True)
