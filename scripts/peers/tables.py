#!/usr/bin/env python3
"""Tells what scikit-learn and PyTorch make of rows of a table, for tests of models/src to make the same: the features of each row, the
loss of every step of the networks, from the given weights of training.py, and the scores of scikit-learn on wines (UCI, in scikit-learn).

usage: "$(scripts/peers/setup)/bin/python" scripts/peers/tables.py > models/tests/fixtures/tables.json
"""

import json
import platform
import sys

import numpy as np
import sklearn
import torch
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC
from torch import nn
from torch.nn import functional as F

import networks
from data import Features
from training import Start, mlp

CITIES, COLOURS = ["Oslo", "Rome", "Bonn"], ["red", "", "blue", "green"]


class Resnet(nn.Module):
    """The residual network for tables of Gorishniy et al. 2021, equation 2, without dropout."""

    def __init__(self, features, outputs, width, blocks):
        super().__init__()
        self.stem, self.norm, self.head = nn.Linear(features, width), nn.BatchNorm1d(width), nn.Linear(width, outputs)
        self.blocks = nn.ModuleList(
            nn.ModuleList([nn.BatchNorm1d(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)]) for _ in range(blocks))

    def forward(self, x):
        x = self.stem(x)
        for norm, first, second in self.blocks:
            x = x + second(F.relu(first(norm(x))))
        return self.head(F.relu(self.norm(x)))

    def fill(self, start):
        start.affine(self.stem)
        for norm, first, second in self.blocks:
            start.norm(norm)
            start.affine(first)
            start.affine(second)
        start.norm(self.norm)
        start.affine(self.head)


class Block(nn.Module):
    """A block of the FT-Transformer: attention, and a ReGLU, each after a norm, but for the first norm of all."""

    def __init__(self, width, heads, hidden, is_first):
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.attention_norm = None if is_first else nn.LayerNorm(width)
        self.mlp_norm, self.expand, self.contract = nn.LayerNorm(width), nn.Linear(width, 2 * hidden), nn.Linear(hidden, width)

    def forward(self, x):
        y = self.attention_norm(x) if self.attention_norm else x
        x = x + self.attention(y, y, y, need_weights=False)[0]
        gate, opened = self.expand(self.mlp_norm(x)).chunk(2, 2)
        return x + self.contract(gate * F.relu(opened))


class Tokens(nn.Module):
    """The token of each column, and the class token before them. None of their weights decay."""

    def __init__(self, numbers, groups, width):
        super().__init__()
        empty = lambda *shape: nn.Parameter(torch.empty(*shape))
        self.sizes = [numbers, *groups]
        self.numbers, self.categories = empty(numbers, width), nn.ParameterList(empty(count, width) for count in groups)
        self.bias, self.first = empty(numbers + len(groups), width), empty(1, 1, width)

    def forward(self, x):
        numbers, *categories = x.split(self.sizes, 1)
        tokens = [numbers.unsqueeze(2) * self.numbers]
        tokens += [(rows @ weight).unsqueeze(1) for rows, weight in zip(categories, self.categories)]
        return torch.cat([self.first.expand(len(x), -1, -1), torch.cat(tokens, 1) + self.bias], 1)


class FtTransformer(nn.Module):
    """Gorishniy et al. 2021, section 3.3, without dropout. The first `numbers` features are numbers; each further group is a column of
    categories."""

    def __init__(self, numbers, groups, outputs, width, layers, heads, hidden):
        super().__init__()
        self.embeddings = Tokens(numbers, groups, width)
        self.blocks = nn.ModuleList(Block(width, heads, hidden, index == 0) for index in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, outputs)

    def forward(self, x):
        x = self.embeddings(x)
        for block in self.blocks:
            x = block(x)
        return self.head(F.relu(self.norm(x[:, 0])))

    def fill(self, start):
        tokens = self.embeddings
        for weight in [tokens.numbers, *tokens.categories, tokens.bias, tokens.first]:
            weight.data = start.slot(*weight.shape)
        for block in self.blocks:
            attention, width = block.attention, block.attention.embed_dim
            if block.attention_norm:
                start.norm(block.attention_norm)
            # The norms of a block are declared before its products.
            start.norm(block.mlp_norm)
            parts = [(start.slot(width, width).T, start.slot(width)) for _ in ("query", "key", "value")]
            attention.in_proj_weight.data = torch.cat([weight for weight, _ in parts]).contiguous()
            attention.in_proj_bias.data = torch.cat([bias for _, bias in parts])
            start.affine(attention.out_proj)
            start.affine(block.expand)
            start.affine(block.contract)
        start.norm(self.norm)
        start.affine(self.head)


def rows(count):
    """Two columns of numbers, the second of which is missing at times, and two of categories."""
    numbers = np.stack([np.sin(np.arange(count)) * 40 + 50, np.arange(count) ** 2 % 17 * 1000.0], 1).astype(np.float32)
    numbers[3::7, 1] = np.nan
    words = [[CITIES[row * row % 3], COLOURS[row % 4]] for row in range(count)]
    return numbers, np.array(words, object), [(row % 5 > 2) + row % 2 for row in range(count)]


def encoded(numbers, words):
    """The features of scikit-learn: scaled numbers, which of them were missing, and categories."""
    scaled = make_pipeline(SimpleImputer(strategy="median"), StandardScaler()).fit_transform(numbers)
    missing = SimpleImputer(strategy="median", add_indicator=True).fit_transform(numbers)[:, numbers.shape[1] :]
    one_hot = OneHotEncoder(sparse_output=False)
    categories = one_hot.fit_transform(words)
    return np.concatenate([scaled, missing, categories], 1), [scaled.shape[1] + missing.shape[1], *map(len, one_hot.categories_)]


def losses(network, fill, features, labels, recipe):
    start = Start()
    fill(start, network)
    assert start.count == networks.parameters(network)
    return [round(loss, 7) for _, loss in networks.train(network, Features(features), torch.tensor(labels), recipe)]


def on_wines():
    """The rows of the UCI data set Wine, and what scikit-learn predicts and scores on those for the test."""
    wines = load_wine()
    train_rows, rows, train_labels, labels = train_test_split(wines.data, wines.target, test_size=0.7, random_state=1, stratify=wines.target)
    svc = make_pipeline(StandardScaler(), SVC()).fit(train_rows, train_labels).predict(rows)
    forests = [RandomForestClassifier(200, random_state=seed).fit(train_rows, train_labels).score(rows, labels) for seed in range(5)]
    split = lambda rows, labels: {"rows": rows.tolist(), "labels": labels.tolist()}
    return {"names": wines.feature_names, "train": split(train_rows, train_labels), "test": split(rows, labels),
            "svc": svc.tolist(), "forest": float(np.mean(forests))}


def main():
    torch.set_num_threads(1)
    numbers, words, labels = rows(24)
    features, groups = encoded(numbers, words)
    recipe = {"optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 0.1, "batch": len(labels), "epochs": 10}
    networks_of = {
        "mlp": ({"hidden": 7, "layers": 2}, networks.Mlp(3, features.shape[1], None, 7, 2, 0.0), mlp),
        "resnet": ({"depth": 8, "width": 6}, Resnet(features.shape[1], 3, 6, 3), lambda start, network: network.fill(start)),
        "transformer": ({"width": 8, "layers": 2, "heads": 2, "feed_forward": 5},
                        FtTransformer(groups[0], groups[1:], 3, 8, 2, 2, 5), lambda start, network: network.fill(start)),
    }
    cases = [{"model": name, "params": params | recipe | {"shard": len(labels), "dropout": 0.0},
              "losses": losses(network, fill, features, labels, recipe)} for name, (params, network, fill) in networks_of.items()]
    made = (f"scripts/peers/tables.py, Python {platform.python_version()}, torch {torch.__version__}, "
            f"scikit-learn {sklearn.__version__}")
    told = {"made": made, "numbers": [[None if np.isnan(x) else float(x) for x in row] for row in numbers], "categories": words.tolist(),
            "labels": [int(label) for label in labels], "features": features.round(6).tolist(), "groups": groups, "cases": cases, "wines": on_wines()}
    json.dump(told, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
