#!/usr/bin/env python3
"""Encodes, fits and predicts with scikit-learn and scikit-image, for the tests of the svm, the random-forest
and the decision-tree in models/src to agree with.

usage: scripts/make-fixtures/classic.py encoders > models/tests/fixtures/encoders.json
       scripts/make-fixtures/classic.py digits > models/tests/fixtures/digits.json
       scripts/make-fixtures/classic.py diabetes > models/tests/fixtures/diabetes.json
       scripts/make-fixtures/classic.py trees > models/tests/fixtures/trees.json
"""

import json
import platform
import re
import sys
import unicodedata
from importlib import metadata

import numpy as np
import skimage
import sklearn
from skimage.feature import hog
from sklearn import datasets, ensemble, svm, tree
from sklearn.feature_extraction.text import TfidfVectorizer
from uniseg import wordbreak

SEED = 2026
FORESTS = 10
TREES = 50

TEXTS = [
    "A gripping, gripping film; it grips.",
    "it 's a good film , not a great one",
    "NOT good : not_good at all",
    "Größe zählt nicht, naïve café",
    "x y z 1 22 333",
    "about 3.14 , 1,000 or 2:1 ... I don’t know , e.g. this !",
    "👍🏽 👍👍 ❤️ 👨‍👩‍👧🇩🇪🇫🇷 👎!",
    "我爱这部电影。 映画はカメラが好き ภาพยนตร์ดี 영화가 좋다",
    "cafe\u0301 CAFÉ",
    "the film the film the film",
    "one good film",
]
UNSEEN = ["a great , GREAT café film", "unknown words only", "it grips", "👎 👍🏽 映画 ดี !!!"]


def image(rng, channels, height, width):
    """Smooth blobs with some noise: gradients of all sizes and directions."""
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for _ in range(channels):
        plane = np.zeros((height, width))
        for _ in range(4):
            cy, cx, size = rng.uniform(0, height), rng.uniform(0, width), rng.uniform(3, 9)
            plane += rng.uniform(40, 160) * np.exp(-((y - cy) ** 2 + (x - cx) ** 2) / (2 * size**2))
        planes.append(plane + rng.uniform(0, 12, (height, width)))
    return np.clip(np.array(planes), 0, 255).astype(np.uint8)


def tied(pixels):
    """Whether some pixel's largest gradient is that of two channels at once: which one counts is then up to rounding."""
    wide = pixels.astype(int)
    down, across = np.zeros_like(wide), np.zeros_like(wide)
    down[:, 1:-1] = wide[:, 2:] - wide[:, :-2]
    across[:, :, 1:-1] = wide[:, :, 2:] - wide[:, :, :-2]
    squares = down**2 + across**2
    largest = squares.max(0)
    return bool((((squares == largest).sum(0) > 1) & (largest > 0)).any())


def words(text):
    """The segments between the word boundaries of Unicode's annex 29 that are not blank, of a text in lower case and in NFC,
    without the signs that choose a character's look."""
    text = re.sub(r"[\ufe0e\ufe0f]", "", unicodedata.normalize("NFC", text.lower()))
    return [segment for segment in wordbreak.words(text) if not segment.isspace()]


def encoders():
    rng = np.random.default_rng(SEED)
    images = []
    for shape in [(3, 32, 32), (3, 32, 32), (1, 16, 16), (3, 24, 40)]:
        while True:
            pixels = image(rng, *shape)
            # A flat area: cells without any gradient.
            pixels[:, : shape[1] // 2, : shape[2] // 2] = 128
            if not tied(pixels):
                break
        features = hog(
            pixels.transpose(1, 2, 0).astype(np.float64) / 255,
            orientations=9,
            pixels_per_cell=(8, 8),
            cells_per_block=(2, 2),
            block_norm="L2-Hys",
            channel_axis=-1,
        )
        images.append({"shape": shape, "pixels": pixels.ravel().tolist(), "features": features.round(7).tolist()})
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), tokenizer=words, lowercase=False).fit(TEXTS)
    texts = {
        "train": TEXTS,
        "texts": TEXTS + UNSEEN,
        "terms": vectorizer.get_feature_names_out().tolist(),
        "rows": vectorizer.transform(TEXTS + UNSEEN).toarray().round(9).tolist(),
    }
    return {"hog": images, "words": [words(text) for text in TEXTS + UNSEEN], "tfidf": texts}


def digits_rows():
    """600 rows to learn from, 400 to predict; 64 pixels of 0 to 16, ten classes."""
    data = datasets.load_digits()
    order = np.random.default_rng(SEED).permutation(len(data.target))[:1000]
    return data.data[order], data.target[order], slice(0, 600), slice(600, 1000)


def diabetes_rows():
    """300 rows to learn from, 142 to predict; ten standardised measurements, a number as target."""
    data = datasets.load_diabetes(scaled=False)
    order = np.random.default_rng(SEED).permutation(len(data.target))
    rows, values = data.data[order], data.target[order]
    train, test = slice(0, 300), slice(300, 442)
    return ((rows - rows[train].mean(0)) / rows[train].std(0)).round(4), values, train, test


def digits():
    rows, labels, train, test = digits_rows()
    result = {
        "train": {"rows": rows[train].astype(int).tolist(), "labels": labels[train].tolist()},
        "test": {"rows": rows[test].astype(int).tolist(), "labels": labels[test].tolist()},
        "svm": [],
    }
    for kernel, c in [("linear", 1.0), ("rbf", 1.0), ("rbf", 0.05)]:
        machine = svm.SVC(kernel=kernel, C=c, tol=1e-6, decision_function_shape="ovo").fit(rows[train], labels[train])
        result["svm"].append({
            "kernel": kernel,
            "c": c,
            "gamma": machine._gamma,
            "support": int(machine.n_support_.sum()),
            "predictions": machine.predict(rows[test]).tolist(),
            # One row of 45 pairs for each of the first test rows.
            "decisions": machine.decision_function(rows[test][:40]).round(5).tolist(),
        })
    scores = [
        ensemble.RandomForestClassifier(100, random_state=seed).fit(rows[train], labels[train]).score(rows[test], labels[test])
        for seed in range(FORESTS)
    ]
    result["forest"] = {"trees": 100, "accuracy": float(np.mean(scores)), "seeds": FORESTS}
    return result


def diabetes():
    rows, values, train, test = diabetes_rows()
    standard = (values - values[train].mean()) / values[train].std()
    result = {
        "train": {"rows": rows[train].tolist(), "values": values[train].tolist()},
        "test": {"rows": rows[test].tolist(), "values": values[test].tolist()},
        "svm": [],
    }
    for kernel, c in [("linear", 0.5), ("rbf", 1.0)]:
        machine = svm.SVR(kernel=kernel, C=c, epsilon=0.1, tol=1e-6).fit(rows[train], standard[train])
        predictions = machine.predict(rows[test]) * values[train].std() + values[train].mean()
        result["svm"].append({
            "kernel": kernel, "c": c, "epsilon": 0.1, "gamma": machine._gamma, "predictions": predictions.round(4).tolist(),
        })
    errors = [
        np.mean((
            ensemble.RandomForestRegressor(100, max_features=1 / 3, random_state=seed)
            .fit(rows[train], values[train])
            .predict(rows[test])
            - values[test]
        ) ** 2)
        for seed in range(FORESTS)
    ]
    result["forest"] = {"trees": 100, "max_features": 1 / 3, "mse": float(np.mean(errors)), "seeds": FORESTS}
    return result


def shape(fitted):
    """A fitted tree with siblings side by side, as models/src/forest/tree.rs numbers the nodes: the left child of each node (or
    null), and each node's impurity times its share of the rows."""
    fitted = fitted.tree_
    order, left = [0], []
    for node in order:
        if fitted.children_left[node] < 0:
            left.append(None)
        else:
            left.append(len(order))
            order += [fitted.children_left[node], fitted.children_right[node]]
    return {"left": left, "costs": (fitted.impurity[order] * fitted.n_node_samples[order] / fitted.n_node_samples[0]).tolist()}


def steps(path):
    """Each different alpha at which a pruned tree becomes smaller, with the impurity of the leaves that are left then."""
    found = []
    for alpha, impurity in zip(path.ccp_alphas[1:].tolist(), path.impurities[1:].tolist()):
        if found and alpha - found[-1][0] < 1e-9:
            found.pop()
        found.append([alpha, impurity])
    return found


def trees():
    """Trees on the rows of digits and diabetes, in which no feature has more than 256 values. Where two splits are worth the same
    the seed decides, so scores are means over seeds."""
    rows, labels, train, test = digits_rows()
    result = {"digits": [], "diabetes": []}
    for alpha in [0.0, 0.0021, 0.0053, 0.0207]:
        grown = [tree.DecisionTreeClassifier(ccp_alpha=alpha, random_state=seed).fit(rows[train], labels[train])
                 for seed in range(TREES)]
        scores, leaves = [one.score(rows[test], labels[test]) for one in grown], [one.get_n_leaves() for one in grown]
        result["digits"].append({
            "alpha": alpha, "accuracy": float(np.mean(scores)), "accuracy_deviation": float(np.std(scores, ddof=1)),
            "leaves": float(np.mean(leaves)), "leaves_deviation": float(np.std(leaves, ddof=1)), "seeds": TREES,
        })
    first = tree.DecisionTreeClassifier(random_state=0)
    path = first.cost_complexity_pruning_path(rows[train], labels[train])
    result["digits_shape"] = shape(first.fit(rows[train], labels[train])) | {"steps": steps(path)}
    rows, values, train, test = diabetes_rows()
    # Savings of whole targets are round numbers, and an alpha that equals one would ask for the last bit.
    for alpha in [0.0, 20.7, 61.3, 203.9]:
        grown = [tree.DecisionTreeRegressor(ccp_alpha=alpha, min_samples_leaf=5, random_state=seed).fit(rows[train], values[train])
                 for seed in range(TREES)]
        errors = [np.mean((one.predict(rows[test]) - values[test]) ** 2) for one in grown]
        learned = [np.mean((one.predict(rows[train]) - values[train]) ** 2) for one in grown]
        result["diabetes"].append({
            "alpha": alpha, "mse": float(np.mean(errors)), "mse_deviation": float(np.std(errors, ddof=1)),
            "train_mse": float(np.mean(learned)), "train_mse_deviation": float(np.std(learned, ddof=1)),
            "leaves": sorted({int(one.get_n_leaves()) for one in grown}), "min_samples_leaf": 5, "seeds": TREES,
        })
    return result


def main():
    makers = {"encoders": encoders, "digits": digits, "diabetes": diabetes, "trees": trees}
    if len(sys.argv) != 2 or sys.argv[1] not in makers:
        sys.exit(__doc__)
    versions = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "scikit-learn": sklearn.__version__,
        "scikit-image": skimage.__version__,
        "uniseg": metadata.version("uniseg"),
    }
    fixture = {"script": "scripts/make-fixtures/classic.py", "versions": versions, **makers[sys.argv[1]]()}
    json.dump(fixture, sys.stdout, separators=(",", ":"))
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
