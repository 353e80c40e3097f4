"""Ratios of times, PyTorch and scikit-learn against bakeoff: each round does every piece of work on our side and then on
theirs, with as many threads where a side can use them, and medians over the rounds are compared. Work counts only if it is equal: as many
parameters, and a training loss or an accuracy within the tolerance that the table states."""

import argparse
import os
import pathlib
import platform
import re
import statistics
import sys
import tempfile

import torch

import works
from data import Sources
from works import ACCURACY_TOLERANCE, LOSS_TOLERANCE, ROOT, SIZE_TOLERANCE

# Between these lines of docs/benchmarks.md goes the table.
FROM, TO = "<!-- scripts/peers/run{} writes from here -->", "<!-- to here -->"


def measure(work, rounds):
    """Rows of the table: part, medians of both sides, ratio, goal, what agreed."""
    a, b = [], []
    for seed in range(rounds):
        a.append(work.ours(seed))
        b.append(work.theirs(seed))
    middle = lambda side, key: statistics.median(one[key] for one in side)
    agreed, equal = work.agree(*({key: middle(side, key) for key in side[0]} for side in (a, b)))
    for part, goal in work.goals.items():
        mine, peer = middle(a, part), middle(b, part)
        verdict = agreed if equal else f"**not equal work**: {agreed}"
        yield f"| {work.name} | {part} | {span(mine)} | {span(peer)} | {peer / mine:.2f} | {goal} | {verdict} |"


def span(seconds):
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1e3 * seconds:.2f} ms"


def write(lines, arguments):
    processor = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    flags = re.search(r"flags\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    wide = "AVX-512" if flags and "avx512f" in flags[1] else "no AVX-512"
    load = os.getloadavg()[0]
    option = " --other" if arguments.other else ""
    mark = FROM.format(option)
    text = [
        mark, "",
        f"`scripts/peers/run{option}{' --minilm FOLDER' if arguments.minilm else ''}`: medians of {arguments.rounds} rounds in turns, {arguments.threads} threads on each side "
        "(SVC, the tree, TF-IDF and HOG of the other side can use but one), "
        f"{processor[1] if processor else platform.processor()} ({wide}), torch {torch.__version__}, load {load:.1f} at the "
        "end. The ratio is their time over ours; goals are those of the ratio. Losses agree within "
        f"{LOSS_TOLERANCE:.0%} and the sizes of trees within {SIZE_TOLERANCE:.0%}; our accuracy is at most {ACCURACY_TOLERANCE} "
        "below theirs.", "",
        "| work | part | ours | theirs | ratio | goal | the same work? |", "| --- | --- | --- | --- | --- | --- | --- |",
        *lines, "", TO,
    ]
    path = ROOT / "docs" / "benchmarks.md"
    page = path.read_text()
    before, rest = page.split(mark)
    path.write_text(before + "\n".join(text) + rest.split(TO, 1)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--archives", default=ROOT / ".." / "shared" / "data", help="folder of the official archives")
    parser.add_argument("--only", default="", help="only work whose name matches; then nothing is written")
    parser.add_argument("--minilm", type=pathlib.Path, help="folder of the pretrained encoder; without it, no encoder is measured")
    parser.add_argument("--other", action="store_true", help="other shapes: wider, shorter, smaller batches")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for archive in ["cifar-10-binary.tar.gz", "glue/SST-2.zip"]:
        if not (pathlib.Path(arguments.archives) / archive).is_file():
            sys.exit(f"{arguments.archives}: no {archive} there; give --archives a folder with the official archives of CIFAR-10 "
                     "and SST-2 (docs/data.md has the addresses)")
    if arguments.minilm and not (arguments.minilm / "model.safetensors").is_file():
        sys.exit(f"{arguments.minilm}: no model.safetensors there; give --minilm the folder with the encoder's config.json, "
                 "tokenizer.json and model.safetensors (docs/encoders.md says where to get them)")
    with tempfile.TemporaryDirectory() as folder:
        ours, sources, lines = works.Ours(arguments.threads), Sources(arguments.archives, folder), []

        for work in works.every(arguments.other, arguments.minilm, sources, ours):
            if re.search(arguments.only, work.name):
                for line in measure(work, arguments.rounds):
                    print(line, flush=True)
                    lines.append(line)
        if not arguments.only:
            write(lines, arguments)


if __name__ == "__main__":
    main()
