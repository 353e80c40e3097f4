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
from torch import nn

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


def recurrent(start, network):
    if network.words:
        network.words.weight.data = start.slot(*network.words.weight.shape)
    memory = network.memory
    hidden, inputs = memory.hidden_size, memory.input_size
    ways = ["", "_reverse"] if memory.bidirectional else [""]

    count = 4 if isinstance(memory, nn.LSTM) else 3

    def gates(values):
        """From input, forget, output, candidate to PyTorch's order. That of a GRU is the same here and there."""
        if count == 3:
            return values.contiguous()
        input, forget, output, candidate = values.split(hidden)
        return torch.cat([input, forget, candidate, output]).contiguous()

    for name, rows in (("weight_ih", inputs), ("weight_hh", hidden)):
        for way in ways:
            getattr(memory, f"{name}_l0{way}").data = gates(start.slot(rows, count * hidden).T)
    for way in ways:
        bias = gates(start.slot(count * hidden))
        if count == 4:
            bias[hidden : 2 * hidden] += 1
        getattr(memory, f"bias_ih_l0{way}").data = bias
    if count == 3:
        for way in ways:
            getattr(memory, f"bias_hh_l0{way}").data[2 * hidden :] = start.slot(hidden)
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


def mlp(start, network):
    if network.words:
        network.words.weight.data = start.slot(*network.words.weight.shape)
    for layer in [*network.hidden, network.head]:
        start.affine(layer)


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
             lambda: networks.Recurrent(nn.LSTM, 2, words.vocabulary, 6, 5, 0.0), recurrent, words, labels),
        case("lstm", word | {"embedding": 6, "hidden": 5, "bidirectional": False, "pooling": "mean"}, adamw,
             lambda: networks.Recurrent(nn.LSTM, 2, words.vocabulary, 6, 5, 0.0, False, False), recurrent, words, labels),
        case("resnet", word | {"depth": 8, "width": 6}, adamw,
             lambda: networks.TextResNet(2, words.vocabulary, 8, 6, 0.0), text_resnet, words, labels),
        case("lstm", {"hidden": 5, "flip": False, "crop": 0}, adamw,
             lambda: networks.Recurrent(nn.LSTM, 3, None, 3 * 8, 5, 0.0, False), recurrent, Images(images), classes),
        case("gru", word | {"embedding": 6, "hidden": 5}, adamw,
             lambda: networks.Recurrent(nn.GRU, 2, words.vocabulary, 6, 5, 0.0), recurrent, words, labels),
        case("gru", word | {"embedding": 6, "hidden": 5, "bidirectional": False, "pooling": "mean"}, adamw,
             lambda: networks.Recurrent(nn.GRU, 2, words.vocabulary, 6, 5, 0.0, False, False), recurrent, words, labels),
        case("gru", {"hidden": 5, "flip": False, "crop": 0}, adamw,
             lambda: networks.Recurrent(nn.GRU, 3, None, 3 * 8, 5, 0.0, False), recurrent, Images(images), classes),
        case("cnn", {"depth": 8, "width": 4, "flip": False, "crop": 0}, sgd,
             lambda: networks.ResNet(3, 8, 4, False), resnet, Images(images), classes),
        # Without shortcuts, AdamW makes much of the rounding of small gradients: PyTorch's own losses in 64 bits differ by 1e-3.
        case("cnn", word | {"depth": 8, "width": 6}, sgd,
             lambda: networks.TextResNet(2, words.vocabulary, 8, 6, 0.0, False), text_resnet, words, labels),
        case("mlp", {"hidden": 7, "layers": 2, "flip": False, "crop": 0}, adamw,
             lambda: networks.Mlp(3, 3 * 8 * 8, None, 7, 2, 0.0), mlp, Images(images), classes),
        case("mlp", word | {"text_features": "embeddings", "embedding": 6, "hidden": 5, "layers": 1}, adamw,
             lambda: networks.Mlp(2, 6, words.vocabulary, 5, 1, 0.0), mlp, words, labels),
    ]
    made = f"scripts/peers/training.py, Python {platform.python_version()}, torch {torch.__version__}"
    json.dump({"made": made, "texts": sentences, "labels": labels, "cases": cases}, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
