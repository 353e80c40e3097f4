"""The whole of `bakeoff run quick` as one would write it with PyTorch and scikit-learn: the same fifteen cases, rows,
sizes, epochs and predictions (harness/suites/quick.toml), from the sample in datasets/samples."""

import gzip
import pathlib
import sys
import time
import tomllib

import numpy as np
import torch
from skimage.feature import hog
from skimage.transform import rotate
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from torch import nn

import networks
from data import RECORD, WORD, Images, Texts

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "datasets" / "samples"
LATENCIES, PASSES = 200, 3
# Defaults of models/src that quick.toml leaves alone, for images and for texts.
RECIPES = {
    True: {"batch": 128, "optimizer": "adamw", "clip": 1.0, "flip": True, "crop": 4, "weight_decay": 0.01},
    False: {"batch": 32, "optimizer": "adamw", "clip": 1.0, "word_dropout": 0.1, "weight_decay": 0.01},
}
LAYERS = ("depth", "width", "layers", "feed_forward", "dropout", "patch", "hidden", "embedding")


def images(part):
    with gzip.open(SAMPLES / f"cifar10-{part}.bin.gz") as file:
        records = np.frombuffer(file.read(), np.uint8).reshape(-1, RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32).copy(), records[:, 0].astype(np.int64)


def texts(part):
    with gzip.open(SAMPLES / f"sst2-{part}.tsv.gz", "rt", encoding="utf-8") as file:
        lines = file.read().splitlines()[1:]
    found, labels = zip(*(line.rsplit("\t", 1) for line in lines))
    return list(found), np.array(labels, dtype=np.int64)


def turned(pixels, seed):
    angles = np.random.default_rng(seed).uniform(-60, 60, len(pixels)).astype(np.float32)
    made = [rotate(image.transpose(1, 2, 0), angle, mode="symmetric", preserve_range=True)
            for image, angle in zip(pixels, angles)]
    return np.stack(made).transpose(0, 3, 1, 2).round().astype(np.uint8).copy(), angles


def features(pixels):
    return np.stack([hog(image.transpose(1, 2, 0) / 255.0, channel_axis=-1, orientations=9, pixels_per_cell=(8, 8),
                         cells_per_block=(2, 2)) for image in pixels]).astype(np.float32)


def with_pixels(scaled, pixels):
    return np.hstack([scaled, pixels.reshape(len(pixels), -1) / np.float32(255)])


def network(model, inputs, outputs, settings):
    """The network of a case, with models/src's defaults where the suite is silent."""
    layers = {name: value for name, value in settings.items() if name in LAYERS}
    text = isinstance(inputs, Texts)
    if model == "transformer":
        if text:
            return networks.Transformer(outputs, inputs.vocabulary, **layers)
        return networks.Transformer(outputs, tokens=(32 // layers["patch"]) ** 2, **layers)
    if model == "resnet":
        return networks.TextResNet(outputs, inputs.vocabulary, **layers) if text else networks.ResNet(outputs, **layers)
    if text:
        return networks.Recurrent(nn.LSTM, outputs, inputs.vocabulary, **layers)
    return networks.Recurrent(nn.LSTM, outputs, embedding=96, largest=False, **layers)


def neural(model, task, train, test, settings):
    (rows, targets), (test_rows, test_targets) = train, test
    kind = Texts if task == "sst2" else Images
    held = len(targets) // 10
    inputs, held_inputs = kind(rows[held:]), None
    held_inputs, test_inputs = kind(rows[:held], inputs), kind(test_rows, inputs)
    regression = targets.dtype == np.float32
    mean, std = (0, targets.std()) if regression else (0, 1)
    wanted = torch.from_numpy((targets[held:] - mean) / std if regression else targets[held:])
    outputs = 1 if regression else int(targets.max()) + 1
    net = network(model, inputs, outputs, settings)
    recipe = RECIPES[kind is Images] | settings
    networks.train(net, inputs, wanted, recipe, lambda: networks.predict(net, held_inputs))
    answers = networks.predict(net, test_inputs).numpy()
    for _ in range(PASSES):
        networks.predict(net, test_inputs)
    networks.latencies(net, test_inputs.one, LATENCIES, 20)
    return score(answers.squeeze(1) * std + mean if regression else answers.argmax(1), test_targets)


def classic(model, task, train, test, settings):
    (rows, targets), (test_rows, test_targets) = train, test
    regression = targets.dtype == np.float32
    if task == "sst2":
        # Forests take the 2,000 commonest terms, as ours do.
        encoder = TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD, max_features=None if model == "svm" else 2000)
        encoded, encode = encoder.fit_transform(rows), encoder.transform
        if model == "svm":
            learner = SVC(kernel="linear")
    else:
        # The SVM reads HOG and raw pixels, the forest HOG alone: our defaults for colour images.
        beside = with_pixels if model == "svm" else lambda scaled, _: scaled
        scaler = StandardScaler()
        encoded = beside(scaler.fit_transform(features(rows)), rows)
        encode = lambda some: beside(scaler.transform(features(some)), some)
        if model == "svm":
            learner = SVR() if regression else SVC()
    if model == "random-forest":
        forest, share = (RandomForestRegressor, 1 / 3) if regression else (RandomForestClassifier, "sqrt")
        learner = forest(settings.get("trees", 200), max_features=share, n_jobs=torch.get_num_threads())
    spread = targets.std() if regression else None
    learner.fit(encoded, targets / spread if regression and model == "svm" else targets)
    answers = learner.predict(encode(test_rows))
    for _ in range(PASSES):
        learner.predict(encode(test_rows))
    for index in range(LATENCIES + 20):
        learner.predict(encode(test_rows[index % len(test_rows) :][:1]))
    return score(answers * spread if regression and model == "svm" else answers, test_targets)


def score(answers, targets):
    if targets.dtype == np.float32:
        return float(np.mean((answers - targets) ** 2))
    return float(np.mean(answers == targets))


def main(threads):
    torch.set_num_threads(threads)
    suite = tomllib.loads((ROOT / "harness" / "suites" / "quick.toml").read_text())
    (train, labels), (test, test_labels) = images("train"), images("test")
    tasks = {
        "cifar10": ((train, labels), (test, test_labels)),
        "cifar10-rotation": (turned(train, 1), turned(test, 2)),
        "sst2": (tuple(part[:8000] for part in texts("train")), texts("dev")),
    }
    for task, (train, test) in tasks.items():
        for entry in suite["model"]:
            model, settings = entry["name"], entry.get("on", {}).get(task, {})
            if model not in ("svm", "random-forest"):
                defaults = {("transformer", "sst2"): {"epochs": 10}, ("resnet", "sst2"): {"epochs": 8}}
                settings = defaults.get((model, task), {}) | settings
            start = time.perf_counter()
            work = classic if model in ("svm", "random-forest") else neural
            result = work(model, task, train, test, settings)
            print(f"{task:17} {model:14} {result:9.3f} {time.perf_counter() - start:7.1f} s", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2)
