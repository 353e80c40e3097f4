"""Ratios of times, PyTorch and scikit-learn against bakeoff: each round does every piece of work on our side and then on
theirs, with as many threads where a side can use them, and medians over the rounds are compared. Work counts only if it is equal: as many
parameters, and a training loss or an accuracy within the tolerance that the table states."""

import argparse
import csv
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

import torch

import works
from data import Sources
from works import ACCURACY_TOLERANCE, LOSS_TOLERANCE, PROGRAMS, ROOT, SIZE_TOLERANCE, Work

# Between these lines of docs/benchmarks.md goes the table.
FROM, TO = "<!-- scripts/peers/run{} writes from here -->", "<!-- to here -->"
# A single case of quick, of the order of a thousand test rows, after a fit from weights of its own.
CASE_TOLERANCE, MSE_TOLERANCE = 0.1, 0.15


def quick_agrees(ours, theirs):
    cases = [case for case in ours if case != "all"]
    if sorted(cases) != sorted(case for case in theirs if case != "all"):
        return f"other cases: {sorted(ours)}, {sorted(theirs)}", False
    classes = [case for case in cases if "rotation" not in case]
    means = [statistics.mean(side[case] for case in classes) for side in (ours, theirs)]
    short = max(theirs[case] - ours[case] for case in classes)
    worse = max(ours[case] / theirs[case] for case in cases if case not in classes)
    said = f"{len(cases)} cases; accuracy {means[0]:.3f}, {means[1]:.3f}, at most {short:.3f} less; MSE at most {worse:.2f} times theirs"
    return said, means[0] >= means[1] - ACCURACY_TOLERANCE and short <= CASE_TOLERANCE and worse <= 1 + MSE_TOLERANCE


def quick_work(threads, folder):
    def timed(command):
        start = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return time.perf_counter() - start, done.stdout

    def ours(seed):
        run = f"{folder}/quick{seed}"
        seconds, _ = timed([PROGRAMS / "bakeoff", "run", "quick", "--threads", str(threads), "--out", run])
        with open(f"{run}/summary.csv", newline="") as file:
            scores = {f"{row['task']} {row['model']}": float(row["accuracy"] or row["mse"]) for row in csv.DictReader(file)}
        return {"all": seconds} | scores

    def theirs(_):
        seconds, said = timed([sys.executable, pathlib.Path(__file__).with_name("quick.py"), str(threads)])
        rows = [line.split() for line in said.splitlines()]
        return {"all": seconds} | {f"{task} {model}": float(score) for task, model, score, *_ in rows}

    return Work("the whole of quick", {"all": 1.5}, ours, theirs, quick_agrees)


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

        def every_work():
            yield from works.every(arguments.other, arguments.minilm, sources, ours)
            if not arguments.other:
                yield quick_work(arguments.threads, folder)

        for work in every_work():
            if re.search(arguments.only, work.name):
                for line in measure(work, arguments.rounds):
                    print(line, flush=True)
                    lines.append(line)
        if not arguments.only:
            write(lines, arguments)


if __name__ == "__main__":
    main()
