"""What may happen between batches and between epochs: Keras's callbacks."""

from minikeras.callbacks.backup import *
from minikeras.callbacks.base import *
from minikeras.callbacks.checkpoints import *
from minikeras.callbacks.history import *
from minikeras.callbacks.monitor import *
from minikeras.callbacks.progress import *
from minikeras.callbacks.rates import *
from minikeras.callbacks.records import *
