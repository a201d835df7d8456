"""Train an MLP on all 60,000 pictures of Fashion-MNIST, where they are installed.

On Debian and Ubuntu: `apt-get install dataset-fashion-mnist`.
"""

import gzip
import sys
from pathlib import Path

import numpy as np

import minikeras as keras

FOLDER = Path("/usr/share/datasets/fashion-mnist")


def read(name):
    """Read an IDX file: two zero bytes, a type, the rank, the sizes, then the data."""
    data = gzip.decompress((FOLDER / name).read_bytes())
    sizes = np.frombuffer(data, ">i4", count=data[3], offset=4)
    return np.frombuffer(data, "u1", offset=4 + 4 * data[3]).reshape(sizes)


def load(part):
    """Return pictures as rows of 784 numbers in [0, 1], and their kinds from 0 to 9."""
    pictures = read(f"{part}-images-idx3-ubyte.gz").reshape(-1, 784)
    return (pictures / 255).astype("float32"), read(f"{part}-labels-idx1-ubyte.gz")


if not FOLDER.exists():
    sys.exit(f"no {FOLDER}: install the package dataset-fashion-mnist")

keras.utils.set_random_seed(0)
model = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(*load("train"), batch_size=128, epochs=5)
_, accuracy = model.evaluate(*load("t10k"), verbose=0)
print(f"{accuracy:.1%} of 10,000 unseen pictures right")
