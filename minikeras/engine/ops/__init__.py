"""Operations, one family a file; importing this package registers them all.

Each function here follows one rule: with a symbolic argument it adds to the graph,
with numbers and arrays alone it computes at once.
"""

from minikeras.engine.ops.activation import *
from minikeras.engine.ops.arithmetic import *
from minikeras.engine.ops.bits import *
from minikeras.engine.ops.comparison import *
from minikeras.engine.ops.complexes import *
from minikeras.engine.ops.control import *
from minikeras.engine.ops.conv import *
from minikeras.engine.ops.correlation import *
from minikeras.engine.ops.counting import *
from minikeras.engine.ops.ctc import *
from minikeras.engine.ops.cumulative import *
from minikeras.engine.ops.custom import *
from minikeras.engine.ops.decomposition import *
from minikeras.engine.ops.determinants import *
from minikeras.engine.ops.diagonals import *
from minikeras.engine.ops.distributions import *
from minikeras.engine.ops.effects import *
from minikeras.engine.ops.einsum import *
from minikeras.engine.ops.elementwise import *
from minikeras.engine.ops.extremes import *
from minikeras.engine.ops.filling import *
from minikeras.engine.ops.foreign import *
from minikeras.engine.ops.fourier import *
from minikeras.engine.ops.host import *
from minikeras.engine.ops.indexing import *
from minikeras.engine.ops.joining import *
from minikeras.engine.ops.labels import *
from minikeras.engine.ops.linalg import *
from minikeras.engine.ops.logical import *
from minikeras.engine.ops.normalization import *
from minikeras.engine.ops.padding import *
from minikeras.engine.ops.pooling import *
from minikeras.engine.ops.reduction import *
from minikeras.engine.ops.remainders import *
from minikeras.engine.ops.replay import *
from minikeras.engine.ops.reshaping import *
from minikeras.engine.ops.sampling import *
from minikeras.engine.ops.scan import *
from minikeras.engine.ops.segments import *
from minikeras.engine.ops.slicing import *
from minikeras.engine.ops.softmax import *
from minikeras.engine.ops.solving import *
from minikeras.engine.ops.sorting import *
from minikeras.engine.ops.special import *
from minikeras.engine.ops.spectral import *
from minikeras.engine.ops.state import *
from minikeras.engine.ops.trigonometry import *
from minikeras.engine.ops.uniqueness import *
from minikeras.engine.ops.updating import *
