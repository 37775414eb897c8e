"""Arrays of any library that speaks the array API or DLPack go in, and the same kind comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import array_api_strict
import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pullback as pb
from pullback.compiling import compile_program

LIBRARIES: dict[str, Callable[[Any], Any]] = {
    "numpy": np.asarray,
    "torch": torch.from_numpy,
    "jax": jnp.asarray,
    "array_api_strict": array_api_strict.asarray,
}
VALUES = {
    "A": np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]),
    "x": np.array([1.0, -1.0]),
    "b": np.array([0.5, 0.0, 1.0]),
}
GRADIENT = pb.gradient("norm(A x - b)^2", "x")
RIGHT = GRADIENT.evaluate(VALUES)
each = pytest.mark.parametrize("library", LIBRARIES)


def given(library: str, kind: str = "float64") -> dict[str, Any]:
    return {name: LIBRARIES[library](array.astype(kind)) for name, array in VALUES.items()}


def name_of_type(array: Any) -> str:
    return str(array.dtype).rpartition(".")[2]


@each
def test_evaluate_gives_the_same_kind_in_float64(library: str) -> None:
    with jax.enable_x64(True):
        for kind in ("float64", "float32"):
            found = GRADIENT.evaluate(given(library, kind))
            assert type(found) is type(given(library)["x"])
            assert name_of_type(found) == "float64"
            np.testing.assert_allclose(np.asarray(found), RIGHT, rtol=1e-6)


@each
def test_whole_numbers_count_as_float64(library: str) -> None:
    with jax.enable_x64(True):
        values = {name: LIBRARIES[library](array.astype(int)) for name, array in VALUES.items()}
        assert name_of_type(GRADIENT.evaluate(values)) == "float64"
        assert name_of_type(GRADIENT.compile()(**values)) == "float64"


@each
@pytest.mark.parametrize("backend", ["numpy", "auto", "jax", "torch"])
@pytest.mark.parametrize("kind", ["float64", "float32"])
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
def test_compiled_functions_keep_kind_and_type(library: str, backend: str, kind: str) -> None:
    with jax.enable_x64(True):
        function = GRADIENT.compile(backend)
        for _ in range(3):
            found = function(**given(library, kind))
            assert type(found) is type(given(library)["x"])
            assert name_of_type(found) == kind
            np.testing.assert_allclose(np.asarray(found), RIGHT, rtol=1e-5)


@each
def test_a_program_and_its_backward_pass_keep_the_kind(library: str) -> None:
    with jax.enable_x64(True):
        function = compile_program("y = A x")
        values = given(library)
        output, gradients = function(A=values["A"], x=values["x"], g=values["b"])
        kind = type(values["x"])
        assert type(output) is kind and [type(gradients[name]) for name in ("A", "x")] == [kind, kind]
        np.testing.assert_allclose(np.asarray(gradients["x"]), VALUES["A"].T @ VALUES["b"])


def test_results_of_a_backward_pass_are_evaluated_in_kind() -> None:
    found = pb.backward("y = A x").evaluate({"A": torch.ones(3, 2), "x": torch.ones(2), "g": torch.ones(3)})
    assert {name: type(array) for name, array in found.items()} == {"A": torch.Tensor, "x": torch.Tensor}


def test_jax_without_float64_gets_what_it_can_hold() -> None:
    with jax.enable_x64(False):
        found = GRADIENT.evaluate(given("jax"))
        assert isinstance(found, jax.Array) and found.dtype == jnp.float32


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
def test_nothing_is_copied_on_the_way_in(library: str) -> None:
    from pullback.evaluation.libraries import library_of

    values = given(library)
    taken = library_of(values).to_numpy("A", values["A"])
    assert np.shares_memory(taken, np.from_dlpack(values["A"]))


def test_nothing_is_copied_on_the_way_out() -> None:
    from pullback.evaluation.libraries import library_of

    array = np.ones(3)
    assert np.shares_memory(array, library_of({"x": torch.ones(2)}).from_numpy(array).numpy())


def test_tensors_that_record_gradients_are_taken() -> None:
    values = given("torch") | {"x": torch.tensor([1.0, -1.0], dtype=torch.float64, requires_grad=True)}
    assert isinstance(GRADIENT.evaluate(values), torch.Tensor)


def test_numbers_and_lists_go_with_any_library() -> None:
    values = given("torch") | {"b": [0.5, 0.0, 1.0]}
    found = GRADIENT.evaluate(values)
    assert isinstance(found, torch.Tensor)
    np.testing.assert_allclose(found.numpy(), RIGHT)
    assert isinstance(pb.gradient("c x' x", "x").compile()(c=2.0, x=torch.ones(2)), torch.Tensor)


@pytest.mark.parametrize("call", [GRADIENT.evaluate, lambda values: GRADIENT.compile()(**values)])
def test_a_mixture_of_libraries_is_refused_by_name(call: Callable[[Any], Any]) -> None:
    mixed = given("numpy") | {"x": torch.ones(2, dtype=torch.float64)}
    with pytest.raises(pb.ValuesError, match="A is an array of numpy, but x one of torch; give all in one library"):
        call(mixed)


def test_a_type_that_numpy_lacks_is_refused_by_name() -> None:
    with pytest.raises(pb.ValuesError, match="x can't be looked at as an array of NumPy"):
        GRADIENT.evaluate(given("torch") | {"x": torch.ones(2, dtype=torch.bfloat16)})


def test_a_tensor_elsewhere_is_refused_by_name() -> None:
    with pytest.raises(pb.ValuesError, match="x is on the device meta; pullback computes on the CPU"):
        GRADIENT.evaluate(given("torch") | {"x": torch.ones(2, device="meta")})
