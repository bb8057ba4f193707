"""The settings of judges, which were tuned: another one makes other scores, of another VERSION."""

import torch

from gantext.evaluation.judges import adversarial_error, encoders, naive_bayes
from gantext.evaluation.judges import attribute_classifier as attributes
from gantext.evaluation.judges import caption_judge as captions
from gantext.evaluation.judges import class_judge as classes
from gantext.evaluation.judges import picture_classifier as pictures
from gantext.evaluation.measures import captions as scores
from gantext.evaluation.measures import class_accuracy, latent, mauve
from gantext.inference.judges import encoder, sides
from gantext.nn.captions.dual_encoder import DualEncoderConfig
from gantext.nn.captions.fitting import Descent, FittingConfig
from gantext.nn.text.text_cnn import DiscriminatorConfig


def test_the_classifier_of_attributes() -> None:
    assert (attributes.SIZE, attributes.WIDTHS) == (128, (48, 64, 128, 192))
    assert (attributes.STEPS, attributes.BATCH_SIZE, attributes.EPOCHS) == (1600, 64, 11)
    assert (attributes.LEARNING_RATE, attributes.FINAL_RATE) == (3e-3, 0.02)
    assert (attributes.WARMUP_STEPS, attributes.WEIGHT_DECAY) == (100, 0.01)
    assert (attributes.VERSION, attributes.SEED, attributes.MOST) == ("attributes-1", 78, 12)


def test_it_reads_at_a_quarter_and_an_eighth_of_the_pixels() -> None:
    network = attributes.AttributeNetwork(3, torch.Generator().manual_seed(0))
    fine = network.fine(torch.zeros(1, 3, 32, 32))
    assert fine.shape == (1, 128, 8, 8) and network.coarse(fine).shape == (1, 192, 4, 4)


def test_the_judge_of_captions() -> None:
    assert captions.SIZES == DualEncoderConfig(64, 128, (48, 96, 128), 128, 0.07)
    assert captions.FITTING == FittingConfig(1000, 96, 2e-3, 100, 0.01, 0, 0.0)
    assert captions.DESCENT == Descent(betas=(0.9, 0.99), final_rate=0.02, clip=1.0)
    assert (captions.EPOCHS, captions.DECIMALS) == (10, 5)
    assert (captions.VERSION, captions.SEED) == ("dual-1", 77)
    assert (scores.CANDIDATES, scores.POOLS) == (200, 5)
    assert (scores.VARIED, scores.DRAWINGS) == (100, 8)


def test_the_classifier_of_pictures() -> None:
    assert (pictures.SIZE, pictures.FILTERS, pictures.VERSION) == (64, (16, 32), "cnn-1")
    assert (pictures.STEPS, pictures.BATCH_SIZE, pictures.LEARNING_RATE) == (1000, 64, 3e-3)


def test_the_classifier_of_text() -> None:
    assert classes.SIZES == DiscriminatorConfig(64, (1, 2, 3, 4, 5), (50,) * 5, 0.5, 0.0, -1.0)
    assert (classes.STEPS, classes.BATCH_SIZE, classes.LEARNING_RATE) == (600, 64, 2e-3)
    assert (classes.WARMUP_STEPS, classes.FINAL_RATE) == (50, 0.02)
    assert (classes.VERSION, naive_bayes.VERSION) == ("class-cnn-1", "nb-2gram-1")


def test_the_encoder_and_the_sides_of_candidates() -> None:
    tuning = encoder.FINE_TUNING
    assert (tuning.learning_rate, tuning.output_rate, tuning.batch_size) == (5e-5, 1e-3, 16)
    assert (encoder.STEPS, encoder.LOOK_EVERY, encoder.PATIENCE) == (800, 100, 2)
    assert (encoder.VERSION, encoder.SEED) == ("encoder-2", 81)
    assert (sides.MOST, sides.FRESH, sides.LEAST, sides.SEED) == (2000, 2, 4, 79)


def test_the_judge_of_filled_in_sentences() -> None:
    assert (adversarial_error.BUCKETS, adversarial_error.ORDERS) == (16_384, (1, 2, 3))
    assert (adversarial_error.STEPS, adversarial_error.RATE) == (200, 0.1)


def test_limits_of_measures() -> None:
    assert (mauve.MOST, class_accuracy.DIGITS, latent.ACTIVE) == (5000, 4, 0.01)
    assert (encoders.BATCH_SIZE, encoders.HUB_SECONDS) == (32, 10)
