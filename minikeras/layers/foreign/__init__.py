"""Models of other libraries as layers: JAX, Flax, PyTorch, TensorFlow.

Each computes, and differentiates, its own part; the weights are variables of the layer,
and are trained like all others.
"""
