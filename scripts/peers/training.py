#!/usr/bin/env python3
"""Trains the peers' networks from given weights and tells the loss of every step, for a test of models/src/neural to have the
same losses: that both sides of the comparison do the same work rests on it.

Weights start as 0.3 sin(n), where n counts all weights in the order and the shapes in which models/src declares them; those of what
is compressed as 0.3 sin(n n), because matrices of the former are of rank two; and those of the two rivals as 0.6 sin(n n), from which
the images differ. Noise is sin(1.3 n), where n counts all of it.

usage: "$(scripts/peers/setup)/bin/python" scripts/peers/training.py > models/tests/fixtures/training.json
"""

import json
import platform
import sys

import numpy as np
import skimage
import sklearn
import torch
from skimage.feature import hog
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import StandardScaler
from torch import nn
from torch.nn.utils import parametrize

import networks
from data import WORD, Features, Images, Texts

WORDS = ["a", "bad", "dull", "film", "fine", "good", "is", "it", "long", "not", "plot", "the", "very", "with"]


class Start:
    """Hands out the weights, slot by slot."""

    def __init__(self, power=1, size=0.3):
        self.count, self.power, self.size = 0, power, size

    def slot(self, *shape):
        size = int(np.prod(shape))
        values = self.size * np.sin(np.arange(self.count, self.count + size, dtype=np.float64) ** self.power)
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


def fused(fill):
    """The slots of the network that `fill` fills, and then those beside it."""

    def fill_all(start, network):
        fill(start, network.network)
        start.affine(network.projection)
        start.affine(network.head)

    return fill_all


def discriminator(start, network):
    for layer in network.layers:
        start.conv(layer)
        layer.bias.data = start.slot(*layer.bias.shape)
    start.affine(network.head)


def generator(start, network):
    start.affine(network.start)
    for norm, convolution in zip(network.norms, network.convolutions):
        start.norm(norm)
        start.conv(convolution)
    network.bias.data = start.slot(*network.bias.shape)


def texts(count):
    made = [" ".join(WORDS[(row * row + 3 * word) % len(WORDS)] for word in range(3 + row % 6)) for row in range(count)]
    return made, [int("good" in text or "fine" in text) for text in made]


def pixels(count, side):
    """Images of 8 x 8 pixels; or of others, in which no pixel has its largest gradient in two colours at once, of which rounding would
    choose one."""
    numbers = np.arange(count * 3 * side * side)
    values = numbers**2 % 251 if side == 8 else numbers**3 % 233
    return values.astype(np.uint8).reshape(count, 3, side, side), [row % 3 for row in range(count)]


def tf_idf(sentences):
    return TfidfVectorizer(ngram_range=(1, 2), token_pattern=WORD).fit_transform(sentences).toarray()


def gradients(images):
    """Histograms of oriented gradients."""
    rows = [hog(image.transpose(1, 2, 0) / 255.0, channel_axis=-1, orientations=9, pixels_per_cell=(8, 8), cells_per_block=(2, 2))
            for image in images]
    return StandardScaler().fit_transform(np.stack(rows))


def case(model, params, recipe, make, fill, inputs, labels, beside=None, side=None):
    """The losses of a network, or of one with features beside it, whose parameters are `beside`. `side` is that of the images from
    which the features come."""
    torch.manual_seed(0)
    network = make()
    start = Start()
    fill(start, network)
    recipe = recipe | {"batch": len(labels), "epochs": 10}
    told = networks.train(network, inputs, torch.tensor(labels), recipe)
    assert start.count == networks.parameters(network)
    # The whole batch is one shard, as it is to PyTorch.
    settings = params | recipe | {"shard": len(labels), "dropout": 0.0}
    if beside:
        model, settings = "fusion", {"network": {"model": model} | settings} | beside | {"dropout": 0.0}
    side = inputs.pixels.shape[2] if isinstance(inputs, Images) else side
    return {"model": model, "side": side, "params": settings, "losses": [round(loss, 7) for _, loss in told]}


def rivals(images, labels):
    """The losses of a discriminator and of its generator, and images that this then makes by its running statistics."""
    params = {"width": 2, "noise": 3, "flip": False, "crop": 0}
    recipe = {"optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 0.1, "batch": len(labels), "epochs": 10}
    both = networks.Discriminator(3, 2, 0.0), networks.Generator(images, 2, 3)
    for network, fill in zip(both, (discriminator, generator)):
        start = Start(2, 0.6)
        fill(start, network)
        assert start.count == networks.parameters(network)
    drawn = 0

    def draw(rows):
        nonlocal drawn
        values = np.sin(1.3 * np.arange(drawn, drawn + rows * params["noise"], dtype=np.float64))
        drawn += len(values)
        return torch.from_numpy(values.astype(np.float32)).reshape(rows, -1)

    told = networks.train_rivals(*both, images, torch.tensor(labels), recipe, draw)
    with torch.no_grad():
        made = both[1].eval()(draw(2)).permute(0, 2, 3, 1)
    return {"params": params | recipe | {"shard": len(labels), "dropout": 0.0},
            "losses": [[round(loss, 7) for loss in losses] for _, *losses in told],
            "made": [round(value, 6) for value in made.flatten().tolist()]}


class Quantised(nn.Module):
    """Whole numbers of 8 bits, with a scale for each row of the matrix, and the straight-through estimate of the gradient."""

    def forward(self, matrix):
        scales = matrix.detach().abs().amax(1) / 127
        return torch.fake_quantize_per_channel_affine(matrix, scales, torch.zeros_like(scales, dtype=torch.int32), 0, -127, 127)


class LowRank(nn.Module):
    """A linear layer as the product of the two closest matrices of this rank."""

    def __init__(self, layer, rank):
        super().__init__()
        left, values, right = np.linalg.svd(layer.weight.detach().numpy().astype(np.float64).T, full_matrices=False)
        roots = np.sqrt(values[:rank])
        self.left = nn.Parameter(torch.from_numpy(left[:, :rank] * roots).float())
        self.right = nn.Parameter(torch.from_numpy(roots[:, None] * right[:rank]).float())
        self.bias = layer.bias

    def forward(self, x):
        return x @ self.left @ self.right + self.bias


def kept(network, layer, share, number):
    """The units of a hidden layer that stay, by the sum of `number` over all of their weights."""
    after = network.hidden[layer + 1] if layer + 1 < len(network.hidden) else network.head
    hidden = network.hidden[layer]
    sums = number(hidden.weight).sum(1) + number(hidden.bias) + number(after.weight).sum(0)
    count = len(sums) - round(share * len(sums))
    return sums.square().topk(count).indices.sort().values


def pruned(network, share, number):
    """The same perceptron without the units of least importance."""
    units = [kept(network, layer, share, number) for layer in range(len(network.hidden))]
    for layer, (hidden, stay) in enumerate(zip(network.hidden, units)):
        before = hidden.weight.data if layer == 0 else hidden.weight.data[:, units[layer - 1]]
        hidden.weight, hidden.bias = nn.Parameter(before[stay]), nn.Parameter(hidden.bias.data[stay])
    network.head.weight = nn.Parameter(network.head.weight.data[:, units[-1]])


def compressed(method, share, by, words, labels):
    """The losses of a perceptron over words that is made smaller and then trained on."""
    params = {"text_features": "embeddings", "embedding": 8, "hidden": 6, "layers": 2, "dropout": 0.0,
              "word_dropout": 0.0, "max_tokens": 64, "min_count": 2}
    recipe = {"optimizer": "adamw", "learning_rate": 0.01, "weight_decay": 0.1, "batch": len(labels), "epochs": 10}
    network, start, wanted = networks.Mlp(2, 8, words.vocabulary, 6, 2, 0.0), Start(2), torch.tensor(labels)
    mlp(start, network)
    if method == "int8":
        for layer in [network.words, *network.hidden, network.head]:
            layer.weight.data = Quantised()(layer.weight.data)
            parametrize.register_parametrization(layer, "weight", Quantised())
    elif method == "low-rank":
        for index, layer in enumerate(network.hidden):
            rank = min(layer.weight.shape) - round(share * min(layer.weight.shape))
            network.hidden[index] = LowRank(layer, rank)
    elif by == "gradient":
        nn.functional.cross_entropy(network(*words.batch(torch.arange(len(labels)))), wanted).backward()
        pruned(network, share, lambda weight: weight.data * weight.grad)
    else:
        pruned(network, share, lambda weight: weight.data.square())
    told = networks.train(network, words, wanted, recipe)
    return {"method": method, "share": share, "by": by, "parameters": networks.parameters(network),
            "params": params | recipe | {"shard": len(labels)}, "losses": [round(loss, 7) for _, loss in told]}


def main():
    torch.set_num_threads(1)
    sentences, labels = texts(24)
    words = Texts(sentences)
    images, classes = pixels(12, 8)
    large, _ = pixels(12, 16)
    of_texts, of_images = tf_idf(sentences), gradients(large)
    # The whole of them is used, however many.
    features = {"terms": 4000, "tokens": "words+marks"}
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
        case("mlp", {"features": "pixels", "hidden": 7, "layers": 2, "flip": False, "crop": 0}, adamw,
             lambda: networks.Mlp(3, 3 * 8 * 8, None, 7, 2, 0.0), mlp, Images(images), classes),
        case("mlp", word | {"text_features": "embeddings", "embedding": 6, "hidden": 5, "layers": 1}, adamw,
             lambda: networks.Mlp(2, 6, words.vocabulary, 5, 1, 0.0), mlp, words, labels),
        case("mlp", features | {"text_features": "tf-idf", "hidden": 5, "layers": 1}, adamw,
             lambda: networks.Mlp(2, of_texts.shape[1], None, 5, 1, 0.0), mlp, Features(of_texts), labels),
        case("mlp", {"features": "hog", "hidden": 7, "layers": 2}, adamw,
             lambda: networks.Mlp(3, of_images.shape[1], None, 7, 2, 0.0), mlp, Features(of_images), classes, side=16),
        case("transformer", word | {"width": 8, "layers": 1, "heads": 2, "feed_forward": 16}, adamw,
             lambda: networks.Fused(networks.Transformer(2, words.vocabulary, 64, 8, 1, 2, 16, 0.0), 2, of_texts.shape[1], 5, 0.0),
             fused(transformer), Features(of_texts, words), labels, features | {"projection": 5}),
        case("resnet", {"depth": 8, "width": 4, "flip": False, "crop": 0}, sgd,
             lambda: networks.Fused(networks.ResNet(3, 8, 4), 3, of_images.shape[1], 5, 0.0),
             fused(resnet), Features(of_images, Images(large)), classes, {"features": "hog", "projection": 5}, 16),
    ]
    smaller = [compressed(*how, words, labels) for how in [
        ("prune", 0.5, "magnitude"), ("prune", 0.34, "gradient"), ("low-rank", 0.6, "magnitude"), ("int8", 0.0, "magnitude")]]
    made = (f"scripts/peers/training.py, Python {platform.python_version()}, torch {torch.__version__}, "
            f"scikit-learn {sklearn.__version__}, scikit-image {skimage.__version__}")
    told = {"made": made, "texts": sentences, "labels": labels, "cases": cases, "gan": rivals(Images(images), classes),
            "compress": smaller}
    json.dump(told, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
