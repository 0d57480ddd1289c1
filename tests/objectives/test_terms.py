"""Terms of others: how they have to be written, and what is said of those that are not."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from linear_networks import Parts

from audiocycle.errors import ConfigError
from audiocycle.objectives import config as settings
from audiocycle.objectives.config import ObjectiveConfig, term_classes
from audiocycle.system.registry import listed

ROOM = "terms_of_others"
HEAD = """
from audiocycle.objectives.losses import absolute_error
from audiocycle.objectives.term import AdversarialTerm, Term

__all__ = ["Mine"]
"""


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of further terms: :func:`written` puts one into it."""
    folder = tmp_path / ROOM
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == ROOM]:
        monkeypatch.delitem(sys.modules, name)
    return folder


def written(room: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str = "mine") -> Path:
    (room / f"{name}.py").write_text(HEAD + text, encoding="utf-8")
    monkeypatch.setattr(settings, "TERMS", settings.TERMS | listed(ROOM))
    return room / f"{name}.py"


def term(loss: str, *lines: str) -> str:
    body = "".join(f"    {line}\n" for line in ('name = "mine"', 'help = "of others"', *lines))
    return f"class Mine(Term):\n{body}    def loss(self, step):\n        return {loss}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('class Mine(Term):\n    help = ""\n    def loss(self, step): ...\n', 'its term has the name of its file; write `name = "mine"`'),
        ('class Mine(Term):\n    name = "other"\n    help = ""\n    def loss(self, step): ...\n', 'its term has the name of its file; write `name = "mine"`'),
        ('class Mine(Term):\n    name = "mine"\n    def loss(self, step): ...\n', 'Mine has no `help`; write `help = "…"`'),
        ('class Mine(Term):\n    name = "mine"\n    help = ""\n', "Mine has no `loss`; write `def loss(self, step: DirectionStep) -> Tensor:`"),
        ('class Mine(AdversarialTerm):\n    name = "mine"\n    help = ""\n', 'Mine has no `critic`; write `critic = "…"`'),
        (
            'class Mine(AdversarialTerm):\n    name = "mine"\n    help = ""\n    critic = "critic"\n',
            "its critic is called as that of adversarial; write another name",
        ),
        (
            'class Mine(AdversarialTerm):\n    name = "mine"\n    help = ""\n    critic = "judge"\n    judges = "back"\n',
            "objective.mine uses step.back, and does not say so; write `needs_way_back = True` into Mine",
        ),
    ],
    ids=["no name", "another name", "no help", "no loss", "no critic", "another critic", "judges back"],
)
def test_a_term_that_lacks_something_is_told_what_to_write(room: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str) -> None:
    file = written(room, monkeypatch, text)
    with pytest.raises(ConfigError) as caught:
        term_classes()
    assert str(caught.value) == f"{file}: {said}"


def test_a_term_may_not_be_called_as_another_setting(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(room, monkeypatch, 'class Mine(Term):\n    name = "game"\n    help = ""\n    def loss(self, step): ...\n', "game")
    with pytest.raises(ConfigError, match=r"game\.py: objective\.game is another setting"):
        term_classes()


@pytest.mark.parametrize(("asked", "flag"), [("same", "wants_same"), ("back", "needs_way_back"), ("guide", "needs_guide")])
@pytest.mark.parametrize("others", [{}, {"identity": 0.0, "cycle": 0.0, "cycle_adversarial": 0.0}], ids=["with all", "alone"])
def test_what_a_term_uses_it_has_to_declare(
    room: Path, monkeypatch: pytest.MonkeyPatch, asked: str, flag: str, others: dict[str, float]
) -> None:
    """At the first step, whatever other terms ask for."""
    file = written(room, monkeypatch, term(f"absolute_error(step.{asked}, step.source)"))
    with pytest.raises(ConfigError) as caught:
        Parts(("a", "b")).generator_terms(ObjectiveConfig.of(mine=1.0, **others))
    assert str(caught.value) == f"{file}: objective.mine uses step.{asked}, and does not say so; write `{flag} = True` into Mine"


@pytest.mark.parametrize(("asked", "flag"), [("same", "wants_same"), ("back", "needs_way_back")])
def test_what_a_term_declares_it_gets(room: Path, monkeypatch: pytest.MonkeyPatch, asked: str, flag: str) -> None:
    written(room, monkeypatch, term(f"absolute_error(step.{asked}, step.source)", f"{flag} = True"))
    terms, _ = Parts(("a", "b")).generator_terms(ObjectiveConfig.of(mine=1.0, identity=0.0, cycle=0.0, cycle_adversarial=0.0))
    assert terms.keys() == {f"{kind}/{way}" for kind in ("adversarial", "mine") for way in ("a->b", "b->a")}


@pytest.mark.parametrize(("loss", "kind"), [("(step.fake - step.source).abs()", r"of shape \(2, 3, 5\)"), ("0.5", "a float"), ("None", "a NoneType")])
def test_a_loss_that_is_no_number_is_told(room: Path, monkeypatch: pytest.MonkeyPatch, loss: str, kind: str) -> None:
    written(room, monkeypatch, term(loss))
    with pytest.raises(ConfigError, match=rf"mine\.py: the loss of objective\.mine is {kind}, where one number is needed"):
        Parts(("a", "b")).generator_terms(ObjectiveConfig.of(mine=1.0))


def test_one_way_names_a_term_of_others_only_where_it_is_on(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(room, monkeypatch, term("absolute_error(step.back, step.source)", "needs_way_back = True"))
    said = "objective.one_way=true: a cycle needs the way back; set {}, as experiment=vc2_guided does, or leave one_way out"
    cycles = "objective.cycle=0 and objective.cycle_adversarial=0"
    for given, zeros in (
        ({}, cycles),
        ({"mine": 1.0}, f"{cycles} and objective.mine=0"),
        ({"mine": 1.0, "cycle": 0.0, "cycle_adversarial": 0.0}, "objective.mine=0"),
    ):
        with pytest.raises(ConfigError) as caught:
            ObjectiveConfig.of(one_way=True, **given)
        assert str(caught.value) == said.format(zeros)
