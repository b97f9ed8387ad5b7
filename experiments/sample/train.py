"""Trains the four-layer network of samples/ on Fashion-MNIST with PyTorch and writes it as ONNX.

It stands in until Tensorial's own trainer exists, which then takes its place. The tool and its tests never run it.

    python3 experiments/sample/train.py FOLDER samples/fashion-cnn.onnx

FOLDER holds the four files of Fashion-MNIST (IDX, gzip or not). Same seed, thread count and PyTorch version: same file.
Pixels go in as they are, scaled to [0, 1] (`--normalize none`): the first batch normalisation learns the rest.
"""

import argparse
import time

import idx
import torch
from torch import nn
from torch.nn import functional


def read_split(folder, split):
    images, labels = (torch.from_numpy(idx.read(folder, f"{split}-{part}-ubyte")) for part in ("images-idx3", "labels-idx1"))
    return images.unsqueeze(1).float().div_(255), labels.long()


class FashionNet(nn.Module):
    """Three stages of convolution, batch normalisation, ReLU and pooling (28, 14, 7, 3 pixels a side), then a dense layer."""

    def __init__(self):
        super().__init__()
        for stage, (inputs, outputs) in enumerate([(1, 16), (16, 32), (32, 64)], 1):
            self.add_module(f"conv{stage}", nn.Conv2d(inputs, outputs, 3, padding=1, bias=False))
            self.add_module(f"norm{stage}", nn.BatchNorm2d(outputs))
        self.dense = nn.Linear(64 * 3 * 3, 10)

    def forward(self, x):
        for convolve, normalize in [(self.conv1, self.norm1), (self.conv2, self.norm2), (self.conv3, self.norm3)]:
            x = functional.max_pool2d(functional.relu(normalize(convolve(x))), 2)
        return self.dense(torch.flatten(x, 1))


def augment(images):
    """Mirrors half of the images: a shirt seen from the other side is still a shirt."""
    mirrored = torch.rand(len(images)) < 0.5
    return torch.where(mirrored[:, None, None, None], images.flip(3), images)


def accuracy(net, images, labels):
    net.eval()
    with torch.no_grad():
        correct = sum((net(x).argmax(1) == y).sum().item() for x, y in zip(images.split(1000), labels.split(1000)))
    return correct / len(labels)


def train(net, images, labels, test, epochs, batch, rate):
    steps = epochs * (len(images) // batch)
    optimizer = torch.optim.SGD(net.parameters(), rate, momentum=0.9, weight_decay=5e-4, nesterov=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps, pct_start=0.2)
    for epoch in range(1, epochs + 1):
        net.train()
        start, total, batches = time.time(), 0.0, len(images) // batch
        for chosen in torch.randperm(len(images))[: batches * batch].split(batch):
            loss = functional.cross_entropy(net(augment(images[chosen])), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch:2}  loss {total / batches:.4f}  test {accuracy(net, *test):.4f}  {time.time() - start:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("output")
    parser.add_argument("--epochs", type=int, default=16)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--rate", type=float, default=0.1, help="highest learning rate of the one cycle")
    parser.add_argument("--seed", type=int, default=20240819)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()

    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    test = read_split(options.folder, "t10k")
    net = FashionNet()
    train(net, *read_split(options.folder, "train"), test, options.epochs, options.batch, options.rate)
    print(f"test accuracy {accuracy(net, *test):.4f}, on the first 1,000 images {accuracy(net, *(part[:1000] for part in test)):.4f}")

    # PRESERVE keeps the batch normalisations and the names of the weights; EVAL would fold the former into nameless constants.
    net.eval()
    torch.onnx.export(
        net, torch.zeros(1, 1, 28, 28), options.output, opset_version=13,
        training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False,
        input_names=["input"], output_names=["logits"], dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}})


if __name__ == "__main__":
    main()
