"""The pieces of work that both sides do, one after the other. Work counts only if it is equal: as many parameters, and a training loss
or an accuracy within a tolerance."""

import json
import os
import pathlib
import statistics
import subprocess
import time

import numpy as np
import torch
from skimage.feature import hog
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from torch import nn

import networks
from data import WORD, Images, Texts

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "target" / "release"
LATENCIES = 200
CELLS = {"lstm": nn.LSTM, "gru": nn.GRU}
# Each round starts from weights of its own, which moves the loss of so few steps a lot; models/src/neural/tests.rs compares
# both sides step for step from the same ones.
LOSS_TOLERANCE, ACCURACY_TOLERANCE = 0.2, 0.03
# Where two splits of a tree are worth the same, the seed decides.
SIZE_TOLERANCE = 0.1


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


def tree_agrees(ours, theirs):
    said, agree = accuracy_agrees(ours, theirs)
    a, b = ours["parameters"], theirs["parameters"]
    return f"{said}; {a:,.0f} and {b:,.0f} parameters", agree and abs(a - b) <= SIZE_TOLERANCE * b


def stored_agrees(ours, theirs):
    return f"{ours['stored']:,} values", ours["stored"] == theirs["stored"]


class Shapes:
    """How large the work is: the sizes of the goals, or others."""

    def __init__(self, other):
        sgd = {"optimizer": "sgd", "learning_rate": 0.05, "weight_decay": 1e-4}
        adamw = {"optimizer": "adamw", "learning_rate": 1e-3, "weight_decay": 0.01}
        memory = {"embedding": 128, "hidden": 256, "dropout": 0.3}
        self.networks = [
            # model, form, rows, batch, network's parameters, recipe
            ("resnet", "images", 1280, 128, {"depth": 20, "width": 16}, sgd),
            ("cnn", "images", 1280, 128, {"depth": 20, "width": 16}, sgd),
            ("mlp", "images", 10_000, 128, {"hidden": 256, "layers": 2, "dropout": 0.2}, adamw),
            ("transformer", "texts", 1024, 64, {"width": 128, "layers": 4, "heads": 4, "feed_forward": 512, "dropout": 0.1},
             adamw | {"learning_rate": 5e-4}),
            ("lstm", "texts", 2048, 64, memory, adamw),
            ("gru", "texts", 2048, 64, memory, adamw),
        ]
        self.rivals = 384, 128, {"width": 32, "noise": 100}, adamw | {"weight_decay": 1e-4}
        self.words, self.tables, self.raw, self.trees, self.tree = 64, [2000, 5000, 10_000], (10_000, 200), 100, (3000, 1e-3)
        if other:
            sizes = {
                "resnet": ({"width": 32}, 64), "cnn": ({"width": 32}, 64), "mlp": ({"hidden": 512, "layers": 1}, 32),
                "transformer": ({"width": 192, "heads": 6, "layers": 2, "feed_forward": 768}, 32),
                "lstm": ({"hidden": 160}, 32), "gru": ({"hidden": 160}, 32),
            }
            for row, (model, form, rows, _, network, recipe) in enumerate(self.networks):
                changed, batch = sizes[model]
                self.networks[row] = (model, form, rows // 2, batch, network | changed, recipe)
            self.rivals = 192, 64, {"width": 16, "noise": 50}, self.rivals[-1]
            self.words, self.tables, self.raw, self.trees, self.tree = 40, [3000], (3000, 60), 50, (2000, 2e-3)


def build(model, network, inputs, classes, tokens):
    """The network of a row, as one would write it in PyTorch."""
    if model in ("resnet", "cnn"):
        return networks.ResNet(classes, residual=model == "resnet", **network)
    if model == "mlp":
        return networks.Mlp(classes, inputs.pixels[0].size, **network)
    if model == "transformer":
        return networks.Transformer(classes, inputs.vocabulary, tokens=tokens, **network)
    return networks.Recurrent(CELLS[model], classes, inputs.vocabulary, both=False, **network)


def described(network):
    return ", ".join(f"{name} {value}" for name, value in network.items() if name != "dropout")


def trained(model, form, params, path, ours):
    """Our half of a training: the mean of the losses, and the seconds of an epoch."""

    def train(seed):
        told = ours({"train": {"model": model, "form": form, "params": params}}, path, seed=seed)
        return {"train": statistics.mean(told["seconds"]), "loss": statistics.mean(told["losses"]),
                "parameters": told["parameters"]}

    return train


def told_of(epochs, parameters):
    """The same of the other half: seconds and loss of each epoch, of which the first also warms up."""
    return {"train": statistics.mean(seconds for seconds, *_ in epochs[1:]),
            "loss": statistics.mean(loss for _, loss, *_ in epochs), "parameters": parameters}


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
            params |= {"flip": False, "crop": 0} | ({"features": "pixels"} if model == "mlp" else {})

        def made(inputs=inputs, model=model, network=network, classes=int(labels.max()) + 1):
            return build(model, network, inputs, classes, shapes.words)

        def train_theirs(seed, made=made, inputs=inputs, targets=targets, recipe=recipe):
            torch.manual_seed(seed)
            network = made()
            return told_of(networks.train(network, inputs, targets, recipe), networks.parameters(network))

        size = described(network) + (f", {shapes.words} tokens" if text else "")
        goal = 1.2 if model == "transformer" else 1.0
        yield Work(f"{model}: {size}; batch {batch}", {"train": goal}, trained(model, form, params, path, ours), train_theirs,
                   loss_agrees)

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


def rivals_work(shapes, sources, ours):
    rows, batch, network, recipe = shapes.rivals
    path, pixels, labels = sources.images(rows)
    inputs, targets, recipe = Images(pixels), torch.from_numpy(labels), recipe | {"batch": batch, "epochs": 3}
    params = network | recipe | {"flip": False, "crop": 0, "shard": max(16, min(32, batch // ours.threads))}

    def theirs(seed):
        torch.manual_seed(seed)
        both = networks.Discriminator(int(labels.max()) + 1, network["width"]), networks.Generator(inputs, **network)
        epochs = networks.train_rivals(*both, inputs, targets, recipe)
        return told_of(epochs, sum(map(networks.parameters, both)))

    return Work(f"gan: {described(network)}; batch {batch}", {"train": 1.0}, trained("gan", "images", params, path, ours), theirs,
                loss_agrees)


def encoder_work(folder, sources, ours):
    # Only this piece of work needs transformers, which takes seconds to import.
    import encoder

    rows, batch, longest = 512, 32, 128
    path, texts, labels = sources.texts(rows)
    inputs, targets = encoder.Pieces(folder, texts, longest), torch.from_numpy(labels)
    recipe = {"learning_rate": 5e-5, "weight_decay": 0.01, "batch": batch, "epochs": 3}
    params = recipe | {"weights": str(folder), "pooling": "class", "dropout": 0.1, "max_tokens": longest,
                       "shard": max(16, batch // ours.threads)}

    def theirs(seed):
        torch.manual_seed(seed)
        network = encoder.Encoder(folder, int(labels.max()) + 1)
        epochs = networks.train(network, inputs, targets, recipe | {"optimizer": "adamw", "fall": "linear"})
        return told_of(epochs, networks.parameters(network))

    return Work(f"encoder: fine-tuned on {rows} sentences; batch {batch}", {"train": 1.0},
                trained("encoder", "texts", params, path, ours), theirs, loss_agrees)


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


def learner_work(name, goals, work, make, parts, paths, ours, size=None):
    """A learner of sides of rows and labels, which `paths` hold for our side. `size` gives the parameters of a fitted one of theirs, if
    they are to agree."""
    (rows, labels), (test_rows, test_labels) = parts

    def told(seed):
        told = ours(work, *paths, seed)
        agree = {"parameters": told["parameters"]} if size else {}
        return {"fit": told["seconds"], "predict": told["predict"], "accuracy": told["accuracy"]} | agree

    def theirs(seed):
        model, start = make(seed), time.perf_counter()
        model.fit(rows, labels)
        fitted = time.perf_counter()
        predicted = model.predict(test_rows)
        seconds = {"fit": fitted - start, "predict": time.perf_counter() - fitted}
        agree = {"parameters": size(model)} if size else {}
        return seconds | {"accuracy": float(np.mean(predicted == test_labels))} | agree

    return Work(name, goals, told, theirs, tree_agrees if size else accuracy_agrees)


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
        tables = parts(numbers, labels, rows)
        paths = sources.tables(tables)
        yield learner_work(f"SVC, rbf: {rows:,} x 64, 10 classes", {"fit": 1.0, "predict": 1.0}, {"svm": {"features": 64}},
                           lambda _: SVC(), tables, paths, ours)
        yield learner_work(f"forest: {rows:,} x 64, {shapes.trees} trees", {"fit": 2.0, "predict": 2.0},
                           {"forest": {"features": 64, "trees": shapes.trees}}, forest(shapes.trees), tables, paths, ours)
    rows, trees = shapes.raw
    _, pixels, labels = sources.images(rows + 1000)
    tables = parts(flat(pixels), labels, rows)
    yield learner_work(f"forest: pixels, {rows:,} x 3,072, {trees} trees", {"fit": 2.0, "predict": 2.0},
                       {"forest": {"features": 3072, "trees": trees}}, forest(trees), tables, sources.tables(tables), ours)


def flat(pixels):
    return pixels.reshape(len(pixels), -1).astype(np.float32)


def tree_work(shapes, sources, ours):
    """A single pruned tree. Pixels have at most 256 values, so both sides try the same splits."""
    rows, alpha = shapes.tree
    path, pixels, labels = sources.images(rows + 1000)
    params = {"features": "pixels", "cross_validate": False, "ccp_alpha": alpha}
    work = {"fit": {"model": "decision-tree", "form": "images", "params": params}}
    parts, paths = ((pixels[:rows], labels[:rows]), (pixels[rows:], labels[rows:])), sources.cut(path, rows)
    make = lambda seed: make_pipeline(FunctionTransformer(flat), DecisionTreeClassifier(ccp_alpha=alpha, random_state=seed))
    # Of each decision its feature and its threshold, and of each leaf the share of each class.
    size = lambda tree: 2 * (tree.get_n_leaves() - 1) + tree.get_n_leaves() * tree.n_classes_
    return learner_work(f"tree: pixels, {rows:,} x 3,072, alpha {alpha}", {"fit": 2.0, "predict": 2.0}, work, make, parts, paths,
                        ours, lambda pipeline: size(pipeline[-1]))


def every(other, minilm, sources, ours):
    """All of it but the whole of quick. `minilm` is the folder of the pretrained encoder, or None."""
    shapes = Shapes(other)
    yield from network_works(shapes, sources, ours)
    yield rivals_work(shapes, sources, ours)
    if minilm:
        yield encoder_work(minilm.resolve(), sources, ours)
    yield from encoding_works(sources, ours)
    yield from classic_works(shapes, sources, ours)
    yield tree_work(shapes, sources, ours)
