"""How NumPy, PyTorch and JAX spell the steps of a plan, as expressions."""

from __future__ import annotations

from dataclasses import dataclass, field

_COMMON = {
    name: name
    for name in "exp log log1p sin cos tan sinh cosh tanh sqrt square reciprocal sign abs maximum minimum".split()
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """The names of one library; ``module`` is what it is imported as."""

    name: str
    module: str
    functions: dict[str, str]
    operations: dict[str, str]
    axis: str = "axis"
    keep: str = "keepdims"
    largest: str = "max"
    pad: str = "{module}.pad({x}, [(0, 0)] * ({x}.ndim - 1) + [({before}, {after})])"
    broadcast: str = "{module}.broadcast_to({x}, {shape})"
    true: str = "({test}).astype({x}.dtype)"
    limit: str = "{module}.finfo({x}.dtype).max"
    extra: dict[str, str] = field(default_factory=dict)

    def call(self, function: str) -> str:
        """The name of an entrywise function."""
        return f"{self.module}.{self.functions[function]}" if function in self.functions else self.extra[function]


_LOGDET = "_logdet({x})"

NUMPY = Dialect(
    "numpy",
    "np",
    _COMMON,
    {
        "inv": "np.linalg.inv({x})",
        "det": "np.linalg.det({x})",
        "logdet": _LOGDET,
        "chol": "np.linalg.cholesky(({x} + np.swapaxes({x}, -1, -2)) / 2)",
        "tril": "np.tril({x})",
    },
    extra={"erf": "_erf"},
)
TORCH = Dialect(
    "torch",
    "torch",
    _COMMON | {"erf": "erf"},
    {
        "inv": "torch.linalg.inv({x})",
        "det": "torch.linalg.det({x})",
        "logdet": _LOGDET,
        "chol": "torch.linalg.cholesky(({x} + {x}.mT) / 2)",
        "tril": "torch.tril({x})",
        "expm": "torch.linalg.matrix_exp({x})",
    },
    axis="dim",
    keep="keepdim",
    largest="amax",
    pad="torch.nn.functional.pad({x}, ({before}, {after}))",
    broadcast="{x}.expand({shape})",
    true="({test}).to({x}.dtype)",
)
JAX = Dialect(
    "jax",
    "jnp",
    _COMMON,
    {
        "inv": "jnp.linalg.inv({x})",
        "det": "jnp.linalg.det({x})",
        "logdet": _LOGDET,
        "chol": "jnp.linalg.cholesky(({x} + jnp.swapaxes({x}, -1, -2)) / 2)",
        "tril": "jnp.tril({x})",
        "expm": "jax.scipy.linalg.expm({x})",
    },
    extra={"erf": "jax.scipy.special.erf"},
)

HELPERS = {
    "_logdet(": """\
def _logdet(a):
    sign, value = {module}.linalg.slogdet(a)
    return {module}.where(sign > 0, value, {module}.nan)
""",
    "_erf(": """\
def _erf(x):
    return np.vectorize(math.erf, otypes=[x.dtype])(x)
""",
}
"""What has to be defined where an expression uses it."""
