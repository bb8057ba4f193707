"""What every model must do. Each that is registered enters by itself, with no word about it here.

A new row is a test that takes `small` (settings, data and model in memory, its sizes cut by a rule
that knows only their types) or `run` (a finished run of these settings; not to be changed).
"""

import dataclasses
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from gantext import data, models
from gantext.config.compose import compose
from gantext.config.settings import Settings
from gantext.data import Reads
from gantext.data.batches import Batches
from gantext.data.vocabulary import EOS, PAD
from gantext.inference.prompt import decode_after
from gantext.models.build import build, task_of
from gantext.models.contract import Phase, Writer
from gantext.nn.rng import generator
from gantext.nn.text.sampling import SamplingOptions
from gantext.runs import checkpoint
from gantext.runs.folder import RunDir
from gantext.training import launch
from gantext.training.divergence import Diverged
from gantext.training.other_words import SharedWords, with_other_words
from gantext.training.tracker import to_floats
from tests.conftest import Command

CPU = torch.device("cpu")
CAP = 8  # no size, count or number of steps of a model is above it
CAPTIONS = ["data=scenes", "data.train_size=24", "data.validation_size=8", "data.test_size=8"]
DATA = {
    Reads.text: CAPTIONS,
    Reads.labelled: [*CAPTIONS, "data.label=count"],
    Reads.pictures: ["data=digits", "data.test_size=1700"],
    Reads.captioned: CAPTIONS,
}
RUN = ["eval.samples=16", "log.every_steps=1", "log.trackers=[]", "device=cpu", "threads=1"]


def overrides(name: str, cap: int = CAP) -> list[str]:
    """The words for a run of a model whose sizes are cut."""
    cut = capped(compose([f"model={name}"]).model, "model", cap)
    return [f"model={name}", *DATA[models.reads(name)], *cut, *RUN]


def capped(config: Any, prefix: str, cap: int) -> Iterator[str]:
    """An override for each whole number, alone or in a row, of a config that is above the cap."""
    for field in dataclasses.fields(config):
        key, value = f"{prefix}.{field.name}", getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from capped(value, key, cap)
        elif type(value) is int and value > cap:
            yield f"{key}={cap}"
        elif isinstance(value, (list, tuple)) and any(type(v) is int and v > cap for v in value):
            yield f"{key}=[{','.join(str(min(v, cap)) for v in value)}]"


@dataclass
class Small:
    """A model in memory, and all that its next step depends on besides."""

    settings: Settings
    data: Any
    algorithm: Any
    batches: Batches[Any]
    noise: torch.Generator

    def step(self, phase: Phase) -> dict[str, float]:
        """One step; its metrics."""
        return to_floats(phase.step(self.batches.next(phase.rows), self.noise))

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds of it."""
        return {
            "algorithm": self.algorithm.state_dict(),
            "batches": self.batches.state_dict(),
            "noise": self.noise.get_state(),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.algorithm.load_state_dict(state["algorithm"])
        self.batches.load_state_dict(state["batches"])
        self.noise.set_state(state["noise"])

    def rebuilt(self) -> "Small":
        """The same settings and data from the start, with another seed."""
        return made(dataclasses.replace(self.settings, seed=self.settings.seed + 1), self.data)

    def phases(self) -> list[Phase]:
        """Those that have a step."""
        return [phase for phase in self.algorithm.phases() if phase.steps]


def made(settings: Settings, loaded: Any) -> Small:
    """A model before its first step."""
    algorithm = build(settings.model, settings.seed, task_of(loaded, CPU))
    batches = Batches(loaded.train, settings.seed)
    return Small(settings, loaded, algorithm, batches, generator(settings.seed, "noise", CPU))


@pytest.fixture(scope="module", params=models.available())
def name(request: pytest.FixtureRequest) -> str:
    """A model's name."""
    return str(request.param)


@pytest.fixture(scope="module")
def settings(name: str) -> Settings:
    """A model's settings, its sizes cut."""
    return compose(overrides(name))


@pytest.fixture(scope="module")
def loaded(name: str, settings: Settings) -> Any:
    """The data that a model reads."""
    return data.load_for(settings.data, models.reads(name))


@pytest.fixture
def small(settings: Settings, loaded: Any) -> Small:
    """A model before its first step."""
    return made(settings, loaded)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where judges that were trained once are kept for all models."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def run(name: str, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> RunDir:
    """A finished run of a model; not to be changed."""
    folder = tmp_path_factory.mktemp(name)
    return launch.single([*overrides(name), f"runs_dir={folder}", "name=run"])


@pytest.fixture
def ask(cli: Command, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line, with the judges that are there."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return cli


def test_a_step_of_each_phase_is_finite(small: Small) -> None:
    assert small.phases()
    for phase in small.phases():
        metrics = small.step(phase)
        assert metrics and all(map(math.isfinite, metrics.values())), (phase.name, metrics)
    for role, network in small.algorithm.networks().items():
        assert all(bool(weight.isfinite().all()) for weight in network.parameters()), role


def test_it_goes_on_exactly_in_the_middle_of_each_phase(small: Small, tmp_path: Path) -> None:
    """One that was saved to disk and loaded into another's place takes the same next steps."""
    for place, phase in enumerate(small.phases()):
        small.step(phase)
        checkpoint.write(tmp_path / phase.name, small.state())
        resumed = small.rebuilt()
        resumed.load(checkpoint.read(tmp_path / phase.name))
        for _ in range(2):
            assert same(small.step(phase), resumed.step(resumed.phases()[place])), phase.name
        assert same(small.state(), resumed.state()), phase.name


def test_more_steps_change_none_before_them(small: Small, tmp_path: Path) -> None:
    """Where a phase says that its steps are not tied to their number, one that has begun goes on
    with twice as many as if it had begun with them."""
    assert all(phase.key for phase in small.phases())
    name = small.settings.model.name
    for phase in (phase for phase in small.phases() if not phase.tied):
        small.step(phase)
        checkpoint.write(tmp_path / phase.name, small.state())
        more = compose([*overrides(name), f"model.{phase.key}={2 * phase.steps}"])
        longer = made(more, small.data)
        longer.load(checkpoint.read(tmp_path / phase.name))
        place = small.phases().index(phase)
        assert longer.phases()[place].steps > phase.steps
        for _ in range(2):
            assert same(small.step(phase), longer.step(longer.phases()[place])), phase.name
        assert same(small.state(), longer.state()), phase.name


def same(one: Any, other: Any) -> bool:
    """Whether two trees of values hold the same bits."""
    if isinstance(one, Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other or (one != one and other != other))


def test_its_weights_start_another(small: Small) -> None:
    for phase in small.phases():
        small.step(phase)
    fresh = small.rebuilt()
    fresh.algorithm.load_pretrained(small.algorithm.state_dict())
    for _ in range(2):
        assert math.isfinite(sum(fresh.step(fresh.phases()[0]).values()))


def test_its_weights_start_one_of_other_words(small: Small) -> None:
    """A word that both know keeps its rows, a new one has those of the start; all else is kept."""
    if not models.reads(small.settings.model.name).sentences:
        pytest.skip("it writes no words: it reads pictures")
    name = small.settings.model.name
    varied = compose([*overrides(name), "data.seed=4", "data.train_size=28"])
    other = made(varied, data.load_for(varied.data, models.reads(name)))
    new, old = other.data.vocabulary, small.data.vocabulary
    words = SharedWords.of(new, old)
    assert words.added and words.gone and words.kept == len({*new.words} & {*old.words}) - 4
    fresh, before = other.algorithm.state_dict(), small.algorithm.state_dict()
    state = with_other_words(varied.model, task_of(other.data, CPU), fresh, before, words)
    other.algorithm.load_pretrained(state)
    moved = 0
    for role, network in other.algorithm.networks().items():
        for key, tensor in network.state_dict().items():
            source, start = before[role][key], fresh[role][key]
            if source.shape == tensor.shape:
                assert torch.equal(tensor, source), (role, key)
                continue
            moved += 1
            assert len(tensor) == len(new)
            for place, word in enumerate(new.words):
                expected = source[old.words.index(word)] if word in old.words else start[place]
                assert torch.equal(tensor[place], expected), (role, key, word)
    assert moved
    assert math.isfinite(sum(other.step(other.phases()[0]).values()))


def test_its_samples_are_whole_and_follow_the_seed(small: Small) -> None:
    writes = models.reads(small.settings.model.name).sentences
    check = check_written if writes else check_drawn
    check(small)


def check_written(small: Small) -> None:
    """Nothing after <eos>; the seed decides, and greedy ignores it."""

    def sample(seed: int, options: SamplingOptions) -> Tensor:
        found = small.algorithm.sample(12, generator(seed, "sampling", CPU), options)
        assert isinstance(found, Tensor)
        return found

    tokens = sample(1, SamplingOptions())
    assert tokens.shape == (12, small.data.max_length) and tokens.dtype == torch.int64
    assert int(tokens.max()) < len(small.data.vocabulary)
    ended = (tokens == EOS).cumsum(1) - (tokens == EOS).long() > 0
    assert torch.equal(tokens == PAD, ended)
    assert torch.equal(tokens, sample(1, SamplingOptions()))
    assert not torch.equal(tokens, sample(2, SamplingOptions()))
    greedy = SamplingOptions(temperature=0)
    assert small.algorithm.sample(2, generator(1, "sampling", CPU), greedy).shape[0] == 2


def check_drawn(small: Small) -> None:
    """Pictures of the data's shape in [-1, 1]; the seed decides."""
    shape = (3, small.data.channels, small.data.size, small.data.size)

    def draw(seed: int) -> Tensor:
        found = small.algorithm.draw(3, generator(seed, "sampling", CPU))
        assert isinstance(found, Tensor)
        return found

    pictures = draw(1)
    assert pictures.shape == shape and not pictures.requires_grad
    assert bool((pictures.abs() <= 1).all())
    assert torch.equal(pictures, draw(1)) and not torch.equal(pictures, draw(2))


def test_a_prompt_is_gone_on_from_by_ancestral_sampling(small: Small) -> None:
    """The first words are the prompt's; each that follows is the one that a chain of single steps
    draws: the first whose cumulative p(word | prompt, words since) is above the row's uniform."""
    if not models.reads(small.settings.model.name).sentences:
        pytest.skip("it writes no words: it reads pictures")
    assert isinstance(small.algorithm, Writer)
    prompt, n, length = small.data.test.tokens.padded()[0, :3].tolist(), 30, small.data.max_length
    rng = generator(4, "sampling", CPU)
    writer = small.algorithm.writer(n, rng)
    found = decode_after(prompt, writer, n, length, rng, SamplingOptions())
    rng = generator(4, "sampling", CPU)
    writer = small.algorithm.writer(n, rng)
    expected = torch.full((n, length), PAD)
    with torch.no_grad():
        state = writer.start(n)
        for t in range(length):
            going = torch.ones(n, dtype=torch.bool) if t == 0 else expected[:, t - 1] > EOS
            if t < len(prompt):
                expected[:, t] = prompt[t]
            elif bool(going.any()):
                uniform = torch.rand(int(going.sum()), generator=rng, dtype=torch.float64)
                p = writer.logits(state)[going].double().log_softmax(-1).exp()
                expected[going, t] = (p.cumsum(-1) <= uniform[:, None]).sum(-1)
            state = writer.advance(state, expected[:, t])
    assert torch.equal(found, expected)


def test_a_likelihood_does_not_depend_on_the_batch(small: Small) -> None:
    """log p is finite, at most 0, and a sentence's own whatever it is scored with."""
    if not models.reads(small.settings.model.name).sentences:
        pytest.skip("it has no likelihood: it reads pictures")
    tokens = small.data.test.tokens.padded()
    together = small.algorithm.log_prob(tokens)
    assert together.shape == (len(tokens),)
    assert bool((together.isfinite() & (together <= 0)).all())
    backwards = small.algorithm.log_prob(tokens.flip(0)).flip(0)
    torch.testing.assert_close(backwards, together, rtol=1e-4, atol=1e-4)


def test_its_documents_are_json(name: str, run: RunDir, ask: Command, tmp_path: Path) -> None:
    folder = str(run.path)
    (tmp_path / "a.txt").write_text("a red circle .\n")
    commands = [
        ["runs", "show", folder],
        ["runs", "list", "--runs-dir", str(run.path.parent)],
    ]
    if models.reads(name).sentences:
        commands += [["sample", folder, "-n", "2"], ["score", folder, "a.txt"]]
        commands += [["eval", "bleu", folder, "-n", "16"]]
    else:
        commands += [["sample", folder, "-n", "2", "--out", "a.png"]]
    for words in commands:
        found = ask(*words, "--json")
        assert found.code == 0, (words, found.err)
        assert json.loads(found.out), words


def test_its_run_has_scores_and_a_report(run: RunDir, ask: Command, tmp_path: Path) -> None:
    assert json.loads((run.path / "result.json").read_text())["scores"]
    found = ask("report", str(run.path), "--temperatures", "none", "-n", "16")
    assert found.code == 0, found.err
    assert "</html>" in (tmp_path / "report.html").read_text()


def keys_named(end: str, config: Any, prefix: str = "model") -> Iterator[str]:
    """The keys of a config whose last word ends so."""
    for field in dataclasses.fields(config):
        key, value = f"{prefix}.{field.name}", getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from keys_named(end, value, key)
        elif field.name.endswith(end):
            yield key


def test_a_clip_of_0_clips_nothing(name: str, settings: Settings, loaded: Any) -> None:
    """A step of each phase ends with the weights that a bound over every gradient gives."""
    keys = list(keys_named("clip", settings.model))
    if not keys:
        pytest.skip("it clips no gradient")

    def stepped(*words: str) -> Small:
        small = made(compose([*overrides(name), *words]), loaded)
        for phase in small.phases():
            small.step(phase)
        return small

    huge = [f"{key}=1e30" for key in keys]
    unclipped = stepped(*huge).state()
    for key in keys:
        assert same(stepped(*huge, f"{key}=0").state(), unclipped), key
    assert same(stepped(*(f"{key}=0" for key in keys)).state(), unclipped)


def test_a_huge_learning_rate_ends_as_diverged(
    name: str, settings: Settings, cache: Path, tmp_path: Path
) -> None:
    """Neither in a crash nor as a broken run that counts as finished."""
    huge = [f"{key}=1e30" for key in keys_named("learning_rate", settings.model)]
    words = [*overrides(name), *huge, f"runs_dir={tmp_path}", "name=huge"]
    with pytest.raises(Diverged):
        launch.single(words, progress=False)
    run = RunDir(tmp_path / "huge")
    assert run.status == "diverged" and run.divergence
    for row in run.metrics():
        assert all(math.isfinite(v) for v in row.values() if isinstance(v, float)), row
