"""Fit y = m x + b by gradient descent, one point at a time, on placeholders."""

import minikeras.engine as tf

x = tf.placeholder("float")
y = tf.placeholder("float")
m = tf.Variable([1.0], name="m-slope-coefficient")
b = tf.Variable([1.0], name="b-intercept")

y_model = tf.multiply(x, m) + b
error = tf.square(y - y_model)
train_op = tf.train.GradientDescentOptimizer(0.01).minimize(error)

points = [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(500):
        for value in points:
            session.run(train_op, feed_dict={x: value, y: 2 * value + 6})
    out = session.run([m, b])

print(f"y = {out[0][0]:.3f} x + {out[1][0]:.3f}")  # y = 2 x + 6
