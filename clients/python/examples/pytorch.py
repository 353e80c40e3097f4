"""A small network of PyTorch on classes of images: params = { epochs = 5, width = 32, learning_rate = 0.003 }."""

import pathlib
import sys

import torch
from torch import nn

sys.path.append(str(pathlib.Path(__file__).parents[1]))
import bakeoff_model


class PyTorch(bakeoff_model.Model):
    name, version, inputs, targets = "a network of PyTorch", torch.__version__, ("images",), ("classes",)
    devices = ("cpu", "cuda")

    def fit(self, train, validation, fit):
        params = {"epochs": 5, "width": 32, "learning_rate": 0.003} | self.task.params
        torch.manual_seed(self.task.seed), torch.set_num_threads(self.task.threads)
        (planes, _, _), width = self.task.image_shape, params["width"]
        block = lambda inputs, outputs: [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.BatchNorm2d(outputs), nn.ReLU()]
        head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2 * width, self.task.classes)]
        self.net = nn.Sequential(*block(planes, width), *block(width, 2 * width), *head).to(self.task.device)
        optimizer = torch.optim.AdamW(self.net.parameters(), params["learning_rate"])
        images, labels = (torch.from_numpy(part).to(self.task.device) for part in (train.rows.pixels, train.targets))
        for epoch in range(1, params["epochs"] + 1):
            for rows in torch.randperm(len(train), device=self.task.device).split(64):
                self.net.zero_grad()
                loss = nn.functional.cross_entropy(self.net.train()(images[rows] / 255), labels[rows])
                loss.backward(), optimizer.step()
            fit.epoch(epoch, params["epochs"], loss.item(), self.predict(validation.rows))

    @torch.inference_mode()
    def predict(self, rows):
        parts = torch.from_numpy(rows.pixels).split(256)
        shares = torch.cat([self.net.eval()(part.to(self.task.device) / 255).softmax(1).cpu() for part in parts]).numpy()
        return shares.argmax(1), shares


bakeoff_model.serve(PyTorch)
