"""The kinds of mistakes that a learner counts: a few, each with what an audit may call it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pullback.auditing.report import Explanation

KINDS: Mapping[str, frozenset[str]] = {
    "turned": frozenset(
        "transposed row_or_column flattened layout axes_permuted swapped inverse_transposes transpose "
        "transpose_other transpose_upstream transpose_too_many transpose_too_few order order_and_transpose "
        "grouping elementwise_for_product product_for_elementwise".split()
    ),
    "summed": frozenset(
        "not_summed not_averaged summed_too_much summed_to_number axis_of_one wrong_length sum_missing sum_surplus "
        "softmax_axis softmax_keepdims wrong_count axis".split()
    ),
    "scaled": frozenset(
        "sign factor_missing_number factor_surplus_number factor_wrong_number factor_and_sign mean_missing "
        "mean_surplus length_factor constant_factor varying_factor divisor coefficient power_factor twice "
        "mean_as_sum constant_missing quotient_sign inner_sign factor_two mean mean_for_sum division "
        "weights_missing".split()
    ),
    "path": frozenset(
        "part_surplus part_missing upstream_forgotten upstream stopped zero path use two_paths product_rule factor "
        "own_factor factor_missing factor_surplus inner_missing term_surplus diagonal_only softmax_diagonal "
        "softmax_not_weighted decay".split()
    ),
    "function": frozenset(
        "power_not_lowered power_other_factor quotient_square derivative_missing argument_for_derivative "
        "value_for_derivative at_output at_input divided square_missing one_plus one_missing other_activation "
        "sigmoid_half mask_by_gradient mask_both mask_turned leak leak_missing softplus_exp exp_input "
        "reciprocal_missing derivative_sign softmax_half softmax_off_diagonal log_softmax softmax_sign "
        "softmax_factor exp_not_normalised max_to_all inverse_once inverse_like_number inverse_missing inverse "
        "determinant_missing power power_kind function_surplus other_function diag".split()
    ),
    "name": frozenset("other_value other_name".split()),
    "assumed": frozenset("only_if given_if structured symmetrised symmetrised_sum".split()),
}
OTHER = "other"


def kind_of(key: str) -> str:
    """The kind of a mistake by the key of its explanation.

    >>> kind_of("edit.transpose_too_many"), kind_of("softmax_half+factor"), kind_of("only_if.symmetric")
    ('turned', 'function', 'assumed')
    """
    parts = key.partition("+")[0].split(".")
    bare = parts[-1] if parts[0] in ("edit", "made") else parts[0]
    return next((kind for kind, keys in KINDS.items() if bare in keys), OTHER)


def mistakes_in(explanation: Explanation) -> Iterator[str]:
    """The keys of the mistakes that an explanation names; two where it takes two."""
    if explanation.parts:
        for part in explanation.parts:
            yield from mistakes_in(part)
    else:
        yield explanation.key
