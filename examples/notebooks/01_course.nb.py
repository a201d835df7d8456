# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # From `tf.constant` to `Dense`
#
# Deep learning can be read from two ends. From the bottom there is a graph of
# operations, computed by a session. From the top there are layers, and a model with a
# `fit` method. This notebook walks up from the bottom, and ends where the two meet.

# %% [markdown]
# ## 1. A graph computes nothing until it is run

# %%
import numpy as np

import minikeras.engine as tf

x = tf.constant(100, name="x")
y = tf.Variable(x + 50, name="y")
print(y)

# %% [markdown]
# No 150 yet. `y` is a node that knows how it would be computed, with which shape and
# which dtype. A session computes it, and also keeps the values of variables.

# %%
init = tf.global_variables_initializer()
with tf.Session() as session:
    session.run(init)
    print(session.run(y))

# %% [markdown]
# An array is a constant like any other, and each `x + 1` is one more node.

# %%
tf.reset_default_graph()
x = tf.constant(np.arange(9.0).reshape(3, 3), name="x")
with tf.Session() as session:
    for _ in range(3):
        x = x + 1
        print(x.name, session.run(x)[0])

# %% [markdown]
# ## 2. Placeholders: values that come with the run
#
# Now a model with two parameters, y = m x + b, and the gradient descent that finds
# them. The points lie on y = 2x + 6.


# %%
def line(iterations, learning_rate):
    """Return m and b after gradient descent, one point at a time."""
    tf.reset_default_graph()
    x = tf.placeholder("float")
    y = tf.placeholder("float")
    m = tf.Variable([1.0], name="m-slope-coefficient")
    b = tf.Variable([1.0], name="b-intercept")

    y_model = tf.multiply(x, m) + b
    error = tf.square(y - y_model)
    train_op = tf.train.GradientDescentOptimizer(learning_rate).minimize(error)

    rng = np.random.default_rng(0)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        for _ in range(iterations):
            value = rng.random()
            session.run(train_op, feed_dict={x: value, y: value * 2 + 6})
        return session.run([m, b])


m, b = line(1000, 0.01)
print(f"y = {m[0]:.3f} x + {b[0]:.3f}")

# %% [markdown]
# Not there yet. More iterations help, and so does a larger learning rate.

# %%
for iterations, rate in ((10_000, 0.01), (1000, 0.2)):
    m, b = line(iterations, rate)
    print(f"{iterations} iterations at {rate}: y = {m[0]:.3f} x + {b[0]:.3f}")

# %% [markdown]
# ## 3. Where the gradients come from
#
# `minimize` asked for the derivatives of `error`. They are graph too: each operation
# says how to extend the graph backwards.

# %%
tf.reset_default_graph()
a = tf.constant(3.0, name="a")
c = a * a * a
(slope,) = tf.gradients(c, a)
(curvature,) = tf.gradients(slope, a)
with tf.Session() as session:
    print(session.run([c, slope, curvature]))  # a³, 3a², 6a

# %% [markdown]
# ## 4. K, the wrapper
#
# Layers are not written against the engine but against *K*, which has Keras's names and
# rules. `K.dot` is `matmul` with a rule for operands of higher rank.

# %%
import inspect

from minikeras import backend as K

print(inspect.getsource(K.dot))

# %%
kernel = K.variable(np.ones((3, 2)), name="kernel")
inputs = K.placeholder(shape=(None, 3))
outputs = K.dot(inputs, kernel)
print(outputs)

f = K.function([inputs], [outputs])
print(f([np.eye(3)])[0])

# %% [markdown]
# ## 5. `Dense`
#
# And this is what a layer is: weights, and one formula in K.

# %%
import minikeras as keras

print(inspect.getsource(keras.layers.Dense.call))

# %% [markdown]
# The same numbers, from the top and from the bottom:

# %%
x = np.random.default_rng(1).standard_normal((2, 3)).astype("float32")
dense = keras.layers.Dense(2, activation="relu")
from_the_top = dense(x)

kernel, bias = dense.get_weights()
with tf.Session() as session:
    from_the_bottom = session.run(tf.nn.relu(tf.matmul(x, kernel) + bias))

print(from_the_top)
np.testing.assert_array_equal(from_the_top, from_the_bottom)

# %% [markdown]
# `Dense.call` → `K.dot` → `engine.matmul` → `numpy.matmul`: four hops, and each fits on
# a screen. The chapter *Walks* of the documentation goes through them one by one.
