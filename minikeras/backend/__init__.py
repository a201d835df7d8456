"""K, the wrapper between layers and the engine: Keras's names and rules.

One rule holds throughout: symbolic in, symbolic out; concrete in, concrete out. A
function here is lazy when an argument is a tensor or a variable, and computes at once
when all are arrays and numbers.
"""

from minikeras.backend.activation import *
from minikeras.backend.adaptive import *
from minikeras.backend.allocation import *
from minikeras.backend.attention import *
from minikeras.backend.categories import *
from minikeras.backend.color import *
from minikeras.backend.complexes import *
from minikeras.backend.config import *
from minikeras.backend.control import *
from minikeras.backend.conv import *
from minikeras.backend.ctc import *
from minikeras.backend.differentiation import *
from minikeras.backend.elementwise import *
from minikeras.backend.filling import *
from minikeras.backend.filters import *
from minikeras.backend.following import *
from minikeras.backend.foreign import *
from minikeras.backend.function import *
from minikeras.backend.hints import *
from minikeras.backend.image import *
from minikeras.backend.indexing import *
from minikeras.backend.introspection import *
from minikeras.backend.keras_tensor import *
from minikeras.backend.linalg import *
from minikeras.backend.naming import *
from minikeras.backend.normalization import *
from minikeras.backend.objects import *
from minikeras.backend.pixels import *
from minikeras.backend.pooling import *
from minikeras.backend.recurrent import *
from minikeras.backend.reduction import *
from minikeras.backend.registry import *
from minikeras.backend.replay import *
from minikeras.backend.reshaping import *
from minikeras.backend.safety import *
from minikeras.backend.sampling import *
from minikeras.backend.segments import *
from minikeras.backend.serialization import *
from minikeras.backend.session import *
from minikeras.backend.shapes import *
from minikeras.backend.sharing import *
from minikeras.backend.signal import *
from minikeras.backend.signatures import *
from minikeras.backend.softmax import *
from minikeras.backend.special import *
from minikeras.backend.stateless import *
from minikeras.backend.switches import *
from minikeras.backend.text import *
from minikeras.backend.tracing import *
from minikeras.backend.transforms import *
from minikeras.backend.updates import *
from minikeras.backend.variables import *
from minikeras.backend.warping import *
from minikeras.engine import tree
from minikeras.engine.graph import Tensor, is_symbolic
