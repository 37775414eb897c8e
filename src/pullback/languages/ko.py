"""Korean, as a lecturer says it."""

NAME = "한국어"

MESSAGES: dict[str, str] = {
    # 제목과 낱말
    "title": "{statement}의 역전파",
    "title.jacobian": "{statement}의 야코비 행렬",
    "title.hessian": "{statement}의 헤세 행렬",
    "shape.scalar": "스칼라",
    "shape.vector": "길이 {length}",
    "thing.scalar": "스칼라",
    "thing.vector": "{shape}인 벡터",
    "thing.matrix": "{shape} 행렬",
    "thing.tensor": "{shape} 텐서",
    "property.symmetric": "대칭",
    "property.spd": "대칭이고 양의 정부호",
    "property.diagonal": "대각",
    "property.lower": "하삼각",
    "property.upper": "상삼각",
    "property.orthogonal": "직교",
    "property.invertible": "가역",
    "property.positive": "양수",
    "property.constant": "상수",
    "property.entrywise": "성분별",
    "rule": "규칙: {name}",
    "rule.entry": "규칙: 연산표의 {name}",
    "rule.product": "곱의 미분법",
    "rule.sum": "합의 미분법",
    "rule.quotient": "몫의 미분법",
    "rule.power": "거듭제곱의 미분법",
    "rule.transposition": "전치는 성분의 자리만 바꿈",
    "rule.broadcast": "브로드캐스팅: 반복된 축을 따라 더함",
    "rule.chain": "연쇄 법칙",
    "rule.cyclic": "대각합 안에서는 순서를 돌릴 수 있음",
    "rule.transpose": "스칼라는 전치해도 같음",
    "rule.name": "그대로 전달",
    "rule.constant": "상수",
    # 주어진 것
    "given": "주어진 것",
    "given.input": "{x:은} {thing}입니다.",
    "given.input.properties": "{x:은} {thing}입니다. 성질: {properties}.",
    "given.upstream": "위에서 {gradient:이} 내려옵니다. {y:와} 크기가 같습니다: {shape}.",
    "given.loss": "출력 {y:은} 스칼라입니다. 이것을 손실 그 자체로 봅니다.",
    "given.loss.itself": "출력 {y:은} 손실 그 자체입니다.",
    "given.convention": "그래디언트는 미분하는 변수와 크기가 같습니다(분모 중심 표기).",
    "given.sizes": "크기: {sizes}.",
    "given.symbols": "크기가 기호로 주어졌으므로 칠판에서는 작은 크기로 씁니다: {sizes}. "
    "마지막 식은 어떤 크기에서도 성립합니다.",
    "given.standin": "칠판에 다 쓰기에는 너무 큽니다. 성분은 작은 크기로 바꾸어 설명합니다: {sizes}. "
    "마지막 식은 어떤 크기에서도 성립하고, 숫자는 실제 크기의 값입니다.",
    "given.no_board": "성분을 칠판에 다 쓸 수 없으므로 행렬식으로 정리된 결과만 보입니다.",
    "convention.relu": "약속에 따라 relu'(0) = 0으로 둡니다.",
    "convention.step": "step(t)는 t > 0이면 1, 아니면 0이고, 그 미분은 0으로 둡니다.",
    "convention.leaky_relu": "약속에 따라 leaky_relu'(0)은 왼쪽 기울기 0.01로 둡니다.",
    "convention.abs": "약속에 따라 abs'(0) = 0으로 둡니다.",
    "convention.sign": "약속에 따라 sign' = 0으로 둡니다.",
    "convention.max": "가장 큰 성분이 여럿이면 max의 미분을 똑같이 나눕니다.",
    "convention.max2": "max의 두 인수가 같으면 미분을 반씩 나눕니다.",
    "convention.min2": "min의 두 인수가 같으면 미분을 반씩 나눕니다.",
    "convention.logdet": "logdet은 양수인 행렬식의 로그이고, 그 밖에서는 NaN입니다.",
    # 순전파
    "forward": "순전파",
    "forward.named": "안쪽의 식에 이름을 붙입니다: {names}.",
    "forward.statement": "{y:은} {thing}입니다.",
    "forward.more": "이어지는 식이 {count}개 더 있습니다.",
    # 역전파
    "backward": "역전파",
    "backward.more": "그 앞의 식 {count}개도 같은 방법으로 풉니다. 아래 결과에는 모두 들어 있습니다.",
    "backward.nothing": "출력이 구하려는 변수에 의존하지 않으므로 그래디언트는 0입니다.",
    "backward.unused": "{x:은} {y}에 영향을 주지 않으므로 그래디언트가 0입니다.",
    "statement": "{statement:을} 거슬러 가기",
    "operand": "{gradient}",
    "operand.rule": "이 연산의 미분 규칙으로 그래디언트를 한 번에 구합니다.",
    "operand.long": "성분이 너무 길어 칠판에 쓰지 않고, 그래디언트를 한 번에 구합니다.",
    "rule.says": "연산표에 따르면 {name:은} 되돌아온 그래디언트 g를 다음과 같이 바꿉니다.",
    "rule.closed": "따라서 행렬로 쓰면 다음과 같습니다.",
    "part": "{x:은} 여러 식에 쓰입니다. {part:은} {y:을} 거쳐 되돌아오는 몫입니다.",
    "entries": "{statement:을} 성분으로 풀어 씁니다.",
    "entries.numbers": "{others}의 숫자를 넣으면 다음과 같습니다.",
    "entries.numbers.all": "{x:을} 제외한 숫자를 모두 넣으면 다음과 같습니다.",
    "chain": "성분마다 연쇄 법칙을 씁니다. {entry:은} {y}의 모든 성분을 거쳐 손실에 영향을 줍니다.",
    "chain.some": "성분마다 연쇄 법칙을 씁니다. {entry:은} 자신이 나오는 {y}의 성분들을 거쳐 손실에 영향을 줍니다.",
    "chain.number": "{y:이} 스칼라이므로 연쇄 법칙의 항은 하나뿐입니다.",
    "chain.loss": "{y:이} 손실 그 자체이므로 {y}의 편미분이 곧 답입니다.",
    "stack": "성분을 쌓으면 {shape} 편미분 행렬과 위에서 내려온 열벡터의 곱이 됩니다.",
    "partials": "편미분을 하나씩 구합니다.",
    "partials.column": "{y}의 편미분으로 {column}번째 열을 채웁니다.",
    "partials.some": "편미분은 모두 {count}개입니다. 첫 성분의 것만 적습니다.",
    "shape": "{gradient:은} {x:와} 크기가 같습니다: {shape}. {indices} 성분은 {entry}입니다.",
    "shape.column": "{gradient:은} {x:와} 크기가 같습니다: {shape}. {indices}번째 성분은 {entry}입니다.",
    "alone": "{entry:은} {place}에만 나옵니다. 그래서 연쇄 법칙의 합에서 항 하나만 남습니다.",
    "alone.each": "{x}의 각 성분은 {y}의 많아야 한 성분에만 나옵니다. 그래서 연쇄 법칙의 합에서 항 하나만 남습니다.",
    "vanish": "나머지 편미분은 모두 0입니다.",
    "whole": "행렬 전체를 쓰면 다음과 같습니다.",
    "whole.vector": "열벡터 전체를 쓰면 다음과 같습니다.",
    "appears": "{entry:은} {places}에만 나옵니다. 그래서 연쇄 법칙의 합은 이것들에 대해서만 남습니다.",
    "appears.all": "{entry:은} {y}의 모든 성분에 나옵니다. 그래서 연쇄 법칙으로 모두 더합니다.",
    "appears.each": "{x}의 각 성분은 {y}의 몇몇 성분에 나오므로, 연쇄 법칙으로 이것들에 대해 더합니다.",
    "filled": "구한 값을 채웁니다.",
    "recognise.transpose": "어떤 행렬인지 봅시다. {place} 성분이 {entry}이므로 {base}의 전치입니다.",
    "recognise.itself": "어떤 행렬인지 봅시다. {place} 성분이 {entry}이므로 바로 {matrix}입니다.",
    "recognise.identity": "어떤 행렬인지 봅시다. 대각선은 1이고 나머지는 0이므로 단위행렬입니다.",
    "recognise.diagonal": "어떤 행렬인지 봅시다. 대각행렬입니다.",
    "recognise.matrix": "어떤 행렬인지 봅시다. {matrix}입니다.",
    "recognise.row": "행과 열의 곱, 곧 내적입니다.",
    "recognise.closed": "반복되는 부분에 이름을 붙이고 행렬로 정리하면 다음과 같습니다.",
    "recognise.index": "어떤 크기에서나 성분으로 쓰면 다음과 같습니다.",
    "recognise.scalar": "정리하면 다음과 같습니다.",
    "recognise.form": "행렬로 쓰면 다음과 같습니다.",
    "recognise.summed": "{x:은} {y}의 모든 성분에 쓰이므로, 되돌아온 것을 모두 더합니다.",
    "recognise.summed.columns": "{x:은} {y}의 모든 행에 쓰이므로, 각 행에서 되돌아온 것을 모두 더합니다. 행이 "
    "표본이면 배치 축으로 더하는 것입니다.",
    "recognise.summed.rows": "{x:은} {y}의 모든 열에 쓰이므로, 각 열에서 되돌아온 것을 모두 더합니다.",
    "recognise.copied": "한 축을 따라 같은 그래디언트가 복사됩니다.",
    "recognise.product.vector": "각 성분이 행과 열벡터의 곱이므로 행렬과 열벡터의 곱입니다.",
    "recognise.same": "바로 {form}입니다. 그대로 전달됩니다.",
    "recognise.negative": "{form}입니다. 부호만 바뀝니다.",
    "recognise.outer": "열벡터 {column:와} 행벡터 {row}의 곱, 곧 외적입니다.",
    "recognise.hadamard": "성분끼리 곱한 것입니다.",
    "recognise.product": "각 성분이 행과 열의 곱이므로 행렬의 곱입니다.",
    "why": "왜 이 순서일까요? 성분으로 쓰면 다음과 같고, 크기도 맞습니다.",
    "why.sizes": "왜 이 순서일까요? 크기가 다음과 같이 맞습니다.",
    "numbers": "숫자를 넣어 계산합니다.",
    "added": "{x:은} {count}개의 식에 쓰였으므로, 각각에서 되돌아온 것을 모두 더합니다.",
    # 미분소
    "differential": "양변의 미분소를 취합니다.",
    "differential.loss": "{y:이} 손실 그 자체입니다.",
    "differential.inner": "손실의 변화는 {gradient:와} {y}의 변화의 내적입니다.",
    "differential.move.vector": "{differential:을} 맨 뒤로 보냅니다. 스칼라는 전치해도 같습니다.",
    "differential.move.scalar": "{differential:을} 맨 뒤에 씁니다.",
    "differential.move.matrix": "{differential:을} 맨 뒤로 보냅니다. 대각합 안에서는 곱의 순서를 돌릴 수 있습니다.",
    "differential.read": "{differential} 앞에 있는 것을 전치해 읽습니다.",
    "differential.read.scalar": "{differential} 앞에 있는 것을 읽습니다.",
    # 끝
    "table": "연산표에서",
    "result": "결과",
    "result.one": "결과",
    "result.numbers": "숫자로 쓰면 다음과 같습니다.",
    "result.numerator": "분자 중심 표기로 쓴 결과",
    "result.numerator.note": "분자 중심 표기에서는 위에서 내려온 것까지 모든 그래디언트를 전치해 씁니다. 열벡터의 "
    "그래디언트는 행벡터이고, m × n 행렬의 그래디언트는 n × m입니다. 위의 단계는 분모 중심 표기입니다.",
    "result.jacobian": "야코비 행렬",
    "result.hessian": "헤세 행렬",
    "result.settled": "{given:이} 무엇이든 성립하므로, {given}에 곱해진 것을 전치하면 구하는 미분입니다.",
    "result.settled.number": "{given:이} 무엇이든 성립하므로, {given}에 곱해진 것이 구하는 미분입니다.",
    "result.settled.numerator": "{given:이} 무엇이든 성립하므로, {given}에 곱해진 것이 분자 중심 표기의 미분입니다.",
    "result.settled.entries": "{given:이} 무엇이든 성립하므로, 모든 성분을 모든 성분으로 미분한 값이 정해집니다.",
    # 이계 미분
    "second": "그래디언트를 하나의 프로그램으로 보기",
    "second.weights": "{y}의 성분에 임의의 수 {weights:을} 곱해 모두 더한 {loss:을} 손실 대신 씁니다. {y:을} "
    "거쳐 되돌아오는 것은 {y}의 미분으로 이루어집니다.",
    "second.constant": "그래디언트가 {x:와} 무관하므로, 그 미분은 모두 0입니다.",
    "check": "{method:와} 일치합니다. 무작위 값 {draws}번(시드 {seed}), 성분 {count}개에서 가장 큰 차이는 "
    "{worst}입니다.",
    "check.values": "{method:와} 일치합니다. 주어진 값과 무작위 값 {draws}번(시드 {seed}), 성분 {count}개에서 가장 "
    "큰 차이는 {worst}입니다.",
    "check.method.complex": "복소 스텝 미분",
    "check.method.central": "중심 차분",
    "check.failed": "{method:와} 다릅니다. {entry}에서 차이가 {worst}이고, 유도한 값은 {derived}, 잰 값은 "
    "{measured}입니다.",
    "check.failed.direction": "{method:와} 다릅니다. 무작위 방향에서 차이가 {worst}이고, 유도한 값은 {derived}, 잰 "
    "값은 {measured}입니다.",
    "check.undefined": "주어진 값에서는 함숫값이 유한하지 않아 비교하지 않았습니다.",
    "check.kinks": "꺾인 점에는 미분이 없으므로, 그런 성분 {count}개는 비교에서 뺐습니다.",
}

_PARTICLES = {"은": ("은", "는"), "이": ("이", "가"), "을": ("을", "를"), "와": ("과", "와"), "로": ("으로", "로")}
_ENDING = frozenset("lmnrLMNR013678ₗₘₙᵣ₀₁₃₆₇₈⁰¹³⁶⁷⁸")
"""Letters and digits whose Korean names end in a consonant: 엘, 엠, 엔, 알, 영, 일, 삼, 육, 칠, 팔."""
_FIRST_SYLLABLE, _FINALS = 0xAC00, 28


def inflect(text: str, form: str) -> str:
    """Give the particle that fits what a text ends in, read aloud.

    >>> inflect("x", "은"), inflect("L", "은"), inflect("y_1", "을"), inflect("행렬", "이")
    ('는', '은', '을', '이')
    """
    closed, open_ = _PARTICLES[form]
    last = next((c for c in reversed(text) if c.isalnum()), "")
    if "\uac00" <= last <= "\ud7a3":
        ends = (ord(last) - _FIRST_SYLLABLE) % _FINALS != 0
    else:
        ends = last in _ENDING
    return closed if ends else open_
