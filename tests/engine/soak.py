"""Long runs of random programs: ``python -m tests.engine.soak --programs 100000 --seed 0``.

Failures are appended to a log with the seed that draws them and the smallest program that fails the same way.
"""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable

import pullback as pb
from tests.engine import checking
from tests.engine.arrays import UnfitError
from tests.engine.checking import Case
from tests.engine.shrinking import smaller
from tests.strategies import Made, seeded

CHECKS: dict[str, Callable[[Case], None]] = {
    "value": checking.check_value,
    "first": checking.check_first,
    "printing": checking.check_printing,
    "jacobian": checking.check_jacobian,
    "hessian": checking.check_hessian,
}


def outcome(made: Made, check: str) -> str | None:
    """None where it holds, ``unfit`` or ``refused``, else the kind of failure."""
    try:
        CHECKS[check](Case(made))
    except UnfitError:
        return "unfit"
    except pb.UnsupportedError:
        return "refused"
    except AssertionError as error:
        if traceback.extract_tb(error.__traceback__)[-1].filename.endswith("checking.py"):
            return f"wrong: {str(error).split(':')[0].split(' =')[0].split('/d')[0]}"
        return f"AssertionError: {last_line(error)}"
    except pb.PullbackError as error:
        if "does the softmax itself" in error.message:
            return "refused"
        return f"{type(error).__name__}: {last_line(error)}"
    except RecursionError:
        return "RecursionError"
    except Exception as error:
        if 1 in made.sizes.values() and last_line(error).startswith(("reference.py", "arrays.py")):
            return "unfit"  # plain arrays can't tell a single row from a vector
        return f"{type(error).__name__}: {last_line(error)}"
    return None


def last_line(error: BaseException) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename.split('/')[-1]}:{frame.name}"


def describe(made: Made, check: str) -> str:
    try:
        CHECKS[check](Case(made))
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "holds"


def is_scalar(seed: int) -> bool:
    return seed % 4 == 1


def drawn(seed: int, fuel: int = 8) -> Made:
    """The program of a seed; each fourth has a scalar output."""
    return seeded(seed, fuel, is_scalar(seed))


def checks_for(seed: int) -> list[str]:
    """Value and first derivatives of each; Jacobians of a third, all formats of another; Hessians of the scalars."""
    return [
        "value", "first",
        *{0: ["jacobian"], 1: ["printing"], 2: []}[seed % 3],
        *(["hessian"] if is_scalar(seed) else []),
    ]  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--programs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--fuel", type=int, default=8)
    parser.add_argument("--only", choices=sorted(CHECKS))
    parser.add_argument("--log", default="/tmp/engine-soak.log")
    parser.add_argument("--shrink", type=int, default=3, help="how many of each kind of failure to shrink")
    options = parser.parse_args(arguments)
    seen: Counter[str] = Counter()
    slowest: tuple[float, int] = (0.0, 0)
    began = time.perf_counter()
    with open(options.log, "a", encoding="utf-8") as log:
        for seed in range(options.seed, options.seed + options.programs):
            made = drawn(seed, options.fuel)
            checks = [options.only] if options.only else checks_for(seed)
            for check in checks:
                start = time.perf_counter()
                found = outcome(made, check)
                slowest = max(slowest, (time.perf_counter() - start, seed))
                seen[f"{check} {found or 'holds'}" if found in (None, "unfit", "refused") else "FAILED"] += 1
                if found == "unfit":
                    break
                if found in (None, "refused"):
                    continue
                broken = check == "value"
                key = f"{check} / {found}"
                seen[key] += 1
                if seen[key] <= options.shrink:
                    least = smaller(made, lambda m, check=check, found=found: outcome(m, check) == found)  # type: ignore[misc]
                    text = f"--- seed {seed} {key}\n{least.text}\nshapes={least.declared} assume={least.assume}"
                    text += f" sizes={least.sizes}\n{describe(least, check)}\n"
                    log.write(text)
                    log.flush()
                    print(text, flush=True)
                if broken:
                    break
            if (seed + 1) % 1000 == 0:
                print(f"{seed + 1 - options.seed} programs, {seen['FAILED']} failures", flush=True)
    seconds = time.perf_counter() - began
    for key, count in sorted(seen.items()):
        print(f"{count:8d}  {key}")
    print(f"{options.programs} programs in {seconds:.0f} s; slowest check {slowest[0]:.2f} s (seed {slowest[1]})")
    return 1 if seen["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(main())
