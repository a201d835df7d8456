"""Which device gets which part of data and variables, in Keras's words.

What is here describes: meshes of devices, layouts of tensors on them, and the ways to
distribute a model that put the two together. A process of minikeras computes on one
device, and so a model can be trained under a distribution of one device; one that asks
for more is refused when training begins, rather than carried out on a part of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from minikeras.lazy import attach, homes_in

if TYPE_CHECKING:
    from minikeras.distribution.current import distribution, set_distribution
    from minikeras.distribution.devices import (
        get_device_count,
        initialize,
        list_devices,
    )
    from minikeras.distribution.layouts import (
        DeviceMesh,
        LayoutMap,
        TensorLayout,
        distribute_tensor,
    )
    from minikeras.distribution.strategies import (
        DataParallel,
        Distribution,
        ModelParallel,
    )

_HOMES = homes_in(
    __name__,
    {
        "current": "distribution set_distribution",
        "devices": "get_device_count initialize list_devices",
        "layouts": "DeviceMesh LayoutMap TensorLayout distribute_tensor",
        "strategies": "DataParallel Distribution ModelParallel",
    },
)

__all__ = [
    "DataParallel",
    "DeviceMesh",
    "Distribution",
    "LayoutMap",
    "ModelParallel",
    "TensorLayout",
    "distribute_tensor",
    "distribution",
    "get_device_count",
    "initialize",
    "list_devices",
    "set_distribution",
]

__getattr__, __dir__ = attach(__name__, _HOMES)
