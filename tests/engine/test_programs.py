"""TensorFlow 1 programs, word for word: only their import line is changed."""

import contextlib
import io
import subprocess
import sys

import numpy as np
import pytest

import minikeras.engine as tf

THEIRS = "import tensorflow as tf"
OURS = "import minikeras.engine as tf"

CONSTANT_AND_VARIABLE = """
import tensorflow as tf

x = tf.constant(100, name='x')
y = tf.Variable(x + 50, name='y')
print(y)

model = tf.global_variables_initializer()

with tf.Session() as session:
    session.run(model)
    print(session.run(y))
"""

MATRICES = """
import numpy as np
import tensorflow as tf

data = np.arange(9.0).reshape(3, 3)
x = tf.constant(data, name='x')
y = tf.Variable(x * 10, name='y')
print(x)
print(y)
init = tf.global_variables_initializer()
with tf.Session() as session:
    session.run(init)
    scaled = session.run(y)

tf.reset_default_graph()
x = tf.Variable(0, name='x')
seen = []
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for i in range(5):
        x = x + 1
        seen.append(session.run(x))
print(seen)
"""

LINE = """
import tensorflow as tf

x_data = [float(i) / 4 for i in range(-8, 9)]
y_data = [2.0 * x + 6.0 for x in x_data]

x = tf.placeholder("float")
y = tf.placeholder("float")
m = tf.Variable([1.0], name="m-slope-coefficient")
b = tf.Variable([1.0], name="b-intercept")

y_model = tf.multiply(x, m) + b
error = tf.square(y - y_model)
train_op = tf.train.GradientDescentOptimizer(RATE).minimize(error)
model = tf.global_variables_initializer()

with tf.Session() as session:
    session.run(model)
    for i in range(EPOCHS):
        for (feed_x, feed_y) in zip(x_data, y_data):
            session.run(train_op, feed_dict={x: feed_x, y: feed_y})
    out = session.run([m, b])
    print(out)
print("Model: {r:.3f}x + {s:.3f}".format(r=out[0][0], s=out[1][0]))
"""

PERCEPTRON = """
import numpy as np
import tensorflow as tf

tf.set_random_seed(7)
rng = np.random.RandomState(7)
features = rng.randn(200, 10).astype('float32')
classes = (features[:, 0] * features[:, 1] > 0).astype(int) + (features[:, 2] > 1)
labels = np.eye(3)[classes]

X = tf.placeholder(tf.float32, [None, 10])
Y = tf.placeholder(tf.float32, [None, 3])
weights = {
    'hidden': tf.Variable(tf.random_normal([10, 32], stddev=0.3)),
    'out': tf.Variable(tf.random_normal([32, 3], stddev=0.3)),
}
biases = {
    'hidden': tf.Variable(tf.zeros([32])),
    'out': tf.Variable(tf.zeros([3])),
}

def perceptron(x):
    hidden = tf.nn.relu(tf.add(tf.matmul(x, weights['hidden']), biases['hidden']))
    return tf.matmul(hidden, weights['out']) + biases['out']

logits = perceptron(X)
loss_op = tf.reduce_mean(
    tf.nn.softmax_cross_entropy_with_logits(logits=logits, labels=Y))
train_op = tf.train.AdamOptimizer(learning_rate=0.01).minimize(loss_op)
correct = tf.equal(tf.argmax(logits, 1), tf.argmax(Y, 1))
accuracy = tf.reduce_mean(tf.cast(correct, tf.float32))
losses = []
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    for epoch in range(60):
        for start in range(0, 200, 50):
            batch = {X: features[start:start + 50], Y: labels[start:start + 50]}
            _, c = sess.run([train_op, loss_op], feed_dict=batch)
        losses.append(c)
    score = accuracy.eval({X: features, Y: labels})
print(losses[0], losses[-1], score)
"""

LOGISTIC = """
import numpy as np
import tensorflow as tf

rng = np.random.RandomState(3)
data = rng.randn(100, 2)
target = (data.dot([2.0, -3.0]) + 0.5 > 0).astype('float')[:, None]

x = tf.placeholder(tf.float64, shape=(None, 2), name='x')
t = tf.placeholder(tf.float64, shape=(None, 1), name='t')
with tf.name_scope('model'):
    w = tf.Variable(np.zeros((2, 1)), name='w')
    b = tf.Variable(0.0, name='b', dtype=tf.float64)
    logit = tf.matmul(x, w) + b
    p = tf.sigmoid(logit, name='p')
with tf.name_scope('loss'):
    loss = tf.reduce_mean(-t * tf.log(p) - (1 - t) * tf.log(1 - p), name='nll')
global_step = tf.Variable(0, trainable=False, name='global_step')
rate = tf.train.exponential_decay(1.0, global_step, 100, 0.5, staircase=True)
step = tf.train.MomentumOptimizer(rate, 0.9).minimize(loss, global_step=global_step)

session = tf.InteractiveSession()
tf.global_variables_initializer().run()
before = loss.eval({x: data, t: target})
for _ in range(250):
    step.run({x: data, t: target})
after = loss.eval(feed_dict={x: data, t: target})
final_rate, steps = session.run([rate, global_step])
hits = np.mean((p.eval({x: data}) > 0.5) == target)
session.close()
print(before, after, hits, final_rate, steps)
"""

EMBEDDING = """
import tensorflow as tf

words = 'the cat sat on the mat the dog sat on the rug'.split()
vocabulary = sorted(set(words))
index = {w: i for i, w in enumerate(vocabulary)}
pairs = [(index[a], index[b]) for a, b in zip(words, words[1:])]
tf.set_random_seed(1)
inputs = tf.placeholder(tf.int32, shape=[None])
targets = tf.placeholder(tf.int32, shape=[None])
embeddings = tf.get_variable('embeddings', [len(vocabulary), 4])
vectors = tf.nn.embedding_lookup(embeddings, inputs)
logits = tf.layers.dense(vectors, len(vocabulary), name='softmax')
loss = tf.losses.sparse_softmax_cross_entropy(labels=targets, logits=logits)
train = tf.train.AdagradOptimizer(1.0).minimize(loss)
history = []
with tf.Session() as sess:
    sess.run(tf.initialize_all_variables())
    a, b = zip(*pairs)
    for _ in range(150):
        value, _ = sess.run((loss, train), {inputs: a, targets: b})
        history.append(float(value))
    after_sat = sess.run(tf.argmax(logits, 1), {inputs: [index['sat']]})[0]
prediction = vocabulary[after_sat]
names = [v.name for v in tf.trainable_variables()]
print(history[0], history[-1], prediction, names)
"""

DROPOUT_AND_AVERAGES = """
import numpy as np
import tensorflow as tf

keep = tf.placeholder(tf.float32)
x = tf.ones([1000])
thin = tf.nn.dropout(x, keep_prob=keep)
mean = tf.reduce_mean(thin)
average = tf.Variable(0.0, trainable=False, name='average')
update = tf.assign(average, 0.9 * average + 0.1 * mean)
with tf.control_dependencies([update]):
    fresh = tf.identity(average, name='fresh')
with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
    sess.run(tf.global_variables_initializer())
    all_kept = sess.run(thin, {keep: 1.0})
    half = sess.run(thin, {keep: 0.5})
    other = sess.run(thin, {keep: 0.5})
    averages = [sess.run(fresh, {keep: 0.5}) for _ in range(60)]
print(sorted(set(half)), half.sum(), (half != other).any(), averages[-1])
"""

ALL = {
    "constant": CONSTANT_AND_VARIABLE,
    "matrices": MATRICES,
    "line": LINE.replace("RATE", "0.01").replace("EPOCHS", "40"),
    "perceptron": PERCEPTRON,
    "logistic": LOGISTIC,
    "embedding": EMBEDDING,
    "dropout": DROPOUT_AND_AVERAGES,
}


@pytest.fixture(autouse=True)
def own_default_graph():
    tf.reset_default_graph()
    yield
    tf.reset_default_graph()


def run(program: str) -> tuple[dict, list[str]]:
    """Run a program; return its variables and the lines it prints."""
    assert program.count(THEIRS) == 1
    names: dict = {"__name__": "__main__"}
    with contextlib.redirect_stdout(io.StringIO()) as out:
        exec(compile(program.replace(THEIRS, OURS), "program.py", "exec"), names)
    return names, out.getvalue().splitlines()


@pytest.mark.parametrize("name", ["constant", "line"])
def test_a_program_runs_on_its_own(name):
    program = ALL[name].replace(THEIRS, OURS)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr
    assert done.stdout.splitlines() == run(ALL[name])[1]


def test_a_constant_and_a_variable():
    _, lines = run(CONSTANT_AND_VARIABLE)
    assert lines == ["<tf.Variable 'y:0' shape=() dtype=int32_ref>", "150"]


def test_a_matrix_and_a_growing_expression():
    names, lines = run(MATRICES)
    assert lines == [
        'Tensor("x:0", shape=(3, 3), dtype=float64)',
        "<tf.Variable 'y:0' shape=(3, 3) dtype=float64_ref>",
        str([np.int32(n) for n in (1, 2, 3, 4, 5)]),
    ]
    assert names["scaled"].dtype == np.float64
    np.testing.assert_array_equal(names["scaled"], np.arange(9.0).reshape(3, 3) * 10)


@pytest.mark.parametrize(
    "rate, epochs", [("0.01", "10"), ("0.01", "60"), ("0.05", "20")]
)
def test_a_line_is_found_by_descent(rate, epochs):
    names, _ = run(LINE.replace("RATE", rate).replace("EPOCHS", epochs))
    m = b = 1.0
    for _ in range(int(epochs)):  # the same descent, by hand
        for x, y in zip(names["x_data"], names["y_data"], strict=True):
            error = y - (m * x + b)
            m, b = m + float(rate) * 2 * error * x, b + float(rate) * 2 * error
    (found_m,), (found_b,) = names["out"]
    assert found_m == pytest.approx(m, rel=1e-5)
    assert found_b == pytest.approx(b, rel=1e-5)
    if epochs != "10":
        assert found_m == pytest.approx(2, abs=1e-3)
        assert found_b == pytest.approx(6, abs=1e-3)


def test_a_perceptron_learns():
    names, _ = run(PERCEPTRON)
    assert names["losses"][-1] < 0.5 * names["losses"][0]
    assert names["score"] > 0.85
    again, _ = run(PERCEPTRON)
    tf.reset_default_graph()
    assert names["losses"] != again["losses"], "its second graph has other random ops"


def test_a_program_repeats_bit_by_bit():
    first, _ = run(PERCEPTRON)
    tf.reset_default_graph()
    second, _ = run(PERCEPTRON)
    assert first["losses"] == second["losses"]


def test_logistic_regression_separates_the_classes():
    names, _ = run(LOGISTIC)
    assert names["before"] == pytest.approx(np.log(2))
    assert names["after"] < 0.1
    assert names["hits"] > 0.97
    assert names["steps"] == 250
    assert names["final_rate"] == pytest.approx(0.25)


def test_an_embedding_learns_what_follows():
    names, _ = run(EMBEDDING)
    assert names["history"][0] == pytest.approx(np.log(7), abs=0.3)
    assert names["history"][-1] < 0.8
    assert names["prediction"] == "on"
    assert names["names"] == ["embeddings:0", "softmax/kernel:0", "softmax/bias:0"]


def test_dropout_and_a_moving_average():
    names, _ = run(DROPOUT_AND_AVERAGES)
    assert (names["all_kept"] == 1).all()
    assert set(names["half"]) == {0.0, 2.0}
    assert abs(names["half"].sum() - 1000) < 150
    assert (names["half"] != names["other"]).any(), "each run draws anew"
    assert names["averages"][-1] == pytest.approx(1, abs=0.1)
