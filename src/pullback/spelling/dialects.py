"""How NumPy, PyTorch and JAX spell terms: patterns in which ``{0}`` and ``{1}`` stand for arguments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pullback.spelling.definitions import DEFINITIONS

_SAME = "exp log log1p sin cos tan sinh cosh tanh sqrt sign abs maximum minimum".split()


@dataclass(frozen=True, slots=True)
class Dialect:
    """The words of one library.

    ``functions`` spell entrywise functions, ``operations`` those on whole arrays, ``along`` those that work
    along an ``{axis}`` (of which the text is empty where it is the last one of a vector).
    """

    name: str
    module: str
    functions: Mapping[str, str]
    operations: Mapping[str, str]
    along: Mapping[str, str]
    axis: str = "axis"
    keep: str = "keepdims"
    largest: str = "max"
    cast: str = "({0}).astype({like}.dtype)"
    broadcast: str = "{module}.broadcast_to({0}, {shape})"
    full: str = "{module}.full({shape}, {value}, dtype={dtype})"
    ones: str = "{module}.ones({shape}, dtype={dtype})"
    zeros: str = "{module}.zeros({shape}, dtype={dtype})"
    eye: str = "{module}.eye({n}, dtype={dtype})"
    mask: str = "{module}.eye({n}, dtype=bool)"
    scalar: str = "{module}.asarray({0}, dtype={dtype})"
    dtype: str = "{like}.dtype"
    permute: str = "transpose"
    vdot: str = "{module}.vdot({0}, {1})"
    concatenate: str = "{module}.concatenate([{0}, {1}])"
    pad: str = "{module}.pad({0}, {widths})"
    diagonal: str = "{module}.diag({0})"
    solve: str = "{module}.linalg.solve({0}, {1})"
    solve_vector: str = "{module}.linalg.solve({0}, {1})"
    of_numbers: str = "{module}."
    definitions: Mapping[str, str] = field(default_factory=dict)

    @property
    def known(self) -> frozenset[str]:
        """The functions and operations of the table that have a name here."""
        return frozenset(self.functions) | frozenset(self.operations) | frozenset(self.along)


def _plain(module: str) -> dict[str, str]:
    return {name: f"{module}.{name}({{0}})" for name in _SAME} | {
        name: f"{module}.{name}({{0}}, {{1}})" for name in ("maximum", "minimum")
    }


NUMPY = Dialect(
    "numpy",
    "np",
    _plain("np")
    | {
        "atan": "np.arctan({0})", "relu": "np.maximum({0}, 0)", "sigmoid": "sigmoid({0})",
        "silu": "{0*} * sigmoid({0})", "softplus": "np.logaddexp(0, {0})",
        "leaky_relu": "np.maximum({0}, 0.01 * {0*})", "erf": "erf({0})",
        "gelu": "gelu({0})", "step": "np.heaviside({0}, 0)",
        "max2": "np.maximum({0}, {1})", "min2": "np.minimum({0}, {1})",
    },
    {
        "inv": "np.linalg.inv({0})", "det": "np.linalg.det({0})", "logdet": "logdet({0})", "chol": "cholesky({0})",
        "tril": "np.tril({0})", "expm": "expm({0})", "frechet": "frechet({0}, {1})",
    },
    {
        "softmax": "softmax({0}{axis})", "logsumexp": "logsumexp({0}{axis})", "max": "np.max({0}{axis})",
        "hardmax": "hardmax({0}{axis})",
    },
    definitions=DEFINITIONS["numpy"],
)  # fmt: skip

TORCH = Dialect(
    "torch",
    "torch",
    _plain("torch")
    | {
        "atan": "torch.atan({0})", "relu": "torch.relu({0})", "sigmoid": "torch.sigmoid({0})",
        "silu": "torch.nn.functional.silu({0})", "softplus": "-torch.nn.functional.logsigmoid(-{0*})",
        "leaky_relu": "torch.nn.functional.leaky_relu({0})", "erf": "torch.erf({0})",
        "gelu": "torch.nn.functional.gelu({0})", "step": "step({0})", "max2": "torch.maximum({0}, {1})",
        "min2": "torch.minimum({0}, {1})",
    },
    {
        "inv": "torch.linalg.inv({0})", "det": "torch.linalg.det({0})", "logdet": "torch.logdet({0})",
        "chol": "cholesky({0})", "tril": "torch.tril({0})", "expm": "torch.linalg.matrix_exp({0})",
        "frechet": "frechet({0}, {1})",
    },
    {
        "softmax": "torch.softmax({0}, dim={k})", "logsumexp": "torch.logsumexp({0}, dim={k})",
        "max": "torch.amax({0}, dim={k})", "hardmax": "hardmax({0}{axis})",
    },
    axis="dim",
    keep="keepdim",
    largest="amax",
    cast="({0}).to({like}.dtype)",
    broadcast="{0*}.expand({shape})",
    full="{like}.new_full({shape}, {value})",
    ones="{like}.new_ones({shape})",
    zeros="{like}.new_zeros({shape})",
    eye="torch.eye({n}, dtype={dtype}, device={like}.device)",
    mask="torch.eye({n}, dtype=torch.bool, device={like}.device)",
    scalar="{like}.new_tensor({0})",
    permute="permute",
    vdot="torch.sum({0*} * {1*})",
    concatenate="torch.cat([{0}, {1}])",
    pad="torch.nn.functional.pad({0}, {ends})",
    of_numbers="math.",
    definitions=DEFINITIONS["torch"],
)  # fmt: skip

JAX = Dialect(
    "jax",
    "jnp",
    _plain("jnp")
    | {
        "atan": "jnp.arctan({0})", "relu": "jax.nn.relu({0})", "sigmoid": "jax.nn.sigmoid({0})",
        "silu": "jax.nn.silu({0})", "softplus": "jax.nn.softplus({0})", "leaky_relu": "jax.nn.leaky_relu({0})",
        "erf": "jax.scipy.special.erf({0})", "gelu": "jax.nn.gelu({0}, approximate=False)",
        "step": "jnp.heaviside({0}, 0)", "max2": "jnp.maximum({0}, {1})", "min2": "jnp.minimum({0}, {1})",
    },
    {
        "inv": "jnp.linalg.inv({0})", "det": "jnp.linalg.det({0})", "logdet": "logdet({0})", "chol": "cholesky({0})",
        "tril": "jnp.tril({0})", "expm": "jax.scipy.linalg.expm({0})",
        "frechet": "jax.scipy.linalg.expm_frechet({0}, {1}, compute_expm=False)",
    },
    {
        "softmax": "jax.nn.softmax({0}{axis})", "logsumexp": "jax.nn.logsumexp({0}{axis})",
        "max": "jnp.max({0}{axis})", "hardmax": "hardmax({0}{axis})",
    },
    solve_vector="jnp.linalg.solve({0}, {1*}[:, None])[:, 0]",
    definitions=DEFINITIONS["jax"],
)  # fmt: skip


def with_operations(dialect: Dialect, operations: Mapping[str, str]) -> Dialect:
    """The dialect with other words for operations on whole arrays."""
    return replace(dialect, operations=operations)
