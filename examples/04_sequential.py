"""Keras from the top: a small classifier, trained with `fit`."""

import numpy as np

import minikeras as keras

keras.utils.set_random_seed(0)
rng = np.random.default_rng(0)
x = rng.standard_normal((2000, 2)).astype("float32")
y = (np.linalg.norm(x, axis=1) < 1.2).astype("int32")  # inside a circle, or not

model = keras.Sequential(
    [
        keras.Input((2,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.summary()
model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=10, validation_split=0.2)
print(model.evaluate(x, y, verbose=0, return_dict=True))
