"""A run as one has it in Python: its settings and numbers, its networks, what they make."""

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Unpack, overload

from gantext.api.metrics import Rows, rows_or_frame
from gantext.api.samples import Drawn, Samples, pixels_of, several, written
from gantext.api.scores import Choices, Evaluation, evaluate
from gantext.config.settings import Device, member
from gantext.errors import UserError
from gantext.inference.options import Colouring, How, Projection
from gantext.inference.request import SamplingRequest
from gantext.runs.folder import RunDir
from gantext.runs.kinds import PICTURES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn

    from gantext.config.settings import Settings
    from gantext.inference.classification import Classified
    from gantext.inference.drawing import Drawing, PictureRequest
    from gantext.inference.goals import Goals
    from gantext.inference.imputation import Completions
    from gantext.inference.interpolation import Path as Way
    from gantext.inference.latent_plane import LatentPlane
    from gantext.inference.reconstruction import Reconstructions
    from gantext.inference.scoring import Scores
    from gantext.runs.trained import TrainedPictures, TrainedText


class Run:
    """A run, as it is now or as it was at the end of a phase.

    Attributes:
        folder: its files.
        path: its folder.
        place: the same as it was named, for messages.
        phase: the phase at whose end it is looked at; None: its newest state.
        device: where it computes.
    """

    def __init__(
        self, folder: RunDir, phase: str | None = None, device: Device | str = Device.auto
    ) -> None:
        self.place, self.path = folder.path, folder.path.resolve()
        self.folder = RunDir(self.path)  # found again from any folder
        self.phase, self.device = phase, member(Device, device)

    def __str__(self) -> str:
        """What the commands take as RUN: its folder, and the phase if there is one."""
        return f"{self.path}@{self.phase}" if self.phase else str(self.path)

    def __repr__(self) -> str:
        return f"<Run {self}: {self.status}>"

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.path.name

    @property
    def status(self) -> str:
        """What its folder says (see `RunDir.status`); damaged, and why, where nobody can tell."""
        from gantext.runs.summary import unreadable

        try:
            return self.folder.status
        except UserError as error:
            return unreadable(error)

    @property
    def settings(self) -> "Settings":
        """The composed settings. Raises UserError when they are damaged."""
        return self.folder.settings

    @property
    def phases(self) -> list[str]:
        """The phases that have ended, in order: `load_run(run, phase=...)` takes each."""
        return self.folder.phase_ends()

    @property
    def scores(self) -> Evaluation:
        """The scores at the end of each phase, by phase."""
        from gantext.runs.summary import phase_scores

        return Evaluation(phase_scores(self.folder))

    @overload
    def metrics(self, frame: Literal[False]) -> Rows: ...
    @overload
    def metrics(self, frame: bool | None = None) -> Any: ...
    def metrics(self, frame: bool | None = None) -> Any:
        """The reports of its training: phase, step within it, total, losses.

        `frame`: True for a pandas DataFrame, False for a list of dicts, None for a DataFrame where
        pandas is installed. Raises UserError: a DataFrame is wanted and pandas is not there.
        """
        return rows_or_frame(self.folder.metrics(), frame)

    @functools.cached_property
    def trained(self) -> "TrainedText":
        """A text model with its weights. Raises UserError for a model of pictures."""
        from gantext.runs.trained import restore

        return restore(self.folder, self.device, self.phase)

    @functools.cached_property
    def painter(self) -> "TrainedPictures":
        """A picture model with its weights. Raises UserError for a model of text."""
        from gantext.runs.trained import restore

        return restore(self.folder, self.device, self.phase, PICTURES)

    @property
    def _held(self) -> "TrainedText | TrainedPictures":
        return self.painter if self.folder.kind is PICTURES else self.trained

    @property
    def model(self) -> "Mapping[str, nn.Module]":
        """The networks by role, such as "generator"."""
        return self._held.algorithm.networks()

    def sample(
        self,
        n: int | None = None,
        *,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 0,
        prompt: str | None = None,
        label: str | None = None,
        likelihood: bool = False,
        candidates: int = 1,
        judge: str | None = None,
        force: bool = False,
    ) -> "Samples | NDArray[np.uint8]":
        """Sentences, or pictures as bytes (N, H, W, C) with C = 1 (grey) or 3 (RGB).

        Args:
            n: how many; None: 10 sentences or 25 pictures.
            temperature: 1 is the model's own; 0 always takes the likeliest word. As all that
                follow it but the seed it is for words: a model of pictures takes none.
            top_k: only so many of the likeliest words (0: all).
            top_p: nucleus, only words of so much probability together.
            seed: the same seed gives the same samples.
            prompt: the first words of each sentence, which the model goes on from.
            label: the class of all sentences, of a model of classes; None: they are drawn.
            likelihood: with the log-likelihood of each, as `log_prob` of what is returned.
            candidates: keep one of so many, by a judge that tells samples from real sentences.
            judge: "discriminator", "lm-ratio", "encoder", "encoder:FOLDER", or a run by its name
                beside this one or its folder; None: the first of two that knows something.
            force: also by a judge that knows nothing of held-out sentences.

        Raises UserError: a number that makes no sense; a word that is not known; no judge.
        """
        words = temperature, top_k, top_p, prompt, label
        drawn = Drawn(*words, likelihood, candidates, judge, force)
        if self.folder.kind is not PICTURES:
            return self.write(drawn.request(n, seed, self.phase, self.path.parent), likelihood)
        return pixels_of(self.draw(drawn.of_pictures(n, seed, self.phase, self.name)))

    def write(self, request: SamplingRequest, likelihood: bool = False) -> Samples:
        """Sentences as they are asked for. Raises UserError for a model of pictures."""
        return written(self.trained, request, likelihood)

    def draw(self, request: "PictureRequest") -> "Drawing":
        """Pictures as they are asked for, of captions too. Raises UserError for a model of text."""
        from gantext.inference.drawing import draw_pictures

        return draw_pictures(self.painter, request)

    def score(self, sentences: str | Sequence[str] | Path) -> "Scores":
        """The log-likelihood of sentences (nats), and how real the discriminator takes them for.

        Args:
            sentences: one, several, or a file with one a line.

        Raises UserError: no model of text; no sentence; the file cannot be read.
        """
        from gantext.inference.scoring import score_file, score_lines

        if isinstance(sentences, Path):
            return score_file(self.trained, sentences, self.phase)
        return score_lines(self.trained, several(sentences), phase=self.phase)

    def classify(self, rows: str | Sequence[str] | Path | None = None) -> "Classified":
        """How likely each class of its data is: of sentences, or of a file (folder) of rows.

        None: of its data's test split, with the accuracy. Raises UserError as `gantext classify`.
        """
        from gantext.inference.classification import classify as told

        return told(self._held, rows, self.phase)

    def reconstruct(
        self,
        sentences: str | Sequence[str] | Path,
        *,
        how: How | str = How.greedy,
        beam: int = 5,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> "Reconstructions":
        """Encode sentences with a VAE and decode them again.

        Args:
            sentences: one, several, or a file with one a line.
            how: greedy, beam or sample.
            beam: hypotheses of a beam.
            temperature, seed: of how="sample".

        Raises UserError: no latent variable; no sentence that is short enough; no such file.
        """
        from gantext.inference.latent import Decoding
        from gantext.inference.reconstruction import reconstruct_file, reconstruct_lines

        decoding = Decoding(member(How, how), beam, temperature, seed)
        if isinstance(sentences, Path):
            return reconstruct_file(self.trained, sentences, decoding, self.phase)
        lines = several(sentences)
        return reconstruct_lines(self.trained, lines, decoding, phase=self.phase)

    def interpolate(
        self,
        first: str,
        second: str,
        *,
        steps: int = 7,
        spherical: bool = False,
        how: How | str = How.greedy,
        beam: int = 5,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> "Way":
        """The sentences on the way between two through a VAE's latent space.

        Args:
            first, second: the two sentences.
            steps: points on the way, both ends counted.
            spherical: along the arc instead of the line.
            how, beam, temperature, seed: as in `reconstruct`.

        Raises UserError: no latent variable; a sentence that is empty or too long; steps < 2.
        """
        from gantext.inference.interpolation import interpolate
        from gantext.inference.latent import Decoding

        decoding = Decoding(member(How, how), beam, temperature, seed)
        return interpolate(self.trained, [first, second], steps, spherical, decoding, self.phase)

    def impute(
        self, text: str, *, n: int = 5, beam: int = 5, rounds: int = 3, max_words: int = 1
    ) -> "Completions":
        """Fill the blanks (___) of a sentence by beam search; the likeliest first.

        Args:
            text: a sentence with blanks.
            n: how many completions.
            beam: hypotheses of the beam.
            rounds: of a VAE: searches, each with the z of the one before.
            max_words: words that a blank may have.

        Raises UserError: no blank; too long; too many forms of the sentence; no model of text.
        """
        from gantext.inference.imputation import Search, impute

        return impute(self.trained, text, Search(n, beam, rounds, max_words), self.phase)

    def goals(
        self,
        sentences: str | Sequence[str] = (),
        *,
        n: int = 3,
        temperature: float = 1.0,
        seed: int = 0,
    ) -> "Goals":
        """A LeakGAN's goals and leaked features over the words of sentences, or of n samples.

        Raises UserError: no goals; a sentence that is empty or too long.
        """
        from gantext.inference.goals import goals_of

        request = SamplingRequest(n, temperature, seed=seed, phase=self.phase)
        return goals_of(self.trained, request, several(sentences))

    def latent(
        self,
        *,
        by: Colouring | str = Colouring.length,
        method: Projection | str = Projection.pca,
        n: int = 1000,
        seed: int = 0,
    ) -> "LatentPlane":
        """Test sentences' posterior means in a plane, of a VAE.

        Args:
            by: length, shape or colour (the latter two on data=scenes): the property beside each.
            method: pca, or tsne, which needs scikit-learn.
            n: how many test sentences, at least 3.
            seed: of the choice and of t-SNE.

        Raises UserError: no latent variable; other data than the run's; no such property.
        """
        from gantext.inference.latent_plane import plane_of

        options = {"by": member(Colouring, by).value, "method": member(Projection, method).value}
        return plane_of(self.trained, n=n, seed=seed, phase=self.phase, **options)

    def export(self, folder: str | Path, force: bool = False) -> "Run":
        """Write its weights, vocabulary, settings and a model card to a folder, to be shared.

        `load_run` takes it as a run. It is new or empty; with `force` an export in it is replaced,
        and other files stay. Raises UserError where it holds something else.
        """
        from gantext.report.shared import share

        return Run(share(self.folder, self.phase, Path(folder), force))

    def evaluate(self, *measures: str, **choices: Unpack[Choices]) -> Evaluation:
        """Its scores by the named measures, beside the real text's.

        `choices` as in `gantext.evaluate`; runs_dir and device are its own. Raises UserError.
        """
        own: Choices = {"device": self.device, "runs_dir": self.path.parent, **choices}
        return evaluate([self], measures, **own)
