"""The settings of an objective: a weight for each term, and switches. What excludes what is checked here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from audiocycle.errors import ConfigError
from audiocycle.objectives.game import Game
from audiocycle.objectives.term import AdversarialTerm, Term, undeclared
from audiocycle.system.limits import Limit, OneOf, Range, Switch, hold, shown
from audiocycle.system.registry import file_of, listed, resolve

GAMES, TERMS = listed("audiocycle.objectives.games"), listed("audiocycle.objectives.terms")
MIXTURES = ("base", "partial", "full")
WEIGHT = Range(0, 1e9, whole=False)


def term_classes() -> list[type[Term]]:
    """All terms that there are, in their order.

    Raises:
        ConfigError: a file among them is not what it should be; the message names it.
    """
    found: list[type[Term]] = [resolve(TERMS, "term", name, Term) for name in TERMS]
    critics: dict[str, str] = {}
    for name, term in zip(TERMS, found, strict=True):
        if fault := fault_of(term, name):
            raise ConfigError(f"{file_of(TERMS[name])}: {fault}")
        if issubclass(term, AdversarialTerm) and critics.setdefault(term.critic, name) != name:
            raise ConfigError(f"{file_of(TERMS[name])}: its critic is called as that of {critics[term.critic]}; write another name")
    return sorted(found, key=lambda term: (term.order, term.name))


def fault_of(term: type[Term], file: str) -> str:
    """What is wrong with a term as it is written, and what to write; nothing where all is well.

    Args:
        file: its file's name, which no other file has.
    """
    if getattr(term, "name", None) != file:
        return f'its term has the name of its file; write `name = "{file}"`'
    if file in SWITCHES:
        return f"objective.{file} is another setting; give the file, and its term, another name"
    texts = ("help", "critic") if issubclass(term, AdversarialTerm) else ("help",)
    for text in texts:
        if not isinstance(getattr(term, text, None), str):
            return f'{term.__name__} has no `{text}`; write `{text} = "…"`'
    if term.__abstractmethods__:
        return f"{term.__name__} has no `loss`; write `def loss(self, step: DirectionStep) -> Tensor:`"
    return undeclared(term, term.judges) if issubclass(term, AdversarialTerm) else ""


def switch(default: Any, help: str) -> Any:
    """A setting that is no weight."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class ObjectiveConfig:
    """What a training minimises. Made of flat settings by :meth:`of`.

    The voice paper: cycle 10; identity 5 for the first 10,000 iterations and then 0 (the trainer decides when).
    The music paper: cycle 10, no cycle_adversarial, no identity.

    Attributes:
        weights: of each kind of generator term; zero leaves the term, and all its computation, out.
    """

    one_way: bool = switch(False, "convert from the first domain to the others only; a cycle needs the way back")
    paired: bool = switch(False, "train on aligned pairs (pix2pix): a conditional critic, and reconstruction instead of cycles")
    game: str = switch("least_squares", "what an adversarial loss is")
    mixture: str = switch("base", "what further critics see as real: base (no such critics), partial (the domains' music) or full (that of data.mixture too)")
    mixed_to_generator: bool = switch(False, "those critics' opinion reaches the generators, as the paper intends, or never, as its published code has it")
    critic_noise: float = switch(0.0, "deviation of noise on everything that a critic sees (Brunner et al. 2018, sigma_D)")
    weights: Mapping[str, float] = field(default_factory=lambda: {term.name: term.weight for term in term_classes()})

    @classmethod
    def of(cls, **settings: Any) -> Self:
        """From switches and weights by name; those that are not given have their defaults.

        Raises:
            ConfigError: a setting that there is not, is none, or does not go with another.
        """
        switches = {each.name for each in fields(cls)} - {"weights"}
        weights = {term.name: term.weight for term in term_classes()}
        if unknown := set(settings) - switches - set(weights):
            raise ConfigError(f"objective.{min(unknown)}: no such setting; there are: {', '.join(sorted(switches | set(weights)))}")
        given = {name: value for name, value in settings.items() if name in switches}
        return cls(**given, weights=weights | {name: value for name, value in settings.items() if name in weights})

    def __post_init__(self) -> None:
        hold("objective.", self.settings, {name: WEIGHT for name in self.weights} | LIMITS)
        check_settings(self)

    @property
    def settings(self) -> dict[str, Any]:
        """Switches and weights by name, as :meth:`of` takes them."""
        return {each.name: getattr(self, each.name) for each in fields(self) if each.name != "weights"} | dict(self.weights)

    def unlike(self, before: Mapping[str, Any]) -> str:
        """What differs from earlier settings, in words; a weight that is missing on one side was, or is, 0."""
        now = self.settings
        names = [name for name in {**now, **before} if now.get(name, 0) != before.get(name, 0)]
        return ", ".join(f"objective.{shown(name)}={now.get(name, 0)} (was {shown(before.get(name, 0))})" for name in names)

    @property
    def terms(self) -> list[type[Term]]:
        """Those that the generators' loss has, in order."""
        return [term for term in term_classes() if term.reaches(self)]

    @property
    def played(self) -> list[type[AdversarialTerm]]:
        """Terms whose critics are trained, in their order; not all reach the generators."""
        found = [term for term in term_classes() if issubclass(term, AdversarialTerm) and term.plays(self)]
        return sorted(found, key=lambda term: (term.critic_order, term.name))

    @property
    def guided(self) -> bool:
        """Whether guides have to be made."""
        return any(term.needs_guide for term in self.terms)


SWITCHES = frozenset(each.name for each in fields(ObjectiveConfig))
"""Names of settings that no term may have."""
LIMITS: dict[str, Limit] = {
    "one_way": Switch(), "paired": Switch(), "game": OneOf(tuple(GAMES)), "mixture": OneOf(MIXTURES), "mixed_to_generator": Switch(), "critic_noise": WEIGHT,
}  # fmt: skip


def check_settings(config: ObjectiveConfig) -> None:
    """What excludes what, whatever the features.

    Raises:
        ConfigError: names the settings, and what to do.
    """
    terms = term_classes()
    if config.paired:
        foreign = {"critic_noise": config.critic_noise} | {term.name: config.weights[term.name] for term in terms if not term.paired and not term.weight}
        if unused := [name for name, value in foreign.items() if value]:
            raise ConfigError(f"objective.{unused[0]}={foreign[unused[0]]}: not with objective.paired=true; set it to 0")
        if config.mixture != "base":
            raise ConfigError(f"objective.mixture={config.mixture}: not with objective.paired=true; leave it at base")
    elif config.one_way and (circular := [term for term in config.terms if term.needs_way_back]):
        usual = any(term.weight for term in circular)  # then all that are there by default are named, as they were often switched off one by one
        zeros = " and ".join(f"objective.{term.name}=0" for term in terms if term.needs_way_back and (term in circular or (usual and term.weight)))
        raise ConfigError(f"objective.one_way=true: a cycle needs the way back; set {zeros}, as experiment=vc2_guided does, or leave one_way out")
    for term in config.terms:
        if term.needs_critic and term.needs_critic not in {played.critic for played in config.played}:
            raise ConfigError(f"objective.{term.name}={config.weights[term.name]}: needs objective.adversarial above 0, whose critic it asks; or set it to 0")
    playing = [term.name for term in terms if issubclass(term, AdversarialTerm) and term.suffices]
    if not any(term.name in playing for term in config.terms):
        raise ConfigError(f"{', '.join(f'objective.{name}=0' for name in playing)}: one must be above 0 to learn anything")


def objective_settings() -> dict[str, tuple[Any, Any, str]]:
    """All settings by name: type, default, help."""
    switches = {each.name: (type(each.default), each.default, each.metadata["help"]) for each in fields(ObjectiveConfig) if each.name != "weights"}
    return switches | {term.name: (float, term.weight, f"weight: {term.help}") for term in term_classes()}


def build_game(name: str) -> Game:
    """The game of a short name."""
    make: type[Game] = resolve(GAMES, "game", name, Game)
    if make.__abstractmethods__:
        raise ConfigError(f"{file_of(GAMES[name])}: {make.__name__} lacks {', '.join(sorted(make.__abstractmethods__))}; write what audiocycle/objectives/game.py asks for")
    return make()
