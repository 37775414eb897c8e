"""Random syntax trees for property tests."""

from fractions import Fraction

from hypothesis import strategies as st

from pullback.syntax.tree import (
    Call,
    Chain,
    Comprehension,
    Expectation,
    Indexed,
    Name,
    Negate,
    Number,
    Power,
    Syntax,
    Transpose,
)

FUNCTIONS = frozenset(
    "exp log sin cos tan sinh cosh tanh sigmoid relu leaky_relu softplus sqrt abs sign erf gelu silu step square max "
    "min where sum mean logsumexp norm norm1 tr det logdet diag vec kron softmax eye ones zeros outer dot reshape "
    "concat inv chol solve expm cross_entropy mse pi size".split()
)

IDENTIFIERS = (
    "x y A B W W1 b12 x_i A_ij alpha lambda Sigma beta2 lambda_max loss y_hat T E G I L e s sigma pi theta phi "
    "varepsilon Alpha hidden1 x_loss rows tr exp norm1 E_x x1_2"
).split()
INDICES = ("i", "j", "k", "l")

numbers = st.one_of(
    st.sampled_from([Fraction(0), Fraction(1), Fraction(2), Fraction(10), Fraction(1, 2), Fraction(1, 3)]),
    st.fractions(min_value=-20, max_value=20, max_denominator=50),
).map(Number)
names = st.sampled_from(IDENTIFIERS).map(Name)


def _chains(parts: st.SearchStrategy[Syntax], operators: tuple[str, ...]) -> st.SearchStrategy[Syntax]:
    return st.lists(parts, min_size=2, max_size=4).flatmap(
        lambda operands: st.lists(
            st.sampled_from(operators), min_size=len(operands) - 1, max_size=len(operands) - 1
        ).map(lambda chosen: Chain(tuple(operands), tuple(chosen)))
    )


def _calls(parts: st.SearchStrategy[Syntax]) -> st.SearchStrategy[Syntax]:
    one = st.builds(Call, st.sampled_from(sorted(FUNCTIONS - {"pi"})), parts.map(lambda a: (a,)))
    two = st.builds(
        Call,
        st.sampled_from(["kron", "solve", "max", "outer", "dot", "mse", "ones", "zeros", "norm"]),
        st.tuples(parts, parts),
    )
    by = st.builds(
        lambda f, a, axis: Call(f, (a, Name(axis))),
        st.sampled_from(["sum", "mean", "norm", "softmax"]),
        parts,
        st.sampled_from(["rows", "columns"]),
    )
    return st.one_of(one, two, by, st.just(Call("pi", ())))


def _grow(parts: st.SearchStrategy[Syntax]) -> st.SearchStrategy[Syntax]:
    return st.one_of(
        parts.map(Negate),
        parts.map(Transpose),
        st.builds(Power, parts, parts, st.booleans()),
        _chains(parts, ("+", "-")),
        _chains(parts, ("*", "*", "*", "/", ".*", "./", "kron")),
        _calls(parts),
        st.builds(Expectation, st.sampled_from(["x", "z", "eta"]), parts, parts, parts),
        st.builds(_comprehension, parts, st.lists(st.sampled_from(INDICES), unique=True, max_size=3)),
    )


def _comprehension(part: Syntax, indices: list[str]) -> Comprehension:
    entry = Indexed(part, ("i", "j"))
    return Comprehension(tuple(indices), Chain((entry, Indexed(Name("x"), ("j",))), ("*",)))


trees = st.recursive(st.one_of(numbers, names, names), _grow, max_leaves=12)
