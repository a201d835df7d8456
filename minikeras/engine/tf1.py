"""TensorFlow 1's names, gathered from the files that they live in."""

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

newaxis = None  # in an index, as in NumPy
