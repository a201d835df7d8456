"""Operations, one family a file; importing this package registers them all.

Each function here follows one rule: with a symbolic argument it adds to the graph,
with numbers and arrays alone it computes at once.
"""

from minikeras.engine.ops.arithmetic import *
from minikeras.engine.ops.elementwise import *
from minikeras.engine.ops.filling import *
from minikeras.engine.ops.linalg import *
from minikeras.engine.ops.reduction import *
from minikeras.engine.ops.state import *
