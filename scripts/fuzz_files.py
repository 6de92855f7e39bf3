"""Feed damaged files to everything of ours that reads files, and keep those that break something.

  python scripts/fuzz_files.py --count 100000
  python scripts/fuzz_files.py --count 20000 --seed 7 IMG_0001.HEIC IMG_0002.JPG

Files made in memory are damaged, and the photos named. A reader may answer or refuse. Anything
else, more than --seconds or more than --megabytes is a finding: its file goes into --keep, how it
broke is printed, and the exit code is 1. Linux and macOS only.
"""

import argparse
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.fuzzing import Bounds, fuzz, seed_of_file, seeds

TELL_EVERY = 5000


def main() -> int:
    """Run; 0 if nothing broke."""
    asked = _arguments()
    whole = [*(() if asked.files else seeds()), *map(seed_of_file, asked.files)]
    bounds = Bounds(asked.seconds, asked.megabytes)
    found, seen, start = 0, set(), time.monotonic()
    for k, finding in enumerate(fuzz(whole, asked.count, asked.seed, bounds), start=1):
        if finding is not None:
            found += 1
            where = finding.trace.strip().splitlines()[-3:]
            if tuple(where) not in seen:
                seen.add(tuple(where))
                asked.keep.mkdir(parents=True, exist_ok=True)
                (asked.keep / f"{asked.seed}_{k}_{finding.seed.name}").write_bytes(finding.data)
                print(f"file {k}, from {finding.seed.name}:\n{finding.trace}", flush=True)
        if k % TELL_EVERY == 0 or k == asked.count:
            spent = time.monotonic() - start
            print(f"{k} files, {found} findings, {len(seen)} kinds, {spent:.0f} s", flush=True)
    return int(found > 0)


def _arguments() -> argparse.Namespace:
    head, _, rest = __doc__.partition("\n")
    parser = argparse.ArgumentParser(
        description=head, epilog=rest, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "files", nargs="*", type=Path, help="photos to damage, instead of made ones"
    )
    parser.add_argument("--count", type=int, default=10_000, help="how many damaged files")
    parser.add_argument("--seed", type=int, default=0, help="the same seed makes the same files")
    parser.add_argument("--seconds", type=float, default=5.0, help="that one file may take")
    parser.add_argument("--megabytes", type=int, default=1500, help="that memory may grow by")
    parser.add_argument("--keep", type=Path, default=Path("fuzz_findings"), help="for findings")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
