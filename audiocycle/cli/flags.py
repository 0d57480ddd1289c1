"""Flags of commands that modalities declare: made of their dataclasses of options, which say what they are and how they help."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from importlib import import_module
from typing import Annotated, Any, TypeVar, get_type_hints

import typer

OPTIONS = {
    "voice": ("Voices", "audiocycle.voice.options:VoiceOptions"),
    "music": ("MIDI", "audiocycle.music.options:MusicOptions"),
}
"""By modality: what its flags begin their help with, and its options. Their modules import nothing heavy: every start of the program reads them."""

Command = TypeVar("Command", bound=Callable[..., None])


def options_class(modality: str) -> type:
    """A modality's dataclass of options (:mod:`audiocycle.system.options`)."""
    module, _, name = OPTIONS[modality][1].partition(":")
    found: type = getattr(import_module(module), name)
    return found


def flags_of(modalities: Iterable[str], labelled: bool = True) -> list[inspect.Parameter]:
    """Parameters of a command, one for each option of some modalities; one that several have appears once.

    Args:
        labelled: the help says whose an option is.
    """
    parameters: dict[str, tuple[Any, Any]] = {}
    owners: dict[str, list[str]] = {}
    for modality in modalities:
        kind = options_class(modality)
        hints = get_type_hints(kind)
        for each in fields(kind):
            owners.setdefault(each.name, []).append(OPTIONS[modality][0])
            parameters.setdefault(each.name, (hints[each.name], each.metadata))
    return [flag(name, *told, ", ".join(owners[name]) if labelled else "") for name, told in parameters.items()]


def flag(name: str, kind: Any, metadata: Mapping[str, Any], owner: str) -> inspect.Parameter:
    """One option as typer understands it: a switch for a bool, which is off by default; else a value, which nobody has to give."""
    said = metadata["help"]
    text = f"{owner}: {said}" if owner else said[:1].upper() + said[1:]
    info: Any = typer.Option(f"--{name.replace('_', '-')}", metavar=metadata["metavar"] or None, help=text)
    switch = kind is bool
    annotation: Any = Annotated[bool if switch else kind | None, info]  # type: ignore[valid-type]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=annotation, default=False if switch else None)


def with_flags(flags: Iterable[inspect.Parameter], before: str = "") -> Callable[[Command], Command]:
    """Decorate a command that takes further keywords, ``**asked``, so that typer sees what they are.

    Args:
        before: the parameter in front of which the help lists them; the end, by default.
    """

    def decorate(command: Command) -> Command:
        own = [each for each in inspect.signature(command, eval_str=True).parameters.values() if each.kind is not each.VAR_KEYWORD]
        place = next((number for number, each in enumerate(own) if each.name == before), len(own))
        every = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own[:place], *flags, *own[place:])]
        command.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
        return command

    return decorate


def given(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What a person said, of all flags."""
    return {name: value for name, value in asked.items() if value is not None and value is not False}
