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
# # A linear model, three times
#
# How far does a car of the seventies go on a gallon of petrol? A linear model answers,
# first with Keras's `fit`, then written on K, then on the engine. The three get the
# same numbers.
#
# The data are Auto-MPG: 392 cars with seven properties each (Quinlan 1993, UCI).

# %%
import matplotlib.pyplot as plt
import numpy as np
from mlxtend.data import autompg_data

features = [
    "cylinders",
    "displacement",
    "horsepower",
    "weight",
    "acceleration",
    "year",
    "origin",
]
x, y = autompg_data()
x = x[:, : len(features)]
order = np.random.default_rng(0).permutation(len(x))
train, test = order[:300], order[300:]
mean, std = x[train].mean(0), x[train].std(0)
x = ((x - mean) / std).astype("float32")
y = y.astype("float32")[:, None]
x_train, y_train, x_test, y_test = x[train], y[train], x[test], y[test]
print(x_train.shape, y_train.shape)

# %%
figure, axes = plt.subplots(1, 4, figsize=(12, 3), sharey=True)
for axis, name in zip(axes, ("weight", "horsepower", "year", "acceleration")):
    axis.scatter(x_train[:, features.index(name)], y_train, s=6)
    axis.set_xlabel(f"{name}, standardized")
axes[0].set_ylabel("miles per gallon")
plt.show()

# %% [markdown]
# ## In Keras

# %%
import minikeras as keras

keras.utils.set_random_seed(0)
RATE, EPOCHS, BATCH = 0.05, 30, 50

model = keras.Sequential([keras.Input((7,)), keras.layers.Dense(1)])
start = model.get_weights()
model.compile(optimizer=keras.optimizers.SGD(RATE), loss="mse")
history = model.fit(
    x_train,
    y_train,
    batch_size=BATCH,
    epochs=EPOCHS,
    shuffle=False,
    verbose=0,
    validation_data=(x_test, y_test),
)
by_keras = model.get_weights()

# %%
plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="test")
plt.yscale("log")
plt.xlabel("epoch")
plt.ylabel("squared error")
plt.legend()
plt.show()

# %% [markdown]
# ## On K
#
# What `fit` does with every batch, in the open: a loss, its gradients, updates.

# %%
from minikeras import backend as K

kernel, bias = K.variable(start[0]), K.variable(start[1])
inputs, targets = K.placeholder(shape=(None, 7)), K.placeholder(shape=(None, 1))
outputs = K.bias_add(K.dot(inputs, kernel), bias)
loss = K.mean(K.square(outputs - targets))
updates = [
    K.update_sub(v, RATE * g)
    for v, g in zip((kernel, bias), K.gradients(loss, [kernel, bias]))
]
step = K.function([inputs, targets], [loss], updates=updates)

starts = range(0, len(x_train), BATCH)
batches = [(x_train[i : i + BATCH], y_train[i : i + BATCH]) for i in starts]
for _ in range(EPOCHS):
    for x_batch, y_batch in batches:
        step([x_batch, y_batch])
by_k = K.batch_get_value([kernel, bias])

# %% [markdown]
# ## On the engine

# %%
import minikeras.engine as tf

tf.reset_default_graph()
a = tf.placeholder(tf.float32, [None, 7])
b = tf.placeholder(tf.float32, [None, 1])
w = tf.Variable(start[0], name="w")
c = tf.Variable(start[1], name="c")
error = tf.reduce_mean(tf.square(tf.matmul(a, w) + c - b))
train_op = tf.train.GradientDescentOptimizer(RATE).minimize(error)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(EPOCHS):
        for x_batch, y_batch in batches:
            session.run(train_op, {a: x_batch, b: y_batch})
    by_engine = session.run([w, c])

# %% [markdown]
# ## The same numbers

# %%
print(f"{'':12}     Keras         K    engine")
rows = np.hstack([by_keras[0], by_k[0], by_engine[0]])
for name, row in zip(features, rows):
    print(f"{name:12}", *(f"{weight:9.5f}" for weight in row))
np.testing.assert_allclose(by_k[0], by_keras[0], rtol=1e-5, atol=1e-5)
np.testing.assert_allclose(by_engine[0], by_keras[0], rtol=1e-5, atol=1e-5)

# %% [markdown]
# And they are close to the least-squares solution, which needs no descent at all.

# %%
ones = np.ones((len(x_train), 1), "float32")
exact, *_ = np.linalg.lstsq(np.hstack([x_train, ones]), y_train, rcond=None)


def r_squared(predicted):
    """Share of the variance of the test cars that the predictions explain."""
    return 1 - np.sum((y_test - predicted) ** 2) / np.sum((y_test - y_test.mean()) ** 2)


exact_r2 = r_squared(x_test @ exact[:-1] + exact[-1])
r2 = r_squared(model.predict(x_test, verbose=0))
print(f"R² on unseen cars: {r2:.4f} by descent, {exact_r2:.4f} by least squares")
assert abs(r2 - exact_r2) < 0.02
