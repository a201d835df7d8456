"""A dense layer three times, in Keras, in K and in the engine: the same numbers."""

import numpy as np

import minikeras as keras
import minikeras.engine as tf
from minikeras import backend as K

x = np.random.default_rng(0).standard_normal((4, 3)).astype("float32")

dense = keras.layers.Dense(2, activation="relu")
by_keras = dense(x)

inputs = K.placeholder(shape=(None, 3))
outputs = K.relu(K.bias_add(K.dot(inputs, dense.kernel), dense.bias))
by_k = K.function(inputs, outputs)(x)

kernel, bias = dense.get_weights()
a = tf.placeholder(tf.float32, [None, 3])
h = tf.nn.relu(tf.matmul(a, kernel) + bias)
with tf.Session() as session:
    by_engine = session.run(h, {a: x})

by_numpy = np.maximum(x @ kernel + bias, 0)
for name, value in {"Keras": by_keras, "K": by_k, "engine": by_engine}.items():
    print(f"{name:6}", value[0], "equal to NumPy's:", np.allclose(value, by_numpy))
