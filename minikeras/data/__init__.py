"""Batches of arrays, one pass after another: plain iterators that know of no model."""

from minikeras.data.arrays import *
from minikeras.data.passes import *
from minikeras.data.py_dataset import *
