"""Training as in TensorFlow 1: optimizers, learning-rate schedules, checkpoints."""

from minikeras.engine.train.adaptive import (
    AdadeltaOptimizer,
    AdagradOptimizer,
    AdamOptimizer,
    FtrlOptimizer,
    RMSPropOptimizer,
)
from minikeras.engine.train.descent import GradientDescentOptimizer, MomentumOptimizer
from minikeras.engine.train.optimizer import Optimizer
from minikeras.engine.train.saver import Saver, checkpoint_exists, latest_checkpoint
from minikeras.engine.train.schedules import (
    exponential_decay,
    piecewise_constant,
    polynomial_decay,
)
from minikeras.engine.train.steps import (
    create_global_step,
    get_global_step,
    get_or_create_global_step,
    global_step,
)

__all__ = [
    "AdadeltaOptimizer",
    "AdagradOptimizer",
    "AdamOptimizer",
    "FtrlOptimizer",
    "GradientDescentOptimizer",
    "MomentumOptimizer",
    "Optimizer",
    "RMSPropOptimizer",
    "Saver",
    "checkpoint_exists",
    "create_global_step",
    "exponential_decay",
    "get_global_step",
    "get_or_create_global_step",
    "global_step",
    "latest_checkpoint",
    "piecewise_constant",
    "polynomial_decay",
]
