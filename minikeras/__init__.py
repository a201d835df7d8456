"""minikeras: Keras's interface over a small tensor engine on NumPy and CuPy.

    import minikeras as keras

    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(x, y)

Below `layers` lies `backend` (K), below K the `engine`, and below the engine NumPy or
CuPy. Each can be used by itself.
"""

from typing import TYPE_CHECKING

from minikeras.engine import devices as _devices  # NumPy, or CuPy if it was asked for
from minikeras.lazy import attach

if TYPE_CHECKING:
    from minikeras import (
        activations,
        adapters,
        applications,
        backend,
        callbacks,
        config,
        constraints,
        datasets,
        distillation,
        distribution,
        dtype_policies,
        export,
        initializers,
        layers,
        legacy,
        losses,
        metrics,
        mixed_precision,
        models,
        ops,
        optimizers,
        preprocessing,
        quantizers,
        random,
        regularizers,
        saving,
        tree,
        utils,
        visualization,
        wrappers,
    )
    from minikeras.backend import (
        KerasTensor,
        RematScope,
        SeedGenerator,
        StatelessScope,
        SymbolicScope,
        Variable,
        device,
        function,
        grad,
        name_scope,
        remat,
        value_and_grad,
    )
    from minikeras.dtype_policies import DTypePolicy, FloatDTypePolicy
    from minikeras.initializers import Initializer
    from minikeras.layers import Input, InputSpec, Layer
    from minikeras.layers.operation import Operation
    from minikeras.losses import Loss
    from minikeras.metrics import Metric
    from minikeras.models import Functional, Model, Sequential
    from minikeras.models.function import Function
    from minikeras.optimizers import Optimizer
    from minikeras.quantizers import Quantizer
    from minikeras.regularizers import Regularizer

__version__ = "0.1.0"

_HOMES = {
    "minikeras.backend": (
        "KerasTensor",
        "RematScope",
        "SeedGenerator",
        "StatelessScope",
        "SymbolicScope",
        "Variable",
        "device",
        "function",
        "grad",
        "name_scope",
        "remat",
        "value_and_grad",
    ),
    "minikeras.dtype_policies": ("DTypePolicy", "FloatDTypePolicy"),
    "minikeras.initializers": ("Initializer",),
    "minikeras.layers": ("Input", "InputSpec", "Layer"),
    "minikeras.layers.operation": ("Operation",),
    "minikeras.losses": ("Loss",),
    "minikeras.metrics": ("Metric",),
    "minikeras.models": ("Functional", "Model", "Sequential"),
    "minikeras.models.function": ("Function",),
    "minikeras.optimizers": ("Optimizer",),
    "minikeras.quantizers": ("Quantizer",),
    "minikeras.regularizers": ("Regularizer",),
}

__getattr__, __dir__ = attach(
    __name__, {name: home for home, names in _HOMES.items() for name in names}
)


def version() -> str:
    """Return the version of this package."""
    return __version__
