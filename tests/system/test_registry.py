"""Files that are found by their names, and what is said of those that are not what they should be."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from audiocycle.errors import ConfigError
from audiocycle.system.registry import listed, resolve

ROOM = "registry_room"
GOOD = """
__all__ = ["Good"]


class Good(dict): ...
"""


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that can be imported, with one good file."""
    folder = tmp_path / ROOM
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "good.py").write_text(GOOD, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == ROOM]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def test_a_file_is_found_by_its_name(room: Path) -> None:
    table = listed(ROOM)
    assert table == {"good": f"{ROOM}.good"}
    assert resolve(table, "thing", "good").__name__ == "Good"
    assert resolve(table, "thing", "good", dict).__name__ == "Good"
    with pytest.raises(ConfigError, match=r"thing 'bad' is unknown; this version knows: good"):
        resolve(table, "thing", "bad")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("class Bad(dict): ...\n", "does not say which class it is for; write"),
        ("__all__ = []\n", "does not say which class it is for; write"),
        ('__all__ = "Bad"\n', "does not say which class it is for; write"),
        ('__all__ = ["Other"]\nclass Bad(dict): ...\n', "has no Other, which its __all__ names; write"),
        ('__all__ = ["Bad"]\nclass Bad(list): ...\n', "Bad, which its __all__ names, is no class derived from dict; write"),
        ('__all__ = ["Bad"]\nBad = 3\n', "Bad, which its __all__ names, is no class derived from dict; write"),
    ],
)
def test_a_file_that_names_no_class_is_told_what_to_write(room: Path, text: str, said: str) -> None:
    (room / "bad.py").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        resolve(listed(ROOM), "thing", "bad", dict)
    assert str(caught.value) == f'{room / "bad.py"}: {said} `__all__ = ["NAME"]` with the name of its thing'


@pytest.mark.parametrize(("text", "kind"), [("def f(:\n", "SyntaxError"), ("import no_such_module\n", "ModuleNotFoundError"), ("1 / 0\n", "ZeroDivisionError")])
def test_a_file_that_cannot_be_imported_is_told(room: Path, text: str, kind: str) -> None:
    (room / "bad.py").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        resolve(listed(ROOM), "thing", "bad")
    assert str(caught.value).startswith(f"{room / 'bad.py'}: cannot be imported ({kind}: ")
    assert "\n" not in str(caught.value)
