"""The tensor engine: graphs, gradients and sessions, by TensorFlow 1's names.

``import minikeras.engine as tf`` runs a TensorFlow 1 program. Everything here is lazy:
a function adds to the current graph, and a `Session` computes.

(In Keras 1 and 2, "engine" meant models and their training. Here it is what computes.)
"""

from minikeras.engine import errors, initializers, layers, losses, nn, train
from minikeras.engine.autodiff import gradients
from minikeras.engine.current import *
from minikeras.engine.draws import *
from minikeras.engine.dtypes import DType, as_dtype
from minikeras.engine.flow import *
from minikeras.engine.functions import *
from minikeras.engine.graph import Graph, Tensor, reset_default_graph
from minikeras.engine.initializers import *
from minikeras.engine.kinds import *
from minikeras.engine.ops.state import (
    constant,
    placeholder,
    placeholder_with_default,
)
from minikeras.engine.scopes import *
from minikeras.engine.session import InteractiveSession, Session
from minikeras.engine.spec import TensorShape
from minikeras.engine.variables import *
