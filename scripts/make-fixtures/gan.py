#!/usr/bin/env python3
"""The losses of a discriminator with K + 1 classes and of its generator, by NumPy and SciPy in double precision, for the networks of
models/src/neural/adversarial to agree with. Weights, images and noise are random.

usage: scripts/make-fixtures/gan.py > models/tests/fixtures/gan.json
"""

import json
import platform

import numpy as np
import scipy
from scipy.signal import correlate2d
from scipy.special import logsumexp

SEED = 2026
ROWS, HEIGHT, COLUMNS, CHANNELS, CLASSES, WIDTH, NOISE, HALVINGS = 4, 6, 5, 2, 3, 2, 3, 2
EPSILON = 1e-5
LEAK = 0.2
MEAN, STD = [0.5, 0.25], [0.25, 0.2]


def single(values):
    """Rounded to the single precision in which the weights are read."""
    return np.asarray(values, dtype=np.float32).astype(np.float64)


def convolve(x, kernel, stride):
    """`examples x height x width x inputs` with `3 x 3 x inputs x outputs`, a border of zeros, and a stride."""
    outputs = []
    for image in x:
        planes = [
            sum(correlate2d(image[:, :, i], kernel[:, :, i, o], mode="same") for i in range(kernel.shape[2]))
            for o in range(kernel.shape[3])
        ]
        outputs.append(np.stack(planes, axis=-1)[::stride, ::stride])
    return np.stack(outputs)


def features(weights, x):
    """Means of the last of six convolutions with leaky ReLU, of which two have a stride of 2."""
    for stage in range(1, HALVINGS + 2):
        for index in range(2):
            stride = 2 if stage > 1 and index == 0 else 1
            name = f"stage{stage}.{index}"
            x = convolve(x, weights[f"{name}.weight"], stride) + weights[f"{name}.bias"]
            x = np.where(x > 0, x, LEAK * x)
    return x.mean(axis=(1, 2))


def logarithms(weights, x):
    """Of the probabilities of the classes and of made-up images, whose output is 0."""
    outputs = features(weights, x) @ weights["head.weight"] + weights["head.bias"]
    outputs = np.concatenate([outputs, np.zeros((len(outputs), 1))], axis=1)
    return outputs - logsumexp(outputs, axis=1, keepdims=True)


def generate(weights, noise):
    """Standardised pixels."""
    small = (-(-HEIGHT // 2**HALVINGS), -(-COLUMNS // 2**HALVINGS))
    widest = WIDTH << HALVINGS
    x = (noise @ weights["start.weight"] + weights["start.bias"]).reshape(len(noise), *small, widest)
    for stage in range(HALVINGS + 1):
        mean, variance = x.mean(axis=(0, 1, 2)), x.var(axis=(0, 1, 2))
        x = (x - mean) / np.sqrt(variance + EPSILON) * weights[f"norm{stage}.weight"] + weights[f"norm{stage}.bias"]
        x = np.maximum(x, 0)
        if stage < HALVINGS:
            x = x.repeat(2, axis=1).repeat(2, axis=2)
        x = convolve(x, weights[f"conv{stage}.weight"], 1)
    pixels = (np.tanh(x + weights["bias"])[:, :HEIGHT, :COLUMNS] + 1) / 2
    return (pixels - np.array(MEAN)) / np.array(STD)


def main():
    random = np.random.default_rng(SEED)
    draw = lambda *shape: single(random.normal(0, 0.3, shape))
    discriminator, inputs = {}, CHANNELS
    for stage in range(1, HALVINGS + 2):
        outputs = WIDTH << (stage - 1)
        for index in range(2):
            discriminator[f"stage{stage}.{index}.weight"] = draw(3, 3, inputs, outputs)
            discriminator[f"stage{stage}.{index}.bias"] = draw(outputs)
            inputs = outputs
    discriminator["head.weight"], discriminator["head.bias"] = draw(inputs, CLASSES), draw(CLASSES)
    inputs = WIDTH << HALVINGS
    numbers = -(-HEIGHT // 2**HALVINGS) * -(-COLUMNS // 2**HALVINGS) * inputs
    generator = {"start.weight": draw(NOISE, numbers), "start.bias": draw(numbers)}
    for stage in range(HALVINGS + 1):
        outputs = inputs // 2 if stage < HALVINGS else CHANNELS
        generator[f"norm{stage}.weight"], generator[f"norm{stage}.bias"] = single(1 + draw(inputs)), draw(inputs)
        generator[f"conv{stage}.weight"] = draw(3, 3, inputs, outputs)
        inputs = outputs
    generator["bias"] = draw(CHANNELS)
    pixels = single(random.normal(0, 1, (ROWS, HEIGHT, COLUMNS, CHANNELS)))
    noise = single(random.uniform(-1, 1, (ROWS, NOISE)))
    labels = np.eye(CLASSES)[random.integers(0, CLASSES, ROWS)]
    made = generate(generator, noise)
    of_real = (logarithms(discriminator, pixels)[:, :CLASSES] * labels).sum()
    of_made = logarithms(discriminator, made)[:, CLASSES].sum()
    apart = features(discriminator, made).mean(axis=0) - features(discriminator, pixels).mean(axis=0)
    flat = lambda values: np.asarray(values).ravel().tolist()
    fixture = {
        "made_by": "scripts/make-fixtures/gan.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__},
        "rows": ROWS, "height": HEIGHT, "columns": COLUMNS, "channels": CHANNELS, "classes": CLASSES, "width": WIDTH,
        "noise": NOISE, "mean": MEAN, "std": STD,
        "discriminator": {name: flat(values) for name, values in discriminator.items()},
        "generator": {name: flat(values) for name, values in generator.items()},
        "pixels": flat(pixels), "drawn": flat(noise), "labels": flat(labels),
        "made": flat(made), "discriminator_loss": -(of_real + of_made), "generator_loss": (apart**2).sum(),
    }
    print(json.dumps(fixture))


main()
