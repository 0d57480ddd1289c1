"""``audiocycle train``."""

from __future__ import annotations

from typing import Annotated

import typer

from audiocycle.errors import ConfigError, TrainingError

TRAIN_HELP = """Train a model on folders of recordings or MIDI files, one folder for each speaker or genre.

\b
  audiocycle train experiment=any_to_one data.root=recordings 'data.domains=[anna]'          # everybody to anna
  audiocycle train experiment=vc2_guided data.root=recordings 'data.domains=[anna,ben]' max_steps=700
  audiocycle train experiment=vc2_guided data.root=recordings 'data.domains=[anna,ben]' resume=true max_steps=1200
  audiocycle train experiment=vc2_guided data.root=recordings 'data.domains=[anna,ben]' objective.one_way=true  # anna to ben only
  audiocycle train experiment=vc2 data.root=recordings 'data.domains=[anna,ben]'      # as published: days on a CPU
  audiocycle train experiment=genre_quick data.root=midi 'data.domains=[jazz,classic]'        # MIDI, on a laptop

\b
Several trainings (-m): one for each combination of the values, each below RUN/sweep, and a table at the end
(RUN/sweep/sweep.json). They share RUN/features. resume=true continues those of an interrupted sweep.
  audiocycle train -m experiment=vc2_guided data.root=recordings 'data.domains=[anna,ben]' trainer.lr=1e-4,2e-4 seed=1,2
  audiocycle train -m ... 'trainer.batch_size=range(2,9,2)' 'experiment=glob(vc2*)' 'model.width=choice(0.25,0.5)'
  audiocycle train -m ... trainer.lr=1e-4,2e-4 hydra/launcher=joblib hydra.launcher.n_jobs=2              # side by side
  audiocycle train -m ... trainer.lr=1e-4,2e-4 hydra/launcher=submitit_slurm hydra.launcher.partition=gpu \\
      hydra.launcher.gpus_per_node=1 hydra.launcher.timeout_min=600                                   # Slurm
joblib and Slurm need more: pip install 'audiocycle[sweep]'

\b
One training in several processes, on several GPUs or machines:
  torchrun --nproc-per-node 2 -m audiocycle train experiment=vc2_guided data.root=recordings 'data.domains=[anna,ben]'

\b
Every setting is KEY=VALUE (Hydra overrides); the most used:
  experiment=NAME           voices: vc2_guided (keeps the words; needs 'audiocycle[guided]'),
                            vc2_quick (without a recogniser), vc2_lite (the same on small machines),
                            or vc2 (the paper's schedule);
                            MIDI: genre_joined (of the target's own bars), genre_quick, genre_guided
                            (genres that play like tunes in two ways), genre, or pairs (the same
                            tunes, under the same names)
  data.root=DIR             holds one folder of recordings (WAV, FLAC, MP3, M4A, ...) or MIDI files for each domain
  data.domains=[A,B]        the folders' names, in any script; quote it: the shell takes brackets for a pattern
  run_dir=RUN               where everything goes (default runs/A-B); RUN/bundle is the model
  max_steps=N max_minutes=M whichever comes first; minutes count over resumes
  resume=true               continue exactly where the run stopped
  overwrite=true            start a finished or stopped run again
  adapter=mel               mel spectrograms for neural vocoders instead of WORLD features
  model.width=0.5           a factor on every layer's width
  trainer.batch_size=8 trainer.lr=5e-4 trainer.precision=bf16 trainer.device=cuda ...
  --cfg                     print all settings with their values and what they do, and stop
"""


def train(
    context: typer.Context,
    cfg: Annotated[bool, typer.Option("--cfg", help="Print the settings and stop.")] = False,
    multirun: Annotated[bool, typer.Option("--multirun", "-m", help="Train once for each of several values.")] = False,
) -> None:
    """Compose the configuration and train."""
    from audiocycle.cli.settings import compose_run, show_config

    odd = [word for word in context.args if word.startswith("-") or "=" not in word]
    if odd:
        raise ConfigError(f"{odd[0]}: not a setting; write KEY=VALUE, e.g. max_minutes=60 (audiocycle train --help)")
    if cfg and multirun:
        raise ConfigError("--cfg: shows the settings of one training; leave out -m and give one value of each")
    if cfg:
        typer.echo(show_config(context.args))
        return
    if multirun:
        run_sweep(context.args)
        return
    config = compose_run(context.args)

    from audiocycle.training.distributed import Processes
    from audiocycle.training.run import train as run

    bundle = run(config)
    target = config.domains[-1]
    if Processes.from_environment().first:
        typer.echo(f"model: {bundle}\ntry it: audiocycle convert IN --model {bundle} --target {target} -o OUT", err=True)


def run_sweep(overrides: list[str]) -> None:
    """Train once for each combination of values, and show what became of each.

    Raises:
        TrainingError: a job failed, or was there already.
        typer.Exit: the user stopped it; exit code 130, as after any Ctrl-C.
    """
    from audiocycle.cli.sweep import sweep, table

    results = sweep(overrides)
    typer.echo(table(results))
    bad = [result for result in results if result.status in ("failed", "lost")]
    if bad:
        first = f"{bad[0].overrides}: {bad[0].error}"
        raise TrainingError(f"{len(bad)} of {len(results)} jobs failed" + (f"; the first: {first}" if len(bad) > 1 else f"; {first}"))
    there = sum(result.status == "exists" for result in results)
    if there:
        raise TrainingError(
            f"{there} of {len(results)} jobs are there already, and were left alone; add resume=true to continue them, "
            "or overwrite=true to start them again"
        )
    if any(result.status == "stopped" for result in results):
        typer.echo("stopped; the same command with resume=true continues", err=True)
        raise typer.Exit(130)
