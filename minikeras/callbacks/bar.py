"""The progress bar of `fit`, drawn by tqdm; imported when the first one is shown."""

from __future__ import annotations

import sys
from typing import Any

from tqdm import tqdm

from minikeras.callbacks.console import encodable

__all__ = ["Bar"]


class _Output:
    """Standard output, whatever it is when something is written."""

    def write(self, text: str) -> int:
        return sys.stdout.write(text)

    def flush(self) -> None:
        sys.stdout.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(sys.stdout, name)


class Bar(tqdm):
    """A bar on one line, redrawn in place: ``3/3 ━━━━━━━━━━━━━━━━━━━━ 0s 4ms/step``."""

    monitor_interval = 0  # no thread that redraws: we say when

    def __init__(self, width: int = 20) -> None:
        self.width = width
        self.fields = {"count": "", "rest": ""}
        super().__init__(
            file=_Output(),  # type: ignore[arg-type]
            delay=1e-9,  # not drawn before the first step
            ascii="─━" if encodable("─━") == "─━" else ".=",
        )

    @property
    def format_dict(self) -> dict[str, Any]:
        """What `bar_format` can name."""
        return {**super().format_dict, **self.fields}

    def show(self, step: int, total: int | None, count: str, rest: str) -> None:
        """Show this step, and these words before and after the bar."""
        self.n, self.total = step, total
        self.bar_format = (
            f"{{count}} {{bar:{self.width}}}{{rest}}" if total else "{count}{rest}"
        )
        self.fields = {"count": count, "rest": encodable(rest)}
