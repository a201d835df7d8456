"""A layer of one's own: weights in `build`, a formula in `call`, both in K."""

import numpy as np

import minikeras as keras
from minikeras import backend as K


class Polynomial(keras.layers.Layer):
    """y = c[0] + c[1] x + ... + c[n] x^n, by Horner's rule."""

    def __init__(self, degree, **kwargs):
        super().__init__(**kwargs)
        self.degree = degree

    def build(self, input_shape):
        self.c = self.add_weight(
            name="c", shape=(self.degree + 1,), initializer="zeros"
        )

    def call(self, inputs):
        y = K.zeros_like(inputs)
        for k in reversed(range(self.degree + 1)):
            y = y * inputs + self.c[k]
        return y


x = np.linspace(-1, 1, 256, dtype="float32")[:, None]
y = np.sin(3 * x)

model = keras.Sequential([keras.Input((1,)), Polynomial(5)])
model.compile(optimizer=keras.optimizers.Adam(0.05), loss="mse")
history = model.fit(x, y, epochs=100, verbose=0)
print("loss", history.history["loss"][0], "->", history.history["loss"][-1])
print("coefficients", model.layers[0].c.numpy().round(2))
