"""Images in rows and columns, with labels, boxes or segments, by Matplotlib."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np

from minikeras import backend as K
from minikeras import ops
from minikeras.utils.extras import required
from minikeras.visualization.boxes import draw_bounding_boxes
from minikeras.visualization.masks import draw_segmentation_masks

__all__ = [
    "plot_bounding_box_gallery",
    "plot_image_gallery",
    "plot_segmentation_mask_gallery",
]


def plot_image_gallery(
    images: Any,
    y_true: Any = None,
    y_pred: Any = None,
    label_map: dict[Any, str] | None = None,
    rows: int | None = None,
    cols: int | None = None,
    value_range: tuple[float, float] = (0, 255),
    scale: float = 2,
    path: Any = None,
    show: bool | None = None,
    transparent: bool = True,
    dpi: int = 60,
    legend_handles: Any = None,
    data_format: str | None = None,
) -> None:
    """Show images in rows and columns, or write them to a file.

    Args:
        images: a batch.
        y_true: the true label of each, to be written above it.
        y_pred: the predicted label of each.
        label_map: from labels to what is written.
        rows: how many; by default about as many as columns.
        cols: how many; by default enough for all images.
        value_range: of the pixels.
        scale: width and height of an image, in inches.
        path: of a file; by default the images are shown.
        show: whether to show them; by default if there is no `path`.
        transparent: whether the background of the file is.
        dpi: dots per inch of the file.
        legend_handles: Matplotlib's patches for a legend.
        data_format: "channels_last" or "channels_first".

    Shapes:
        images: (batch, height, width, channels)
        y_true, y_pred: (batch,)

    Raises:
        ValueError: if images are no batch, both `path` and `show` are given, or labels
            without a `label_map`.
        ImportError: if Matplotlib is not installed.
    """
    plt = _matplotlib("pyplot", "plot_image_gallery")
    _check_choices(path is not None and show, y_true, y_pred, label_map)
    pixels = _channels_last(images, data_format, "plot_image_gallery")
    pixels = _bytes(pixels, value_range)
    rows = rows or max(math.ceil(math.sqrt(len(pixels))), 1)
    cols = cols or max(math.ceil(len(pixels) / rows), 1)
    titles = _titles(len(pixels), label_map or {}, y_true, y_pred)
    figure = _figure(plt, pixels, titles, rows, cols, scale)
    if legend_handles is not None:
        figure.legend(handles=legend_handles, loc="lower center")
    if path is not None:
        form = {"transparent": transparent, "dpi": dpi}
        figure.savefig(path, pad_inches=0, bbox_inches="tight", **form)
    elif show is not False:
        plt.show()
    if path is not None or show is not False:
        plt.close(figure)


def _check_choices(both: Any, y_true: Any, y_pred: Any, label_map: Any) -> None:
    """Refuse arguments that exclude each other.

    Raises:
        ValueError: if they do.
    """
    if both:
        raise ValueError(
            "plot_gallery() expects either `path` to be set, or `show` to be true."
        )
    if (y_true is not None or y_pred is not None) and label_map is None:
        raise ValueError(
            "If `y_true` or `y_pred` are provided, a `label_map` must also be provided."
        )


def _figure(
    plt: Any, pixels: Any, titles: list[str], rows: int, cols: int, scale: float
) -> Any:
    """Return a figure with images in rows and columns."""
    figure, axes = plt.subplots(
        nrows=rows,
        ncols=cols,
        figsize=(cols * scale, rows * scale),
        frameon=False,
        layout="tight",
        squeeze=False,
        sharex="row",
        sharey="col",
        gridspec_kw={"wspace": 0, "hspace": 0},
    )
    gray = pixels.shape[-1] == 1
    for place in axes.flat:
        place.margins(x=0, y=0)
        place.axis("off")
    for place, image, title in zip(axes.flat, pixels, titles, strict=False):
        # Gray ones as they are: Matplotlib would stretch their values otherwise.
        place.imshow(image, cmap="gray" if gray else None, vmin=0, vmax=255)
        place.set_title(title, fontsize=8)
    return figure


def _matplotlib(module: str, function: str) -> Any:
    return required(f"matplotlib.{module}", "plot", f"The `{function}` function")


def _channels_last(
    images: Any, data_format: str | None, function: str
) -> np.ndarray[Any, Any]:
    """Return a batch of images with their channels last.

    Raises:
        ValueError: if it is no batch.
    """
    pixels = np.asarray(ops.convert_to_numpy(images))
    if pixels.ndim != 4:
        raise ValueError(
            f"`{function}()` requires you to batch your images: `images` must be "
            f"batched 4D tensor. Received: images.shape={pixels.shape}"
        )
    first = K.standardize_data_format(data_format) == "channels_first"
    return pixels.transpose(0, 2, 3, 1) if first else pixels


def _bytes(pixels: np.ndarray[Any, Any], value_range: Any) -> np.ndarray[Any, Any]:
    """Return pixels of a range of values as bytes."""
    low, high = value_range
    if (low, high) != (0, 255):
        pixels = (pixels.astype("float32") - low) * (255 / (high - low))
    return np.clip(pixels, 0, 255).astype("uint8")


def _titles(count: int, names: dict[Any, str], y_true: Any, y_pred: Any) -> list[str]:
    """Return what is written above each image."""
    parts: list[list[str]] = [[] for _ in range(count)]
    for word, labels in (("Label", y_true), ("Pred", y_pred)):
        if labels is not None:
            numbers = np.asarray(ops.convert_to_numpy(labels)).tolist()
            for part, number in zip(parts, numbers, strict=False):
                part.append(f"{word}: {names.get(number, 'Unknown')}")
    return ["  ".join(part) for part in parts]


def plot_bounding_box_gallery(
    images: Any,
    bounding_box_format: str,
    y_true: Any = None,
    y_pred: Any = None,
    value_range: tuple[float, float] = (0, 255),
    true_color: Any = (0, 188, 212),
    pred_color: Any = (255, 235, 59),
    line_thickness: int = 2,
    font_scale: float = 1.0,
    text_thickness: int | None = None,
    class_mapping: dict[int, str] | None = None,
    ground_truth_mapping: dict[int, str] | None = None,
    prediction_mapping: dict[int, str] | None = None,
    legend: bool = False,
    legend_handles: Any = None,
    rows: int | None = None,
    cols: int | None = None,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show images in rows and columns, with boxes drawn on them.

    Args:
        images: a batch.
        bounding_box_format: such as "xyxy"; see `minikeras.utils.bounding_boxes`.
        y_true: the true boxes; see `draw_bounding_boxes`.
        y_pred: the predicted boxes.
        value_range: of the pixels.
        true_color: of the true boxes: red, green and blue, in [0, 255].
        pred_color: of the predicted ones.
        line_thickness: in pixels.
        font_scale: 1 for capitals of some 21 pixels.
        text_thickness: in pixels; by default that of the lines.
        class_mapping: from labels to what is written.
        ground_truth_mapping: the same, for the true boxes alone.
        prediction_mapping: the same, for the predicted ones.
        legend: whether to say which color is which.
        legend_handles: Matplotlib's patches, for another legend.
        rows: how many; by default about as many as columns.
        cols: how many; by default enough for all images.
        data_format: "channels_last" or "channels_first".
        **kwargs: go to `plot_image_gallery`.

    Shapes:
        images: (batch, height, width, channels)

    Raises:
        ValueError: if images are no batch, or there are to be two legends.
        ImportError: if Matplotlib is not installed, or Pillow if there is something to
            write.
    """
    _matplotlib("pyplot", "plot_bounding_box_gallery")
    pixels = _channels_last(images, data_format, "plot_bounding_box_gallery")
    if y_true is not None or y_pred is not None:
        pixels, value_range = _bytes(pixels, value_range), (0, 255)
    pen = line_thickness, text_thickness or line_thickness, font_scale
    for boxes, names, color in (
        (y_true, ground_truth_mapping or class_mapping, true_color),
        (y_pred, prediction_mapping or class_mapping, pred_color),
    ):
        pixels = _with_boxes(pixels, boxes, bounding_box_format, names, color, *pen)
    if legend:
        legend_handles = _legend(true_color, pred_color, legend_handles)
    kwargs |= {"rows": rows, "cols": cols, "legend_handles": legend_handles}
    plot_image_gallery(
        pixels, value_range=value_range, data_format="channels_last", **kwargs
    )


def _with_boxes(
    pixels: Any,
    boxes: Any,
    form: str,
    names: dict[int, str] | None,
    color: Any,
    line: int,
    stroke: int,
    scale: float,
) -> Any:
    """Return images with boxes on them, if there are any."""
    if boxes is None:
        return pixels
    last = "channels_last"
    return draw_bounding_boxes(
        pixels, boxes, form, names, color, line, stroke, scale, last
    )


def _legend(true_color: Any, pred_color: Any, handles: Any) -> list[Any]:
    """Return what a legend says of the two colors.

    Raises:
        ValueError: if there is another legend.
    """
    if handles:
        raise ValueError(
            "Only pass `legend` OR `legend_handles` to `plot_bounding_box_gallery()`."
        )
    patch = _matplotlib("patches", "plot_bounding_box_gallery").Patch
    named = (("Ground Truth", true_color), ("Prediction", pred_color))
    return [patch(color=np.array(color) / 255, label=name) for name, color in named]


def plot_segmentation_mask_gallery(
    images: Any,
    num_classes: int | None,
    value_range: tuple[float, float] = (0, 255),
    y_true: Any = None,
    y_pred: Any = None,
    color_mapping: Any = None,
    blend: bool = True,
    alpha: float = 0.8,
    ignore_index: int = -1,
    data_format: str | None = None,
    **kwargs: Any,
) -> None:
    """Show images, each in a row with its true and its predicted segments.

    Args:
        images: a batch.
        num_classes: how many classes there are, from 0 on.
        value_range: of the pixels.
        y_true: the true class of each pixel.
        y_pred: the predicted one.
        color_mapping: from classes to colors; see `draw_segmentation_masks`.
        blend: whether the image shines through.
        alpha: how much the paint covers, in [0, 1].
        ignore_index: a class that is not painted.
        data_format: "channels_last" or "channels_first".
        **kwargs: go to `plot_image_gallery`.

    Shapes:
        images: (batch, height, width, channels)
        y_true, y_pred: (batch, height, width) or (batch, height, width, 1)

    Raises:
        ValueError: if images are no batch.
        ImportError: if Matplotlib is not installed.
    """
    pixels = _channels_last(images, data_format, "plot_segmentation_mask_gallery")
    pixels = _bytes(pixels, value_range)
    first = K.standardize_data_format(data_format) == "channels_first"
    draw = partial(
        draw_segmentation_masks,
        num_classes=num_classes,
        color_mapping=color_mapping,
        alpha=alpha,
        blend=blend,
        ignore_index=ignore_index,
        data_format="channels_last",
    )
    columns = [pixels]
    for classes in (y_true, y_pred):
        if classes is not None:
            masks = np.asarray(ops.convert_to_numpy(classes)).astype("int32")
            if masks.ndim == 4:
                masks = masks[:, 0] if first else masks[..., 0]
            columns.append(draw(pixels, masks))
    # One image, its true and its predicted segments; then the next image.
    cells = np.stack(columns, axis=1).reshape(-1, *pixels.shape[1:])
    plot_image_gallery(
        cells,
        rows=len(pixels),
        cols=len(columns),
        data_format="channels_last",
        **kwargs,
    )
