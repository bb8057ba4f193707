"""CatGAN: what a class does to its generator, the children and which of them goes on."""

import copy
import dataclasses
import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from gantext.config.compose import compose
from gantext.data.labelled import LabelledBatch
from gantext.data.vocabulary import EOS, PAD, UNK
from gantext.errors import UserError
from gantext.models import catgan
from gantext.models.catgan.losses import Mutation
from gantext.models.catgan.model import Child
from gantext.models.contract import Task
from gantext.nn.text.fitting import weighted_nll
from gantext.nn.text.sampling import SamplingOptions

CPU = torch.device("cpu")
WORDS, T = 6, 3
CONFIG = compose(
    [
        "model=catgan",
        "model.generator.embedding=8",
        "model.generator.hidden=8",
        "model.generator.dropout=0",
        "model.generator.word_dropout=0",
        "model.generator.relational.head_size=4",
        "model.generator.transformer.width=8",
        "model.generator.transformer.feed_forward=8",
        "model.discriminator.filters=[4,4,4,4]",
        "model.discriminator.dropout=0",
        "model.mle.epochs=100",
        "model.mle.warmup_steps=0",
        "model.mle.learning_rate=0.05",
        "model.adversarial.batch_size=8",
        "model.d_training.batch_size=8",
    ]
).model
TOKENS = torch.tensor([[4, 4, EOS], [5, 5, EOS]] * 4)
BATCH = LabelledBatch(TOKENS, torch.tensor([0, 1] * 4))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(*words: str, **adversarial: Any) -> catgan.CatGAN:
    config = compose(["model=catgan", *words]).model if words else CONFIG
    changed = dataclasses.replace(config.adversarial, **adversarial)
    rare = torch.zeros(WORDS, dtype=torch.bool)
    task = Task(WORDS, T, 8, rare, CPU, class_counts=(4, 4))
    return catgan.build(dataclasses.replace(config, adversarial=changed), task, rng(3))


def fitted(**adversarial: Any) -> catgan.CatGAN:
    model = make(**adversarial)
    for _ in range(80):
        model.mle_step(BATCH, rng())
    return model


def all_sentences() -> Tensor:
    ended = [
        [*words, EOS, *[PAD] * (T - 1 - n)]
        for n in range(T)
        for words in itertools.product((3, 4, 5), repeat=n)
    ]
    return torch.tensor([*ended, *itertools.product((3, 4, 5), repeat=T)])


@pytest.mark.parametrize("arch", ["lstm", "transformer", "relational"])
def test_each_architecture_reads_the_class_with_every_word(arch: str) -> None:
    """Word by word as in one pass, each row by its own class, and classes differ; all sentences
    of a class have probability 1, those of the mixture too."""
    sizes = dataclasses.replace(CONFIG.generator, arch=type(CONFIG.generator.arch)(arch))
    rare = torch.zeros(WORDS, dtype=torch.bool)
    task = Task(WORDS, T, 8, rare, CPU, class_counts=(6, 2))
    model = catgan.build(dataclasses.replace(CONFIG, generator=sizes), task, rng(3))
    with torch.no_grad():
        model.generator.classes.weight.mul_(20)
    sentences = all_sentences()
    each = [model.model_of(c).token_log_prob(sentences).sum(1) for c in (0, 1)]
    assert not torch.allclose(*each)
    for one in each:
        assert one.exp().sum().item() == pytest.approx(1, abs=1e-4)
    mixed = model.log_prob(sentences)
    expected = (0.75 * each[0].exp() + 0.25 * each[1].exp()).log()
    torch.testing.assert_close(mixed, expected)
    labels = torch.arange(len(sentences)) % 2
    together = model.generator.of(labels)
    by_row = torch.where(labels == 0, *each)
    torch.testing.assert_close(together.token_log_prob(sentences).sum(1), by_row)
    with torch.no_grad():
        state, layer = together.start(len(sentences)), together.output_layer(written=True)
        for t, words in enumerate(sentences.unbind(1)):
            read = together.features(sentences)[:, t]
            at_once = (read @ layer.weight.T + layer.bias).softmax(1)
            there = words != PAD
            by_word = together.logits(state).softmax(1)[:, :WORDS]
            torch.testing.assert_close(by_word[there], at_once[there])
            state = together.advance(state, words)


def test_it_learns_what_each_class_says() -> None:
    model = fitted()
    labels = torch.tensor([1, 0] * 20)
    first = model.sample_of(labels, rng(), SamplingOptions())[:, 0]
    assert (first == torch.where(labels == 1, 5, 4)).float().mean() > 0.9
    assert weighted_nll(model.generator.of(BATCH.labels), TOKENS, None, None)[0] < 0.2


def test_the_discriminator_learns_classes_and_what_is_generated() -> None:
    model = make()
    for step in range(60):
        found = model.d_step(BATCH, rng(step))
    assert model.class_log_prob(TOKENS).argmax(1).tolist() == [0, 1] * 4
    assert float(found["d_real"]) > 0.7
    ungrammatical = torch.tensor([[5, 4, 5]])
    assert model.score(TOKENS)["real"].min() > model.score(ungrammatical)["real"].max()


def test_without_a_class_weight_it_says_no_classes() -> None:
    with pytest.raises(UserError, match="tells no classes"):
        make("model.class_weight=0").class_log_prob(TOKENS)


def test_the_fittest_child_goes_on() -> None:
    """Made again alone from the parent with the same random numbers, each child is the same; of
    each loss the one of better quality, of these the fitter takes the parent's place."""
    model = make(diversity_weight=0.5, temperature_factor=2.0, learning_rate=0.01)
    for step in range(10):
        model.d_step(BATCH, rng(step))
    model.beta = 1.5
    again = copy.deepcopy(model)
    found = model.g_step(BATCH, rng(7))
    assert again.betas() == [0.75, 3.0]
    noise = rng(7)
    seed = int(torch.randint(2**62, (), generator=noise))
    with torch.no_grad():
        of_real = again.discriminator.class_logits(TOKENS)
    written, best = again.written(BATCH.labels, of_real, noise), []
    for place, mutation in enumerate(Mutation):
        children = []
        for beta in (0.75, 3.0):
            one = copy.deepcopy(again)
            given = place, mutation, beta, BATCH, of_real, written, rng(seed)
            children.append(one.child(*given))
        assert children[0].worth[0] != children[1].worth[0]
        best.append(max(children, key=lambda child: float(child.worth[0])))
    winner = max(best, key=lambda child: float(child.worth[0] + 0.5 * child.worth[1]))
    assert (found["mutation"], found["inverse_temperature"]) == (winner.mutation, winner.beta)
    assert found["quality"] == winner.worth[0] and model.beta == winner.beta
    for name, weight in model.generator.state_dict().items():
        assert torch.equal(weight, winner.weights[name]), name


def test_of_a_loss_the_better_child_competes_and_of_equal_ones_the_first_goes_on() -> None:
    """The second loss's children are worth .4 + .25 and .3 + .9, but the latter has less quality;
    the first's best is worth .5 + .1."""
    model = make(diversity_weight=0.1)
    worth = [(0, 0.5, 1.0), (0, 0.5, 9.0), (1, 0.4, 2.5), (1, 0.3, 9.0)]
    children = [Child(m, 1.0, torch.tensor([q, d]), {}, {}, {}) for m, q, d in worth]
    assert model.fittest(children) is children[2]
    assert model.fittest(children[:2]) is children[0]
    assert model.fittest(children[:1]) is children[0]


def test_the_centre_follows_the_middle_of_logits_by_a_tenth() -> None:
    """Real sentences' log (1 + 1), generated ones' log (3 + 1): a tenth of log 8 / 2, and a tenth
    of the way that is left in the next step; a logit of 'real' is that much less."""
    d = make().discriminator
    real, fake = torch.zeros(2, 2), torch.tensor([[3.0, 1.0]]).log()
    middle = math.log(8) / 2
    for left in (0.9, 0.81):
        d.move_centre(real, fake)
        assert d.centre.item() == pytest.approx((1 - left) * middle)
    assert d.real(fake).item() == pytest.approx(math.log(4) - 0.19 * middle)


def test_while_the_discriminator_is_worth_nothing_a_step_is_one_of_likelihood() -> None:
    """The gradient has its weight; without one there is no step, and children are made of none."""
    norms = {}
    for weight in (0.0, 1.0, 3.0):
        model = make(mle_weight=weight)
        model.held_out.trusted = False
        norms[weight] = model.g_step(BATCH, rng(1))
    assert norms[0.0] == {} and norms[1.0].keys() == norms[3.0].keys() == {"g_grad_norm"}
    once, thrice = (float(norms[weight]["g_grad_norm"]) for weight in (1.0, 3.0))
    assert once and thrice == pytest.approx(3 * once, rel=1e-4)


def test_an_inverse_temperature_may_begin_at_its_bounds() -> None:
    for bound in (0.5, 20.0):
        assert make(f"model.adversarial.inverse_temperature={bound}").beta == bound


def test_the_fitness_is_quality_and_weighted_diversity() -> None:
    """(7): 3 + .25 * 2."""
    assert make(diversity_weight=0.25).fitness(3.0, 2.0) == 3.5


def test_without_classes_it_is_refused() -> None:
    task = Task(WORDS, T, 8, torch.zeros(WORDS, dtype=torch.bool), CPU)
    with pytest.raises(UserError, match="needs sentences of 2 classes at least"):
        catgan.build(CONFIG, task, rng())


def test_inverse_temperatures_stay_in_their_bounds() -> None:
    model = make(temperature_factor=2.0, greatest_inverse_temperature=5.0)
    model.beta = 4.0
    assert model.betas() == [2.0, 5.0]
    assert make(temperature_factor=1.0, inverse_temperature=1.5).betas() == [1.5]


def test_a_child_is_judged_as_if_it_had_written_what_its_parent_wrote() -> None:
    """The parent's own worth are plain means; a child's are its expectations: with many samples of
    the parent those over all sentences by the child's probabilities. <unk> is never written."""
    model = fitted()
    with torch.no_grad():
        model.generator.network.output.bias[UNK] += 8.0
    labels = torch.zeros(4000, dtype=torch.long)
    of_real = model.discriminator.class_logits(TOKENS[:1]).detach().expand(4000, -1)
    written = model.written(labels, of_real, rng(5))
    quality, diversity = model.worth(written).tolist()
    words = (written.tokens != PAD).sum()
    assert quality == pytest.approx(written.quality.mean().item())
    assert diversity == pytest.approx(float(-written.log_prob.sum() / words))
    with torch.no_grad():
        model.generator.network.output.bias[5] += 0.7
    sentences = all_sentences()
    sentences = sentences[(sentences != 3).all(1)]
    log_p = model.model_of(0).token_log_prob(sentences, written=True).sum(1)
    of_all = model.discriminator.class_logits(sentences).detach()[:, 0] - of_real[0, 0]
    found = model.worth(written).tolist()
    assert found[0] == pytest.approx(float((log_p.exp() * of_all.sigmoid()).sum()), abs=0.01)
    sizes = (sentences != PAD).sum(1)
    expected = -(log_p.exp() * log_p).sum() / (log_p.exp() * sizes).sum()
    assert found[1] == pytest.approx(float(expected), abs=0.03)


@pytest.mark.parametrize(
    "word",
    [
        "model.adversarial.mutations=[]",
        "model.adversarial.mutations=[ragan,ragan]",
        "model.adversarial.inverse_temperature=50",
        "model.adversarial.inverse_temperature=0.4",
    ],
)
def test_what_makes_no_sense_is_refused(word: str) -> None:
    with pytest.raises(UserError, match=r"model\.adversarial"):
        make(word)
