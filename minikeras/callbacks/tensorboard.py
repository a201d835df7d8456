"""`TensorBoard`: event files of what happens in training."""

from __future__ import annotations

import os
import re
import time
import warnings
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras.callbacks.base import Callback, Logs
from minikeras.callbacks.rates import learning_rates
from minikeras.layers import Embedding
from minikeras.tensorboard import EventWriter, graph_definition, summaries

__all__ = ["TensorBoard"]

# What TensorFlow's checkpoints, which TensorBoard's projector reads, call embeddings.
EMBEDDING = "layer_with_weights-0/embeddings/.ATTRIBUTES/VARIABLE_VALUE"


class TensorBoard(Callback):
    """Write event files for TensorBoard: values, weights and the graph.

    Neither TensorBoard nor TensorFlow is needed to write them; to look at them, run
    ``tensorboard --logdir=logs``.

    Args:
        log_dir: the folder; training and validation have one each in it.
        histogram_freq: after every so many epochs, histograms of the weights; 0 for
            none.
        write_graph: whether to write the model's layers, and the graph of a step.
        write_images: whether weights are shown as images too, with their histograms.
        write_steps_per_second: whether to write how fast it goes.
        update_freq: ``"epoch"``, or after how many batches to write values; ``"batch"``
            for 1.
        profile_batch: accepted if it is 0: how long each call of a step takes is to be
            had of ``model.plans``.
        embeddings_freq: after every so many epochs, the weights for the projector; 0
            for never.
        embeddings_metadata: for the projector, the file with the embeddings' labels, or
            a dict of such files by the names of layers.

    Raises:
        ValueError: if batches are to be profiled; in training, if there is no layer of
            a name.
    """

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: Any = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: Any = None,
    ) -> None:
        if profile_batch:
            raise ValueError(
                f"Profiling is not yet available with the {K.backend()} backend. "
                f"Received: profile_batch={profile_batch} (must be 0). "
                "`model.plans()[0].explain(repeats=10)` shows how long each call of a "
                "step takes."
            )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        self._writers: dict[str, EventWriter] = {}
        self._global_train_batch = 0
        self._iterations_before = 0
        self._epoch_began = self._batch_began = 0.0

    # -- files -------------------------------------------------------------------------

    def set_model(self, model: Any) -> None:
        """Write the model's layers, if it is made of layers alone."""
        if model is self.model and self._writers:
            return
        super().set_model(model)
        self.on_exit()
        if self.embeddings_freq:
            self._write_projector()
        if self.write_graph and type(model).__name__ in ("Functional", "Sequential"):
            self._write_layers()

    @property
    def _train_writer(self) -> EventWriter:
        return self._writer("train")

    @property
    def _val_writer(self) -> EventWriter:
        return self._writer("validation")

    def _writer(self, name: str) -> EventWriter:
        """Return what writes in a folder; the file is made when it is first needed."""
        if name not in self._writers:
            self._writers[name] = EventWriter(os.path.join(self.log_dir, name))
        return self._writers[name]

    def on_exit(self) -> None:
        """Close the files."""
        while self._writers:
            self._writers.popitem()[1].close()

    # -- hooks -------------------------------------------------------------------------

    def due(self, batch: int) -> bool:
        """Whether to write values after this batch."""
        often = self.update_freq != "epoch"
        return often and self._global_train_batch % self.update_freq == 0

    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Write the graph of a step."""
        self._global_train_batch = 0
        graphs = self.model.graphs("train") if hasattr(self.model, "graphs") else ()
        if self.write_graph and graphs:
            self._train_writer.graph(graph_definition(graphs[-1]))

    def on_train_end(self, logs: Logs | None = None) -> None:
        """Close the files."""
        self.on_exit()

    def on_train_batch_begin(self, batch: int, logs: Logs | None = None) -> None:
        """Count batches, and look at the clock."""
        self._global_train_batch += 1
        self._batch_began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Write the values so far."""
        if not self.due(batch):
            return
        values = {f"batch_{name}": value for name, value in (logs or {}).items()}
        if self.write_steps_per_second:
            seconds = time.perf_counter() - self._batch_began
            values["batch_steps_per_second"] = 1.0 / seconds
        _write(self._train_writer, values, self._global_train_batch)

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Look at the clock."""
        self._iterations_before = int(self.model.optimizer.iterations)
        self._epoch_began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Write values and, where it is time, weights."""
        if logs:
            self._write_epoch(epoch, logs)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._write_weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            name = f"keras_embedding.ckpt-{epoch}.weights.h5"
            self.model.save_weights(os.path.join(self.log_dir, "train", name))
        for writer in self._writers.values():
            writer.flush()

    def on_test_end(self, logs: Logs | None = None) -> None:
        """Write the values of an evaluation."""
        iterations = getattr(self.model.optimizer, "iterations", None)
        if iterations is None or not logs:
            return
        values = {f"evaluation_{k}_vs_iterations": v for k, v in logs.items()}
        _write(self._val_writer, values, int(iterations))
        self._val_writer.flush()

    # -- what is written ---------------------------------------------------------------

    def _write_epoch(self, epoch: int, logs: Logs) -> None:
        of_train = {k: v for k, v in logs.items() if not k.startswith("val_")}
        of_validation = {
            k.removeprefix("val_"): v for k, v in logs.items() if k not in of_train
        }
        of_train = self._collect_learning_rate(of_train)
        if self.write_steps_per_second:
            steps = int(self.model.optimizer.iterations) - self._iterations_before
            seconds = time.perf_counter() - self._epoch_began
            of_train["steps_per_second"] = steps / seconds
        for part, name in ((of_train, "train"), (of_validation, "validation")):
            if part:
                values = {f"epoch_{k}": v for k, v in part.items()}
                _write(self._writer(name), values, epoch)

    def _collect_learning_rate(self, logs: Logs) -> Logs:
        return {**logs, **learning_rates(self.model)}

    def _write_weights(self, epoch: int) -> None:
        weights = [weight for layer in self.model.layers for weight in layer.weights]
        for weight in weights:
            tag, value = weight.path.replace(":", "_"), weight.numpy()
            self._train_writer.histogram(f"{tag}/histogram", value, epoch)
            images = as_images(value) if self.write_images else None
            if images is not None:
                self._train_writer.image(f"{tag}/image", images, epoch)

    def _write_layers(self) -> None:
        try:
            config = self.model.to_json()
        except (TypeError, ValueError, NotImplementedError) as error:
            warnings.warn(
                f"Model failed to serialize as JSON. Ignoring... {error}", stacklevel=2
            )
            return
        self._train_writer.summary(summaries.graph("keras", config), 0)

    def _write_projector(self) -> None:
        """Say to TensorBoard's projector where embeddings and their labels are."""
        layers = [x for x in self.model.layers if isinstance(x, Embedding)]
        labels = self.embeddings_metadata
        of_layers = dict(labels) if isinstance(labels, dict) else {}
        lines = []
        for layer in layers:
            path = of_layers.pop(layer.name, None) if of_layers else labels
            lines += ["embeddings {", f'  tensor_name: "{EMBEDDING}"']
            if isinstance(path, str):
                lines.append(f'  metadata_path: "{_escaped(path)}"')
            lines.append("}")
        if of_layers:
            raise ValueError(
                "Unrecognized `Embedding` layer names passed to "
                "`keras.callbacks.TensorBoard` `embeddings_metadata` argument: "
                f"{of_layers.keys()}"
            )
        os.makedirs(self.log_dir, exist_ok=True)
        path = os.path.join(self.log_dir, "projector_config.pbtxt")
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


def _escaped(text: str) -> str:
    return re.sub(r'(["\\])', r"\\\1", text)


def _write(writer: EventWriter, values: Logs, step: int) -> None:
    """Write those values that are single numbers."""
    for name, value in values.items():
        if not np.ndim(value):
            writer.scalar(name, value, step)


def as_images(weight: np.ndarray[Any, Any]) -> np.ndarray[Any, Any] | None:
    """Return a weight as gray images, None if it has too many axes.

    A vector is a column. A matrix lies on its longer side. Of three axes the last one
    counts the images, with channels last, or else the first one does.

    Shapes:
        returns: (images, height, width, 1)
    """
    image = weight.squeeze()
    if image.ndim == 1:
        return image.reshape(1, -1, 1, 1)
    if image.ndim == 2:
        image = image.T if image.shape[0] > image.shape[1] else image
        return image[None, :, :, None]
    if image.ndim == 3:
        last = K.image_data_format() == "channels_last"
        return (image.transpose(2, 0, 1) if last else image)[..., None]
    return image if image.ndim == 4 and image.shape[-1] in (1, 3, 4) else None
