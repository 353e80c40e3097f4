"""Ratios of times, PyTorch and scikit-learn against bakeoff: each round does every piece of work on our side and then on
theirs, with as many threads where a side can use them, and medians over the rounds are compared. Work counts only if it is equal: as many
parameters, and a training loss or an accuracy within the tolerance that the table states."""

import argparse
import csv
import json
import os
import pathlib
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import torch
from skimage.feature import hog
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from torch import nn

import networks
from data import WORD, Images, Sources, Texts

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "target" / "release"
# Between these lines of docs/benchmarks.md goes the table.
FROM, TO = "<!-- scripts/peers/run{} writes from here -->", "<!-- to here -->"
LATENCIES = 200
CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}
# Each round starts from weights of its own, which moves the loss of so few steps a lot; models/src/neural/tests.rs compares
# both sides step for step from the same ones.
LOSS_TOLERANCE, ACCURACY_TOLERANCE = 0.2, 0.03
# A single case of quick, of the order of a thousand test rows, after a fit from weights of its own.
CASE_TOLERANCE, MSE_TOLERANCE = 0.1, 0.15


class Ours:
    """Our half: one process for each piece of work."""

    def __init__(self, threads):
        self.threads = threads

    def __call__(self, work, train, test="", seed=0):
        request = {"work": work, "train": train, "test": test, "threads": self.threads, "seed": seed}
        # As the harness starts its cases (harness/src/executor.rs).
        variables = os.environ | {"MIMALLOC_PURGE_DELAY": "-1"}
        done = subprocess.run([PROGRAMS / "examples" / "peers", json.dumps(request)], check=True, capture_output=True,
                              env=variables)
        return json.loads(done.stdout)


class Work:
    """A piece of work: `ours()` and `theirs()` give seconds by part (fit, predict, …) and what must agree."""

    def __init__(self, name, goals, ours, theirs, agree):
        self.name, self.goals, self.ours, self.theirs, self.agree = name, goals, ours, theirs, agree


def loss_agrees(ours, theirs):
    if ours["parameters"] != theirs["parameters"]:
        return f"parameters: {ours['parameters']} and {theirs['parameters']}", False
    a, b = ours["loss"], theirs["loss"]
    return f"{ours['parameters']:,} parameters; loss {a:.3f}, {b:.3f}", abs(a - b) <= LOSS_TOLERANCE * b


def parameters_agree(ours, theirs):
    return f"{ours['parameters']:,} parameters", ours["parameters"] == theirs["parameters"]


def accuracy_agrees(ours, theirs):
    a, b = ours["accuracy"], theirs["accuracy"]
    return f"accuracy {a:.3f}, {b:.3f}", a >= b - ACCURACY_TOLERANCE


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


def stored_agrees(ours, theirs):
    return f"{ours['stored']:,} values", ours["stored"] == theirs["stored"]


class Shapes:
    """How large the work is: the sizes of the goals, or others."""

    def __init__(self, other):
        self.networks = [
            # model, form, rows, batch, network's parameters, recipe
            ("resnet", "images", 1280, 128, {"depth": 20, "width": 16},
             {"optimizer": "sgd", "learning_rate": 0.05, "weight_decay": 1e-4}),
            ("transformer", "texts", 1024, 64, {"width": 128, "layers": 4, "heads": 4, "feed_forward": 512,
             "dropout": 0.1}, {"optimizer": "adamw", "learning_rate": 5e-4, "weight_decay": 0.01}),
            ("lstm", "texts", 2048, 64, {"embedding": 128, "hidden": 256, "dropout": 0.3},
             {"optimizer": "adamw", "learning_rate": 1e-3, "weight_decay": 0.01}),
            ("gru", "texts", 2048, 64, {"embedding": 128, "hidden": 256, "dropout": 0.3},
             {"optimizer": "adamw", "learning_rate": 1e-3, "weight_decay": 0.01}),
        ]
        self.words, self.tables, self.raw, self.trees = 64, [2000, 5000, 10_000], (10_000, 200), 100
        if other:
            sizes = [{"width": 32}, {"width": 192, "heads": 6, "layers": 2, "feed_forward": 768}, {"hidden": 160}, {"hidden": 160}]
            for row, (changed, batch) in enumerate(zip(sizes, (64, 32, 32, 32))):
                model, form, rows, _, network, recipe = self.networks[row]
                self.networks[row] = (model, form, rows // 2, batch, network | changed, recipe)
            self.words, self.tables, self.raw, self.trees = 40, [3000], (3000, 60), 50


def network_works(shapes, sources, ours):
    for model, form, rows, batch, network, recipe in shapes.networks:
        text = form == "texts"
        path, raw, labels = sources.texts(rows, shapes.words) if text else sources.images(rows)
        inputs = Texts(raw) if text else Images(raw)
        targets = torch.from_numpy(labels)
        recipe = recipe | {"batch": batch, "epochs": 3}
        params = network | recipe | {"word_dropout": 0.0, "shard": max(16, min(32, batch // ours.threads))}
        if text:
            params |= {"max_tokens": shapes.words} | ({"bidirectional": False} if model in CELLS else {})
        else:
            params |= {"flip": False, "crop": 0}

        def made(inputs=inputs, model=model, network=network, classes=int(labels.max()) + 1):
            if model == "resnet":
                return networks.ResNet(classes, **network)
            if model == "transformer":
                return networks.Transformer(classes, inputs.vocabulary, tokens=shapes.words, **network)
            return networks.Recurrent(CELLS[model], classes, inputs.vocabulary, both=False, **network)

        def train_ours(seed, model=model, form=form, params=params, path=path):
            told = ours({"train": {"model": model, "form": form, "params": params}}, path, seed=seed)
            return {"train": statistics.mean(told["seconds"]), "loss": statistics.mean(told["losses"]),
                    "parameters": told["parameters"]}

        def train_theirs(seed, made=made, inputs=inputs, targets=targets, recipe=recipe):
            torch.manual_seed(seed)
            network = made()
            told = networks.train(network, inputs, targets, recipe)
            return {"train": statistics.mean(seconds for seconds, _ in told[1:]),
                    "loss": statistics.mean(loss for _, loss in told),
                    "parameters": networks.parameters(network)}

        size = ", ".join(f"{name} {value}" for name, value in network.items() if name != "dropout")
        size += f", {shapes.words} tokens" if text else ""
        goal = 1.2 if model == "transformer" else 1.0
        yield Work(f"{model}: {size}; batch {batch}", {"train": goal}, train_ours, train_theirs, loss_agrees)

        def single_ours(seed, model=model, form=form, params=params, path=path, rows=batch):
            network = {"model": model, "form": form, "params": params | {"epochs": 1, "batch": rows}}
            told = ours({"latency": [network, LATENCIES]}, sources.head(path, form, rows), seed=seed)
            return {"one example": statistics.median(told["seconds"]), "parameters": told["parameters"]}

        def single_theirs(seed, made=made, head=(Texts if text else Images)(raw[:batch])):
            torch.manual_seed(seed)
            network = made(inputs=head)
            return {"one example": statistics.median(networks.latencies(network, head.one, LATENCIES)),
                    "parameters": networks.parameters(network)}

        yield Work(f"{model}: the same, of {batch} rows", {"one example": 1.5}, single_ours, single_theirs,
                   parameters_agree)


def encoding_works(sources, ours):
    path, texts, _ = sources.texts()

    def tfidf(_):
        start = time.perf_counter()
        encoded = TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD).fit_transform(texts)
        return {"encode": time.perf_counter() - start, "stored": encoded.nnz}

    def told(path, form):
        told = ours({"encode": form}, path)
        return {"encode": told["seconds"], "stored": told["stored"]}

    yield Work(f"TF-IDF of {len(texts):,} sentences", {"encode": 3.0}, lambda _: told(path, "texts"), tfidf, stored_agrees)
    image_path, pixels, _ = sources.images(10_000)

    def hogs(_):
        start = time.perf_counter()
        rows = [hog(image.transpose(1, 2, 0) / np.float32(255), channel_axis=-1, orientations=9, pixels_per_cell=(8, 8),
                    cells_per_block=(2, 2)) for image in pixels]
        encoded = StandardScaler().fit_transform(np.stack(rows))
        return {"encode": time.perf_counter() - start, "stored": encoded.size}

    yield Work(f"HOG of {len(pixels):,} images", {"encode": 3.0}, lambda _: told(image_path, "images"), hogs, stored_agrees)


def learner_work(name, goals, work, make, parts, sources, ours):
    (rows, labels), (test_rows, test_labels) = parts
    paths = [sources.table(f"{len(rows)}x{rows.shape[1]}-{part}", *table)
             for part, table in zip(("train", "test"), parts)]

    def told(seed):
        told = ours(work, *paths, seed)
        return {"fit": told["seconds"], "predict": told["predict"], "accuracy": told["accuracy"]}

    def theirs(seed):
        model, start = make(seed), time.perf_counter()
        model.fit(rows, labels)
        fitted = time.perf_counter()
        predicted = model.predict(test_rows)
        return {"fit": fitted - start, "predict": time.perf_counter() - fitted,
                "accuracy": float(np.mean(predicted == test_labels))}

    return Work(name, goals, told, theirs, accuracy_agrees)


def classic_works(shapes, sources, ours):
    every = make_classification(
        n_samples=max(shapes.tables) + 1000, n_features=64, n_informative=24, n_redundant=8, n_classes=10,
        n_clusters_per_class=2, class_sep=1.5, random_state=2026)
    numbers, labels = every[0].astype(np.float32), every[1]

    def parts(numbers, labels, rows):
        return (numbers[:rows], labels[:rows]), (numbers[-1000:], labels[-1000:])

    def forest(trees):
        return lambda seed: RandomForestClassifier(trees, n_jobs=ours.threads, random_state=seed)

    for rows in shapes.tables:
        table = parts(numbers, labels, rows)
        yield learner_work(f"SVC, rbf: {rows:,} x 64, 10 classes", {"fit": 1.0, "predict": 1.0}, {"svm": {"features": 64}},
                           lambda _: SVC(), table, sources, ours)
        yield learner_work(f"forest: {rows:,} x 64, {shapes.trees} trees", {"fit": 2.0, "predict": 2.0},
                           {"forest": {"features": 64, "trees": shapes.trees}}, forest(shapes.trees), table, sources, ours)
    rows, trees = shapes.raw
    _, pixels, labels = sources.images(rows + 1000)
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    table = ((flat[:rows], labels[:rows]), (flat[rows:], labels[rows:]))
    yield learner_work(f"forest: pixels, {rows:,} x 3,072, {trees} trees", {"fit": 2.0, "predict": 2.0},
                       {"forest": {"features": 3072, "trees": trees}}, forest(trees), table, sources, ours)


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
        f"`scripts/peers/run{option}`: medians of {arguments.rounds} rounds in turns, {arguments.threads} threads on each side "
        "(SVC, TF-IDF and HOG of the other side can use but one), "
        f"{processor[1] if processor else platform.processor()} ({wide}), torch {torch.__version__}, load {load:.1f} at the "
        "end. The ratio is their time over ours; goals are those of the ratio. Losses agree within "
        f"{LOSS_TOLERANCE:.0%}; our accuracy is at most {ACCURACY_TOLERANCE} below theirs.", "",
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
    parser.add_argument("--other", action="store_true", help="other shapes: wider, shorter, smaller batches")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    for archive in ["cifar-10-binary.tar.gz", "glue/SST-2.zip"]:
        if not (pathlib.Path(arguments.archives) / archive).is_file():
            sys.exit(f"{arguments.archives}: no {archive} there; give --archives a folder with the official archives of CIFAR-10 "
                     "and SST-2 (docs/data.md has the addresses)")
    with tempfile.TemporaryDirectory() as folder:
        ours, sources, lines = Ours(arguments.threads), Sources(arguments.archives, folder), []
        shapes = Shapes(arguments.other)

        def works():
            yield from network_works(shapes, sources, ours)
            yield from encoding_works(sources, ours)
            yield from classic_works(shapes, sources, ours)
            if not arguments.other:
                yield quick_work(arguments.threads, folder)

        for work in works():
            if re.search(arguments.only, work.name):
                for line in measure(work, arguments.rounds):
                    print(line, flush=True)
                    lines.append(line)
        if not arguments.only:
            write(lines, arguments)


if __name__ == "__main__":
    main()
