"""Policies of layers with quantized kernels: a mode, and the policy they had before."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from minikeras.dtype_policies.policy import DTypePolicy, dtype_policy

__all__ = [
    "QUANTIZATION_MODES",
    "AWQDTypePolicy",
    "GPTQDTypePolicy",
    "Int4DTypePolicy",
    "QuantizedDTypePolicy",
    "QuantizedFloat8DTypePolicy",
    "quantized_policy",
]

QUANTIZATION_MODES = ("int8", "float8", "int4", "gptq", "awq")


class QuantizedDTypePolicy(DTypePolicy):
    """A quantization mode on top of a policy.

    Args:
        mode: one of ``"int8"``, ``"int4"``, ``"float8"``, ``"gptq"``, ``"awq"``.
        source_name: the name of the policy; that of the global one by default.

    Raises:
        ValueError: if `mode` is none of these, or int8 is to compute in float16.
    """

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        given = source_name is not None
        self._source_name = source_name if given else dtype_policy().name
        self._take(self._source_name, mode)
        if mode not in QUANTIZATION_MODES:
            raise ValueError(
                f"Invalid quantization mode. Expected one of {QUANTIZATION_MODES}. "
                f"Received: mode={mode}"
            )
        if mode == "int8" and self.compute_dtype == "float16":
            raise ValueError(
                f"Quantization mode='{mode}' doesn't work well with "
                "compute_dtype='float16'."
            )

    def get_config(self) -> dict[str, Any]:
        return {"mode": self._quantization_mode, "source_name": self._source_name}


class QuantizedFloat8DTypePolicy(QuantizedDTypePolicy):
    """Training in 8-bit floats, with scales from the largest values of late.

    Args:
        mode: ``"float8"``.
        source_name: see `QuantizedDTypePolicy`.
        amax_history_length: over how many steps largest values are remembered.

    Raises:
        TypeError: if that is no integer.
    """

    default_amax_history_length = 1024

    def __init__(
        self,
        mode: str,
        source_name: str | None = None,
        amax_history_length: int = 1024,
    ) -> None:
        super().__init__(mode, source_name)
        if not isinstance(amax_history_length, int):
            raise TypeError(
                "`amax_history_length` must be an integer. Received: "
                f"amax_history_length={amax_history_length}"
            )
        self._amax_history_length = amax_history_length

    @property
    def amax_history_length(self) -> int:
        """Over how many steps largest values are remembered."""
        return self._amax_history_length

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "amax_history_length": self.amax_history_length,
        }


def _is_size(n: int) -> bool:
    return n == -1 or n > 0


class NumberedDTypePolicy(QuantizedDTypePolicy):
    """Base of policies whose mode has numbers in it, as in ``"gptq/4/128"``.

    Args:
        mode: the algorithm, then the numbers, separated by ``/``.
        source_name: see `QuantizedDTypePolicy`.

    Raises:
        ValueError: if a number is missing, or out of range.
    """

    algorithm: ClassVar[str]
    # The numbers in order: which are allowed, and how to say so.
    numbers: ClassVar[dict[str, tuple[Callable[[int], bool], str]]]

    def __init__(self, mode: str, source_name: str | None = None) -> None:
        name, *given = mode.split("/")
        self.mode = self.algorithm
        wrong = f"Invalid mode for {type(self).__name__}. "
        words = [f"<{number}>" for number in self.numbers]
        form = "/".join([self.algorithm, *words])
        expected = f"xpected format '{form}', but got '{mode}'."
        if name != self.algorithm or len(given) != len(words):
            raise ValueError(f"{wrong}E{expected}")
        try:
            found = dict(zip(self.numbers, map(int, given), strict=True))
        except ValueError:
            kind = "integers" if len(words) > 1 else "an integer"
            raise ValueError(
                f"{wrong}{' and '.join(words)} must be {kind}. E{expected}"
            ) from None
        for key, value in found.items():
            allowed, told = self.numbers[key]
            if not allowed(value):
                raise ValueError(
                    f"Invalid {key} in mode. {told}, but got {value} from '{mode}'."
                )
            setattr(self, key, value)
        super().__init__(self.algorithm, source_name)
        self._name = f"{mode}_from_{self._source_name}"

    def get_config(self) -> dict[str, Any]:
        numbers = (str(getattr(self, name)) for name in self.numbers)
        mode = "/".join([self.algorithm, *numbers])
        return {**super().get_config(), "mode": mode}


class Int4DTypePolicy(NumberedDTypePolicy):
    """4-bit kernels, ``"int4/<block_size>"``: a scale for each block of inputs.

    Args:
        mode: with the number of inputs in a block, or -1 for all of them.
        source_name: see `QuantizedDTypePolicy`.
    """

    algorithm = "int4"
    numbers = {  # noqa: RUF012 - declared in the base
        "block_size": (
            _is_size,
            "Supported values are -1 (per-channel) or a positive integer (sub-channel)",
        )
    }


class GPTQDTypePolicy(NumberedDTypePolicy):
    """Kernels quantized by GPTQ, ``"gptq/<weight_bits>/<group_size>"``.

    Args:
        mode: with 2, 3, 4 or 8 bits, and the number of inputs in a group, -1 for all.
        source_name: see `QuantizedDTypePolicy`.
    """

    algorithm = "gptq"
    numbers = {  # noqa: RUF012 - declared in the base
        "weight_bits": (
            lambda n: n in (2, 3, 4, 8),
            "Supported values are 2, 3, 4, and 8",
        ),
        "group_size": (
            _is_size,
            "Supported values are -1 (whole-tensor) or a positive integer",
        ),
    }


class AWQDTypePolicy(NumberedDTypePolicy):
    """Kernels quantized by AWQ, ``"awq/4/<group_size>"``.

    Args:
        mode: with 4 bits, and the number of inputs in a group, -1 for all.
        source_name: see `QuantizedDTypePolicy`.
    """

    algorithm = "awq"
    numbers = {  # noqa: RUF012 - declared in the base
        "weight_bits": (lambda n: n == 4, "AWQ only supports 4-bit quantization"),
        "group_size": (
            _is_size,
            "Supported values are -1 (per-channel) or a positive integer",
        ),
    }


_OF_MODE: dict[str, type[QuantizedDTypePolicy]] = {
    "int8": QuantizedDTypePolicy,
    "int4": QuantizedDTypePolicy,
    "int4/": Int4DTypePolicy,
    "gptq": GPTQDTypePolicy,
    "awq": AWQDTypePolicy,
    "float8": QuantizedFloat8DTypePolicy,
}


def quantized_policy(policy: Any) -> QuantizedDTypePolicy:
    """Return the policy of a name such as ``"int8_from_float32"``.

    Raises:
        TypeError: if it is no string.
        ValueError: if it is not of that form.
    """
    if not isinstance(policy, str):
        raise TypeError(f"`policy` must be a string. Received: policy={policy}")
    if not policy.startswith(QUANTIZATION_MODES):
        raise ValueError(
            "`policy` is incompatible with the current supported quantization."
        )
    parts = policy.split("_from_")
    if len(parts) != 2:
        raise ValueError(
            "Cannot convert `policy` into a valid pair (`mode`, `source_name`) to "
            f"instantiate `QuantizedDTypePolicy`. Received: policy={policy}"
        )
    fitting = [cls for mode, cls in _OF_MODE.items() if policy.startswith(mode)]
    return fitting[-1](*parts)
