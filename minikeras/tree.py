"""Nested structures, under the names of ``keras.tree``."""

from minikeras.engine.tree import (
    flatten,
    is_nested,
    map_structure,
    pack_sequence_as,
)

__all__ = ["flatten", "is_nested", "map_structure", "pack_sequence_as"]
