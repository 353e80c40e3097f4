#!/usr/bin/env python3
"""Trains the peers' networks from given weights and tells the loss of every step, for a test of models/src/neural to have the
same losses: that both sides of the comparison do the same work rests on it.

Weights start as 0.3 sin(n), where n counts all weights in the order and the shapes in which models/src declares them.

usage: "$(scripts/peers/setup)/bin/python" scripts/peers/training.py > models/tests/fixtures/training.json
"""

import json
import platform
import sys

import numpy as np
import torch

import networks
from data import Images, Texts

WORDS = ["a", "bad", "dull", "film", "fine", "good", "is", "it", "long", "not", "plot", "the", "very", "with"]


class Start:
    """Hands out the weights, slot by slot."""

    def __init__(self):
        self.count = 0

    def slot(self, *shape):
        size = int(np.prod(shape))
        values = 0.3 * np.sin(np.arange(self.count, self.count + size, dtype=np.float64))
        self.count += size
        return torch.from_numpy(values.astype(np.float32)).reshape(shape)

    def affine(self, layer):
        """A matrix of inputs x outputs, then a bias."""
        layer.weight.data = self.slot(layer.in_features, layer.out_features).T.contiguous()
        layer.bias.data = self.slot(layer.out_features)

    def norm(self, layer):
        layer.weight.data, layer.bias.data = self.slot(*layer.weight.shape), self.slot(*layer.bias.shape)

    def conv(self, layer):
        outputs, inputs, high, wide = layer.weight.shape
        layer.weight.data = self.slot(high, wide, inputs, outputs).permute(3, 2, 0, 1).contiguous()


def resnet(start, network):
    start.conv(network.stem)
    start.norm(network.norm)
    for block in network.blocks:
        start.conv(block.conv1)
        start.norm(block.bn1)
        start.conv(block.conv2)
        start.norm(block.bn2)
    start.affine(network.head)


def transformer(start, network):
    network.words.weight.data = start.slot(*network.words.weight.shape)
    network.positions.data = start.slot(*network.positions.shape)
    for block in network.blocks.layers:
        width = block.self_attn.embed_dim
        parts = [(start.slot(width, width).T, start.slot(width)) for _ in ("query", "key", "value")]
        block.self_attn.in_proj_weight.data = torch.cat([weight for weight, _ in parts]).contiguous()
        block.self_attn.in_proj_bias.data = torch.cat([bias for _, bias in parts])
        start.affine(block.self_attn.out_proj)
        start.norm(block.norm1)
        start.norm(block.norm2)
        start.affine(block.linear1)
        start.affine(block.linear2)
    start.norm(network.blocks.norm)
    start.affine(network.head)


def lstm(start, network):
    if network.words:
        network.words.weight.data = start.slot(*network.words.weight.shape)
    memory = network.memory
    hidden, inputs = memory.hidden_size, memory.input_size
    ways = ["", "_reverse"] if memory.bidirectional else [""]

    def gates(values):
        """From input, forget, output, candidate to PyTorch's order."""
        input, forget, output, candidate = values.split(hidden)
        return torch.cat([input, forget, candidate, output]).contiguous()

    for name, rows in (("weight_ih", inputs), ("weight_hh", hidden)):
        for way in ways:
            getattr(memory, f"{name}_l0{way}").data = gates(start.slot(rows, 4 * hidden).T)
    for way in ways:
        bias = gates(start.slot(4 * hidden))
        bias[hidden : 2 * hidden] += 1
        getattr(memory, f"bias_ih_l0{way}").data = bias
    start.affine(network.head)


def text_resnet(start, network):
    network.words.weight.data = start.slot(*network.words.weight.shape)

    def window(layer):
        outputs, inputs, words = layer.weight.shape
        layer.weight.data = start.slot(words, inputs, outputs).permute(2, 1, 0).contiguous()
        layer.bias.data = start.slot(outputs)

    for block in network.blocks:
        start.norm(block.norm1)
        window(block.conv1)
        start.norm(block.norm2)
        window(block.conv2)
    start.norm(network.norm)
    start.affine(network.head)


def texts(count):
    made = [" ".join(WORDS[(row * row + 3 * word) % len(WORDS)] for word in range(3 + row % 6)) for row in range(count)]
    return made, [int("good" in text or "fine" in text) for text in made]


def pixels(count, side):
    numbers = np.arange(count * 3 * side * side)
    return (numbers * numbers % 251).astype(np.uint8).reshape(count, 3, side, side), [row % 3 for row in range(count)]


def case(model, params, recipe, make, fill, inputs, labels):
    torch.manual_seed(0)
    network = make()
    start = Start()
    fill(start, network)
    recipe = recipe | {"batch": len(labels), "epochs": 10}
    told = networks.train(network, inputs, torch.tensor(labels), recipe)
    assert start.count == networks.parameters(network)
    # The whole batch is one shard, as it is to PyTorch.
    settings = params | recipe | {"shard": len(labels), "dropout": 0.0}
    return {"model": model, "images": isinstance(inputs, Images), "params": settings, "losses": [round(loss, 7) for _, loss in told]}


def main():
    torch.set_num_threads(1)
    sentences, labels = texts(24)
    words = Texts(sentences)
    images, classes = pixels(12, 8)
    word = {"word_dropout": 0.0, "max_tokens": 64, "min_count": 2}
    adamw = {"optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 0.1}
    sgd = {"optimizer": "sgd", "learning_rate": 0.05, "weight_decay": 0.01}
    cases = [
        case("transformer", word | {"width": 8, "layers": 2, "heads": 2, "feed_forward": 16}, adamw,
             lambda: networks.Transformer(2, words.vocabulary, 64, 8, 2, 2, 16, 0.0), transformer, words, labels),
        case("resnet", {"depth": 8, "width": 4, "flip": False, "crop": 0}, sgd,
             lambda: networks.ResNet(3, 8, 4), resnet, Images(images), classes),
        case("lstm", word | {"embedding": 6, "hidden": 5}, adamw,
             lambda: networks.Lstm(2, words.vocabulary, 6, 5, 0.0), lstm, words, labels),
        case("lstm", word | {"embedding": 6, "hidden": 5, "bidirectional": False, "pooling": "mean"}, adamw,
             lambda: networks.Lstm(2, words.vocabulary, 6, 5, 0.0, False, False), lstm, words, labels),
        case("resnet", word | {"depth": 8, "width": 6}, adamw,
             lambda: networks.TextResNet(2, words.vocabulary, 8, 6, 0.0), text_resnet, words, labels),
        case("lstm", {"hidden": 5, "flip": False, "crop": 0}, adamw,
             lambda: networks.Lstm(3, None, 3 * 8, 5, 0.0, False), lstm, Images(images), classes),
    ]
    made = f"scripts/peers/training.py, Python {platform.python_version()}, torch {torch.__version__}"
    json.dump({"made": made, "texts": sentences, "labels": labels, "cases": cases}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
