"""A program that speaks the protocol with nothing but Python's own library, and knows whether a number is odd. Its argument names what it
does wrong; without one, it does nothing wrong."""

import json
import os
import struct
import subprocess
import sys
import time
import zlib

WAY = sys.argv[1] if len(sys.argv) > 1 else "good"
SIZES = {"u8": 1, "u16": 2, "u64": 8, "f32": 4}
read, write = sys.stdin.buffer, sys.stdout.buffer
fits, salt = 0, 0


def receive():
    line = read.readline()
    if not line:
        sys.exit(0)
    message, blocks = json.loads(line), {}
    for block in message.pop("blocks", []):
        count = 1
        for side in block["shape"]:
            count *= side
        blocks[block["name"]] = read.read(count * SIZES[block["type"]])
    return message, blocks


def send(message, *blocks):
    if blocks:
        message["blocks"] = [{"name": name, "type": kind, "shape": shape} for name, kind, shape, _ in blocks]
    write.write(json.dumps(message).encode() + b"\n" + b"".join(body for *_, body in blocks))
    write.flush()


def rows_of(body, offsets):
    return [int(body[start:end]) for start, end in zip(offsets, offsets[1:])]


def predictions(blocks, prefix=""):
    body, offsets = blocks[f"{prefix}text"], blocks[f"{prefix}text_offsets"]
    offsets = struct.unpack(f"<{len(offsets) // 8}Q", offsets)
    labels = [number % 2 for number in rows_of(body, offsets)]
    if WAY == "too-few":
        labels = labels[:-1]
    if WAY == "too-many":
        labels.append(0)
    if WAY == "sorts":
        labels.sort()
    if WAY == "label-9" and len(labels) > 1:
        labels[1] = 9
    if WAY == "random-fit":
        labels = [label ^ (zlib.crc32(f"{row} {salt}".encode()) % 5 == 0) for row, label in zip(rows_of(body, offsets), labels)]
    if WAY == "more-after-more-fits":
        labels = [label if fits < 2 else 0 for label in labels]
    rows = [[0.9, 0.1] if label == 0 else [0.1, 0.9] for label in labels]
    if WAY == "nan":
        rows[0][0] = float("nan")
    if WAY == "sums-to-two":
        rows[0] = [1.0, 1.0]
    shares = b"".join(struct.pack("<2f", *row) for row in rows)
    return ("labels", "u16", [len(labels)], struct.pack(f"<{len(labels)}H", *labels)), (
        "probabilities", "f32", [len(rows), 2], shares)


def hello():
    if WAY == "exits":
        print("no module named 'lightgbm'", file=sys.stderr)
        sys.exit(7)
    if WAY == "prints":
        print("Loading the model ...")
    if WAY == "floods":
        while True:
            write.write(b"x" * (1 << 20))
    if WAY == "hangs-in-hello":
        time.sleep(1000)
    if WAY == "leaves-a-hanging-hello":
        # The other one keeps the pipes open and is in a group of its own.
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        sys.exit(0)
    protocol = 2 if WAY == "protocol-2" else 1
    inputs = ["images"] if WAY == "images-only" else ["sounds"] if WAY == "unknown-inputs" else ["texts"]
    send({"type": "hello", "protocol": protocol, "name": "odd numbers", "version": "4.6", "inputs": inputs, "targets": ["classes"]})


def fit(blocks):
    global fits, salt
    fits, salt = fits + 1, int.from_bytes(os.urandom(4), "little")
    if WAY == "prints-in-fit":
        print("epoch 1 of 3 is done", flush=True)
    if WAY == "hangs-in-fit":
        time.sleep(1000)
    if WAY == "dies-in-fit":
        print("Traceback: something\n  MemoryError: no room", file=sys.stderr)
        sys.exit(3)
    if WAY == "is-killed":
        os.kill(os.getpid(), 9)
    if WAY == "leaves-others":
        subprocess.Popen(["sleep", "1003"], start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if WAY == "forks-and-exits":
        subprocess.Popen(["sleep", "1002"], start_new_session=True)
        os._exit(0)
    if WAY == "child-eats-memory":
        subprocess.run([sys.executable, "-c", "import time; held = bytearray(1 << 30); time.sleep(1000)"])
    if WAY == "changes-its-file":
        open(__file__, "a").write("# changed\n")
    if WAY == "says-error":
        send({"type": "error", "message": "ValueError: I need\nmore rows"})
        return
    if WAY == "wrong-answer":
        send({"type": "saved"})
        return
    epochs = {"epochs": 3, "skips-an-epoch": 3, "nan-loss": 3, "null-loss": 3}.get(WAY, 0)
    for epoch in range(1, epochs + 1):
        loss = {"nan-loss": float("nan"), "null-loss": None}.get(WAY, 1 / epoch)
        number = 3 if WAY == "skips-an-epoch" and epoch == 2 else epoch
        send({"type": "epoch", "epoch": number, "epochs": 3, "loss": loss}, *predictions(blocks, "validation."))
        score, _ = receive()
        assert score["type"] == "score" and score["score"] == 1.0, score
    send({"type": "progress", "done": 1, "total": 1})
    send({"type": "fitted"})


while True:
    if WAY == "speaks-first":
        send({"type": "ready"})
    message, blocks = receive()
    kind = message["type"]
    if kind == "bye":
        if WAY == "stays":
            time.sleep(1000)
        break
    if kind == "hello":
        hello()
    elif kind == "task":
        assert message["inputs"] == {"kind": "texts"} and message["target"] == {"kind": "classes", "count": 2}, message
        if WAY == "unsupported":
            send({"type": "unsupported", "reason": "it wants at least 1,000 rows"})
        else:
            send({"type": "ready"})
    elif kind == "fit":
        fit(blocks)
    elif kind == "predict":
        if WAY == "hangs-in-predict":
            time.sleep(1000)
        labels, probabilities = predictions(blocks)
        send({"type": "predictions"}, labels, *([] if WAY == "labels-only" else [probabilities]))
    elif kind == "footprint":
        send({"type": "footprint", "parameters": 0 if WAY == "counts-nothing" else 1})
    elif kind == "save":
        if WAY == "cannot-save":
            send({"type": "error", "message": "NotImplementedError"})
            continue
        open(os.path.join(message["folder"], "state"), "w").write(f"odd {salt}")
        send({"type": "saved"})
    elif kind == "load":
        word, salt = open(os.path.join(message["folder"], "state")).read().split()
        salt = int(salt)
        assert word == "odd"
        send({"type": "loaded"})
    elif kind == "echo":
        send({"type": "echo"})
