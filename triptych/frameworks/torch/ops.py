"""The operations of `numpy_ops`, in PyTorch."""

from __future__ import annotations

import torch
from torch import abs, cumsum, exp, reshape, sign, sqrt, square, where

__all__ = [
    "abs", "argmax", "cast", "clip", "concatenate", "cumsum", "exp", "log_softmax", "max", "maximum", "mean",
    "minimum", "one_hot", "reshape", "select", "sign", "sqrt", "square", "std", "stop_gradient", "sum", "where",
]  # fmt: skip


def max(x, axis=None):
    return torch.amax(x, dim=() if axis is None else axis)


def argmax(x, axis):
    return torch.argmax(x, dim=axis).to(torch.int32)


def sum(x, axis=None):
    return torch.sum(x, dim=axis)


def mean(x, axis=None):
    return torch.mean(x, dim=axis)


def std(x, axis=None):
    return torch.std(x, dim=axis, correction=0)  # torch's own default divides by N - 1


def maximum(x, y):
    return where(x >= y, x, y)  # torch.maximum halves the gradient at a tie


def minimum(x, y):
    return where(x <= y, x, y)


def clip(x, low, high):
    return minimum(maximum(x, low), high)


def cast(x, dtype):
    return x.to(getattr(torch, dtype))


def concatenate(arrays, axis=0):
    return torch.cat(tuple(arrays), dim=axis)


def select(x, index):
    return torch.gather(x, -1, index.long().unsqueeze(-1)).squeeze(-1)  # gather wants int64


def one_hot(index, size, dtype):
    return torch.nn.functional.one_hot(index.long(), size).to(getattr(torch, dtype))


def log_softmax(x):
    return torch.log_softmax(x, dim=-1)


def stop_gradient(x):
    return x.detach()
