"""The ranker of RankGAN (Lin et al. 2017, arXiv 1705.11001): a discriminator that is asked how near
to real sentences one is, beside others, and not whether it is real.

The features y of sentences are the text CNN's after its highway layer. By them

(1) alpha(s|u) = cos(y_s, y_u), how near a sentence s is to a reference u;
(2) P(s|u,C) = exp(gamma alpha(s|u)) / sum of exp(gamma alpha(s'|u)) over s' in C and s itself;
(3) log R(s|U,C) = mean over references u in U of log P(s|u,C), its rank in a comparison set C;
(4) the ranker's loss: -mean of log R(s|U,C-) of real s, plus mean of log R(s|U,C+) of samples s,
    where C- are the samples and C+ real sentences.

What rewards the generator, and what looks at held-out sentences read, is a logit that grows as (3)
does, the log-odds of P beside one sentence as near to u as those of C are on average:

(5) mean over u of log P / (1 - P) = mean over u of gamma (alpha(s|u) - mean of alpha(s'|u) over C).

There U are R real sentences, and C as many other real ones as samples, all of the ranker's last
step: they are a part of its state, so that equal states give equal logits.

Legend: N sentences that are ranked, R references, C of a comparison set, B real sentences of a step
and as many samples, T steps, F features.
"""

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from gantext.data.vocabulary import PAD, UNK
from gantext.errors import UserError
from gantext.nn import ranks
from gantext.nn.text.adversary import DiscriminatorTrainer, DTrainingConfig, Told
from gantext.nn.text.judges.config import JudgeConfig, Kind, RankerConfig
from gantext.nn.text.text_cnn import DiscriminatorConfig, TextCNN


def nearness(features: Tensor, references: Tensor) -> Tensor:
    """(1): cosines of (N, F) with (R, F), (N, R)."""
    return F.normalize(features.float()) @ F.normalize(references.float()).T


def log_ranks(ranked: Tensor, compared: Tensor) -> Tensor:
    """(3), (N,): by gamma alpha of what is ranked, (N, R), and of a comparison set, (C, R)."""
    others = torch.logsumexp(compared, 0)  # (R,)
    log_p = ranked - torch.logaddexp(ranked, others)  # (2), (N, R)
    return log_p.mean(1)


def rank_log_odds(ranked: Tensor, compared: Tensor) -> Tensor:
    """(5), (N,), of what `log_ranks` is given."""
    return (ranked - compared.mean(0)).mean(1)


class Ranker(TextCNN):
    """A text CNN whose logit is (5); it has no output layer.

    Attributes:
        seen: sentences of its last step, (2 B, T): the real ones, of which the first R are the
            references, then samples; <pad> before it, when it ranks all sentences alike.
    """

    seen: Tensor

    def __init__(
        self,
        vocab_size: int,
        config: DiscriminatorConfig,
        max_length: int,
        rng: torch.Generator,
        ranking: RankerConfig,
        rows: int,
    ) -> None:
        super().__init__(vocab_size, config, max_length, rng)
        del self.output
        self.ranking = ranking
        self.register_buffer("seen", torch.full((2 * rows, max_length), PAD))

    def remember(self, real: Tensor, fake: Tensor) -> None:
        """Take the sentences (B, T) of a step."""
        self.seen.fill_(PAD)
        self.seen[: len(real), : real.shape[1]] = real
        self.seen[len(real) :, : fake.shape[1]] = fake

    def scaled(self, features: Tensor, references: Tensor) -> Tensor:
        """gamma alpha of (N, F) by references (R, F), (N, R)."""
        return self.ranking.gamma * nearness(features, references)

    def standing(self) -> tuple[Tensor, Tensor]:
        """Features of U, (R, F), and gamma alpha of C by it, (C, R)."""
        features, count = self.highway(self.pooled(self.seen)), self.ranking.references
        references = features[:count]
        return references, self.scaled(features[count : len(features) - count], references)

    def _output(self, pooled: Tensor, kept: Tensor | None) -> Tensor:
        features = self._kept_features(pooled, kept)
        references, compared = self.standing()
        return rank_log_odds(self.scaled(features, references), compared)

    def penalty(self) -> Tensor:
        """None: there is no output layer."""
        return torch.zeros((), device=self.seen.device)

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """As a module has it. From a run of other sizes it takes so much of `seen` as it has place
        for, a word that is not known as <unk>; from a classifier all but the output."""
        own, given = torch.full_like(self.seen, PAD), state_dict.get("seen")
        if given is not None:
            rows, length = (min(sizes) for sizes in zip(own.shape, given.shape, strict=True))
            kept = given[:rows, :length].to(own)
            known = (kept >= 0) & (kept < self.embedding.num_embeddings)
            own[:rows, :length] = torch.where(known, kept, UNK)
        parts = {name: each for name, each in state_dict.items() if not name.startswith("output.")}
        return super().load_state_dict({**parts, "seen": own}, strict, assign)


class RankerTrainer(DiscriminatorTrainer):
    """Trains a ranker by (4): the first real sentences of a step are its references."""

    def __init__(self, ranker: Ranker, config: DTrainingConfig) -> None:
        super().__init__(ranker, config, prefixes=False, graphs=False)
        self.ranker = ranker

    def tell(self, real: Tensor, fake: Tensor, rng: torch.Generator) -> Told:
        """(4) of real and fake (B, T), which it remembers; all processes' are compared."""
        self.ranker.remember(real, fake)
        ranked = real[self.ranker.ranking.references :]
        own = self.ranker.features_of([ranks.mine(ranked), ranks.mine(fake)], rng)
        references, _ = self.ranker.standing()
        near = [self.ranker.scaled(features, references) for features in own]  # (b, R) each
        sizes = len(ranked), len(fake)
        every = [ranks.gathered(each, size) for each, size in zip(near, sizes, strict=True)]
        by_rank = log_ranks(near[0], every[1]), log_ranks(near[1], every[0])
        loss = by_rank[1].mean() - by_rank[0].mean()
        # Beside each other: dropout, which references have none of, makes all cosines smaller.
        both = torch.cat([every[0], every[1][: len(ranked)]])
        logits = [rank_log_odds(each, both).detach() for each in near]
        weights = [torch.ones_like(each) for each in logits]
        return Told(loss, (logits[0], logits[1]), (weights[0], weights[1]))


def discriminator_of(
    judge: JudgeConfig,
    rows: int,
    vocab_size: int,
    config: DiscriminatorConfig,
    max_length: int,
    rng: torch.Generator,
) -> TextCNN:
    """A ranker of `rows` real sentences a step where that is the judge, or else a classifier.

    Raises:
        UserError: no sentence of a step would be left to be ranked.
    """
    if judge.kind is not Kind.ranker:
        return TextCNN(vocab_size, config, max_length, rng)
    if rows <= judge.ranker.references:
        raise UserError(
            f"model.judge.ranker.references={judge.ranker.references}: so many of the "
            f"model.d_training.batch_size={rows} real sentences of a step are references, and some "
            "must be left to be ranked"
        )
    return Ranker(vocab_size, config, max_length, rng, judge.ranker, rows)


def trainer_of(
    discriminator: TextCNN, config: DTrainingConfig, prefixes: bool, graphs: bool
) -> DiscriminatorTrainer:
    """What trains such a discriminator; `prefixes` of a classifier alone, `graphs` too."""
    if isinstance(discriminator, Ranker):
        return RankerTrainer(discriminator, config)
    return DiscriminatorTrainer(discriminator, config, prefixes, graphs)
