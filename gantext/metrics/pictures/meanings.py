"""What the scores of pictures mean."""

from gantext.metrics.meaning import Meaning

_EVAL = "eval pictures"
_CLASSIFIER = "by a classifier of the data, or of its scenes, that has seen real pictures alone"
_ALIKE = (
    Meaning(
        names=("frechet",),
        command=_EVAL,
        says="How far the samples' features are from those of real pictures.",
        formula="|mu_a - mu_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)) of Gaussians fitted to the "
        "features",
        better="lower",
        caution="its floor is frechet-real, not 0; it is no FID of another network",
        scale="the classifier's own, squared, 0 or more",
        source="Heusel et al. 2017, eq. 6",
        computed=f"against as many training pictures, {_CLASSIFIER}",
    ),
    Meaning(
        names=("precision",),
        command=_EVAL,
        says="The share of samples that look real.",
        formula="samples nearer to some real picture than that one's third nearest neighbour / "
        "samples",
        better="higher",
        caution="means little where frechet is far above frechet-real: noise may lie in a large "
        "ball",
        scale="0 to 1",
        source="Kynkäänniemi et al. 2019, eq. 1 and 2",
        computed=f"against as many training pictures, {_CLASSIFIER}",
    ),
    Meaning(
        names=("recall",),
        command=_EVAL,
        says="The share of real pictures that the samples cover.",
        formula="real pictures nearer to some sample than that one's third nearest neighbour / "
        "real pictures",
        better="higher",
        caution="a single far sample makes a large ball: it flatters a model with outliers",
        scale="0 to 1",
        source="Kynkäänniemi et al. 2019, eq. 1 and 2",
        computed=f"against as many training pictures, {_CLASSIFIER}",
    ),
)
_CLASSES = (
    Meaning(
        names=("class-kl",),
        command=_EVAL,
        says="How unevenly the samples are of the data's classes.",
        formula="sum over classes k of p_k log(K p_k)",
        better="lower",
        caution="(K - 1) / 2N on average for N evenly drawn samples, not 0 (Miller 1955)",
        scale="nats, 0 to log K",
        computed=f"classes {_CLASSIFIER}",
    ),
    Meaning(
        names=("class-min-share",),
        command=_EVAL,
        says="The share of the samples that are of the rarest class: 0 is a class that is missing.",
        formula="min over classes k of p_k",
        better="real",
        scale="0 to 1/K",
        computed=f"classes {_CLASSIFIER}",
    ),
    Meaning(
        names=("memorised", "memorised-features"),
        command=_EVAL,
        says="The share of samples suspiciously near to a training picture, in pixels or in "
        "features.",
        formula="samples nearer to a training picture than the 5th percentile of test pictures / "
        "samples",
        better="real",
        caution=".05 for a perfect model, 1 for a copy machine; in pixels what is blurred is near "
        "to much: look at the pairs",
        scale="0 to 1",
        computed="against every training picture",
    ),
    Meaning(
        names=("nearest-train", "nearest-train-features"),
        command=_EVAL,
        says="How far a sample is from the nearest training picture, in pixels or in features.",
        formula="median over samples of the distance to the nearest training picture",
        better="real",
        scale="Euclidean distance, 0 or more; a pixel is -1 to 1",
        computed="against every training picture",
    ),
)
_CAPTIONS = (
    Meaning(
        names=("retrieval-1", "retrieval-5"),
        command=_EVAL,
        says="How often a caption's own picture is the first, or among the first five, of those "
        "that a judge finds for it.",
        formula="captions whose picture has a place of at most k / captions (R@k)",
        better="higher",
        scale="0 to 1",
        source="R@k: Hodosh et al. 2013; of generated pictures after Xu et al. 2018",
        computed="among the pictures of 200 captions of different scenes; ties count against it",
    ),
    Meaning(
        names=("retrieval-mrr",),
        command=_EVAL,
        says="At which place a judge finds a caption's own picture, on average.",
        formula="mean of 1 / place",
        better="higher",
        scale="0 to 1",
        source="Voorhees 1999",
        computed="among the pictures of 200 captions of different scenes; ties count against it",
    ),
    Meaning(
        names=("colour", "shape", "count"),
        command=_EVAL,
        says="The share of pictures with just the colours of their caption, just its shapes, or as "
        "many shapes.",
        formula="pictures whose set of colours (set of shapes, number) is the caption's / pictures",
        better="higher",
        scale="0 to 1",
        computed="by a classifier of attributes that has seen real pictures alone",
    ),
    Meaning(
        names=("colour-recall", "shape-recall"),
        command=_EVAL,
        says="The share of the colours, or shapes, that captions name and pictures show.",
        formula="colours (shapes) named and seen / named",
        better="higher",
        scale="0 to 1",
        computed="by a classifier of attributes that has seen real pictures alone",
    ),
    Meaning(
        names=("diversity",),
        command=_EVAL,
        says="How different the pictures of one caption are.",
        formula="standard deviation of a pixel over eight pictures of a caption, the mean over "
        "pixels and captions",
        better="real",
        scale="a pixel is -1 to 1; 0 or more",
        computed="of up to 100 captions",
    ),
)
_TOLD = (
    Meaning(
        names=("classified",),
        command="eval classified",
        says="The share of test pictures whose class the model tells right.",
        formula="pictures whose likeliest class is their own / pictures",
        better="higher",
        scale="0 to 1",
        source="Salimans et al. 2016, section 5",
        computed="by the discriminator, of the whole test split; who always says one class is "
        "right as often as that class is there (gantext classify RUN)",
    ),
)
PICTURES = (*_ALIKE, *_CLASSES, *_CAPTIONS, *_TOLD)
