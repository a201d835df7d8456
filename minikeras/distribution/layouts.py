"""Meshes of devices with named axes, and layouts that put tensors along those.

Layouts follow Keras's, which follow those of GSPMD (Xu et al. 2021, arXiv:2105.04663).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, MutableMapping, Sequence
from typing import Any

import numpy as np

from minikeras.distribution.devices import list_devices
from minikeras.engine.graph import Tensor

__all__ = ["DeviceMesh", "LayoutMap", "TensorLayout", "distribute_tensor"]


class DeviceMesh:
    """Devices in a grid whose axes have names.

    Args:
        shape: of the grid.
        axis_names: one for each axis.
        devices: as many as the grid has places; by default those of `list_devices`.

    Raises:
        ValueError: if names or devices do not fit the shape.

    Example:
        >>> DeviceMesh((2, 1), ["batch", "model"], ["cpu:0", "cpu:1"])
        <DeviceMesh shape=(2, 1), axis_names=['batch', 'model']>
    """

    def __init__(
        self,
        shape: Sequence[int],
        axis_names: Sequence[str],
        devices: Any = None,
    ) -> None:
        received = f"Received: shape={shape}, axis_names={axis_names}"
        if not shape or not axis_names:
            raise ValueError(f"Shape and axis_names cannot be empty. {received}")
        if len(shape) != len(axis_names):
            raise ValueError(f"Shape and axis_names should have same size. {received}")
        found = np.array(list_devices() if devices is None else devices)
        if math.prod(shape) != found.size:
            raise ValueError(
                "Shape does not match the number of devices. Received: "
                f"shape={shape}; devices.shape={found.shape}"
            )
        self.shape = shape
        self.axis_names = axis_names
        self.devices = found.reshape(shape)

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{name} shape={self.shape}, axis_names={self.axis_names}>"


class TensorLayout:
    """Along which axes of a mesh a tensor is divided.

    Args:
        axes: for each axis of the tensor that of the mesh, None where it stays whole.
        device_mesh: it may be set later, once.

    Raises:
        ValueError: if the mesh has no such axis.
    """

    def __init__(
        self, axes: Iterable[str | None], device_mesh: DeviceMesh | None = None
    ) -> None:
        self.axes = tuple(axes)
        self._device_mesh: DeviceMesh | None = None
        if device_mesh is not None:
            self.device_mesh = device_mesh

    @property
    def device_mesh(self) -> DeviceMesh | None:
        """The mesh, None if it is not known yet."""
        return self._device_mesh

    @device_mesh.setter
    def device_mesh(self, device_mesh: DeviceMesh) -> None:
        if self._device_mesh is not None:
            raise ValueError(
                f"Cannot override device mesh value. Existing value is "
                f"{self._device_mesh}"
            )
        wanted, known = {*self.axes} - {None}, {*device_mesh.axis_names}
        if not wanted <= known:
            raise ValueError(
                f"Invalid axis names for Layout. Valid axis names: {known}, Got "
                f"{wanted}"
            )
        self._device_mesh = device_mesh

    def __repr__(self) -> str:
        name = type(self).__name__
        return f"<{name} axes={self.axes}, device_mesh={self.device_mesh}>"


class LayoutMap(MutableMapping[str, Any]):
    """Layouts of variables and tensors, by patterns for their paths.

    Args:
        device_mesh: of all layouts that have none.

    Example:
        >>> layouts = LayoutMap(DeviceMesh((1,), ["model"]))
        >>> layouts[".*dense.*kernel"] = (None, "model")
        >>> layouts["net/dense_1/kernel"].axes
        (None, 'model')
        >>> layouts["net/dense_1/bias"] is None
        True
    """

    def __init__(self, device_mesh: DeviceMesh | None) -> None:
        self.device_mesh = device_mesh
        self._layouts: dict[str, TensorLayout] = {}

    def __getitem__(self, key: str) -> TensorLayout | None:
        """Return the layout of a path: under itself, or the one pattern that fits it.

        Raises:
            ValueError: if several patterns do.
        """
        if key in self._layouts:
            return self._layouts[key]
        fitting = [pattern for pattern in self._layouts if re.fullmatch(pattern, key)]
        if len(fitting) > 1:
            raise ValueError(
                f"Path '{key}' matches multiple layout specification keys: {fitting}. "
                "Please make sure each tensor/variable path only matches at most one "
                "layout specification key in the LayoutMap."
            )
        return self._layouts[fitting[0]] if fitting else None

    def __setitem__(self, key: str, layout: TensorLayout | tuple[Any, ...]) -> None:
        """Enter a layout, or the axes of one.

        Raises:
            ValueError: if the key is taken, or `layout` is neither.
        """
        if key in self._layouts:
            raise ValueError(
                f"{key} already exist in the LayoutMap with value "
                f"{self._layouts[key]}. Please make sure to not use duplicated keys."
            )
        found = TensorLayout(layout) if isinstance(layout, tuple) else layout
        if not isinstance(found, TensorLayout):
            raise ValueError(
                f"{layout} should be a TensorLayout type, got {type(layout)}"
            )
        if found.device_mesh is None and self.device_mesh is not None:
            found.device_mesh = self.device_mesh
        self._layouts[key] = found

    def __delitem__(self, key: str) -> None:
        del self._layouts[key]

    def __len__(self) -> int:
        return len(self._layouts)

    def __iter__(self) -> Iterator[str]:
        return iter(self._layouts)


def distribute_tensor(tensor: Any, layout: TensorLayout) -> Any:
    """Return `tensor` as `layout` lays it: on a mesh of one device, itself.

    Raises:
        NotImplementedError: if it would lie on several devices.
    """
    mesh = layout.device_mesh
    if not isinstance(tensor, Tensor) and mesh is not None and mesh.devices.size > 1:
        raise NotImplementedError(
            f"distribute_tensor: an array lies on one device here, not on the "
            f"{mesh.devices.size} of {mesh}"
        )
    return tensor
