"""What a job is made of before its first step."""

from types import SimpleNamespace as Some

from gantext.config.settings import Phases
from gantext.training.preparation import chosen_phases


def test_chosen_phases_leave_out_what_is_not_wanted() -> None:
    phases = [
        Some(name=n, steps=s, adversarial=a)
        for n, s, a in (("mle", 3, False), ("d", 0, False), ("gan", 2, True))
    ]
    model = Some(phases=lambda: phases)
    for wanted, names in (
        (Phases.all, ["mle", "gan"]),
        (Phases.pretrain, ["mle"]),
        (Phases.adversarial, ["gan"]),
    ):
        assert [p.name for p in chosen_phases(model, Some(phases=wanted))] == names
