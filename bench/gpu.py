"""Rows that only a GPU has, and what its time goes to in an adversarial step.

A GPU computes the default sizes faster than the host launches them, so some rows are larger, and
some draw sentences without a graph, launch by launch.
"""

from functools import partial

from torch.profiler import ProfilerActivity, profile

from bench.models import (
    GAN,
    LEAKGAN,
    VAE,
    captions,
    drawn,
    generator_ways,
    made,
    rng,
    sample_ways,
    step_ways,
    whole,
)
from bench.row import Row, Sizes, seconds
from bench.table import rounded

LARGE = 16  # times the rows of a batch
FIRST = 10  # rows of a profile
BEFORE = 3  # updates that are not profiled
WIDEST = 90  # of a kernel's name
LAUNCHES = ("cudaLaunchKernel", "cuLaunchKernel", "cudaGraphLaunch")
SHOWN = {"gan": GAN, "leakgan": LEAKGAN}


def rows(sizes: Sizes) -> list[Row]:
    """Larger batches, and sentences by many launches."""
    many, long = LARGE * sizes.rows, sizes.length
    found = [
        Row(name, f"{name}, default, {long} words: maximum-likelihood step of {many:,}",
            partial(step_ways, overrides, whole, many), tokens=many * long)
        for name, overrides in (("gan", GAN), ("leakgan", LEAKGAN), ("vae", VAE))
    ]  # fmt: skip
    for name, overrides in (("gan", GAN), ("leakgan", LEAKGAN)):
        found += [
            Row(name, f"{name}, default, {long} words: sample {many:,}",
                partial(sample_ways, overrides, whole, many), tokens=many * long),
            Row(name, f"{name}, default, {sizes.captions} words: generator's update of {many:,}",
                partial(generator_ways, overrides, captions, many), tokens=many * sizes.captions),
        ]  # fmt: skip
    found += [
        Row("gan", f"gan, default, {long} words: sample {count:,} without a graph",
            partial(sample_ways, GAN, whole, count, graphs=False), tokens=count * long)
        for count in (sizes.rows, many)
    ]  # fmt: skip
    return found


def profiled(name: str, sizes: Sizes) -> str:
    """The kernels on which an adversarial update of the generator spends most of a GPU's time.

    Without a GPU the operators on which it spends a CPU's.
    """
    model, draws = made(SHOWN[name], sizes, captions(sizes)), rng(sizes)
    real = drawn(model, 0) if name == "leakgan" else None
    update, on_gpu = partial(model.g_step, real, draws), sizes.device.type == "cuda"
    for _ in range(BEFORE):
        update()
    kinds = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=kinds) as seen:
        milliseconds = 1e3 * seconds(update)
    events = seen.key_averages()
    spent = {
        event.key: (event.self_device_time_total if on_gpu else event.self_cpu_time_total) / 1e3
        for event in events
    }
    calls = {event.key: event.count for event in events}
    computed = sum(spent.values())
    launches = sum(count for key, count in calls.items() if key.startswith(LAUNCHES))
    lines = [
        f"{name}, default, {sizes.captions} words: generator's update, {rounded(milliseconds)} ms, "
        f"of which {rounded(computed)} are computed, by {launches:,} launches",
        "",
        "| | calls | ms | share |",
        "| --- | ---: | ---: | ---: |",
    ]
    for key in sorted(spent, key=spent.__getitem__, reverse=True)[:FIRST]:
        share = f"{100 * spent[key] / computed:.0f} %"
        lines.append(f"| `{key[:WIDEST]}` | {calls[key]:,} | {rounded(spent[key])} | {share} |")
    return "\n".join([*lines, ""])
