"""SeqGAN and its kin as the papers say it, by torch's own layers, one position after the other.

nn.LSTM, log_softmax and NLLLoss for the likelihood, torch.multinomial for a word, Conv1d and a
maximum for the discriminator, a rollout from the first word of each prefix. The layers are copies
of a model's of gantext, so that both ways do the same work. Sentences have full length. Shapes:
B rows, T steps, V words.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from gantext.data.vocabulary import BOS, PAD
from gantext.nn.copies import copied


def after_bos(tokens: Tensor) -> Tensor:
    """What is read before each word, (B, T)."""
    return F.pad(tokens[:, :-1], (1, 0), value=BOS)


class PlainLanguageModel(nn.Module):
    """p(x_t | x_<t); dropout is on in training mode."""

    def __init__(self, generator) -> None:
        super().__init__()
        config = generator.config
        self.embedding, self.lstms = copied(generator.embedding), copied(generator.lstms)
        self.projection, self.output = copied(generator.projection), copied(generator.output)
        if config.tie_weights:
            self.output.weight = self.embedding.weight
        self.dropout = nn.Dropout(config.dropout)
        self.optimiser = torch.optim.Adam(self.parameters())

    def log_probs(self, tokens: Tensor) -> Tensor:
        """Of every word at each step, (B, T, V), nats."""
        x = self.embedding(after_bos(tokens))
        for lstm in self.lstms:
            x, _ = lstm(self.dropout(x))
        return self.output(self.projection(self.dropout(x))).log_softmax(-1)

    def nll(self, tokens: Tensor) -> Tensor:
        """Mean of -log p(word), nats a token."""
        lost = nn.NLLLoss(ignore_index=PAD)
        return lost(self.log_probs(tokens).flatten(0, 1), tokens.flatten())

    def policy_loss(self, tokens: Tensor, rewards: Tensor) -> Tensor:
        """-mean reward x log p(word), both (B, T)."""
        chosen = self.log_probs(tokens).gather(2, tokens[:, :, None])[:, :, 0]
        return -(chosen * rewards).mean()

    @torch.no_grad()
    def complete(self, tokens: Tensor, kept: int) -> Tensor:
        """Keep the first words of (B, T) and draw the others."""
        tokens, states = tokens.clone(), [None] * len(self.lstms)
        read = after_bos(tokens)[:, :1]
        for t in range(tokens.shape[1]):
            x = self.embedding(read)
            for layer, lstm in enumerate(self.lstms):
                x, states[layer] = lstm(x, states[layer])
            if t >= kept:
                odds = self.output(self.projection(x[:, 0])).softmax(-1)
                tokens[:, t] = torch.multinomial(odds, 1)[:, 0]
            read = tokens[:, t : t + 1]
        return tokens


class PlainDiscriminator(nn.Module):
    """The text CNN: Conv1d of each width, the maximum over the sentence, a highway layer."""

    def __init__(self, discriminator) -> None:
        super().__init__()
        self.embedding = copied(discriminator.embedding)
        self.convolutions = copied(discriminator.convolutions)
        self.transform, self.gate = copied(discriminator.transform), copied(discriminator.gate)
        self.output = copied(discriminator.output)
        self.dropout = nn.Dropout(discriminator.config.dropout)
        self.optimiser = torch.optim.Adam(self.parameters())

    def forward(self, tokens: Tensor) -> Tensor:
        """Logit of 'real' of each sentence, (B,)."""
        x = self.embedding(tokens).transpose(1, 2)  # (B, E, T)
        pooled = []
        for convolution in self.convolutions:
            windows = convolution(F.pad(x, (0, convolution.kernel_size[0] - 1))).relu()
            pooled.append(windows.amax(2))
        found = torch.cat(pooled, 1)
        gate = self.gate(found).sigmoid()
        mixed = gate * self.transform(found).relu() + (1 - gate) * found
        return self.output(self.dropout(mixed))[:, 0]

    def loss(self, real: Tensor, fake: Tensor) -> Tensor:
        """Binary cross-entropy of both, nats a sentence."""
        logits = self(torch.cat([real, fake]))
        wanted = torch.zeros_like(logits)
        wanted[: len(real)] = 1
        return F.binary_cross_entropy_with_logits(logits, wanted)


class PlainVAE(nn.Module):
    """The sentence VAE: LSTM encoder, a draw, LSTM decoder; -E log p(x | z) + KL."""

    def __init__(self, model) -> None:
        super().__init__()
        self.encoder, self.decoder = copied(model.encoder), copied(model.decoder)
        config = model.config
        self.read, self.written = (
            nn.Dropout(config.encoder.dropout),
            nn.Dropout(config.decoder.dropout),
        )
        self.optimiser = torch.optim.Adam(self.parameters())

    def loss(self, tokens: Tensor) -> Tensor:
        """Nats a sentence."""
        states, _ = self.encoder.lstm(self.read(self.encoder.embedding(tokens)))
        mu, log_var = self.encoder.heads(states[:, -1]).chunk(2, 1)
        z = mu + (log_var / 2).exp() * torch.randn_like(mu)
        x = self.written(self.decoder.embedding(after_bos(tokens)))
        x = torch.cat([x, z[:, None].expand(-1, x.shape[1], -1)], 2)
        c = self.decoder.to_state(z)[None]
        x, _ = self.decoder.lstms[0](x, (c.tanh(), c))
        scores = self.decoder.output(self.decoder.projection(self.written(x)))
        lost = nn.NLLLoss(reduction="sum")(scores.log_softmax(-1).flatten(0, 1), tokens.flatten())
        kl = 0.5 * (mu.square() + log_var.exp() - 1 - log_var).sum()
        return (lost + kl) / len(tokens)


def updated(model: nn.Module, loss: Tensor) -> None:
    """One step of a plain model's optimiser, the gradient's norm clipped."""
    model.optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 5.0)
    model.optimiser.step()
