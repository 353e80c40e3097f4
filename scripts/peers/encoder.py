#!/usr/bin/env python3
"""Times a pass of fine-tuning of a pretrained encoder in PyTorch, as a user of transformers would do it: AdamW, batches of 32 rows
padded to their longest, dropout 0.1. With --grouped, batches are of rows of similar length, as ours are.

usage: python encoder.py FOLDER_OF_MINILM ROWS [--grouped] [--steps N]   (ROWS: lines of a label, a tab and a text)
needs: torch, transformers
"""

import argparse
import json
import random
import time

import torch
import transformers


def batches(rows, size, grouped, rng):
    rng.shuffle(rows)
    if grouped:
        window = 8 * size
        rows = [row for at in range(0, len(rows), window) for row in sorted(rows[at : at + window], key=lambda row: len(row[1]))]
    cut = [rows[at : at + size] for at in range(0, len(rows) - size + 1, size)]
    rng.shuffle(cut)
    return cut


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("rows")
    parser.add_argument("--grouped", action="store_true")
    parser.add_argument("--steps", type=int, default=10**9)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.folder)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(arguments.folder, num_labels=2)
    model.train()
    with open(arguments.rows, encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t", 1) for line in lines]
    rows = [(int(label), tokenizer(text, truncation=True, max_length=128)["input_ids"]) for label, text in rows]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-5, weight_decay=0.01)
    cut = batches(rows, 32, arguments.grouped, random.Random(1))[: arguments.steps]
    seconds = []
    for batch in cut:
        start = time.perf_counter()
        inputs = tokenizer.pad({"input_ids": [ids for _, ids in batch]}, return_tensors="pt")
        loss = model(**inputs, labels=torch.tensor([label for label, _ in batch])).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seconds.append(time.perf_counter() - start)
    told = {"steps": len(seconds), "seconds": sum(seconds), "median_step": sorted(seconds)[len(seconds) // 2],
            "torch": torch.__version__, "transformers": transformers.__version__}
    print(json.dumps(told))


main()
