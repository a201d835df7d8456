"""`Config`: named settings, by attribute or by key, that can be frozen."""

from __future__ import annotations

import difflib
import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any

__all__ = ["Config"]


class Config:
    """Named settings, as attributes and as the items of a dict.

    Example:
        >>> config = Config(rate=0.1, depth=3)
        >>> config.rate, config["depth"], sorted(config)
        (0.1, 3, ['depth', 'rate'])
        >>> config.freeze()
        >>> config.rate = 0.2
        Traceback (most recent call last):
        ValueError: Cannot mutate attribute(s) because the config is frozen.
    """

    def __init__(self, **kwargs: Any) -> None:
        vars(self).update(_config=kwargs, _frozen=False)

    # -- reading -----------------------------------------------------------------------

    def as_dict(self) -> dict[str, Any]:
        """Return a copy as a dict."""
        return dict(self._config)

    def to_json(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(self._config)

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._config.keys()

    def values(self) -> ValuesView[Any]:
        """Return the values."""
        return self._config.values()

    def items(self) -> ItemsView[str, Any]:
        """Return the pairs of name and value."""
        return self._config.items()

    def get(self, keyname: str, value: Any = None) -> Any:
        """Return the setting of this name, `value` if there is none."""
        return self._config.get(keyname, value)

    def __getattr__(self, name: str) -> Any:
        settings = vars(self).get("_config", {})
        if name in settings:
            return settings[name]
        near = difflib.get_close_matches(name, settings, n=1, cutoff=0.7)
        meant = f" Did you mean '{near[0]}'?" if near else ""
        raise AttributeError(f"Unknown attribute: '{name}'.{meant}")

    def __getitem__(self, key: str) -> Any:
        """Return the setting of this name."""
        return self._config[key]

    def __iter__(self) -> Iterator[str]:
        """Yield the names in order."""
        return iter(sorted(self._config))

    def __len__(self) -> int:
        """Return how many settings there are."""
        return len(self._config)

    def __contains__(self, item: object) -> bool:
        """Whether there is a setting of this name."""
        return item in self._config

    def __repr__(self) -> str:
        return f"<Config {self._config}>"

    # -- writing -----------------------------------------------------------------------

    @property
    def frozen(self) -> bool:
        """Whether settings can no longer be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Let settings no longer be changed."""
        vars(self)["_frozen"] = True

    def unfreeze(self) -> None:
        """Let settings be changed again."""
        vars(self)["_frozen"] = False

    def _changeable(self) -> dict[str, Any]:
        if self._frozen:
            raise ValueError("Cannot mutate attribute(s) because the config is frozen.")
        return self._config

    def pop(self, *args: Any) -> Any:
        """Remove a setting and return its value; see `dict.pop`."""
        return self._changeable().pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set several; see `dict.update`."""
        self._changeable().update(*args, **kwargs)

    def __setattr__(self, name: str, value: Any) -> None:
        self._changeable()[name] = value

    def __setitem__(self, key: str, item: Any) -> None:
        """Set one by its name."""
        self._changeable()[key] = item

    def __delitem__(self, key: str) -> None:
        """Remove one."""
        del self._changeable()[key]
