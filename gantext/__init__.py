"""gantext: pretrain, adversarially train, sample and evaluate generative models of text.

`import gantext` loads neither torch nor hydra: what stands in `__all__` comes when it is asked for.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gantext.api import (
        Diverged,
        Evaluation,
        Run,
        Samples,
        Stopped,
        compare,
        evaluate,
        list_runs,
        load_run,
        resume,
        train,
    )
    from gantext.errors import UserError

__version__ = "0.1.0"
__all__ = [
    "Diverged",
    "Evaluation",
    "Run",
    "Samples",
    "Stopped",
    "UserError",
    "compare",
    "evaluate",
    "list_runs",
    "load_run",
    "resume",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'gantext' has no attribute '{name}'")
    return getattr(importlib.import_module("gantext.api"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, *(name for name in globals() if name.startswith("__"))])
