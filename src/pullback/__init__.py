"""pullback: the derivation compiler for backprop.

Write the forward pass as on a board; get the backward pass in closed matrix form, every step of the
way to it, a proof that it is right, and code that runs it.

>>> import pullback as pb
>>> print(pb.backward("y = W x + b"))
dL/dW = g x'
dL/dx = W' g
dL/db = g
"""

from pullback.deriving import backward as backward
from pullback.deriving import gradient as gradient
from pullback.deriving import hessian as hessian
from pullback.deriving import jacobian as jacobian
from pullback.deriving import parse as parse
from pullback.errors import NotationError as NotationError
from pullback.errors import PullbackError as PullbackError
from pullback.errors import ShapeError as ShapeError
from pullback.errors import UnsupportedError as UnsupportedError
from pullback.errors import ValuesError as ValuesError
from pullback.expression import Expression as Expression
from pullback.lowering.program import Program as Program
from pullback.rendering.derivation import Derivation as Derivation
from pullback.rendering.derivation import derive as derive

__version__ = "0.1.0"
