"""The functions of ``keras.ops``: NumPy's, and what networks need besides.

On arrays and Keras variables they compute at once and return arrays; on tensors, and
inside a traced function, they build graph. They are K's functions, and share with them
kernels, shape rules and gradients.
"""

from minikeras.ops import image, linalg, nn, numpy
from minikeras.ops.control import *
from minikeras.ops.determinants import *
from minikeras.ops.distances import *
from minikeras.ops.elementwise import *
from minikeras.ops.filling import *
from minikeras.ops.indexing import *
from minikeras.ops.linalg import *
from minikeras.ops.nn import *
from minikeras.ops.ordering import *
from minikeras.ops.products import *
from minikeras.ops.quantiles import *
from minikeras.ops.rearranging import *
from minikeras.ops.reduction import *
from minikeras.ops.reshaping import *
from minikeras.ops.segments import *
from minikeras.ops.sequences import *
from minikeras.ops.signal import *
from minikeras.ops.statistics import *
from minikeras.ops.transforms import *
from minikeras.ops.windows import *
