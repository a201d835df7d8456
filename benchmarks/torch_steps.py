"""PyTorch's side: a training step by hand, eager or through torch.compile.

Fused Adam, gradients set to None, one product for queries, keys and values, PyTorch's
own attention and LSTM; the batches lie ready as tensors, images with channels last in
memory. Measured and slower: channels first, Adam by `foreach` or compiled, the LSTM
written out, other modes of compilation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
import workloads as w
from runs import Work, calls, repeat
from torch import Tensor, nn

if TYPE_CHECKING:
    import numpy as np


def load(framework: str, threads: int) -> tuple[Callable, str]:
    """Set the threads; return what prepares a run, and PyTorch's version."""
    torch.set_num_threads(threads)
    compiled = framework == "torch.compile"
    return partial(prepare, compiled), f"PyTorch {torch.__version__}"


def prepare(compiled: bool, workload: w.Workload, x: np.ndarray, y: np.ndarray) -> Work:
    """Build the model; return what steps, or predicts."""
    torch.manual_seed(0)
    model = nn.Sequential(
        *(LAYERS[type(layer)](layer, shape) for layer, shape in workload.sized())
    )
    for module in model.modules():
        if isinstance(module, nn.Linear | nn.Conv2d):
            nn.init.kaiming_uniform_(module.weight, nonlinearity="relu")
            nn.init.zeros_(module.bias)
    if workload.task == "predict":
        return predictor(torch.compile(model) if compiled else model, x[:1])
    return trainer(model, workload, compiled, x, y)


def trainer(
    model: nn.Module, workload: w.Workload, compiled: bool, x: np.ndarray, y: np.ndarray
) -> Work:
    """Return steps over the epoch's batches."""
    batches = list(zip(*(split(each, workload) for each in (x, y)), strict=True))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7, fused=True)
    error = F.mse_loss if workload.regression else F.cross_entropy

    def forward(x: Tensor, y: Tensor) -> Tensor:
        return error(model(x), y)

    if compiled:
        forward = torch.compile(forward)

    def step(x: Tensor, y: Tensor) -> Tensor:
        optimizer.zero_grad(set_to_none=True)
        loss = forward(x, y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return repeat(lambda steps: [step(*batch) for batch in batches[:steps]])


def split(array: np.ndarray, workload: w.Workload) -> tuple[Tensor, ...]:
    """The batches of an epoch; images get their channels first, in name."""
    whole = torch.from_numpy(array)
    if whole.dtype == torch.int32:
        whole = whole.long()
    if whole.dim() == 4:
        whole = whole.permute(0, 3, 1, 2)
    return whole.split(workload.batch)


def predictor(model: nn.Module, sample: np.ndarray) -> Work:
    """Return calls with one sample, from NumPy to NumPy."""
    run = calls(lambda: model(torch.from_numpy(sample)).numpy())
    return torch.inference_mode()(run)


# -- layers ----------------------------------------------------------------------------


def dense(dense: w.Dense, shape: w.Shape) -> nn.Module:
    """Linear, with relu where asked for."""
    linear = nn.Linear(shape[-1], dense.units)
    return nn.Sequential(linear, nn.ReLU()) if dense.relu else linear


class LastOutput(nn.Module):
    """An LSTM's last output."""

    def __init__(self, lstm: w.LSTM, shape: w.Shape) -> None:
        super().__init__()
        self.lstm = nn.LSTM(shape[-1], lstm.units, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, steps, channels) to (batch, units)."""
        return self.lstm(x)[1][0][-1]


class Block(nn.Module):
    """Attention and dense layers, each added to its input and normalized."""

    def __init__(self, block: w.Block, shape: w.Shape) -> None:
        super().__init__()
        width = shape[-1]
        self.heads = block.heads
        self.project, self.merge = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen = nn.Linear(width, block.inner)
        self.narrow = nn.Linear(block.inner, width)
        self.norm1, self.norm2 = (nn.LayerNorm(width, eps=1e-3) for _ in range(2))

    def attend(self, x: Tensor) -> Tensor:
        """Attention to oneself, by heads."""
        parts = self.project(x).unflatten(-1, (3, self.heads, -1))
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        heads = F.scaled_dot_product_attention(query, key, value)
        return self.merge(heads.transpose(1, 2).flatten(2))

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) to the same."""
        x = self.norm1(x + self.attend(x))
        return self.norm2(x + self.narrow(F.relu(self.widen(x))))


class Mean(nn.Module):
    """The mean over the tokens."""

    def __init__(self, mean: w.Mean, shape: w.Shape) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, width) to (batch, width)."""
        return x.mean(1)


LAYERS = {
    w.Dense: dense,
    w.Conv: lambda conv, shape: nn.Sequential(
        nn.Conv2d(shape[-1], conv.filters, 3), nn.ReLU()
    ),
    w.Pool: lambda pool, shape: nn.MaxPool2d(2),
    w.Flatten: lambda flatten, shape: nn.Flatten(),
    w.LSTM: LastOutput,
    w.Block: Block,
    w.Mean: Mean,
}
