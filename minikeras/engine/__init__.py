"""The tensor engine: graphs, gradients and sessions, by TensorFlow 1's names.

``import minikeras.engine as tf`` runs a TensorFlow 1 program. Everything here is lazy:
a function adds to the current graph, and a `Session` computes. The names are gathered
in `minikeras.engine.tf1`.

(In Keras 1 and 2, "engine" meant models and their training. Here it is what computes.)
"""

from typing import TYPE_CHECKING

from minikeras.lazy import attach

if TYPE_CHECKING:
    from minikeras.engine.tf1 import *

__getattr__, __dir__ = attach(__name__, {}, rest="minikeras.engine.tf1")
