"""What checks, audits and practice say, in Korean."""

from __future__ import annotations

from collections.abc import Mapping

MESSAGES: Mapping[str, str] = {
    # check
    "check.right": "맞습니다: {subject}",
    "check.wrong": "틀렸습니다: {subject}",
    "check.nothing": "비교할 수 있는 값이 없습니다: {subject}",
    "check.worst": (
        "차이가 가장 큰 성분 {place} ({point}): 유도한 값 {derived}, 측정한 값 {measured}; 차이 {difference}, "
        "허용 오차 {allowed}"
    ),
    "check.also": "그 밖에 {place} ({point}): 유도한 값 {derived}, 측정한 값 {measured}",
    "check.worst.by_hand": (
        "차이가 가장 큰 성분 {place} ({point}): 주어진 값 {derived}, 측정한 값 {measured}; 차이 {difference}, "
        "허용 오차 {allowed}"
    ),
    "check.also.by_hand": "그 밖에 {place} ({point}): 주어진 값 {derived}, 측정한 값 {measured}",
    "check.shape": "{name}의 그래디언트는 {name:와} 크기가 같아야 합니다: {wanted}. 여기서는 {found}입니다",
    "check.tolerance.single": (
        "허용 오차는 가장 큰 성분의 {relative}배입니다. 순전파를 단정밀도로 계산하므로 반올림 오차가 그만큼 큽니다"
    ),
    "check.altered": "순전파가 {altered}의 값을 제자리에서 바꿉니다",
    "check.compared": "float64로 성분 {count}개를 비교했습니다. 비교한 점: {points}",
    "check.tolerance.complex": (
        "허용 오차는 가장 큰 성분의 {relative}배입니다. 복소수 스텝에는 간격 오차가 없으므로 반올림 오차만 허용합니다"
    ),
    "check.tolerance.differences": (
        "허용 오차는 가장 큰 성분의 {relative}배에, 간격 0으로 외삽한 중심 차분의 추정 오차를 10배 하여 더한 값입니다"
    ),
    "check.second": "임의의 방향에 대한 이계도함수도 비교했습니다(이름이 H로 시작합니다)",
    "check.excluded": "제외: {reason} ({count}개)",
    "check.restless": (
        "같은 값으로 다시 부르면 다른 수가 나옵니다(난수나 남은 상태가 있습니다). 그래서 비교를 믿을 수 없습니다"
    ),
    "point.random": "임의의 값",
    "point.given": "주어진 값",
    "point.zeros": "모두 0",
    "point.ones": "모두 1",
    "point.repeated": "모두 같은 값",
    "point.tiny": "아주 작은 값",
    "point.huge": "아주 큰 값",
    "reason.kink": "{kink}, 미분이 존재하지 않는 곳입니다",
    "reason.fails": "{point}: 여기서는 코드가 실패합니다",
    "reason.sides": "{point}: 왼쪽 그래디언트와 오른쪽 그래디언트가 다른 꺾인 점이거나 끊긴 점입니다",
    "reason.undefined": "{point}: 이 점에서 함수값이 유한하지 않습니다",
    "reason.formless": "{point}: 이 점에서 닫힌 식의 값이 없습니다(0/0)",
    "reason.unmeasured": "{point}: 이 점에서 차분이 유한하지 않습니다",
    "audit.right.algebra": "맞습니다: dL/d{name} = {form}",
    "audit.right.numbers": "맞습니다: dL/d{name} 값이 뽑은 모든 점에서 일치합니다. 가장 간단한 꼴: {form}",
    "audit.right.given": "맞습니다: dL/d{name:이} 주어진 값과 같은 모든 점에서 일치합니다. 가장 간단한 꼴: {form}",
    "audit.right.measured": "맞습니다: dL/d{name:이} 모든 점에서 측정한 그래디언트와 일치합니다",
    "audit.wrong": "틀렸습니다: dL/d{name} = {claim}",
    "audit.function": "(파이썬 함수)",
    "audit.shapes": "dL/d{name}의 크기는 변수 {name}의 크기 {wanted:와} 같아야 하는데, 여기서는 {found}입니다",
    "audit.step": "잘못된 단계: {step}",
    "audit.mended": "고친 식: {mended}",
    "audit.unexplained": "틀린 것은 확실하지만, 흔한 실수 하나로는 설명되지 않습니다",
    "audit.difference": "예를 들어 임의로 뽑은 점에서 {place}: 주어진 값 {claimed}, 맞는 값 {right}",
    "audit.form": "맞는 식: dL/d{name} = {form}",
    "audit.shared": "위의 잘못은 모두 하나에서 나왔습니다",
    "audit.runs": "{file}의 파이썬 코드를 실행합니다",
    "audit.altered": (
        "역전파가 {altered}의 값을 제자리에서 바꿉니다. 여기서 쓰인 값은 맞지만, 그 뒤에 {altered:을} 쓰는 "
        "계산은 틀리게 됩니다"
    ),
    "audit.unread": "순전파를 읽을 수 없어 측정한 그래디언트와만 비교했습니다: {reason}",
    "mistake.transposed": "맞는 그래디언트를 전치한 것입니다",
    "mistake.row_or_column": "성분은 맞지만, 열벡터여야 할 것이 행벡터로(또는 그 반대로) 놓여 있습니다",
    "mistake.flattened": "성분은 맞지만 변수의 모양이 아닙니다. 모양을 다시 맞추어야 합니다",
    "mistake.axis_of_one": "값은 맞지만 길이가 1인 축이 변수와 다릅니다(keepdims를 확인하십시오)",
    "mistake.layout": "성분은 맞지만 늘어놓은 순서가 다릅니다. 모양을 바꿀 때 행과 열의 순서가 뒤바뀌었습니다",
    "mistake.axes_permuted": "축의 순서가 틀렸습니다. 주어진 축의 올바른 순서는 {order}입니다",
    "mistake.not_summed": (
        "합이 빠졌습니다. 변수 {name:은} {axis} 축의 모든 위치에서 쓰이므로, "
        "그래디언트를 {axis} 축에 대해 더해야 합니다"
    ),
    "mistake.not_averaged": "{axis} 축에 대한 평균이 빠졌습니다",
    "mistake.summed_too_much": "변수가 가지고 있는 축({axis}번째)까지 더해 버렸습니다",
    "mistake.summed_to_number": (
        "전체를 더해 수 하나로 만들었습니다. 변수에 축이 있으므로 그래디언트에도 같은 축이 있어야 합니다"
    ),
    "mistake.sign": "부호가 틀렸습니다",
    "mistake.factor_missing_number": "{number}배가 빠졌습니다",
    "mistake.factor_surplus_number": "{number}배가 더 곱해졌습니다",
    "mistake.factor_wrong_number": "맞는 그래디언트의 {ratio}배입니다. 앞에 곱하는 수가 틀렸습니다",
    "mistake.factor_and_sign": "맞는 그래디언트의 {ratio}배입니다. 곱하는 수와 부호가 틀렸습니다",
    "mistake.mean_missing": "{n}배 큽니다. {n:로} 나누는 것이 빠졌습니다(평균이어야 하는데 합입니다)",
    "mistake.mean_surplus": "{n:로} 한 번 더 나누었습니다(합이어야 하는데 평균입니다)",
    "mistake.wrong_length": "{written:로} 나누었습니다. {right:로} 나누어야 합니다",
    "mistake.part_surplus": (
        "맞는 그래디언트에 {part:이} 더 곱해져 있습니다. {part:로} 나누는 것이 빠졌거나, 한 번 더 곱한 것입니다"
    ),
    "mistake.part_missing": (
        "맞는 그래디언트에서 {part:이} 빠져 있습니다. {part:을} 곱하지 않았거나, 한 번 더 나눈 것입니다"
    ),
    "mistake.length_factor": "맞는 그래디언트의 {ratio}배입니다",
    "mistake.constant_factor": "어느 점에서나 맞는 그래디언트의 {ratio}배입니다",
    "mistake.varying_factor": "방향은 맞지만 크기가 점마다 다른 비율로 어긋납니다",
    "mistake.upstream_forgotten": (
        "위에서 내려오는 그래디언트 g를 곱하지 않았습니다. g의 모든 성분이 1일 때에만 맞는 식입니다"
    ),
    "mistake.swapped": "이것은 변수 {other}의 그래디언트입니다. 둘이 서로 바뀌었습니다",
    "mistake.stopped": (
        "이것은 {part}에 대한 그래디언트이고, 아직 {name}에 대한 그래디언트가 아닙니다. {part:을} {name:로} 미분하는 "
        "일이 남았습니다"
    ),
    "mistake.only_if.sums_to_one": "{part}의 성분을 모두 더한 값이 1일 때에만 맞는 식입니다",
    "mistake.only_if.rows_sum_to_one": "{part}의 각 행의 합이 1일 때에만 맞는 식입니다",
    "mistake.only_if.columns_sum_to_one": "{part}의 각 열의 합이 1일 때에만 맞는 식입니다",
    "mistake.only_if.symmetric": "{part:이} 대칭행렬일 때에만 맞는 식입니다",
    "mistake.only_if.orthogonal": "{part:이} 직교행렬일 때에만 맞는 식입니다",
    "mistake.only_if.unit": "{part}의 길이가 1일 때에만 맞는 식입니다",
    "mistake.only_if.centred": "{part}의 평균이 0일 때에만 맞는 식입니다",
    "mistake.given_if.sums_to_one": "{part}의 성분을 모두 더한 값이 1일 때 맞는 식이며, 주어진 값이 그렇습니다",
    "mistake.given_if.rows_sum_to_one": "{part}의 각 행의 합이 1일 때 맞는 식이며, 주어진 값이 그렇습니다",
    "mistake.given_if.columns_sum_to_one": "{part}의 각 열의 합이 1일 때 맞는 식이며, 주어진 값이 그렇습니다",
    "mistake.given_if.symmetric": "{part:이} 대칭행렬일 때 맞는 식이며, 주어진 값이 그렇습니다",
    "mistake.given_if.orthogonal": "{part:이} 직교행렬일 때 맞는 식이며, 주어진 값이 그렇습니다",
    "mistake.given_if.unit": "{part}의 길이가 1일 때 맞는 식이며, 주어진 값이 그렇습니다",
    "mistake.given_if.centred": "{part}의 평균이 0일 때 맞는 식이며, 주어진 값이 그렇습니다",
    "mistake.structured": (
        "이것은 대칭행렬의 자유로운 성분에 대한 도함수입니다. 그래디언트는 모든 성분을 자유롭다고 봅니다"
    ),
    "mistake.symmetrised_sum": "그래디언트에 그 전치를 더했습니다. 변수가 두 번 쓰일 때에만 맞습니다",
    "mistake.symmetrised": "그래디언트를 그 전치와 평균 냈습니다",
    "mistake.diagonal_only": "대각 성분만 남겼습니다",
    "mistake.zero": "0입니다. 그래디언트가 전달되지 않습니다(끊어졌거나 더하지 않았습니다)",
    "mistake.not_finite": "맞는 그래디언트는 유한한데, 유한하지 않은 성분이 있습니다",
    "mistake.decay": "{ratio} {name} 항이 더 있습니다. 프로그램에 없는 벌점 항의 그래디언트입니다",
    "mistake.in_place": "역전파가 {altered}의 값을 제자리에서 바꿉니다. 그래서 그 뒤의 계산이 틀립니다",
    "mistake.path": "{part}도 {name}에 따라 달라집니다. 이 단계에서 그쪽으로 되돌아오는 그래디언트가 빠졌습니다",
    "mistake.use": (
        "{part:이} 여러 번 쓰였습니다. 이 단계에서 쓰인 것에 대한 그래디언트가 빠졌습니다. 그래디언트는 쓰인 곳마다 "
        "구해 모두 더합니다"
    ),
    "mistake.two_paths": "{part:와} {other}도 {name}에 따라 달라집니다. 그쪽으로 되돌아오는 그래디언트가 빠졌습니다",
    "mistake.upstream": "이 단계로 들어오는 그래디언트를 곱하지 않았습니다",
    "mistake.transpose": "이 단계에서 {part}의 그래디언트가 전치되었습니다",
    "mistake.transpose_other": "이 단계에서 {part:와} 그 전치가 뒤바뀌었습니다",
    "mistake.transpose_upstream": "이 단계로 들어오는 그래디언트를 전치했습니다",
    "mistake.factor": "이 단계에서 인수 {part:을} 빠뜨렸습니다",
    "mistake.divisor": "이 단계에서 {part:로} 나누는 것을 빠뜨렸습니다",
    "mistake.own_factor": (
        "{other:을} 곱해야 할 자리에 {own} 자신을 곱했습니다. 곱의 미분에서는 다른 쪽 인수가 남습니다"
    ),
    "mistake.coefficient": "이 단계에서 계수 {number:을} 빠뜨렸습니다",
    "mistake.power_factor": "지수 {power:을} 앞으로 내려 곱하지 않았습니다. d(x^p)는 p x^(p-1)입니다",
    "mistake.power_other_factor": (
        "앞에 곱하는 수가 {found}인데, 지수인 {power}이어야 합니다. d(x^p)는 p x^(p-1)입니다"
    ),
    "mistake.twice": "이 단계에서 {part:이} {power}번 쓰였으므로, 미분하면 {power}배가 되어야 합니다",
    "mistake.power_not_lowered": "지수가 하나 줄지 않았습니다. d(x^p)는 p x^(p-1)입니다",
    "mistake.inner_missing": (
        "이 단계의 {part:을} 미분한 것이 빠졌습니다. 연쇄 법칙에서는 이 단계의 도함수도 곱합니다"
    ),
    "mistake.quotient_sign": "나눗셈의 도함수에서 부호를 빠뜨렸습니다. d(1/x)는 -1/x^2입니다",
    "mistake.quotient_square": "나눗셈의 도함수에서 제곱을 빠뜨렸습니다. d(1/x)는 -1/x^2입니다",
    "mistake.mean_as_sum": "평균에서 나오는 나눗셈, 곧 {n:로} 나누는 것이 빠졌습니다",
    "mistake.other_value": "{right:을} 써야 할 자리에 {used:을} 썼습니다",
    "mistake.derivative_missing": "{function}의 도함수가 빠졌습니다. 그래디언트가 그대로 통과합니다",
    "mistake.argument_for_derivative": "{function}의 도함수가 아니라 인자를 곱했습니다",
    "mistake.value_for_derivative": "{function}의 도함수가 아니라 함수값을 곱했습니다",
    "mistake.at_output": "{function}의 도함수를 입력이 아니라 출력(함수를 적용한 뒤의 값)에서 구했습니다",
    "mistake.at_input": "{function}의 도함수를 출력으로 쓴 식(예를 들어 s (1 - s))에 입력을 넣었습니다",
    "mistake.divided": "{function}의 도함수를 곱하지 않고 나누었습니다",
    "mistake.square_missing": "{function}의 도함수에서 제곱이 빠졌습니다. 도함수는 1 - {function}^2입니다",
    "mistake.one_plus": "{function}의 도함수 안에서 부호가 틀렸습니다. 빼야 할 것을 더했습니다",
    "mistake.one_missing": "{function}의 도함수에서 1이 빠졌습니다",
    "mistake.other_activation": (
        "다른 함수의 도함수입니다. sigmoid의 도함수는 s (1 - s)이고 tanh의 도함수는 1 - t^2입니다"
    ),
    "mistake.sigmoid_half": "sigmoid의 도함수 s (1 - s)에서 인수 하나가 빠졌습니다",
    "mistake.mask_by_gradient": "그래디언트를 그래디언트 자신의 부호로 걸렀습니다. relu는 입력의 부호로 거릅니다",
    "mistake.mask_both": "입력의 부호뿐 아니라 그래디언트의 부호로도 걸렀습니다. 이것은 guided backprop 방식입니다",
    "mistake.mask_turned": (
        "부호가 반대인 입력에서 그래디언트가 통과합니다. {function}의 입력이 양수인지 음수인지가 뒤바뀌었습니다"
    ),
    "mistake.leak": (
        "음의 입력에서도 그래디언트 일부가 통과합니다. 이는 leaky_relu이며, relu는 전혀 통과시키지 않습니다"
    ),
    "mistake.leak_missing": (
        "음의 입력에 대한 그래디언트 비율이 빠졌습니다. leaky_relu는 그래디언트 일부를 통과시킵니다"
    ),
    "mistake.product_rule": "곱의 미분에서 한 항만 있습니다. {function:은} x와 x의 함수를 곱한 것입니다",
    "mistake.inner_sign": "{function}의 도함수인 sigmoid의 인자 부호가 틀렸습니다",
    "mistake.softplus_exp": (
        "{function}의 도함수는 exp(x)가 아니라 sigmoid(x)입니다. 1 + exp(x)로 나누는 것이 빠졌습니다"
    ),
    "mistake.constant_missing": "{function}의 도함수 앞의 상수 2 / sqrt(pi)가 빠졌습니다",
    "mistake.exp_input": "exp의 도함수는 exp(x), 곧 함수값 자신입니다. 여기서는 입력을 곱했습니다",
    "mistake.reciprocal_missing": "log의 인자로 나누지 않고 곱했습니다",
    "mistake.derivative_sign": "{function}의 도함수 부호가 틀렸습니다",
    "mistake.softmax_diagonal": (
        "softmax 야코비 행렬의 대각 성분 p (1 - p)만 썼습니다. 모든 출력이 모든 입력에 의존하므로 야코비 "
        "행렬은 diag(p) - p p'입니다"
    ),
    "mistake.softmax_half": "softmax 야코비 행렬 diag(p) - p p'에서 - p p' 항이 빠졌습니다",
    "mistake.softmax_off_diagonal": "softmax 야코비 행렬 diag(p) - p p'에서 diag(p) 항이 빠졌습니다",
    "mistake.log_softmax": "이것은 log softmax의 도함수입니다. 여기서는 softmax의 도함수가 필요합니다",
    "mistake.softmax_not_weighted": (
        "softmax 도함수의 보정항이 sum(g)로 되어 있습니다. 출력으로 가중한 g' p여야 합니다"
    ),
    "mistake.softmax_axis": "softmax 도함수의 보정항을 엉뚱한 축으로 더했습니다",
    "mistake.softmax_keepdims": (
        "softmax 도함수의 보정항은 행마다 하나인데, 열을 따라 펼쳐졌습니다(keepdims가 빠졌습니다)"
    ),
    "mistake.softmax_sign": "softmax 도함수의 보정항을 더했습니다. 빼야 합니다",
    "mistake.softmax_factor": "softmax 도함수 p .* (g - g' p)에서 앞의 인수 p가 빠졌습니다",
    "mistake.weights_missing": "logsumexp의 도함수는 softmax입니다. 여기서는 모든 성분이 같은 값을 받습니다",
    "mistake.exp_not_normalised": "logsumexp의 도함수는 softmax입니다. 합으로 나누는 것이 빠졌습니다",
    "mistake.max_to_all": "모든 성분이 최댓값의 그래디언트를 받습니다. 가장 큰 성분만 받아야 합니다",
    "mistake.inverse_transposes": "전치가 빠졌습니다. inv(A)의 그래디언트는 -inv(A)' g inv(A)'입니다",
    "mistake.inverse_once": "역행렬 하나가 빠졌습니다. inv(A)의 그래디언트는 -inv(A)' g inv(A)'입니다",
    "mistake.inverse_like_number": "역행렬을 수처럼 성분별로 미분했습니다",
    "mistake.inverse_missing": "역행렬이 빠졌습니다. logdet(A)의 도함수는 inv(A)'입니다",
    "mistake.determinant_missing": "인수 det(A)가 빠졌습니다. det(A)의 도함수는 det(A) inv(A)'입니다",
    "mistake.edit.transpose_too_many": "전치가 하나 더 있습니다: {part}",
    "mistake.edit.transpose_too_few": "{part}에 전치가 빠졌습니다",
    "mistake.edit.sign": "{part}의 부호가 틀렸습니다",
    "mistake.edit.order": "곱하는 순서가 틀렸습니다: {part}",
    "mistake.edit.order_and_transpose": "곱하는 순서와 전치가 틀렸습니다: {part}",
    "mistake.edit.grouping": "묶는 순서가 틀렸습니다. 행렬 곱과 성분별 곱은 순서를 바꿀 수 없습니다: {part}",
    "mistake.edit.elementwise_for_product": "{part}: 성분별로 곱했습니다. 행렬 곱이어야 합니다",
    "mistake.edit.product_for_elementwise": "{part}: 행렬 곱을 했습니다. 성분별로 곱해야 합니다",
    "mistake.edit.other_name": "{right:을} 써야 할 자리에 {written:을} 썼습니다",
    "mistake.edit.power": "{part}의 거듭제곱이 틀렸습니다",
    "mistake.edit.power_kind": "{part}: 전체의 거듭제곱과 성분별 거듭제곱은 다릅니다",
    "mistake.edit.factor_two": "2배가 빠졌습니다",
    "mistake.edit.mean": "{n:로} 나누는 것이 빠졌습니다",
    "mistake.edit.sum_missing": "{part:을} 더하는 것이 빠졌습니다",
    "mistake.edit.diag": "{part}에 diag가 빠졌습니다",
    "mistake.edit.inverse": "{part}의 역행렬을 취하는 것이 빠졌습니다",
    "mistake.edit.factor_missing": "인수 {factor:이} 빠졌습니다",
    "mistake.edit.factor_surplus": "인수 {factor:이} 더 있습니다",
    "mistake.edit.term_surplus": "항 {part:이} 더 있습니다",
    "mistake.edit.division": "{part:이} 나눗셈의 반대쪽에 있습니다",
    "mistake.edit.wrong_count": "{written:로} 나누었습니다. {right:로} 나누어야 합니다",
    "mistake.edit.axis": "행과 열이 뒤바뀌었습니다: {part}",
    "mistake.edit.sum_surplus": "더하지 말아야 할 것을 더했습니다: {part}",
    "mistake.edit.mean_for_sum": "합과 평균이 뒤바뀌었습니다: {part}",
    "mistake.edit.function_surplus": "{part}에 함수가 하나 더 있습니다",
    "mistake.edit.other_function": "{right:을} 써야 할 자리에 {written:을} 썼습니다",
    "mistake.made.transpose_too_many": "{part}에 전치가 빠졌습니다",
    "mistake.made.transpose_too_few": "{part:은} 전치하지 말아야 합니다",
    "mistake.made.sign": "{part}의 부호가 틀렸습니다",
    "mistake.made.order": "곱하는 순서가 틀렸습니다. {part}이어야 합니다",
    "mistake.made.order_and_transpose": "곱하는 순서와 전치가 틀렸습니다. {part}이어야 합니다",
    "mistake.made.grouping": "묶는 순서가 틀렸습니다. 행렬 곱과 성분별 곱은 순서를 바꿀 수 없습니다: {part}",
    "mistake.made.elementwise_for_product": "{part}: 성분별로 곱해야 하는데 행렬 곱을 했습니다",
    "mistake.made.product_for_elementwise": "{part}: 행렬 곱이어야 하는데 성분별로 곱했습니다",
    "mistake.made.other_name": "{written:을} 써야 할 자리에 {right:을} 썼습니다",
    "mistake.made.power": "{part}의 거듭제곱이 틀렸습니다",
    "mistake.made.power_kind": "{part}: 전체의 거듭제곱과 성분별 거듭제곱은 다릅니다",
    "mistake.made.factor_two": "2배가 더 곱해졌습니다",
    "mistake.made.mean": "{n:로} 나누지 말아야 합니다",
    "mistake.made.sum_missing": "{part:을} 더하지 말아야 합니다",
    "mistake.made.diag": "{part}에 diag를 취하지 말아야 합니다",
    "mistake.made.inverse": "{part}의 역행렬을 취하지 말아야 합니다",
    "mistake.made.factor_missing": "인수 {factor:이} 더 있습니다",
    "mistake.made.factor_surplus": "인수 {factor:이} 빠졌습니다",
    "mistake.made.term_surplus": "항 {part:이} 빠졌습니다",
    "mistake.made.division": "{part:이} 나눗셈의 반대쪽에 있습니다",
    "mistake.made.wrong_count": "{right:로} 나누었습니다. {written:로} 나누어야 합니다",
    "mistake.made.axis": "행과 열이 뒤바뀌었습니다. {part}이어야 합니다",
    "mistake.made.sum_surplus": "합이 빠졌습니다: {part}",
    "mistake.made.mean_for_sum": "합과 평균이 뒤바뀌었습니다. {part}이어야 합니다",
    "mistake.made.function_surplus": "{part}의 함수가 빠졌습니다",
    "mistake.made.other_function": "{written:을} 써야 할 자리에 {right:을} 썼습니다",
    "mistake.also_factor": "{first}. 그 밖에 {also}배만큼 틀렸습니다",
    "mistake.two": "두 가지가 틀렸습니다. (1) {first} (2) {second}",
    "practice.welcome": (
        "그래디언트를 표기법대로 쓰십시오. 값이 같은 식이면 모두 정답입니다.\n"
        "힌트: 다음 힌트   단계: 한 단계씩   정답: 정답 보기   끝: 그만하기"
    ),
    "practice.question": "{batch}{program}\n   입력: {inputs}; {upstream} = dL/d{output}\n   dL/d{name} = ?",
    "practice.question.scalar": "L: {batch}{program}\n   입력: {inputs}\n   dL/d{name} = ?",
    "practice.output": "(출력)",
    "practice.step": "출력에서부터 {count}단계 중 {step}단계: {question}",
    "practice.steps.done": "모든 단계를 풀었습니다. 이제 하나로 합치십시오: dL/d{name} = ?",
    "practice.steps.none": "단계로 나눌 수 없습니다. 식이 하나이거나, 배치이거나, 길이 갈라집니다",
    "practice.right": "맞습니다. 가장 간단한 꼴: {form}",
    "practice.hint.shape": "힌트 1: dL/d{name}의 크기는 {name}의 크기와 같습니다: {shape}",
    "practice.hint.path": "힌트 2: 그래디언트가 {name}까지 가는 길은 다음과 같습니다: {path}",
    "practice.hint.rule": "힌트 3: 그 길에 있는 규칙(g가 바뀌는 모습)은 다음과 같습니다: {rules}",
    "practice.hint.form": "dL/d{name} = {form}",
    "practice.rule.product": "행렬곱은 d(A B) = dA B + A dB",
    "practice.rule.entrywise": "성분끼리의 곱은 d(a .* b) = da .* b + a .* db",
    "practice.rule.power": "거듭제곱은 d(a^k) = k a^(k-1) da",
    "practice.rule.sum": "더하기는 그래디언트를 각 항에 그대로 넘김",
    "practice.rule.total": "합은 그래디언트를 더해지는 모든 성분에 넘김",
    "practice.rule.spread": "여러 곳에서 쓰이는 것은 그 모든 곳의 그래디언트를 더해서 받음",
    "practice.score": (
        "{solved}개를 풀었고, 그중 {alone}개는 힌트 없이 한 번에 맞혔습니다. "
        "정답을 본 문제 {given_up}개, 답 {answers}번."
    ),
    "practice.topic": "{topic}: {asked}개 중 {done}개",
    "practice.topic.linear": "선형층",
    "practice.topic.entrywise": "성분끼리의 곱",
    "practice.topic.activation": "활성화 함수",
    "practice.topic.quadratic": "이차 형식",
    "practice.topic.loss": "손실 함수",
    "practice.topic.softmax": "소프트맥스",
    "practice.topic.paths": "여러 갈래",
    "practice.topic.matrices": "행렬의 함수",
    "practice.topic.generated": "무작위 신경망",
    "practice.topic.own": "직접 고른 프로그램",
    "practice.mistakes": "틀린 곳:",
    "practice.mistake": "{kind}: {count}번",
    "practice.kind.turned": "전치, 곱하는 순서나 곱의 종류",
    "practice.kind.summed": "어느 축에 대해 더하는가",
    "practice.kind.scaled": "부호, 계수나 평균",
    "practice.kind.path": "연쇄 법칙의 일부를 빠뜨리거나 두 번 씀",
    "practice.kind.function": "함수의 미분",
    "practice.kind.name": "다른 변수를 씀",
    "practice.kind.assumed": "특별한 값에서만 맞음",
    "practice.kind.other": "그 밖의 것",
}
