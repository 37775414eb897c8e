"""What checks, audits and practice say, in English."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    # check
    "check.right": "right: {subject}",
    "check.wrong": "wrong: {subject}",
    "check.nothing": "nothing could be compared: {subject}",
    "check.worst": (
        "worst entry {place} ({point}): derived {derived}, measured {measured}; difference {difference}, "
        "allowed {allowed}"
    ),
    "check.also": "also {place} ({point}): derived {derived}, measured {measured}",
    "check.worst.by_hand": (
        "worst entry {place} ({point}): given {derived}, measured {measured}; difference {difference}, "
        "allowed {allowed}"
    ),
    "check.also.by_hand": "also {place} ({point}): given {derived}, measured {measured}",
    "check.shape": "the gradient of {name} must have the shape of {name}, {wanted}; this has {found}",
    "check.tolerance.single": (
        "tolerance {relative} of the largest entry: the forward pass computes in single precision, whose "
        "roundings are all that a difference shows"
    ),
    "check.altered": "the forward pass changes {altered} in place",
    "check.compared": "{count} entries compared, in float64, at: {points}",
    "check.tolerance.complex": (
        "tolerance {relative} of the largest entry: the complex step has no step error, so only rounding is allowed for"
    ),
    "check.tolerance.differences": (
        "tolerance {relative} of the largest entry plus 10 times the estimated error of the central "
        "differences, extrapolated to step zero"
    ),
    "check.second": "second derivatives along random directions are compared too (their names start with H)",
    "check.excluded": "left out: {reason} ({count})",
    "check.restless": (
        "called again with the same values, it gives other numbers (random numbers, or state that is kept), "
        "so no comparison can be trusted"
    ),
    "point.random": "random",
    "point.given": "given values",
    "point.zeros": "zeros",
    "point.ones": "ones",
    "point.repeated": "all entries equal",
    "point.tiny": "tiny values",
    "point.huge": "huge values",
    "reason.kink": "{kink}, where there is no derivative",
    "reason.fails": "{point}: the code fails there",
    "reason.sides": "{point}: a kink or a jump, where the slopes from the left and from the right differ",
    "reason.undefined": "{point}: the function has no finite value there",
    "reason.formless": "{point}: the closed form has no value there (0/0)",
    "reason.unmeasured": "{point}: no finite difference quotient there",
    "audit.right.algebra": "right: dL/d{name} = {form}",
    "audit.right.numbers": "right: dL/d{name} agrees at every drawn point; simplest form: {form}",
    "audit.right.given": (
        "right: dL/d{name} agrees at every point that is like the given values; simplest form: {form}"
    ),
    "audit.right.measured": "right: dL/d{name} agrees with the measured gradient at every point",
    "audit.wrong": "wrong: dL/d{name} = {claim}",
    "audit.function": "(a Python function)",
    "audit.shapes": "the shape of dL/d{name} must be that of {name}, {wanted}; this is {found}",
    "audit.step": "the step: {step}",
    "audit.mended": "mended: {mended}",
    "audit.unexplained": "it is wrong, and no single usual mistake explains it",
    "audit.difference": "for example {place}, at a drawn point: {claimed} given, {right} is right",
    "audit.form": "right: dL/d{name} = {form}",
    "audit.shared": "one mistake explains all of them",
    "audit.runs": "this runs the Python code of {file}",
    "audit.altered": (
        "the backward pass changes {altered} in place: its own result is right, but whatever uses {altered} next is not"
    ),
    "audit.unread": "the forward pass can't be read, so gradients are only measured: {reason}",
    "mistake.transposed": "it is the transpose of the right gradient",
    "mistake.row_or_column": (
        "the entries are right, but they stand in a row where a column is wanted, or the other way round"
    ),
    "mistake.flattened": "the entries are right, but not in the shape of the variable: reshape it",
    "mistake.axis_of_one": "the values are right, but an axis of length one is too many or too few (keepdims?)",
    "mistake.layout": (
        "the entries are right, but laid out the other way: rows and columns were mixed up when reshaping"
    ),
    "mistake.axes_permuted": "the axes are in the wrong order; the right order of the given ones is {order}",
    "mistake.not_summed": ("a sum is missing: {name} is used for every {axis}, so its gradient is summed over {axis}"),
    "mistake.not_averaged": "a mean over {axis} is missing",
    "mistake.summed_too_much": "it is summed over axis {axis}, which the variable has",
    "mistake.summed_to_number": "it is summed to one number; the variable has axes, and so has its gradient",
    "mistake.sign": "the sign is wrong",
    "mistake.factor_missing_number": "a factor of {number} is missing",
    "mistake.factor_surplus_number": "there is a factor of {number} too many",
    "mistake.factor_wrong_number": "it is {ratio} times the right gradient: a number in front is wrong",
    "mistake.factor_and_sign": "it is {ratio} times the right gradient: a factor and the sign are wrong",
    "mistake.mean_missing": (
        "it is {n} times too large: a division by {n} is missing (a sum stands where a mean belongs)"
    ),
    "mistake.mean_surplus": "it is divided by {n} once too often (a mean stands where a sum belongs)",
    "mistake.wrong_length": "it is divided by {written}; it has to be {right}",
    "mistake.part_surplus": (
        "it is {part} times the right gradient: a division by {part} is missing, or {part} is multiplied in "
        "once too often"
    ),
    "mistake.part_missing": "the factor {part} is missing (or it is divided by {part} once too often)",
    "mistake.length_factor": "it is {ratio} times the right gradient",
    "mistake.constant_factor": "it is {ratio} times the right gradient, everywhere",
    "mistake.varying_factor": (
        "it points the right way, but its length is wrong by a factor that changes from point to point"
    ),
    "mistake.upstream_forgotten": (
        "the upstream gradient is forgotten: this is the right gradient only where every entry of g is one"
    ),
    "mistake.swapped": "this is the gradient of {other}: the two are swapped",
    "mistake.stopped": (
        "this is the gradient by {part}, not yet by {name}: {part} still has to be differentiated by {name}"
    ),
    "mistake.only_if.sums_to_one": "it is right only where the entries of {part} sum to one",
    "mistake.only_if.rows_sum_to_one": "it is right only where every row of {part} sums to one",
    "mistake.only_if.columns_sum_to_one": "it is right only where every column of {part} sums to one",
    "mistake.only_if.symmetric": "it is right only where {part} is symmetric",
    "mistake.only_if.orthogonal": "it is right only where {part} is orthogonal",
    "mistake.only_if.unit": "it is right only where {part} has length one",
    "mistake.only_if.centred": "it is right only where {part} has mean zero",
    "mistake.given_if.sums_to_one": "it is right where the entries of {part} sum to one, as in the given values",
    "mistake.given_if.rows_sum_to_one": "it is right where every row of {part} sums to one, as in the given values",
    "mistake.given_if.columns_sum_to_one": (
        "it is right where every column of {part} sums to one, as in the given values"
    ),
    "mistake.given_if.symmetric": "it is right where {part} is symmetric, as in the given values",
    "mistake.given_if.orthogonal": "it is right where {part} is orthogonal, as in the given values",
    "mistake.given_if.unit": "it is right where {part} has length one, as in the given values",
    "mistake.given_if.centred": "it is right where {part} has mean zero, as in the given values",
    "mistake.structured": (
        "this is the derivative by the free entries of a symmetric matrix; the gradient takes every entry as free"
    ),
    "mistake.symmetrised_sum": (
        "the transpose of the gradient is added to it; that is right only for one that is used twice"
    ),
    "mistake.symmetrised": "the gradient is averaged with its transpose",
    "mistake.diagonal_only": "only the diagonal is kept",
    "mistake.zero": "it is zero: no gradient arrives (detached, or never added up)",
    "mistake.not_finite": "it has entries that are no finite numbers where the right gradient is finite",
    "mistake.decay": "it has {ratio} {name} on top: the gradient of a penalty that the program does not have",
    "mistake.in_place": (
        "the backward pass changes {altered} in place, so what is computed from it afterwards is wrong"
    ),
    "mistake.path": "{part} depends on {name} too; what flows back through it in this step is missing",
    "mistake.use": (
        "{part} is used more than once; the gradient of its use in this step is missing (the gradients of "
        "all uses are added)"
    ),
    "mistake.two_paths": "{part} and {other} depend on {name} too; what flows back through them is missing",
    "mistake.upstream": "the gradient that arrives at this step is not multiplied in",
    "mistake.transpose": "the gradient of {part} is transposed in this step",
    "mistake.transpose_other": "{part} and its transpose are mixed up in this step",
    "mistake.transpose_upstream": "the gradient that arrives at this step is transposed",
    "mistake.factor": "the factor {part} is forgotten in this step",
    "mistake.divisor": "the division by {part} is forgotten in this step",
    "mistake.own_factor": (
        "{own} itself is multiplied in where {other} belongs: by the product rule the other factor stays"
    ),
    "mistake.coefficient": "the coefficient {number} is forgotten in this step",
    "mistake.power_factor": "the exponent {power} is not brought down in front: d(x^p) is p x^(p-1)",
    "mistake.power_other_factor": (
        "the factor in front is {found} where the exponent {power} belongs: d(x^p) is p x^(p-1)"
    ),
    "mistake.twice": "{part} is used {power} times in this step, so a factor of {power} is missing",
    "mistake.power_not_lowered": "the exponent is not lowered by one: d(x^p) is p x^(p-1)",
    "mistake.inner_missing": (
        "the derivative of {part} in this step is missing: by the chain rule it is multiplied in too"
    ),
    "mistake.quotient_sign": "the sign of a quotient's derivative is forgotten: d(1/x) is -1/x^2",
    "mistake.quotient_square": "the square of a quotient's derivative is forgotten: d(1/x) is -1/x^2",
    "mistake.mean_as_sum": "the division by {n} that the mean brings is missing",
    "mistake.other_value": "{used} is used where {right} belongs",
    "mistake.derivative_missing": ("the derivative of {function} is missing: the gradient passes through it unchanged"),
    "mistake.argument_for_derivative": "the argument of {function} is multiplied in, not its derivative",
    "mistake.value_for_derivative": "the value of {function} is multiplied in, not its derivative",
    "mistake.at_output": ("the derivative of {function} is taken at its output (after the function), not at its input"),
    "mistake.at_input": (
        "the derivative of {function} is written for its output (such as s (1 - s)), but the input is put in"
    ),
    "mistake.divided": "the derivative of {function} is divided by, not multiplied with",
    "mistake.square_missing": "a square is missing in the derivative of {function}: it is 1 - {function}^2",
    "mistake.one_plus": "a sign is wrong inside the derivative of {function}: plus in place of minus",
    "mistake.one_missing": "the 1 is missing in the derivative of {function}",
    "mistake.other_activation": (
        "this is the derivative of another function: that of sigmoid is s (1 - s), that of tanh is 1 - t^2"
    ),
    "mistake.sigmoid_half": "one of the two factors of sigmoid's derivative s (1 - s) is missing",
    "mistake.mask_by_gradient": ("the gradient is masked by its own sign; relu masks it by the sign of the input"),
    "mistake.mask_both": ("the gradient is masked by its own sign beside that of the input, as guided backprop does"),
    "mistake.mask_turned": "the gradient is let through where the input of {function} has the wrong sign",
    "mistake.leak": (
        "negative inputs let a part of the gradient through, as leaky_relu does; relu lets nothing through"
    ),
    "mistake.leak_missing": (
        "the slope for negative inputs is missing: leaky_relu lets a part of the gradient through"
    ),
    "mistake.product_rule": "only one term of the product rule is there: {function} is x times a function of x",
    "mistake.inner_sign": "the argument of the sigmoid in the derivative of {function} has the wrong sign",
    "mistake.softplus_exp": (
        "the derivative of {function} is sigmoid(x), not exp(x): the division by 1 + exp(x) is missing"
    ),
    "mistake.constant_missing": "the constant 2 / sqrt(pi) in front of the derivative of {function} is missing",
    "mistake.exp_input": "the derivative of exp is exp(x), the value itself; here the input is multiplied in",
    "mistake.reciprocal_missing": "it is multiplied by the argument of log, not divided by it",
    "mistake.derivative_sign": "the sign of the derivative of {function} is wrong",
    "mistake.softmax_diagonal": (
        "only the diagonal of softmax's Jacobian is used, p (1 - p); every output depends on every "
        "input, so the Jacobian is diag(p) - p p'"
    ),
    "mistake.softmax_half": "the term - p p' of softmax's Jacobian is missing: it is diag(p) - p p'",
    "mistake.softmax_off_diagonal": "the term diag(p) of softmax's Jacobian is missing: it is diag(p) - p p'",
    "mistake.log_softmax": "this is the derivative of log softmax; here it is of softmax",
    "mistake.softmax_not_weighted": (
        "the correction in softmax's derivative is sum(g), but it has to be g' p, weighted by the outputs"
    ),
    "mistake.softmax_axis": "the correction in softmax's derivative is summed over the wrong axis",
    "mistake.softmax_keepdims": (
        "the correction in softmax's derivative is one number a row, but it is spread along the columns "
        "(keepdims is missing)"
    ),
    "mistake.softmax_sign": "the correction in softmax's derivative is added; it has to be subtracted",
    "mistake.softmax_factor": "the factor p in front of softmax's derivative p .* (g - g' p) is missing",
    "mistake.weights_missing": "the derivative of logsumexp is softmax; here every entry gets the same",
    "mistake.exp_not_normalised": "the derivative of logsumexp is softmax; the division by the sum is missing",
    "mistake.max_to_all": "every entry gets the gradient of the maximum; only the largest one does",
    "mistake.inverse_transposes": "the transposes are missing: inv(A) hands back -inv(A)' g inv(A)'",
    "mistake.inverse_once": "one of the two inverses is missing: inv(A) hands back -inv(A)' g inv(A)'",
    "mistake.inverse_like_number": "the inverse is differentiated as if it were one number, entry by entry",
    "mistake.inverse_missing": "the inverse is missing: the derivative of logdet(A) is inv(A)'",
    "mistake.determinant_missing": "the factor det(A) is missing: the derivative of det(A) is det(A) inv(A)'",
    "mistake.edit.transpose_too_many": "there is a transpose too many: {part}",
    "mistake.edit.transpose_too_few": "a transpose is missing on {part}",
    "mistake.edit.sign": "the sign of {part} is wrong",
    "mistake.edit.order": "the order of the factors is wrong: {part}",
    "mistake.edit.order_and_transpose": "the order of the factors and a transpose are wrong: {part}",
    "mistake.edit.grouping": "a matrix product and a product entry by entry are taken in the wrong order: {part}",
    "mistake.edit.elementwise_for_product": ("{part} is multiplied entry by entry; it has to be a matrix product"),
    "mistake.edit.product_for_elementwise": ("{part} is a matrix product; it has to be multiplied entry by entry"),
    "mistake.edit.other_name": "{written} is used where {right} belongs",
    "mistake.edit.power": "the power of {part} is wrong",
    "mistake.edit.power_kind": "{part}: a power of the whole and a power entry by entry are not the same",
    "mistake.edit.factor_two": "a factor of 2 is missing",
    "mistake.edit.mean": "a division by {n} is missing",
    "mistake.edit.sum_missing": "a sum is missing around {part}",
    "mistake.edit.diag": "diag is missing around {part}",
    "mistake.edit.inverse": "an inverse is missing around {part}",
    "mistake.edit.factor_missing": "the factor {factor} is missing",
    "mistake.edit.factor_surplus": "the factor {factor} is too many",
    "mistake.edit.term_surplus": "the term {part} is too many",
    "mistake.edit.division": "{part} is on the wrong side of a division",
    "mistake.edit.wrong_count": "it is divided by {written}; it has to be {right}",
    "mistake.edit.axis": "rows and columns are mixed up: {part}",
    "mistake.edit.sum_surplus": "{part} sums what is not to be summed",
    "mistake.edit.mean_for_sum": "sum and mean are mixed up: {part}",
    "mistake.edit.function_surplus": "{part} has a function too many",
    "mistake.edit.other_function": "{written} is used where {right} belongs",
    "mistake.made.transpose_too_many": "a transpose is missing on {part}",
    "mistake.made.transpose_too_few": "{part} is transposed, and must not be",
    "mistake.made.sign": "the sign of {part} is wrong",
    "mistake.made.order": "the order of the factors is wrong; it has to be {part}",
    "mistake.made.order_and_transpose": ("the order of the factors and a transpose are wrong; it has to be {part}"),
    "mistake.made.grouping": "a matrix product and a product entry by entry are taken in the wrong order: {part}",
    "mistake.made.elementwise_for_product": ("a matrix product is taken where it has to be entry by entry: {part}"),
    "mistake.made.product_for_elementwise": (
        "the multiplication is entry by entry where it has to be a matrix product: {part}"
    ),
    "mistake.made.other_name": "{right} is used where {written} belongs",
    "mistake.made.power": "the power of {part} is wrong",
    "mistake.made.power_kind": "{part}: a power of the whole and a power entry by entry are not the same",
    "mistake.made.factor_two": "there is a factor of 2 too many",
    "mistake.made.mean": "it is divided by {n}, and must not be",
    "mistake.made.sum_missing": "{part} is summed, and must not be",
    "mistake.made.diag": "diag is taken of {part}, and must not be",
    "mistake.made.inverse": "{part} is inverted, and must not be",
    "mistake.made.factor_missing": "the factor {factor} is too many",
    "mistake.made.factor_surplus": "the factor {factor} is missing",
    "mistake.made.term_surplus": "the term {part} is missing",
    "mistake.made.division": "{part} is on the wrong side of a division",
    "mistake.made.wrong_count": "it is divided by {right}; it has to be {written}",
    "mistake.made.axis": "rows and columns are mixed up; it has to be {part}",
    "mistake.made.sum_surplus": "the sum is missing: {part}",
    "mistake.made.mean_for_sum": "sum and mean are mixed up; it has to be {part}",
    "mistake.made.function_surplus": "the function in {part} is missing",
    "mistake.made.other_function": "{right} is used where {written} belongs",
    "mistake.also_factor": "{first}; beside it, a factor of {also} is wrong",
    "mistake.two": "two things are wrong: (1) {first}; (2) {second}",
    "practice.welcome": (
        "Write the gradient in the notation; any formula that is equal is right.\n"
        "hint: the next hint   step: one step at a time   skip: show the answer   quit: stop"
    ),
    "practice.question": "{batch}{program}\n   inputs: {inputs}; {upstream} = dL/d{output}\n   dL/d{name} = ?",
    "practice.question.scalar": "L: {batch}{program}\n   inputs: {inputs}\n   dL/d{name} = ?",
    "practice.output": "(output)",
    "practice.step": "step {step} of {count}, from the output back: {question}",
    "practice.steps.done": "That is every step. Now put them together: dL/d{name} = ?",
    "practice.steps.none": "there are no steps to take apart here: one statement, a batch, or a way that forks",
    "practice.right": "right. Simplest form: {form}",
    "practice.hint.shape": "hint 1: dL/d{name} has the shape of {name}: {shape}",
    "practice.hint.path": "hint 2: the gradient takes this way to {name}: {path}",
    "practice.hint.rule": "hint 3: the rules on the way (what g becomes): {rules}",
    "practice.hint.form": "dL/d{name} = {form}",
    "practice.rule.product": "a matrix product, d(A B) = dA B + A dB",
    "practice.rule.entrywise": "an entrywise product, d(a .* b) = da .* b + a .* db",
    "practice.rule.power": "a power, d(a^k) = k a^(k-1) da",
    "practice.rule.sum": "a sum hands the gradient on to each of its terms",
    "practice.rule.total": "summing up hands the gradient to every entry that is summed",
    "practice.rule.spread": "what is used at many places gets the sum over those places",
    "practice.score": (
        "Solved: {solved}, of them at the first try without a hint: {alone}. Given up: {given_up}. Answers: {answers}."
    ),
    "practice.topic": "{topic}: {done} of {asked}",
    "practice.topic.linear": "linear layers",
    "practice.topic.entrywise": "entrywise products",
    "practice.topic.activation": "activations",
    "practice.topic.quadratic": "quadratic forms",
    "practice.topic.loss": "losses",
    "practice.topic.softmax": "softmax",
    "practice.topic.paths": "several paths",
    "practice.topic.matrices": "functions of matrices",
    "practice.topic.generated": "random networks",
    "practice.topic.own": "your own program",
    "practice.mistakes": "What went wrong:",
    "practice.mistake": "{kind}: {count}",
    "practice.kind.turned": "a transpose, an order or the kind of a product",
    "practice.kind.summed": "over which axes something is summed",
    "practice.kind.scaled": "a sign, a factor or a mean",
    "practice.kind.path": "a part of the chain rule was forgotten or doubled",
    "practice.kind.function": "the derivative of a function",
    "practice.kind.name": "one variable used for another",
    "practice.kind.assumed": "right only for special values",
    "practice.kind.other": "something else",
}
