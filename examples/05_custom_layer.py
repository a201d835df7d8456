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
        """Make the weights, once the shape of the inputs is known."""
        self.c = self.add_weight(
            name="c", shape=(self.degree + 1,), initializer="zeros"
        )

    def call(self, inputs):
        """Return the polynomial's value at each of the inputs."""
        y = K.zeros_like(inputs)
        for k in reversed(range(self.degree + 1)):
            y = y * inputs + self.c[k]
        return y

    def get_config(self):
        """Return the arguments that make the same layer again."""
        return {**super().get_config(), "degree": self.degree}


x = np.linspace(-1, 1, 256, dtype="float32")[:, None]
y = np.sin(3 * x)

model = keras.Sequential([keras.Input((1,)), Polynomial(5)])
model.compile(optimizer=keras.optimizers.Adam(0.05), loss="mse")
history = model.fit(x, y, epochs=100, verbose=0)
first, *_, last = history.history["loss"]
print(f"squared error {first:.3f} -> {last:.4f}")
print("coefficients", model.layers[0].c.numpy().round(2))
