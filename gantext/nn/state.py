"""The state of what is made of parts that have a state: a tree of plain dicts for a checkpoint."""

from collections.abc import Mapping
from typing import Any, ClassVar


class NamedParts:
    """Its state is that of its parts, by name, and its counters.

    Attributes:
        counters: names of attributes that a resume needs too; their values are plain.
    """

    counters: ClassVar[tuple[str, ...]] = ()

    def parts(self) -> Mapping[str, Any]:
        """Everything in it that has a `state_dict`; a name is a key of the checkpoint."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimiser states and counters."""
        state = {name: part.state_dict() for name, part in self.parts().items()}
        return state | {name: getattr(self, name) for name in self.counters}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` gave."""
        for name, part in self.parts().items():
            part.load_state_dict(state[name])
        for name in self.counters:
            setattr(self, name, state[name])
