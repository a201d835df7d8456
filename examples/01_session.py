"""A graph computes nothing until a session runs it."""

import minikeras.engine as tf

x = tf.constant(100, name="x")
y = tf.Variable(x + 50, name="y")
print(y)  # a variable, not 150: nothing has been computed

init = tf.global_variables_initializer()
with tf.Session() as session:
    session.run(init)
    print(session.run(y))  # 150

tf.reset_default_graph()
x = tf.constant(0, name="x")
with tf.Session() as session:
    for _ in range(5):
        x = x + 1  # five nodes, each on top of the last
        print(session.run(x), x)
