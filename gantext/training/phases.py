"""Which phases of its model a run goes through."""

from gantext.config.settings import Phases, Settings
from gantext.models.contract import Phase, Trainable


def chosen_phases(algorithm: Trainable, settings: Settings) -> list[Phase]:
    """The phases that `phases=all|pretrain|adversarial` leaves."""
    wanted = {Phases.all: (True, False), Phases.pretrain: (False,), Phases.adversarial: (True,)}
    kept = wanted[settings.phases]
    return [phase for phase in algorithm.phases() if phase.adversarial in kept and phase.steps]
