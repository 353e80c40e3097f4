"""The five models as one would write them with PyTorch and scikit-learn, as external models of bakeoff (harness/suites/peers.toml): the same
layers, sizes, features and recipes as in models/src/. The parameter `model` names one; the others are those of the built-in model."""

import copy
import pathlib
import sys

import numpy as np
import sklearn
import torch
from torch import nn

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "clients" / "python"))
import bakeoff_model
import networks
from data import WORD, Images, Texts

# Defaults of models/src, for images and for texts.
RECIPES = {
    True: {"epochs": 20, "batch": 128, "optimizer": "adamw", "clip": 1.0, "flip": True, "crop": 4, "weight_decay": 0.01},
    False: {"epochs": 10, "batch": 32, "optimizer": "adamw", "clip": 1.0, "word_dropout": 0.1, "weight_decay": 0.01},
}
LAYERS = ("depth", "width", "layers", "feed_forward", "dropout", "patch", "hidden", "embedding")


class Peer(bakeoff_model.Model):
    """A network of PyTorch or an estimator of scikit-learn, by the parameter `model`."""

    name, version, inputs = "PyTorch and scikit-learn", f"torch {torch.__version__}, scikit-learn {sklearn.__version__}", ("images", "texts")

    def __init__(self, task):
        super().__init__(task)
        torch.set_num_threads(task.threads)
        params = dict(task.params)
        kind = params.pop("model")
        self.method = (Classic if kind in ("svm", "random-forest") else Network)(kind, task, params)
        self.fit, self.predict, self.footprint = self.method.fit, self.method.predict, self.method.footprint

    def save(self, folder):
        torch.save(self.method.state(), folder / "model.pt")

    def load(self, folder):
        self.method.restore(torch.load(folder / "model.pt", weights_only=False))


def raw(rows):
    return rows.pixels if isinstance(rows, bakeoff_model.Images) else rows.first


class Network:
    def __init__(self, kind, task, params):
        self.kind, self.task, self.images = kind, task, task.kind == "images"
        self.params = params
        self.recipe = RECIPES[self.images] | params

    def encoded(self, rows, like=None):
        return (Images if self.images else Texts)(raw(rows), like)

    def built(self, inputs):
        outputs, layers = self.task.classes or 1, {name: value for name, value in self.params.items() if name in LAYERS}
        words = None if self.images else inputs.vocabulary
        if self.kind == "transformer":
            tokens = {"tokens": (32 // layers.get("patch", 4)) ** 2} if self.images else {}
            return networks.Transformer(outputs, words, **tokens, **layers)
        if self.kind == "resnet":
            if not self.images:
                return networks.TextResNet(outputs, words, **layers)
            # The ResNet of images has no dropout.
            layers.pop("dropout", None)
            return networks.ResNet(outputs, **layers)
        over = {"embedding": 96, "largest": False} if self.images else {}
        return networks.Recurrent(nn.LSTM, outputs, words, **(layers | over))

    def fit(self, train, validation, fit):
        torch.manual_seed(self.task.seed)
        wanted = torch.from_numpy(train.targets)
        self.std = 1.0 if self.task.classes else float(wanted.std())
        if not self.task.classes:
            wanted = wanted / self.std
        self.inputs = self.encoded(train.rows)
        self.network, best, done = self.built(self.inputs), (-np.inf, None), 0

        def after_epoch(loss):
            nonlocal best, done
            done += 1
            score = fit.epoch(done, self.recipe["epochs"], loss, self.predict(validation.rows))
            if score is not None and score > best[0]:
                best = score, copy.deepcopy(self.network.state_dict())

        networks.train(self.network, self.inputs, wanted, self.recipe, after_epoch)
        if best[1]:
            self.network.load_state_dict(best[1])

    def predict(self, rows):
        outputs = networks.predict(self.network, self.encoded(rows, self.inputs))
        if self.task.classes:
            return outputs.argmax(1).numpy(), outputs.softmax(1).numpy()
        return outputs.squeeze(1).numpy() * self.std

    def footprint(self):
        return bakeoff_model.Footprint(networks.parameters(self.network))

    def state(self):
        # Of the training rows, only what encodes others is kept.
        nothing = bakeoff_model.Images(self.inputs.pixels[:0]) if self.images else bakeoff_model.Texts([], None)
        like = self.encoded(nothing, self.inputs)
        return like, self.std, self.network.state_dict()

    def restore(self, state):
        self.inputs, self.std, weights = state
        self.network = self.built(self.inputs)
        self.network.load_state_dict(weights)


class Classic:
    def __init__(self, kind, task, params):
        self.kind, self.task, self.params = kind, task, params
        self.images = task.kind == "images"

    def learner(self):
        if self.params.get("intelex"):
            from sklearnex import patch_sklearn

            patch_sklearn(verbose=False)
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
        from sklearn.svm import SVC, SVR

        params, regression = self.params, self.task.classes is None
        if self.kind == "svm":
            kernel = params.get("kernel", "rbf")
            return SVR(kernel=kernel, C=params["c"]) if regression else SVC(kernel=kernel, C=params["c"])
        forest = RandomForestRegressor if regression else RandomForestClassifier
        share = params.get("max_features") or (1 / 3 if regression else "sqrt")
        return forest(params.get("trees", 200), max_features=share, min_samples_leaf=params.get("min_samples_leaf", 1),
                      n_jobs=self.task.threads, random_state=self.task.seed)

    def encoder(self, rows):
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.preprocessing import StandardScaler

        if not self.images:
            return TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD, max_features=self.params.get("terms")).fit(rows)
        return StandardScaler().fit(hog_of(rows))

    def encoded(self, rows):
        if not self.images:
            return self.encode.transform(rows)
        return np.hstack([self.encode.transform(hog_of(rows)), rows.reshape(len(rows), -1) / np.float32(255)])

    def fit(self, train, validation, fit):
        rows, targets = raw(train.rows), train.targets
        self.scale = float(targets.std()) if self.task.classes is None and self.kind == "svm" else 1.0
        self.encode = self.encoder(rows)
        self.fitted = self.learner().fit(self.encoded(rows), targets / self.scale if self.scale != 1.0 else targets)

    def predict(self, rows):
        answers = self.fitted.predict(self.encoded(raw(rows)))
        return answers if self.task.classes else answers * self.scale

    def footprint(self):
        if self.kind == "svm":
            support = self.fitted.support_vectors_
            return bakeoff_model.Footprint(int(support.shape[0] * support.shape[1]))
        return bakeoff_model.Footprint(sum(tree.tree_.node_count for tree in self.fitted.estimators_))

    def state(self):
        return self.encode, self.scale, self.fitted

    def restore(self, state):
        self.encode, self.scale, self.fitted = state


def hog_of(pixels):
    from skimage.feature import hog

    return np.stack([hog(image.transpose(1, 2, 0) / 255.0, channel_axis=-1, orientations=9, pixels_per_cell=(8, 8),
                         cells_per_block=(2, 2)) for image in pixels]).astype(np.float32)


bakeoff_model.serve(Peer)
