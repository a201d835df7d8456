"""TensorBoard's event files, written and read without TensorBoard or TensorFlow.

An event file is a row of records (`records`), each a protocol buffer (`wire`), an event
with summaries (`summaries`): numbers, histograms, images, text, or a graph.
"""

from minikeras.tensorboard.events import *
from minikeras.tensorboard.graphs import *
