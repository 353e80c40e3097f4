"""The networks as one would write them in PyTorch, and their training: the same layers, sizes, initial
distributions, optimiser and schedule as in models/src/. Anything else would be other work."""

import math
import time

import torch
from torch import nn
from torch.nn import functional as F


def uniform(module, bound):
    """Weights uniform within `bound`, biases zero."""
    nn.init.uniform_(module.weight, -bound, bound)
    if module.bias is not None:
        nn.init.zeros_(module.bias)
    return module


def glorot(inputs, outputs):
    return uniform(nn.Linear(inputs, outputs), math.sqrt(6 / (inputs + outputs)))


def conv(inputs, outputs, stride, bias=False):
    layer = nn.Conv2d(inputs, outputs, 3, stride, padding=1, bias=bias)
    return uniform(layer, math.sqrt(6 / (9 * inputs)))


def words(vocabulary, width):
    table = nn.Embedding(vocabulary, width)
    nn.init.uniform_(table.weight, -0.1, 0.1)
    return table


class Block(nn.Module):
    def __init__(self, inputs, outputs, stride, residual):
        super().__init__()
        self.residual = residual
        self.conv1, self.bn1 = conv(inputs, outputs, stride), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = conv(outputs, outputs, 1), nn.BatchNorm2d(outputs)
        self.stride, self.added = stride, outputs - inputs

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        if not self.residual:
            return F.relu(y)
        if self.stride > 1:
            x = x[:, :, ::2, ::2]
        if self.added:
            x = F.pad(x, (0, 0, 0, 0, self.added // 2, self.added - self.added // 2))
        return F.relu(y + x)


class ResNet(nn.Module):
    """CIFAR style, as akamaster/pytorch_resnet_cifar10 has it; a plain network if it is not residual."""

    def __init__(self, outputs, depth=20, width=16, residual=True):
        super().__init__()
        self.stem, self.norm = conv(3, width, 1), nn.BatchNorm2d(width)
        blocks, inputs = [], width
        for stage in range(3):
            for index in range((depth - 2) // 6):
                blocks.append(Block(inputs, width << stage, 2 if stage and not index else 1, residual))
                inputs = width << stage
        self.blocks, self.head = nn.Sequential(*blocks), glorot(inputs, outputs)

    def forward(self, x):
        x = self.blocks(F.relu(self.norm(self.stem(x))))
        return self.head(x.mean((2, 3)))


class TextBlock(nn.Module):
    def __init__(self, width, residual):
        super().__init__()
        self.residual = residual
        bound = math.sqrt(6 / (3 * width))
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.conv1 = uniform(nn.Conv1d(width, width, 3, padding=1), bound)
        self.conv2 = uniform(nn.Conv1d(width, width, 3, padding=1), bound)

    def forward(self, x, mask):
        y = (F.relu(self.norm1(x)) * mask).transpose(1, 2)
        y = (F.relu(self.norm2(self.conv1(y).transpose(1, 2))) * mask).transpose(1, 2)
        y = self.conv2(y).transpose(1, 2)
        return x + y if self.residual else y


class TextResNet(nn.Module):
    def __init__(self, outputs, vocabulary, depth=8, width=64, dropout=0.3, residual=True):
        super().__init__()
        self.words = words(vocabulary, width)
        self.blocks = nn.ModuleList(TextBlock(width, residual) for _ in range((depth - 2) // 2))
        self.norm, self.head, self.dropout = nn.LayerNorm(width), glorot(width, outputs), nn.Dropout(dropout)

    def forward(self, ids, lengths):
        mask = present(ids, lengths).unsqueeze(2)
        x = self.dropout(self.words(ids))
        for block in self.blocks:
            x = block(x, mask)
        x = F.relu(self.norm(x)).masked_fill(~mask, -1e9).amax(1)
        return self.head(self.dropout(x))


class Transformer(nn.Module):
    """PyTorch's own encoder over words, or over patches of images."""

    def __init__(self, outputs, vocabulary=None, tokens=64, width=128, layers=4, heads=4, feed_forward=512, dropout=0.1,
                 patch=4):
        super().__init__()
        self.patch = patch
        self.words = words(vocabulary, width) if vocabulary else None
        self.patches = None if vocabulary else glorot(3 * patch * patch, width)
        self.positions = nn.Parameter(torch.empty(tokens, width).uniform_(-0.02 * math.sqrt(3), 0.02 * math.sqrt(3)))
        layer = nn.TransformerEncoderLayer(width, heads, feed_forward, dropout, batch_first=True, norm_first=True)
        self.blocks = nn.TransformerEncoder(layer, layers, nn.LayerNorm(width), enable_nested_tensor=False)
        for block in self.blocks.layers:
            nn.init.uniform_(block.self_attn.in_proj_weight, -math.sqrt(3 / width), math.sqrt(3 / width))
            uniform(block.self_attn.out_proj, math.sqrt(3 / width))
            # Ours drops what the two halves of a block give, and nothing within them.
            block.self_attn.dropout, block.dropout = 0.0, nn.Identity()
            uniform(block.linear1, math.sqrt(6 / (width + feed_forward)))
            uniform(block.linear2, math.sqrt(6 / (width + feed_forward)))
        self.head, self.dropout = glorot(width, outputs), nn.Dropout(dropout)

    def forward(self, x, lengths=None):
        there = None
        if self.words is None:
            x = self.patches(F.unfold(x, self.patch, stride=self.patch).transpose(1, 2))
        else:
            there = within(x, lengths)
            x = self.words(x)
        x = self.dropout(x + self.positions[: x.shape[1]])
        x = self.blocks(x, src_key_padding_mask=None if there is None else ~there)
        if there is None:
            return self.head(x.mean(1))
        there = there.unsqueeze(2)
        return self.head((x * there).sum(1) / there.sum(1))


class Recurrent(nn.Module):
    """PyTorch's own LSTM or GRU."""

    def __init__(self, cell, outputs, vocabulary=None, embedding=128, hidden=128, dropout=0.3, largest=True, both=True):
        super().__init__()
        self.words = words(vocabulary, embedding) if vocabulary else None
        self.memory = cell(embedding, hidden, batch_first=True, bidirectional=both)
        with torch.no_grad():
            for name, value in self.memory.named_parameters():
                if name.startswith("bias"):
                    value.zero_()
                if cell is nn.LSTM and name.startswith("bias_ih"):
                    value[hidden : 2 * hidden] = 1.0
                # A second bias only doubles the steps of the first, except that of the GRU's candidate, which is reset.
                if cell is nn.LSTM and name.startswith("bias_hh"):
                    value.requires_grad_(False)
                if cell is nn.GRU and name.startswith("bias_hh"):
                    value.register_hook(lambda gradient: torch.cat([torch.zeros(2 * hidden), gradient[2 * hidden :]]))
        self.fixed = 2 * hidden * (2 if both else 1) if cell is nn.GRU else 0
        pooled = hidden * (2 if both else 1)
        self.head, self.dropout, self.largest = glorot(pooled, outputs), nn.Dropout(dropout), largest

    def forward(self, x, lengths=None):
        there = None
        if self.words is None:
            x = x.permute(0, 2, 3, 1).flatten(2)
        else:
            there = within(x, lengths)
            x = self.words(x)
        x = self.dropout(x)
        if there is None:
            x = self.memory(x)[0]
            return self.head(self.dropout(x.amax(1) if self.largest else x.mean(1)))
        x = nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        x = nn.utils.rnn.pad_packed_sequence(self.memory(x)[0], batch_first=True)[0]
        there = there.unsqueeze(2)
        x = x.masked_fill(~there, -1e9).amax(1) if self.largest else (x * there).sum(1) / there.sum(1)
        return self.head(self.dropout(x))


class Mlp(nn.Module):
    """Over all pixels of an image, over features, or over the mean of the embeddings of a text."""

    def __init__(self, outputs, inputs, vocabulary=None, hidden=256, layers=2, dropout=0.2):
        super().__init__()
        self.words = words(vocabulary, inputs) if vocabulary else None
        sizes = [inputs] + layers * [hidden]
        self.hidden = nn.ModuleList(
            uniform(nn.Linear(here, there), math.sqrt(6 / here)) for here, there in zip(sizes, sizes[1:]))
        # Ours begins with a last layer of zeros.
        self.head, self.dropout = uniform(nn.Linear(sizes[-1], outputs), 0.0), nn.Dropout(dropout)

    def forward(self, x, lengths=None):
        if lengths is not None:
            there = present(x, lengths).unsqueeze(2)
            x = (self.words(x) * there).sum(1) / there.sum(1)
        elif x.dim() == 4:
            x = x.permute(0, 2, 3, 1).flatten(1)
        for layer in self.hidden:
            x = self.dropout(F.relu(layer(x)))
        return self.head(x)


class Fused(nn.Module):
    """A network with plain features beside it. The head is linear over both, written as a sum: the network's own head, and a linear
    layer over the projected features."""

    def __init__(self, network, outputs, features, projection=64, dropout=0.2):
        super().__init__()
        self.network, self.dropout = network, nn.Dropout(dropout)
        self.projection, self.head = glorot(features, projection), glorot(projection, outputs)

    def forward(self, features, *inputs):
        return self.network(*inputs) + self.head(self.dropout(self.projection(features)))


class Discriminator(nn.Module):
    """Six convolutions, of which two halve the image. Of K + 1 classes, the last is that of made-up images, whose output is 0."""

    def __init__(self, outputs, width=32, dropout=0.3):
        super().__init__()
        self.layers, inputs = nn.ModuleList(), 3
        for stage in range(3):
            for index in range(2):
                self.layers.append(conv(inputs, width << stage, 2 if stage and not index else 1, bias=True))
                inputs = width << stage
        self.head, self.dropout = glorot(inputs, outputs), nn.Dropout(dropout)

    def features(self, x):
        for layer in self.layers:
            x = self.dropout(x) if layer.stride[0] > 1 else x
            x = F.leaky_relu(layer(x), 0.2)
        return x.mean((2, 3))

    def forward(self, x):
        return F.pad(self.head(self.dropout(self.features(x))), (0, 1))


class Generator(nn.Module):
    """From noise to standardised pixels like those of `images`, whose sides are multiples of four: a small image of many channels,
    doubled twice."""

    def __init__(self, images, width=32, noise=100):
        super().__init__()
        self.noise, self.small = noise, (width << 2, images.pixels.shape[2] // 4, images.pixels.shape[3] // 4)
        self.mean, self.std = images.mean, images.std
        self.start = uniform(nn.Linear(noise, math.prod(self.small)), math.sqrt(6 / noise))
        channels = [width << 2, width << 1, width, 3]
        self.norms = nn.ModuleList(nn.BatchNorm2d(inputs) for inputs in channels[:-1])
        self.convolutions = nn.ModuleList(conv(inputs, outputs, 1) for inputs, outputs in zip(channels, channels[1:]))
        self.bias = nn.Parameter(torch.zeros(3))

    def forward(self, noise):
        channels, height, width = self.small
        x = self.start(noise).view(-1, height, width, channels).permute(0, 3, 1, 2)
        for stage, (norm, convolution) in enumerate(zip(self.norms, self.convolutions)):
            x = F.relu(norm(x))
            x = convolution(F.interpolate(x, scale_factor=2) if stage < 2 else x)
        return ((torch.tanh(x + self.bias.view(1, 3, 1, 1)) + 1) / 2 - self.mean) / self.std


def present(ids, lengths):
    return torch.arange(ids.shape[1])[None, :] < lengths[:, None]


def within(ids, lengths):
    """Which numbers are words, or None if all of them are. Without lengths, all are."""
    there = None if lengths is None else present(ids, lengths)
    return None if there is None or bool(there.all()) else there


def parameters(network):
    """How many numbers are learned."""
    learned = sum(value.numel() for value in network.parameters() if value.requires_grad)
    return learned - getattr(network, "fixed", 0)


def decays(name, value):
    """Matrices and kernels, but no embeddings."""
    return value.dim() > 1 and not {"words", "positions", "embeddings"} & set(name.split("."))


class Optimizer:
    """Moves a network by the recipe, with warm-up, a fall of the rate to zero, and clipped gradients."""

    def __init__(self, network, recipe, steps):
        matrices = [value for name, value in network.named_parameters() if decays(name, value)]
        others = [value for name, value in network.named_parameters() if not decays(name, value)]
        groups = [{"params": matrices, "weight_decay": recipe["weight_decay"]}, {"params": others, "weight_decay": 0.0}]
        if recipe["optimizer"] == "sgd":
            self.rule = torch.optim.SGD(groups, lr=0.0, momentum=0.9)
        else:
            self.rule = torch.optim.AdamW(groups, lr=0.0)
        self.network, self.recipe, self.done, self.steps = network, recipe, 0, steps

    def rate(self):
        warm_up = round(0.1 * self.steps)
        if self.done < warm_up:
            return self.recipe["learning_rate"] * (self.done + 1) / warm_up
        fallen = (self.done - warm_up) / max(self.steps - warm_up, 1)
        left = 1 - fallen if self.recipe.get("fall") == "linear" else 0.5 + 0.5 * math.cos(math.pi * fallen)
        return self.recipe["learning_rate"] * left

    def step(self, loss):
        """One step against the gradient of this loss, which is returned. A card is not waited for."""
        for group in self.rule.param_groups:
            group["lr"] = self.rate()
        self.rule.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), self.recipe.get("clip", 1.0))
        self.rule.step()
        self.done += 1
        return loss.detach()


def train(network, inputs, targets, recipe, after_epoch=None):
    """Seconds and mean loss of each epoch. `inputs.batch(rows)` gives the network's arguments."""
    rows, batch, epochs = len(targets), recipe["batch"], recipe["epochs"]
    optimizer, told = Optimizer(network, recipe, math.ceil(rows / batch) * epochs), []
    for _ in range(epochs):
        start, losses = time.perf_counter(), []
        network.train()
        for chosen in inputs.batches(torch.randperm(rows, device=targets.device), batch):
            outputs, wanted = network(*inputs.batch(chosen, recipe)), targets[chosen]
            if wanted.dtype == torch.int64:
                loss = F.cross_entropy(outputs, wanted)
            else:
                if recipe.get("flip"):
                    # Mirroring turns the sign of an angle.
                    wanted = torch.where(inputs.mirrored, -wanted, wanted)
                loss = F.mse_loss(outputs.squeeze(1), wanted)
            losses.append(optimizer.step(loss))
        # A card has done all of the epoch when this number is here.
        loss = torch.stack(losses).mean().item()
        if after_epoch:
            after_epoch(loss)
        told.append((time.perf_counter() - start, loss))
    return told


def train_rivals(discriminator, generator, inputs, targets, recipe, draw=None):
    """Seconds and both mean losses of each epoch. In each step the discriminator moves, and then the generator. `draw(rows)` gives
    the noise of so many images, once for each of the two."""
    rows, batch, epochs = len(targets), recipe["batch"], recipe["epochs"]
    steps, told = math.ceil(rows / batch) * epochs, []
    of_discriminator, of_generator = (Optimizer(network, recipe, steps) for network in (discriminator, generator))
    draw = draw or (lambda rows: torch.rand(rows, generator.noise) * 2 - 1)
    generator.train()
    for _ in range(epochs):
        start, losses = time.perf_counter(), []
        for chosen in inputs.batches(torch.randperm(rows), batch):
            (real,), wanted = inputs.batch(chosen, recipe), targets[chosen]
            discriminator.train()
            keep_statistics(generator, True)
            with torch.no_grad():
                made = generator(draw(len(real)))
            keep_statistics(generator, False)
            outputs = discriminator(made)
            made_up = torch.full_like(wanted, outputs.shape[1] - 1)
            loss = F.cross_entropy(discriminator(real), wanted) + F.cross_entropy(outputs, made_up)
            first = of_discriminator.step(loss)
            discriminator.eval().requires_grad_(False)
            apart = discriminator.features(generator(draw(len(real)))).mean(0) - discriminator.features(real).mean(0)
            second = of_generator.step(apart.square().sum())
            discriminator.requires_grad_(True)
            losses.append((first.item(), second.item()))
        told.append((time.perf_counter() - start, *(sum(part) / len(losses) for part in zip(*losses))))
    return told


def keep_statistics(network, is_kept):
    """Whether a pass leaves the running statistics as they are."""
    for norm in network.norms:
        norm.momentum = 0.0 if is_kept else 0.1


def predict(network, inputs, size=50):
    """Outputs of all rows."""
    network.eval()
    with torch.inference_mode():
        return torch.cat([network(*inputs.batch(torch.arange(at, min(at + size, len(inputs)))))
                          for at in range(0, len(inputs), size)])


def latencies(network, one, count, warm_up=30):
    """Seconds of each prediction of one raw example to a label; `one(i)` gives the network's arguments."""
    network.eval()
    seconds = []
    with torch.inference_mode():
        for index in range(count + warm_up):
            start = time.perf_counter()
            network(*one(index)).argmax(1).item()
            seconds.append(time.perf_counter() - start)
    return seconds[warm_up:]
