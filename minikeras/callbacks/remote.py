"""`RemoteMonitor`: each epoch's values to a server."""

from __future__ import annotations

import json
import warnings
from typing import Any

from minikeras.callbacks.base import Callback, Logs
from minikeras.utils.extras import required

__all__ = ["RemoteMonitor"]


class RemoteMonitor(Callback):
    """Send each epoch's number and values to a server, by HTTP POST, as JSON.

    Args:
        root: address of the server.
        path: what follows it.
        field: name of the form's field that has the JSON.
        headers: of the request.
        send_as_json: whether the JSON is the body of the request, and no form's field.

    Raises:
        ImportError: in training, if ``requests`` is not installed.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Ask for the library before the first step, rather than after an epoch."""
        self._requests()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Send the values; warn if there is no answer."""
        requests = self._requests()
        values = {"epoch": epoch}
        for name, value in (logs or {}).items():
            values[name] = value.item() if hasattr(value, "item") else value
        form = {self.field: json.dumps(values)}
        body = {"json": values} if self.send_as_json else {"data": form}
        address = self.root + self.path
        try:
            requests.post(address, **body, headers=self.headers)
        except requests.exceptions.RequestException:
            warnings.warn(
                f"Could not reach RemoteMonitor root server at {self.root}",
                stacklevel=2,
            )

    def _requests(self) -> Any:
        return required("requests", "remote", "RemoteMonitor")
