"""BALF (github.com/davidgonmar/BALF, arXiv 2509.25136) on the pretrained ResNets, and its table beside ours; run by balf.sh.

python3 -O balf.py factor DENSE.onnx CIFAR10 OUT POINT... [--images N]
    A point is BALF's mode and ratio: params-0.5, flops-0.3. Writes OUT/POINT.onnx and OUT/POINT.json: ranks and seconds of CPU; and
    OUT/dense.onnx, the network as it was loaded, with its top-1 in PyTorch. BALF is imported from the checkout in $BALF. -O, because it asserts that
    there is a GPU.
python3 balf.py target OUR_DENSE.json THEIRS.json parameters|macs
    The part of the dense network's parameters or multiply-accumulates that BALF's has, for --target: both as inspect counted them.
python3 balf.py table STEPS MADE NETWORK OUT.json
    Prints the table and writes the numbers.
"""

import argparse
import functools
import glob
import inspect
import json
import os
import sys
import time

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def records(folder, names, count):
    """The first images, as bytes [N, 3, 32, 32], and their labels."""
    import numpy as np

    data = np.concatenate([np.fromfile(os.path.join(folder, name), np.uint8).reshape(-1, 3073) for name in names])[:count]
    return data[:, 1:].reshape(-1, 3, 32, 32), data[:, 0].astype(np.int64)


def batches(images, labels, size):
    import torch

    pixels = (torch.from_numpy(images.copy()).float() / 255 - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(DEVIATION).view(3, 1, 1)
    return torch.utils.data.DataLoader(torch.utils.data.TensorDataset(pixels, torch.from_numpy(labels)), batch_size=size)


def resnet(path):
    """The CIFAR ResNet of He et al. (shortcuts without weights, their option A), with the weights of an ONNX file by their names."""
    import numpy
    import onnx.numpy_helper
    import torch
    from torch import nn
    from torch.nn import functional

    class Block(nn.Module):
        def __init__(self, before, after, stride):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(before, after, 3, stride, 1, bias=False), nn.BatchNorm2d(after)
            self.conv2, self.bn2 = nn.Conv2d(after, after, 3, 1, 1, bias=False), nn.BatchNorm2d(after)
            self.stride, self.more = stride, after - before

        def forward(self, x):
            y = self.bn2(self.conv2(functional.relu(self.bn1(self.conv1(x)))))
            if self.more:
                x = functional.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.more // 2, self.more // 2))
            return functional.relu(y + x)

    class Network(nn.Module):
        def __init__(self, blocks):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
            widths = [16, 16, 32, 64]
            for stage in (1, 2, 3):
                first = Block(widths[stage - 1], widths[stage], 1 if stage == 1 else 2)
                rest = [Block(widths[stage], widths[stage], 1) for _ in range(blocks - 1)]
                setattr(self, f"layer{stage}", nn.Sequential(first, *rest))
            self.linear = nn.Linear(64, 10)

        def forward(self, x):
            x = functional.relu(self.bn1(self.conv1(x)))
            x = self.layer3(self.layer2(self.layer1(x)))
            return self.linear(functional.avg_pool2d(x, 8).flatten(1))

    stored = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in onnx.load(path).graph.initializer}
    network = Network(1 + max(int(name.split(".")[1]) for name in stored if name.startswith("layer1.")))
    wanted = {name for name in network.state_dict() if not name.endswith("num_batches_tracked")}
    weights = {name: torch.from_numpy(numpy.array(stored[name])) for name in wanted}
    network.load_state_dict(weights, strict=False)
    return network.eval()


def without_gpu(torch):
    """BALF puts what it computes on a GPU by name; here all of it stays where it is."""
    torch.Tensor.cuda = lambda self, *_, **__: self
    torch.cuda.synchronize = torch.cuda.empty_cache = lambda *_: None
    torch.backends.cuda.preferred_linalg_library = lambda *_: None
    load = torch.load
    torch.load = lambda file, map_location=None, **options: load(file, map_location="cpu", **options)


def write(torch, network, path):
    # Batch norms stay nodes of their own, as in the networks compared with; the newer exporter is asked for the older way.
    options = {"dynamo": False} if "dynamo" in inspect.signature(torch.onnx.export).parameters else {}
    torch.onnx.export(
        network,
        torch.zeros(1, 3, 32, 32),
        path,
        input_names=["input"],
        output_names=["logits"],
        dynamic_axes={"input": {0: "N"}, "logits": {0: "N"}},
        opset_version=13,
        training=torch.onnx.TrainingMode.PRESERVE,
        **options,
    )


def factor(options):
    if __debug__:
        sys.exit("balf.py factor: start Python with -O; BALF asserts that there is a GPU.")
    sys.path.insert(0, os.environ["BALF"])
    import torch

    torch.set_num_threads(options.threads)
    without_gpu(torch)
    from lib.factorization.factorize import collect_activation_cache, to_low_rank_activation_aware_auto
    from lib.utils import get_all_convs_and_linears

    os.makedirs(options.out, exist_ok=True)
    dense = resnet(options.dense)
    layers = get_all_convs_and_linears(dense)
    test = records(options.data, ["test_batch.bin"], 10000)

    @torch.no_grad()
    def top1(network):
        right = sum((network(images).argmax(1) == labels).sum().item() for images, labels in batches(*test, 200))
        return 100 * right / len(test[1])

    @functools.lru_cache(None)
    def calibration():
        began = time.process_time()
        names = [f"data_batch_{i}.bin" for i in range(1, 6)]
        cache = collect_activation_cache(dense, batches(*records(options.data, names, options.images), 250), layers)
        return cache, time.process_time() - began

    if not os.path.exists(f"{options.out}/dense.json"):
        write(torch, dense, f"{options.out}/dense.onnx")
        with open(f"{options.out}/dense.json", "w") as file:
            json.dump({"top1": top1(dense)}, file)

    for point in options.points:
        metric, ratio = point.split("-")
        name = f"{options.out}/{point}"
        if os.path.exists(f"{name}.json"):
            continue
        (cache, calibrating), began = calibration(), time.process_time()
        small = to_low_rank_activation_aware_auto(
            dense,
            cache,
            keys=layers,
            ratio_to_keep=float(ratio),
            metric=metric,
            inplace=False,
            save_dir=f"{options.out}/whitening-{options.images}",
        )
        seconds = time.process_time() - began
        write(torch, small, f"{name}.onnx")
        modules = dict(small.named_modules())
        # Of a convolution's first factor the rank stands first, of a dense layer's last; None of a layer that stayed.
        ranks = {layer: modules[layer].w0.shape[layer == "linear"] if hasattr(modules[layer], "w0") else None for layer in layers}
        made = {"images": options.images, "calibrationSeconds": calibrating, "seconds": seconds, "ranks": ranks}
        with open(f"{name}.json", "w") as file:
            json.dump(made, file, indent=1)
        print(f"{name}: {calibrating:.1f} + {seconds:.1f} s", flush=True)


def read(path):
    with open(path) as file:
        return json.load(file)


def target(options):
    whole, part = read(options.dense)[options.measure], read(options.small)[options.measure]
    # Rounded up, by less than one in a million: the budget is what BALF has, and not one less.
    print(f"{part / whole + 5e-9:.8f}")


def cpu(path):
    """Seconds of CPU that a step took, user and system; None of one that was interrupted."""
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return sum(float(word) for word in file.read().split())


def table(options):
    steps, network = options.steps, options.network
    whole = read(f"{steps}/{network}-dense.json")
    rows = []

    def row(point, who, size, top1, **more):
        rows.append({"point": point, "network": who, "parameters": size["parameters"], "macs": size["macs"], "top1": top1} | more)

    for path in sorted(glob.glob(f"{steps}/{network}-*-balf.json"), reverse=True):
        point = os.path.basename(path)[len(network) + 1 : -len("-balf.json")]
        made = read(f"{options.made}/{point}.json")
        facts = {"images": made["images"], "ranks": made["ranks"]}
        seconds = {"cpuSeconds": made["seconds"], "onceCpuSeconds": made["calibrationSeconds"]}
        row(point, "BALF", read(f"{steps}/{network}-{point}-balf-size.json"), 100 * read(path)["top1"], **seconds, **facts)
        for bound in ("same", "both"):
            name = f"{steps}/{network}-{point}-ours-{bound}"
            if os.path.exists(f"{name}-size.json"):
                ours = read(f"{name}.json")
                facts = {"targets": ours["targets"], "recalibrated": ours["recalibrated"]}
                facts["layers"] = [{key: layer[key] for key in ("name", "format", "ranks") if key in layer} for layer in ours["layers"]]
                row(point, f"ours, {bound}", read(f"{name}-size.json"), 100 * ours["after"]["top1"], cpuSeconds=cpu(f"{name}.cpu"), **facts)

    dense = read(f"{options.made}/dense.json")["top1"]
    print(f"{network}: {whole['parameters']:,} parameters, {whole['macs']:,} multiply-accumulates, {dense:.2f} % in PyTorch.\n")
    print("| asked of BALF | network | parameters | part | million MACs | part | top-1 % | seconds of CPU |")
    print("|---|---|--:|--:|--:|--:|--:|--:|")
    for entry in rows:
        first = entry["point"] if entry["network"] == "BALF" else ""
        seconds = f"{entry['cpuSeconds']:.1f}" if entry["cpuSeconds"] is not None else ""
        sizes = f"{entry['parameters']:,} | {entry['parameters'] / whole['parameters']:.3f}"
        sizes += f" | {entry['macs'] / 1e6:.2f} | {entry['macs'] / whole['macs']:.3f}"
        print(f"| {first} | {entry['network']} | {sizes} | {entry['top1']:.2f} | {seconds} |")
    once = [entry["onceCpuSeconds"] for entry in rows if entry.get("onceCpuSeconds")]
    candidates = cpu(f"{steps}/{network}-candidates.cpu")
    if once:
        print(f"\nOnce for all sizes: {max(once):.0f} seconds for BALF's statistics", end="")
        print(f", {candidates:.0f} for our candidates and their sensitivities." if candidates else ".")
    with open(options.out, "w") as file:
        numbers = {"model": whole["model"]["name"], "parameters": whole["parameters"], "macs": whole["macs"]}
        json.dump(numbers | {"pyTorchTop1": dense, "candidatesCpuSeconds": candidates, "networks": rows}, file, indent=1)
        file.write("\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("factor")
    command.set_defaults(run=factor)
    command.add_argument("dense")
    command.add_argument("data")
    command.add_argument("out")
    command.add_argument("points", nargs="+")
    command.add_argument("--images", type=int, default=2000)
    command.add_argument("--threads", type=int, default=1)
    command = commands.add_parser("target")
    command.set_defaults(run=target)
    command.add_argument("dense")
    command.add_argument("small")
    command.add_argument("measure", choices=["parameters", "macs"])
    command = commands.add_parser("table")
    command.set_defaults(run=table)
    command.add_argument("steps")
    command.add_argument("made")
    command.add_argument("network")
    command.add_argument("out")
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
