"""Runs of picture models: what a folder holds, looks, scores at a phase's end, and exact resume."""

import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gantext import data, models
from gantext.config.compose import compose, compose_data
from gantext.data import Reads
from gantext.errors import UserError
from gantext.evaluation.measures.pictures import scores_of
from gantext.inference.drawing import look_at
from gantext.metrics.score import Score
from gantext.models.build import task_of
from gantext.models.contract import Illustrator
from gantext.plots.pictures import SCALE, grid_array, pixels
from gantext.runs import state_tree
from gantext.runs.folder import RunDir
from gantext.runs.kinds import PICTURES
from gantext.runs.trained import restore
from gantext.training import jobs
from gantext.training.inspection import PictureInspector
from gantext.training.loop import Trainer
from tests.conftest import SMALL_DPR_GAN, SMALL_IMAGE_GAN

CPU = torch.device("cpu")
Finished = Callable[[str], RunDir]
WORDS = {"image_gan": SMALL_IMAGE_GAN, "dpr_gan": SMALL_DPR_GAN}
asked: list[tuple[str, int, int]] = []


@pytest.fixture(scope="module", autouse=True)
def judges() -> Iterator[None]:
    """Quick scores that say what was asked of them."""

    def score(
        algorithm: Any, gallery: Any, device: torch.device, *, samples: int, seed: int, **_: Any
    ) -> list[Score]:
        asked.append((gallery.name, samples, seed))
        return [Score("frechet", 1.5, {"pictures": samples})]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gantext.evaluation.measures.pictures.scores_of", score)
        yield


@pytest.fixture
def image_gan() -> list[str]:
    pytest.importorskip("sklearn", reason="data=digits needs scikit-learn")
    return list(SMALL_IMAGE_GAN)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The finished run of a model; made once, not to be changed."""
    if_needed = functools.partial(pytest.importorskip, "sklearn", reason="data=digits needs it")

    @functools.cache
    def make(model: str) -> RunDir:
        if model == "image_gan":
            if_needed()
        return start(tmp_path_factory.mktemp(model), WORDS[model])[0]

    return make


def start(folder: Path, words: list[str]) -> tuple[RunDir, float | None]:
    settings = compose([*words, f"runs_dir={folder}"])
    (folder / "r").mkdir(parents=True)
    return RunDir(folder / "r"), jobs.start(settings, folder / "r", {"overrides": words})


def test_the_folder_of_a_run(image_gan: list[str], tmp_path: Path) -> None:
    """No vocabulary, grids in place of sentences, and the objective is the Frechet distance."""
    asked.clear()
    run, objective = start(tmp_path, image_gan)
    assert objective == 1.5 and run.status == "finished"
    assert not (run.path / "vocabulary.json").exists() and run.kind is PICTURES
    names = sorted(path.name for path in (run.path / "samples").iterdir())
    assert names == ["000000005-adversarial.png", "000000008-adversarial.png", "adversarial.png"]
    looks = run.pictures.looks()
    assert [(look.total, look.phase) for look in looks] == [(5, "adversarial"), (8, "adversarial")]
    assert asked == [("digits", 40, 20)]  # eval.samples, eval.seed
    (record,) = run.scores("phase-adversarial")["scores"]
    weights = run.checkpoint().digest[:8]
    origin = {"run": "r", "model": "image_gan", "step": 8, "phase": "adversarial"}
    drawn = {"sampled": 40, "sample_seed": 20, "run_data": run.info["data"]}
    assert record["signature"] == {"pictures": 40, **origin, "weights": weights, **drawn}
    assert (run.result or {})["warnings"] == []


def test_a_named_objective_is_looked_for(
    image_gan: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, objective = start(tmp_path, [*image_gan, "objective=precision"])
    assert objective is None
    assert "objective=precision is none of the last phase's scores" in capsys.readouterr().err


def test_looks_are_of_one_noise_batch(finished: Finished) -> None:
    """The last look is what the restored model draws from the run's own fixed noise."""
    run = finished("image_gan")
    trained = restore(run, None, None, PICTURES)
    gallery = data.load_for(trained.settings.data, Reads.pictures)
    again = look_at(trained.algorithm, gallery, trained.settings.seed, CPU)
    assert again.shape == (25, 1, 8, 8)
    assert torch.equal(again, look_at(trained.algorithm, gallery, trained.settings.seed, CPU))
    stored = pixels(run.pictures.looks()[-1].path)
    np.testing.assert_array_equal(stored, grid_array(again, 5, SCALE))


def test_looking_changes_nothing(image_gan: list[str], tmp_path: Path) -> None:
    ends = []
    for name, every in (("a", 1), ("b", 0)):
        words = [word for word in image_gan if "sample_every" not in word]
        run, _ = start(tmp_path / name, [*words, f"log.sample_every_steps={every}"])
        ends.append(end_of(run))
    assert ends[0].keys() == ends[1].keys()
    assert all(torch.equal(ends[0][name], ends[1][name]) for name in ends[0])


def end_of(run: RunDir) -> dict[str, torch.Tensor]:
    state, damaged = run.load_checkpoint()
    assert state is not None and not damaged
    tensors: dict[str, torch.Tensor] = {}
    state_tree.flatten(state, tensors)
    return tensors


@pytest.mark.parametrize("model", ["image_gan", "dpr_gan"])
def test_a_run_that_breaks_off_goes_on_exactly(
    model: str, tmp_path: Path, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off at step 7 it has the checkpoint of step 6: it repeats the seventh step."""
    words, straight = WORDS[model], finished(model)
    report = Trainer._report

    def broken(self: Trainer, *rest: Any) -> Any:
        if self.total == 7:
            raise RuntimeError("broken off")
        return report(self, *rest)

    monkeypatch.setattr(Trainer, "_report", broken)
    with pytest.raises(RuntimeError):
        start(tmp_path / "broken", words)
    monkeypatch.setattr(Trainer, "_report", report)
    run = RunDir(tmp_path / "broken" / "r")
    state, _ = run.load_checkpoint()
    assert state is not None and state["total"] == 6
    jobs.resume(run)
    expected, found = end_of(straight), end_of(run)
    assert expected.keys() == found.keys() and len(found) > 10
    assert not [name for name in expected if not torch.equal(expected[name], found[name])]
    assert run.metrics() == straight.metrics()
    grids = [sorted((one.path / "samples").iterdir()) for one in (straight, run)]
    assert [path.read_bytes() for path in grids[0]] == [path.read_bytes() for path in grids[1]]


def test_a_captioned_run_is_rebuilt_from_its_folder_alone(finished: Finished) -> None:
    """Its training captions lie there: the same task, so the same draws of random captions."""
    run = finished("dpr_gan")
    trained = restore(run, None, None, PICTURES)
    assert isinstance(trained.algorithm, Illustrator) and trained.vocabulary is not None
    gallery = data.load_for(trained.settings.data, models.reads("dpr_gan"))
    assert run.pictures.captions == gallery.train.captions
    task = task_of(gallery, CPU)
    assert torch.equal(trained.algorithm.task.captions, task.captions)
    rng = [torch.Generator().manual_seed(3) for _ in range(2)]
    assert torch.equal(trained.algorithm.draw(4, rng[0]), trained.algorithm.draw(4, rng[1]))
    assert run.phase_ends() == ["dual_encoder", "decoder", "composer", "adversarial"]
    assert run.scores("phase-dual_encoder") is None  # it changes no picture


def test_restoring_says_what_is_wrong(finished: Finished, trained: Path) -> None:
    run = finished("image_gan")
    with pytest.raises(UserError, match="r is a run of model=image_gan, which draws pictures"):
        restore(run)
    with pytest.raises(UserError, match="run is a run of model=gan, which writes text"):
        restore(RunDir(trained), None, None, PICTURES)


def test_tensorboard_has_the_grids(image_gan: list[str], tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    words = [word for word in image_gan if "trackers" not in word]
    run, _ = start(tmp_path, [*words, "log.trackers=[tensorboard]"])
    events = EventAccumulator(str(run.tensorboard)).Reload()
    images = events.Images("samples")
    assert [image.step for image in images] == [5, 8]
    assert (images[0].height, images[0].width) == (46 * 4, 46 * 4)


def test_adversarial_training_from_another_run(
    image_gan: list[str], finished: Finished, tmp_path: Path
) -> None:
    """Weights without a vocabulary are taken; those of another size do not fit."""
    run = finished("image_gan")
    more = [*image_gan, f"from_run={run.path}", "phases=adversarial"]
    assert start(tmp_path / "b", more)[0].status == "finished"
    with pytest.raises(UserError, match="do not fit this model"):
        start(tmp_path / "c", [*more, "model.latent_size=5"])


def test_pictures_without_classes_or_captions_have_no_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gantext.evaluation.measures.pictures.scores_of", scores_of)
    words = [word for word in SMALL_IMAGE_GAN if not word.startswith("data")]
    scenes = [word for word in SMALL_DPR_GAN if word.startswith("data")]
    run, objective = start(tmp_path, [*words, *scenes, "model.steps=1"])
    assert objective is None and run.status == "finished"
    said = capsys.readouterr().err
    assert "no classes to be told apart" in said and "objective" not in said


def test_the_inspector_of_pictures_minimises_the_frechet_distance() -> None:
    fields = PictureInspector.__dataclass_fields__
    assert fields["objective"].default == "frechet"


# What data has to read


def test_what_data_offers() -> None:
    everything = (Reads.text, Reads.labelled, Reads.pictures, Reads.captioned)
    assert data.offers("scenes") == everything
    assert data.offers("oracle") == (Reads.text,)
    assert data.offers("mnist") == data.offers("digits") == (Reads.pictures,)
    with pytest.raises(UserError, match="unknown data minst"):
        data.offers("minst")


def test_every_model_says_what_it_reads() -> None:
    reads = {name: models.reads(name) for name in models.available()}
    assert reads["gan"] is reads["vae"] is reads["mle"] is reads["leakgan"] is Reads.text
    assert reads["image_gan"] is Reads.pictures and reads["dpr_gan"] is Reads.captioned
    assert models.readers([Reads.captioned]) == ["dpr_gan"]


def test_loading_what_is_not_there() -> None:
    cfg = compose_data(["data=digits"])
    with pytest.raises(UserError, match="data=digits has no text: try data=scenes, data=coco"):
        data.load(cfg)
    with pytest.raises(UserError, match="has no pictures with captions: try data=scenes"):
        data.load_for(cfg, Reads.captioned)
