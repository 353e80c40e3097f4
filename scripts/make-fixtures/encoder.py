#!/usr/bin/env python3
"""A tiny pretrained encoder with random weights, and what transformers makes of texts with it: piece numbers, hidden states, and
the losses of a fit. With a second argument, the piece numbers and hidden states of the encoder in that folder.

usage: python -P encoder.py models/tests/fixtures/encoder
       python -P encoder.py models/tests/fixtures/encoder FOLDER_OF_MINILM
"""

import collections
import gzip
import json
import platform
import sys
from pathlib import Path

import numpy
import tokenizers
import torch
import transformers
from safetensors.torch import save_file

SAMPLES = Path(__file__).resolve().parents[2] / "datasets/samples"
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
COMMON = 380
PAIR_WORDS = "red blue green white cat dog horse fish runs sleeps sings waits".split()

TEXTS = [
    ["a gorgeous , witty , seductive movie .", None],
    ["", None],
    ["   \t\n ", None],
    ["Naïve café: ÀÉÎÕÜ façade, señor, Ångström, ﬁancé", None],
    ["I 👍🏽 this film 😀😀, 👨‍👩‍👧‍👦 and 🇨🇭!", None],
    ["电影很好看。这部电影 is good", None],
    ["映画はとても良い。한국어 영화", None],
    ["[SEP] in a text, [CLS] too, [MASK] as well [sep]", None],
    ["x" * 99 + " " + "y" * 100 + " " + "z" * 101 + " " + "w" * 1000, None],
    ["don't stop--it's 3.14 $5 50% (really?!) #1 @home e-mail_under\u00adscore", None],
    ["zero\u200bwidth\u200d joiner \ufeff\u0000\ufffd control\u0007 nbsp\u00a0space \u3000wide", None],
    [" ".join(["good bad film unthinkable"] * 250), None],
    ["İstanbul ẞtraße ΣΊΣΥΦΟΣ Привет мир עברית العربية हिन्दी ไทย", None],
    ["red blue green white", "white dog red fish"],
    ["", "an empty first text"],
    [" ".join(["first"] * 500), "a short second text"],
    ["a short first text", " ".join(["second"] * 500)],
    [" ".join(["first"] * 500), " ".join(["second"] * 501)],
]


def pieces():
    """Common words of the sample of SST-2, then every letter at a word's begin and after it."""
    with gzip.open(SAMPLES / "sst2-train.tsv.gz", "rt", encoding="utf-8") as lines:
        counts = collections.Counter(word for line in lines for word in line.split("\t")[0].split())
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)] + list("0123456789")
    marks = list("!\"#$%&'()*+,-./:;<=>?@[]_`") + ["电", "影", "好"]
    endings = ["##s", "##ed", "##ing", "##ly", "##er", "##able", "##think"]
    starts = ["un", "film", "think"]
    common = [word for word, _ in counts.most_common(COMMON) if word.isalpha()]
    every = SPECIAL + letters + ["##" + letter for letter in letters] + marks + endings + starts + PAIR_WORDS + common
    return list(dict.fromkeys(every))


def write_tokenizer(folder):
    vocabulary = {piece: number for number, piece in enumerate(pieces())}
    made = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    made.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    numbers = [(piece, vocabulary[piece]) for piece in ["[CLS]", "[SEP]"]]
    made.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=numbers
    )
    made.add_special_tokens(SPECIAL)
    made.save(str(folder / "tokenizer.json"), pretty=False)
    return len(vocabulary)


def write_encoder(folder):
    folder.mkdir(parents=True, exist_ok=True)
    config = transformers.BertConfig(
        vocab_size=write_tokenizer(folder),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=64,
        type_vocab_size=2,
    )
    torch.manual_seed(1)
    model = transformers.BertModel(config).eval()
    # So large that every part counts: fresh biases are zero, and fresh weights small.
    state = {name: value + 0.3 * torch.randn_like(value) for name, value in model.state_dict().items() if value.is_floating_point()}
    model.load_state_dict(state, strict=False)
    config.to_json_file(folder / "config.json", use_diff=False)
    save_file({name: value.contiguous() for name, value in state.items()}, folder / "model.safetensors")


def tokenizer_of(folder):
    return transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"), pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]", model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def model_of(folder):
    config = transformers.BertConfig.from_json_file(folder / "config.json")
    config._attn_implementation = "eager"
    model = transformers.BertModel(config)
    from safetensors.torch import load_file

    missing, unused = model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    assert not [name for name in missing if "position_ids" not in name], missing
    assert not [name for name in unused if "position_ids" not in name], unused
    return model.eval()


def rounded(values):
    return [round(float(value), 6) for value in values]


def encoded(folder, longest, numbers):
    """For each text its pieces, their segments, and the first `numbers` hidden numbers of the first piece, of the last piece and
    of the mean of all pieces."""
    tokenizer, model = tokenizer_of(folder), model_of(folder)
    cases = []
    for first, second in TEXTS:
        batch = tokenizer(first, second, truncation=True, max_length=longest, return_tensors="pt")
        with torch.no_grad():
            hidden = model(**batch).last_hidden_state[0]
        states = [hidden[0], hidden[-1], hidden.mean(0)]
        cases.append({
            "first": first,
            "second": second,
            "ids": batch["input_ids"][0].tolist(),
            "segments": batch["token_type_ids"][0].tolist(),
            "hidden": [rounded(state[:numbers]) for state in states],
        })
    return cases


TRAINING = [
    ("a gorgeous , witty movie", 1), ("dull and long", 0), ("the film is good", 1), ("not good", 0), ("a very bad plot", 0),
    ("it is fun", 1), ("fine", 1), ("too long a film to be fun", 0),
]
RECIPE = {"epochs": 6, "batch": 8, "shard": 4, "learning_rate": 0.01, "layer_decay": 0.8, "weight_decay": 0.1, "warmup": 0.34,
          "clip": 1.0, "dropout": 0.0, "max_tokens": 64}


def fit(folder, pooling):
    """The loss of each step of a fit: all rows are one batch, so each epoch is a step."""
    tokenizer, model = tokenizer_of(folder), model_of(folder)
    width = model.config.hidden_size
    start = 0.3 * numpy.sin(numpy.arange(2 * width + 2))
    head = torch.nn.Linear(width, 2)
    head.weight.data = torch.tensor(start[: 2 * width], dtype=torch.float32).reshape(width, 2).T.contiguous()
    head.bias.data = torch.tensor(start[2 * width :], dtype=torch.float32)
    layers = model.config.num_hidden_layers

    def depth(name):
        if name.startswith("embeddings"):
            return layers
        return layers - 1 - int(name.split(".")[2]) if name.startswith("encoder") else 0

    named = [(name, weight) for name, weight in model.named_parameters() if pooling == "class" or "pooler" not in name]
    named += [("head." + name, weight) for name, weight in head.named_parameters()]
    groups = []
    for name, weight in named:
        decays = weight.dim() == 2 and "embeddings" not in name
        share = RECIPE["layer_decay"] ** depth(name)
        groups.append({"params": [weight], "lr": RECIPE["learning_rate"] * share,
                       "weight_decay": RECIPE["weight_decay"] if decays else 0.0})
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.999), eps=1e-8)
    steps = RECIPE["epochs"]
    warmup = round(RECIPE["warmup"] * steps)

    def rate(step):
        return (step + 1) / warmup if step < warmup else 1 - (step - warmup) / max(steps - warmup, 1)

    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
    batch = tokenizer([text for text, _ in TRAINING], padding=True, return_tensors="pt")
    labels = torch.tensor([label for _, label in TRAINING])
    weights = [weight for _, weight in named]
    losses = []
    for _ in range(steps):
        hidden = model(**batch).last_hidden_state
        if pooling == "class":
            pooled = torch.tanh(model.pooler.dense(hidden[:, 0]))
        else:
            mask = batch["attention_mask"].unsqueeze(2)
            pooled = (hidden * mask).sum(1) / mask.sum(1)
        loss = torch.nn.functional.cross_entropy(head(pooled), labels)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, RECIPE["clip"])
        optimizer.step()
        schedule.step()
        losses.append(round(loss.item(), 8))
    return {"pooling": pooling, "losses": losses}


def main():
    folder = Path(sys.argv[1])
    made_with = (f"scripts/make-fixtures/encoder.py, Python {platform.python_version()}, torch {torch.__version__}, "
                 f"transformers {transformers.__version__}, tokenizers {tokenizers.__version__}")
    torch.set_num_threads(1)
    if len(sys.argv) > 2:
        told = {"made_with": made_with, "max_tokens": 128, "cases": encoded(Path(sys.argv[2]), 128, 8)}
        name = "minilm.json"
    else:
        write_encoder(folder)
        training = {"texts": [text for text, _ in TRAINING], "labels": [label for _, label in TRAINING], "params": RECIPE,
                    "fits": [fit(folder, pooling) for pooling in ["mean", "class"]]}
        told = {"made_with": made_with, "max_tokens": 64, "cases": encoded(folder, 64, 16), "training": training}
        name = "expected.json"
    (folder / name).write_text(json.dumps(told, ensure_ascii=True, indent=None, separators=(",", ":")) + "\n")


main()
