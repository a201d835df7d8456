"""tmp"""

import minikeras.engine.ops as _ops
from minikeras.engine.facade import graph_function
from minikeras.engine.graph import Graph, reset_default_graph
from minikeras.engine.ops.state import constant, placeholder, group
from minikeras.engine.session import Session
from minikeras.engine.variables import *
from minikeras.engine.autodiff import gradients

multiply = graph_function(_ops.multiply)
reduce_sum = graph_function(_ops.sum, keep_dims="keepdims", reduction_indices="axis")
reduce_mean = graph_function(_ops.mean)
matmul = graph_function(_ops.matmul)



