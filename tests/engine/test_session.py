"""Sessions: fetches of any form, feeds in place of any tensor, values of their own."""

import gc
import threading
import time
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import minikeras.engine as tf
from minikeras.engine.errors import FeedError, SessionError, UninitializedError


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def session(graph):
    with tf.Session() as session:
        yield session


# -- fetches ---------------------------------------------------------------------------


def test_fetches_keep_their_structure(session):
    Pair = namedtuple("Pair", "first second")
    x = tf.constant(2.0, name="x")
    y = x * 3.0
    assert session.run(y) == 6
    assert session.run([x, y]) == [2, 6]
    assert session.run((x, [y, (x,)])) == (2, [6, (2,)])
    assert session.run({"a": x, "b": [y]}) == {"a": 2, "b": [6]}
    assert session.run(Pair(x, {"y": y})) == Pair(2, {"y": 6})
    ordered = session.run(OrderedDict([("z", x), ("a", y)]))
    assert list(ordered.items()) == [("z", 2), ("a", 6)]
    assert session.run([]) == []
    assert session.run([x, x, [x]]) == [2, 2, [2]]


def test_an_operation_yields_none(session):
    v = tf.Variable(1.0)
    assert session.run([v.initializer, tf.no_op()]) == [None, None]
    assert session.run(v.initializer) is None


def test_fetches_by_name(session):
    x = tf.constant(2.0, name="x")
    v = tf.Variable(5.0, name="v")
    assert session.run("v/Assign") is None
    assert session.run(["x:0", "v:0", x, v]) == [2, 5, 2, 5]


def test_scalars_are_numpy_scalars_and_arrays_are_the_callers_own(session):
    x = tf.constant([1.0, 2.0])
    value = session.run(x)
    assert type(session.run(tf.reduce_sum(x))) is np.float32
    value[0] = 100.0
    np.testing.assert_array_equal(session.run(x), [1.0, 2.0])


def test_a_fetched_variable_is_the_callers_own(session):
    v = tf.Variable([1.0, 2.0])
    session.run(v.initializer)
    session.run(v)[0] = 100.0
    session.run(v.assign(v * 2.0))[0] = 100.0
    np.testing.assert_array_equal(session.run(v), [2.0, 4.0])


def test_a_variable_does_not_share_memory_with_what_was_fed(session):
    v = tf.Variable([1.0, 2.0])
    x = tf.placeholder("float", (2,))
    fed = np.array([3.0, 4.0], "float32")
    session.run(v.assign(x), {x: fed})
    fed[:] = 100.0
    np.testing.assert_array_equal(session.run(v), [3.0, 4.0])


def test_a_constant_does_not_share_memory_with_what_it_was_made_of(session):
    data = np.array([1.0, 2.0])
    x, part = tf.constant(data), tf.constant(data[1:])
    data[:] = 100.0
    np.testing.assert_array_equal(session.run(x), [1.0, 2.0])
    np.testing.assert_array_equal(session.run(part), [2.0])


# -- feeds -----------------------------------------------------------------------------


def test_any_tensor_can_be_fed(session):
    x = tf.placeholder("float", name="x")
    y = x * 2.0
    z = y + 1.0
    assert session.run(z, {y: 10.0}) == 11, "x is not needed then"
    assert session.run([y, z], {y: 10.0, x: 1.0}) == [10, 11]
    assert session.run(z, {"mul:0": 10.0}) == 11
    constant = tf.constant(3.0)
    assert session.run(constant + 1.0, {constant: 5.0}) == 6
    assert session.run(constant, {constant: 5.0}) == 5


def test_a_fed_variable_hides_its_value_for_one_run(session):
    v = tf.Variable(1.0)
    y = v * 2.0
    assert session.run(y, {v: 5.0}) == 10, "even before it has a value"
    session.run(v.initializer)
    assert session.run([y, v], {v: 5.0}) == [10, 5]
    assert session.run(y) == 2


def test_feeds_may_change_their_shape_from_run_to_run(session):
    x = tf.placeholder("float", (None, 2))
    total = tf.reduce_sum(x, axis=0)
    for rows in (1, 5, 1, 0):
        np.testing.assert_array_equal(
            session.run(total, {x: np.ones((rows, 2))}), [rows] * 2
        )


def test_feeds_are_converted_to_the_placeholders_dtype(session):
    x = tf.placeholder("float")
    y = tf.identity(x)
    for value in (1, 1.0, np.float64(1), np.int64(1), True, [[1]], np.ones(1, "int8")):
        assert session.run(y, {x: value}).dtype == np.float32
    flag = tf.placeholder(tf.bool)
    assert session.run(tf.identity(flag), {flag: 1}) == np.True_
    whole = tf.placeholder(tf.int32)
    assert session.run(tf.identity(whole), {whole: np.int64(3)}).dtype == np.int32
    with pytest.raises(FeedError):
        session.run(whole, {whole: 3.0})
    with pytest.raises(FeedError):
        session.run(flag, {flag: 2})
    with pytest.raises(FeedError, match=r"not made of numbers|string"):
        session.run(x, {x: "one"})


def test_a_kernel_cannot_write_on_what_is_fed(session):
    x = tf.placeholder("float", (2,))
    fed = np.array([1.0, 2.0], "float32")
    result = session.run(tf.identity(x), {x: fed})
    result[0] = 100.0
    np.testing.assert_array_equal(fed, [1.0, 2.0])
    assert fed.flags.writeable


def test_one_output_of_several_can_be_fed(session):
    x = tf.constant([1.0, 2.0, 3.0, 4.0])
    left, right = tf.split(x, 2)
    total = left + right
    np.testing.assert_array_equal(
        session.run(total, {left: [10.0, 20.0]}), [13.0, 24.0]
    )
    values = session.run([left, right, total], {left: [10.0, 20.0]})
    np.testing.assert_array_equal(values, [[10, 20], [3, 4], [13, 24]])


def test_a_placeholder_as_control_dependency_is_fed_like_any_other(session):
    x = tf.placeholder("float")
    with tf.control_dependencies([x]):
        y = tf.constant(1.0) + 1.0
    assert session.run(y, {x: 0.0}) == 2
    assert session.run(x.op, {x: 0.0}) is None
    with pytest.raises(FeedError):
        session.run(y)


def test_a_fed_assignment_is_carried_out_where_it_is_a_control_dependency(session):
    v = tf.Variable(1.0)
    new = v.assign(2.0)
    with tf.control_dependencies([new]):
        y = tf.identity(new)
    assert session.run(y, {new: 7.0}) == 7
    assert session.run(v) == 2


# -- order of effects ------------------------------------------------------------------


def test_reads_and_assignments_keep_the_order_of_the_program(session):
    v = tf.Variable(1.0)
    before = v + 0.0
    doubled = v.assign(v * 2.0)
    between = v + 0.0
    tripled = v.assign(v * 3.0)
    after = v + 0.0
    session.run(v.initializer)
    assert session.run([after, tripled, between, doubled, before]) == [6, 6, 2, 2, 1]
    assert session.run([v, before]) == [6, 6]


def test_a_fetched_variable_is_read_when_all_is_done(session):
    v = tf.Variable(1.0)
    session.run(v.initializer)
    assert session.run([v, v.assign_add(1.0)]) == [2, 2]


def test_only_what_is_fetched_is_run(session):
    v = tf.Variable(1.0)
    bump = v.assign_add(1.0)
    w = tf.Variable(5.0)
    session.run([v.initializer, w.initializer])
    session.run(w)
    assert session.run(v) == 1
    session.run(bump.op)
    assert session.run(v) == 2


def test_what_only_a_static_shape_depends_on_is_not_computed(session):
    v = tf.Variable([1.0, 2.0])
    change = v.assign_add([1.0, 1.0])
    sizes = tf.shape(change) * 2
    session.run(v.initializer)
    np.testing.assert_array_equal(session.run(sizes), [4])
    np.testing.assert_array_equal(session.run(v), [1, 2])
    with tf.control_dependencies([change]):
        after = tf.constant(3.0)
    assert session.run(after) == 3
    np.testing.assert_array_equal(session.run(v), [2, 3])


# -- sessions and graphs ---------------------------------------------------------------


def test_two_sessions_have_two_values():
    v = tf.Variable(1.0)
    first, second = tf.Session(), tf.Session()
    first.run(v.initializer)
    first.run(v.assign_add(1.0))
    with pytest.raises(UninitializedError):
        second.run(v)
    second.run(v.initializer)
    assert (first.run(v), second.run(v)) == (2, 1)


def test_two_graphs_have_nothing_in_common():
    graphs = [tf.Graph(), tf.Graph()]
    for i, graph in enumerate(graphs):
        with graph.as_default():
            tf.Variable(float(i), name="v")
            assert [v.name for v in tf.global_variables()] == ["v:0"]
    for i, graph in enumerate(graphs):
        with tf.Session(graph=graph) as session:
            assert tf.get_default_graph() is graph
            session.run(tf.global_variables_initializer())
            assert session.run("v:0") == i
    assert tf.get_default_graph() not in graphs


def test_eval_and_run_need_a_default_session():
    v = tf.Variable(3.0)
    with pytest.raises(SessionError):
        v.eval()
    with tf.Session() as session:
        assert tf.get_default_session() is session
        v.initializer.run()
        assert v.eval() == 3
        assert (v + 1.0).eval() == 4
        assert np.asarray(v + 1.0) == 4
    assert tf.get_default_session() is None
    with pytest.raises(SessionError, match="closed"):
        session.run(v)


def test_eval_in_a_session_that_is_given():
    x = tf.placeholder("float")
    session = tf.Session()
    assert (x * 2.0).eval({x: 2.0}, session) == 4
    assert (x * 2.0).eval(session=session, feed_dict={x: 2.0}) == 4
    with session.as_default():
        assert (x * 2.0).eval({x: 2.0}) == 4
    assert session.run(x, {x: 1.0}) == 1, "as_default() does not close it"


def test_an_interactive_session_is_the_default_one_until_closed():
    session = tf.InteractiveSession()
    assert tf.constant(2.0).eval() == 2
    with tf.Session():
        assert tf.get_default_session() is not session
    assert tf.get_default_session() is session
    session.close()
    assert tf.get_default_session() is None
    other = tf.Graph()
    session = tf.InteractiveSession(graph=other)
    assert tf.get_default_graph() is other
    session.close()
    assert tf.get_default_graph() is not other


def test_a_target_machine_is_refused():
    with pytest.raises(SessionError, match="grpc"):
        tf.Session("grpc://somewhere")


def test_a_session_runs_in_another_thread(session):
    x = tf.placeholder("float")
    y = x * 2.0
    seen = []
    thread = threading.Thread(target=lambda: seen.append(session.run(y, {x: 4.0})))
    thread.start()
    thread.join()
    assert seen == [8]


def test_all_threads_have_one_default_graph():
    main, seen = tf.get_default_graph(), []
    thread = threading.Thread(target=lambda: seen.append(tf.get_default_graph()))
    thread.start()
    thread.join()
    assert seen[0] is not main, "a `with` block holds for its own thread"
    default = seen[0]
    thread = threading.Thread(target=lambda: seen.append(tf.get_default_graph()))
    thread.start()
    thread.join()
    assert seen[1] is default


def test_make_callable(session):
    x, y = tf.placeholder("float"), tf.placeholder("float")
    v = tf.Variable(1.0)
    session.run(v.initializer)
    call = session.make_callable({"sum": x + y, "v": v}, [x, y])
    assert call(1.0, 2.0) == {"sum": 3, "v": 1}
    session.run(v.assign(9.0))
    assert call([1.0], [2.0])["v"] == 9
    with pytest.raises(FeedError):
        call("a", 1.0)
    with pytest.raises(ValueError, match="argument"):
        call(1.0)


def test_a_graph_may_grow_between_runs(session, graph):
    x = tf.constant(1.0, name="x")
    for i in range(3):
        x = x + 1.0
        assert session.run(x) == i + 2
    assert session.run(graph.get_tensor_by_name("x:0")) == 1
    assert session.run(graph.get_tensor_by_name("add_1:0")) == 3


def test_strings(session):
    x = tf.constant("hello")
    names = tf.placeholder(tf.string, (None,))
    assert session.run(x) == "hello"
    assert list(session.run(tf.identity(names), {names: ["a", "bc"]})) == ["a", "bc"]


# -- scale -----------------------------------------------------------------------------


def test_a_chain_of_100000_additions_is_built_differentiated_run_and_dropped():
    count = 100_000
    began = time.perf_counter()
    with tf.Graph().as_default() as graph:
        x = tf.placeholder("float64", ())
        y = x
        for _ in range(count):
            y = y + x
        (slope,) = tf.gradients(y, x)
        with tf.Session() as session:
            assert session.run([y, slope], {x: 2.0}) == [2.0 * (count + 1), count + 1]
    del x, y, slope, graph, session
    gc.collect()
    assert time.perf_counter() - began < 60
