"""Ways to distribute a model: the data alone, or the variables as well."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from minikeras.distribution.current import distribution, set_distribution
from minikeras.distribution.devices import list_devices
from minikeras.distribution.layouts import DeviceMesh, LayoutMap, TensorLayout

__all__ = [
    "DataParallel",
    "Distribution",
    "ModelParallel",
]

_BATCH = "batch"  # the axis of a mesh that has no other


class Distribution:
    """What lies where; the base of all.

    Args:
        device_mesh: the devices.
        batch_dim_name: the axis of the mesh along which data are divided.
        auto_shard_dataset: whether each process is to get a part of a data set.
    """

    def __init__(
        self,
        device_mesh: DeviceMesh,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
    ) -> None:
        self.device_mesh = device_mesh
        self.batch_dim_name = batch_dim_name
        self.auto_shard_dataset = auto_shard_dataset
        self._process_id = 0

    @property
    def num_processes(self) -> int:
        """How many processes take part."""
        return 1

    @property
    def num_model_replicas(self) -> int:
        """How many copies of the model there are."""
        raise NotImplementedError

    @property
    def data_shard_id(self) -> int:
        """Which part of the data this process gets."""
        each = max(1, self.num_processes // self.num_model_replicas)
        return self._process_id // each

    def get_data_layout(self, data_shape: Sequence[int | None]) -> TensorLayout:
        """Return the layout of a batch: its first axis along the data's."""
        rest = [None] * (len(data_shape) - 1)
        return TensorLayout([self.batch_dim_name, *rest], self.device_mesh)

    def get_variable_layout(self, variable: Any) -> TensorLayout:
        """Return the layout of a variable: whole on each device, unless it is told."""
        own = getattr(variable, "_layout", None) or self._told(variable.path)
        whole = [None] * len(variable.shape)
        return own or TensorLayout(whole, self.device_mesh)

    def get_tensor_layout(self, path: str) -> TensorLayout | None:
        """Return the layout of what a layer computes, None to leave it."""
        return self._told(path)

    def _told(self, path: str) -> TensorLayout | None:
        return None

    def distribute_dataset(self, dataset: Any) -> Any:
        """Return this process's part of a data set: for a single one, all of it."""
        return dataset

    @contextmanager
    def scope(self) -> Iterator[None]:
        """Let this be the current distribution inside."""
        before = distribution()
        set_distribution(self)
        try:
            yield
        finally:
            set_distribution(before)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} device_mesh={self.device_mesh}>"


class DataParallel(Distribution):
    """Each device has the whole model, and its part of each batch.

    Args:
        device_mesh: a mesh of one axis.
        devices: in place of a mesh; by default all.
        auto_shard_dataset: whether each process is to get a part of a data set.

    Raises:
        ValueError: if `device_mesh` is no mesh.
    """

    def __init__(
        self,
        device_mesh: DeviceMesh | None = None,
        devices: Sequence[str] | None = None,
        auto_shard_dataset: bool = True,
    ) -> None:
        if device_mesh and not isinstance(device_mesh, DeviceMesh):
            raise ValueError(
                "Expect `mesh` to be an instance of `DeviceMesh`. Received: "
                f"mesh={device_mesh} (of type {type(device_mesh)})"
            )
        own = list(devices or list_devices())
        mesh = device_mesh or DeviceMesh((len(own),), [_BATCH], own)
        if mesh.devices.ndim != 1:
            warnings.warn(
                "Expect the input mesh to be 1D, but received mesh.devices.ndim="
                f"{mesh.devices.ndim}. The first axis will be used for data-parallel "
                "sharding.",
                stacklevel=2,
            )
        super().__init__(mesh, mesh.axis_names[0], auto_shard_dataset)

    @property
    def num_model_replicas(self) -> int:
        """One for each device."""
        return int(self.device_mesh.devices.size)


class ModelParallel(Distribution):
    """Variables are divided among devices, as a map of layouts tells.

    Args:
        layout_map: layouts by the paths of variables.
        batch_dim_name: the mesh's axis for data, by default the first.
        auto_shard_dataset: whether each process is to get a part of a data set.
        kwargs: ``device_mesh``, which the map has already.

    Raises:
        ValueError: if there is no map.
    """

    def __init__(
        self,
        *,
        layout_map: LayoutMap | None = None,
        batch_dim_name: str | None = None,
        auto_shard_dataset: bool = True,
        **kwargs: Any,
    ) -> None:
        if layout_map is None:
            raise ValueError("You must specify a layout_map argument.")
        mesh = getattr(layout_map, "device_mesh", None)
        if not isinstance(layout_map, LayoutMap) or mesh is None:
            raise ValueError(
                "Argument `layout_map` must be a `LayoutMap` instance. Received: "
                f"layout_map={layout_map}"
            )
        super().__init__(mesh, batch_dim_name or mesh.axis_names[0], auto_shard_dataset)
        self._layout_map = layout_map

    @property
    def num_model_replicas(self) -> int:
        """The size of the mesh along the data's axis."""
        axis = list(self.device_mesh.axis_names).index(str(self.batch_dim_name))
        return self.device_mesh.shape[axis]

    def _told(self, path: str) -> TensorLayout | None:
        return self._layout_map[path]
