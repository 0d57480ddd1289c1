"""Models from the model hub: ``hf:owner/name``, or ``hf:owner/name@revision`` for one that does not change.

Only what begins with ``hf:`` is fetched: ``runs/anna`` is a folder, and a mistyped one an error, not a stranger's model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from audiocycle.errors import BundleError, ConfigError, one_line
from audiocycle.system.progress import console

PREFIX = "hf:"
NAME = r"\w[\w.-]*/\w[\w.-]*"
HOW = f"write {PREFIX}owner/name, or {PREFIX}owner/name@revision"


@dataclass(frozen=True)
class HubId:
    """A repository of models on the hub.

    Attributes:
        revision: a commit, a tag or a branch; None is what its owner shows now.
    """

    name: str
    revision: str | None = None

    def __str__(self) -> str:
        return f"{PREFIX}{self.name}" + (f"@{self.revision}" if self.revision else "")

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """What is meant by ``hf:owner/name@revision``; None where it is no such thing, but a path or a name.

        Raises:
            ConfigError: it begins so, and goes on otherwise.
        """
        if not text.startswith(PREFIX):
            return None
        found = re.fullmatch(rf"{PREFIX}({NAME})(?:@(\w[\w./-]*))?", text, re.ASCII)
        if found is None or ".." in text:
            raise ConfigError(f"{text}: not a model on the hub; {HOW}")
        return cls(found[1], found[2])


def hint(text: str) -> str:
    """What to say beside "no such folder" where somebody may have meant the hub; with a leading semicolon, or empty."""
    return f"; on the model hub? {HOW}" if re.fullmatch(NAME, text, re.ASCII) else ""


def fetch(hub_id: HubId, patterns: Sequence[str]) -> Path:
    """Download files of a repository into the hub's cache, if they are not there, and say what came.

    Args:
        patterns: names of the files, as globs.

    Returns:
        Their folder, whose name is the commit.

    Raises:
        BundleError: unknown there, or no network.
    """
    from huggingface_hub import snapshot_download

    say = console()
    say.print(f"{hub_id}: from the model hub", markup=False)
    try:
        folder = Path(snapshot_download(hub_id.name, revision=hub_id.revision, allow_patterns=list(patterns)))
    except Exception as error:  # the hub's client has dozens of kinds; to a user they are one
        reason = one_line(error)[:300] or type(error).__name__
        raise BundleError(
            f"{hub_id}: not to be had from the model hub ({reason}); check the name and the network, or get its folder and name that"
        ) from error
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    pinned = HubId(hub_id.name, folder.name)
    say.print(f"{pinned}: {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB, in {folder}", markup=False)
    return folder
