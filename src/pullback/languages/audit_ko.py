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
    "check.compared": "float64로 성분 {count}개를 비교했습니다. 비교한 점: {points}",
    "check.tolerance.complex": (
        "허용 오차는 가장 큰 성분의 {relative}배입니다. 복소수 스텝에는 간격 오차가 없으므로 반올림 오차만 허용합니다"
    ),
    "check.tolerance.differences": (
        "허용 오차는 가장 큰 성분의 {relative}배에, 간격 0으로 외삽한 중심 차분의 추정 오차를 10배 하여 더한 값입니다"
    ),
    "check.second": "임의의 방향에 대한 이계도함수도 비교했습니다(이름이 H로 시작합니다)",
    "check.excluded": "제외: {reason} ({count}개)",
    "point.random": "임의의 값",
    "point.given": "주어진 값",
    "point.zeros": "모두 0",
    "point.ones": "모두 1",
    "point.repeated": "모두 같은 값",
    "point.tiny": "아주 작은 값",
    "point.huge": "아주 큰 값",
    "reason.kink": "{kink}, 미분이 존재하지 않는 곳입니다",
    "reason.undefined": "{point}: 이 점에서 함수값이 유한하지 않습니다",
    "reason.unmeasured": "{point}: 이 점에서 차분이 유한하지 않습니다",
}
