"""The data of both sides: CIFAR-10 and SST-2 from the folder of the official archives, and tables that are made up."""

import collections
import io
import pathlib
import re
import tarfile
import zipfile

import numpy as np
import torch
from torch.nn import functional as F

RECORD = 1 + 3 * 32 * 32


class Images:
    """Raw pixels, standardised when cut into batches."""

    def __init__(self, pixels, like=None):
        self.pixels = pixels
        if like is not None:
            self.mean, self.std = like.mean, like.std
        else:
            self.mean = torch.tensor(pixels.mean((0, 2, 3), dtype=np.float64) / 255, dtype=torch.float32).view(1, 3, 1, 1)
            self.std = torch.tensor(pixels.std((0, 2, 3), dtype=np.float64) / 255, dtype=torch.float32).view(1, 3, 1, 1)

    def __len__(self):
        return len(self.pixels)

    def batches(self, order, size):
        return order.split(size)

    def batch(self, rows, recipe=None):
        x = torch.from_numpy(self.pixels[rows.numpy()]).float().div_(255).sub_(self.mean).div_(self.std)
        if recipe and recipe.get("flip"):
            self.mirrored = torch.rand(len(x)) < 0.5
            x = torch.where(self.mirrored.view(-1, 1, 1, 1), x.flip(3), x)
        crop = recipe.get("crop", 0) if recipe else 0
        if crop:
            padded, size = F.pad(x, (crop,) * 4), x.shape[2]
            shifts = torch.randint(0, 2 * crop + 1, (len(x), 2))
            x = torch.stack([image[:, dy : dy + size, dx : dx + size]
                             for image, (dy, dx) in zip(padded, shifts.tolist())])
        return (x,)

    def one(self, index):
        return self.batch(torch.tensor([index % len(self)]))


class Texts:
    """Texts as numbered words: the same splitting and the same vocabulary as models/src/encode/vocabulary.rs."""

    def __init__(self, texts, like=None, longest=64):
        self.texts, self.longest = texts, longest
        if like is not None:
            self.numbers = like.numbers
        else:
            counts = collections.Counter(word for text in texts for word in set(split(text)))
            ranked = sorted((word for word in counts if counts[word] > 1), key=lambda word: (-counts[word], word))
            self.numbers = {word: number for number, word in enumerate(ranked[:20_000], 3)}
        self.ids = [self.encode(text) for text in texts]

    def __len__(self):
        return len(self.texts)

    def encode(self, text):
        return [self.numbers.get(word, 1) for word in split(text)][: self.longest] or [1]

    @property
    def vocabulary(self):
        return len(self.numbers) + 3

    def batches(self, order, size):
        """Like lengths together, as models/src/neural/batch.rs has it."""
        chosen = []
        for window in order.split(8 * size):
            window = torch.tensor(sorted(window.tolist(), key=lambda row: len(self.ids[row])))
            chosen.extend(window.split(size))
        return [chosen[index] for index in torch.randperm(len(chosen))]

    def batch(self, rows, recipe=None):
        ids = [self.ids[row] for row in rows.tolist()]
        x = tensor(ids)
        drop = recipe.get("word_dropout", 0.0) if recipe else 0.0
        if drop:
            x[torch.rand(x.shape) < drop] = 1
        return x, torch.tensor([len(row) for row in ids])

    def one(self, index):
        ids = self.encode(self.texts[index % len(self)])
        return tensor([ids]), torch.tensor([len(ids)])


class Features:
    """Rows of numbers, alone or before what another kind of inputs has of the same examples."""

    def __init__(self, numbers, raw=None):
        self.numbers, self.raw = torch.tensor(numbers, dtype=torch.float32), raw

    def __len__(self):
        return len(self.numbers)

    def batches(self, order, size):
        return self.raw.batches(order, size) if self.raw else order.split(size)

    def batch(self, rows, recipe=None):
        return (self.numbers[rows], *(self.raw.batch(rows, recipe) if self.raw else ()))


def tensor(ids):
    longest = max(map(len, ids))
    return torch.tensor([row + [0] * (longest - len(row)) for row in ids])


# A word of models/src/encode/words.rs, as far as the texts of SST-2 go: letters and digits with an apostrophe, a point, a
# colon or a comma between two of them, or a mark.
WORD = r"\w+(?:(?:['.:](?<=[^\W\d_].)(?=[^\W\d_])|[.,;'](?<=\d.)(?=\d))\w+)*|[^\w\s]"


def split(text):
    return re.findall(WORD, text.lower())


class Sources:
    """Writes what our side reads, and gives the other side the same."""

    def __init__(self, archives, folder):
        self.archives, self.folder = pathlib.Path(archives), pathlib.Path(folder)

    def images(self, rows):
        """CIFAR-10's first rows: path, pixels, labels."""
        with tarfile.open(self.archives / "cifar-10-binary.tar.gz") as archive:
            data = b"".join(archive.extractfile(f"cifar-10-batches-bin/data_batch_{part}.bin").read() for part in (1, 2))
        records = np.frombuffer(data, np.uint8).reshape(-1, RECORD)[:rows]
        path = self.folder / f"images-{rows}"
        path.write_bytes(records.tobytes())
        return str(path), records[:, 1:].reshape(-1, 3, 32, 32).copy(), records[:, 0].astype(np.int64)

    def sentences(self):
        """SST-2's training rows: labels and texts."""
        with zipfile.ZipFile(self.archives / "glue" / "SST-2.zip") as archive:
            name = next(name for name in archive.namelist() if name.endswith("train.tsv"))
            lines = io.TextIOWrapper(archive.open(name), "utf-8").read().splitlines()[1:]
        texts, labels = zip(*(line.rsplit("\t", 1) for line in lines))
        return list(texts), np.array(labels, dtype=np.int64)

    def texts(self, rows=None, words=None):
        """SST-2's rows, or texts of exactly so many words, put together of sentences of one label."""
        texts, labels = self.sentences()
        if words:
            made, heaps = [], ([], [])
            for text, label in zip(texts, labels):
                heaps[label].extend(re.findall(r"[a-z]{2,}", text.lower()))
                if len(heaps[label]) >= words:
                    made.append((" ".join(heaps[label][:words]), label))
                    heaps[label].clear()
            texts, labels = [text for text, _ in made], np.array([label for _, label in made])
        texts, labels = texts[:rows], labels[:rows]
        path = self.folder / f"texts-{rows}-{words}"
        path.write_text("".join(f"{label}\t{text}\n" for text, label in zip(texts, labels)), "utf-8")
        return str(path), texts, labels

    def tables(self, parts):
        """A file of each table, of rows and labels."""
        paths = []
        for number, (rows, labels) in enumerate(parts):
            path = self.folder / f"table-{len(parts[0][0])}x{rows.shape[1]}-{number}"
            np.column_stack([labels, rows]).astype("<f4").tofile(path)
            paths.append(str(path))
        return paths

    def cut(self, path, rows):
        """Two files: the first rows of a file of images, and the others."""
        whole, targets = pathlib.Path(path).read_bytes(), (f"{path}-first{rows}", f"{path}-after{rows}")
        for target, part in zip(targets, (whole[: rows * RECORD], whole[rows * RECORD :])):
            pathlib.Path(target).write_bytes(part)
        return targets

    def head(self, path, form, rows):
        """A file of the first rows of another."""
        whole, target = pathlib.Path(path).read_bytes(), pathlib.Path(f"{path}-head{rows}")
        if form == "images":
            target.write_bytes(whole[: rows * RECORD])
        else:
            target.write_bytes(b"".join(whole.splitlines(keepends=True)[:rows]))
        return str(target)
