"""Models: Sequential, functional and subclassed."""

from minikeras.models.functional import *
from minikeras.models.model import *
from minikeras.models.sequential import *
