"""Losses between distributions: a divergence, and counts with a rate."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.losses.base import FunctionLoss, alike

__all__ = ["KLDivergence", "Poisson", "kl_divergence", "poisson"]


def kl_divergence(y_true: Any, y_pred: Any) -> Any:
    """Return the sum of ``y_true log(y_true / y_pred)``, in nats."""
    y_true, y_pred = alike(y_true, y_pred)
    y_true = K.clip(y_true, K.epsilon(), 1)
    y_pred = K.clip(y_pred, K.epsilon(), 1)
    return K.sum(y_true * K.log(y_true / y_pred), axis=-1)


def poisson(y_true: Any, y_pred: Any) -> Any:
    """Return the mean of ``y_pred - y_true log(y_pred)``: counts with rate `y_pred`."""
    y_true, y_pred = alike(y_true, y_pred)
    return K.mean(y_pred - y_true * K.log(y_pred + K.epsilon()), axis=-1)


class KLDivergence(FunctionLoss):
    """Kullback and Leibler's divergence: see `kl_divergence`."""

    fn = staticmethod(kl_divergence)


class Poisson(FunctionLoss):
    """Negative log-likelihood of counts, up to a constant: see `poisson`."""

    fn = staticmethod(poisson)
