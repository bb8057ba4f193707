"""The small language model of a corpus's real text, which `lm-score` judges by; trained once."""

import torch

from gantext import __version__
from gantext.data.corpus import Corpus
from gantext.inference.judges.cache import State, cache_name, cached_weights, judges_folder
from gantext.nn.state import restore
from gantext.nn.text.judges.small_lm import CPU, LM, LMConfig, fit_lm, untrained
from gantext.nn.text.language_model import LanguageModel

_REAL: dict[tuple[str, int, int, str, LMConfig], LanguageModel] = {}


def real_lm(
    corpus: Corpus, *, seed: int = 0, device: torch.device = CPU, config: LMConfig = LM
) -> LanguageModel:
    """The LM of the real training text; trained once, then kept in the user's cache folder."""
    words = int(corpus.train.tokens.lengths.sum())  # fewer where <unk> was left out of the text
    key = (corpus.hash, words, seed, str(device), config)
    if key not in _REAL:
        folder = judges_folder() / f"lm-{cache_name(*map(str, key), __version__)}"

        def train() -> State:
            fitted = fit_lm(corpus.train.tokens, corpus.vocabulary, seed, device, config)
            return {"weights": fitted.state_dict()}

        model = untrained(corpus.vocabulary, seed, device, config)
        restore(model, cached_weights(folder, train)["weights"], folder, "weights")
        _REAL[key] = model
    return _REAL[key]
