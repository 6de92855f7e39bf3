"""What each part of the network and of its training brings: equal short runs, one table.

  python scripts/ablate.py --train TRAIN --test TEST [--epochs 8] [NAME ...] [key=value ...]

NAME is a file in configs/experiment/ablation/ (all of them unless given). Each row is trained for
the same number of steps (100 an epoch) with the same seed, then scored on TEST with estimated maps.
key=value changes a setting of training in all rows; such runs have a folder of their own, as have
those of other lengths. Runs that are there already are not repeated; a killed one goes on where it
was. By hand:
  python train.py --multirun '+experiment/ablation=glob(*)' data.root=TRAIN trainer.max_epochs=8
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dfnet.cli import friendly_errors
from dfnet.errors import InputError
from dfnet.evaluation.ablation import ByTask, ablation_table, names_of, psnr_by_scene

ROOT = Path(__file__).resolve().parents[1]


@friendly_errors
def main() -> None:
    """Train, score and print what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="NAME, key=value")
    parser.add_argument("--train", required=True, help="folder of stacks, with estimated maps")
    parser.add_argument("--test", required=True, help="folder of stacks to score on")
    parser.add_argument("--epochs", type=int, default=8, help="of each run, 100 steps each")
    parser.add_argument("--output", type=Path, default=Path("logs/ablation"))
    asked = parser.parse_args()
    asked.changes = [row for row in asked.rows if "=" in row]
    names = [row for row in asked.rows if "=" not in row]
    known = names_of(ROOT / "configs")
    if unknown := set(names) - set(known):
        wrong, right = ", ".join(sorted(unknown)), ", ".join(known)
        raise InputError(f"{wrong}: no ablation\n  Choose of {right}.")
    found = {name: scored(name, asked) for name in names or known}
    Console(width=140).print(ablation_table(found))


def scored(name: str, asked: argparse.Namespace) -> ByTask:
    """What `evaluate.py` finds of a row, trained first where it is not yet."""
    budget_name = "_".join([f"{asked.epochs}_epochs", *sorted(asked.changes)]).replace("=", "_")
    run = asked.output / budget_name / name
    budget = [f"run_dir={run}", f"data.root={asked.train}", f"trainer.max_epochs={asked.epochs}"]
    no_validation = ["task.val_tasks=[]", "data.max_val_stacks=0"]
    if not (run / "weights" / "config.json").is_file():
        call("train.py", f"+experiment/ablation={name}", *budget, *no_validation, *asked.changes)
    where = [f"data.root={asked.test}", f"output={run / 'scores'}", f"store={run / 'store'}"]
    call("evaluate.py", f"weights={run / 'weights'}", "method=[dfnet]", *where)  # quick when known
    record = json.loads((run / "scores" / "scores.json").read_text(encoding="utf-8"))
    return psnr_by_scene(record)


def call(script: str, *arguments: str) -> None:
    """Run one of the entry points.

    Raises:
        InputError: it failed; what it said stands above.
    """
    done = subprocess.run([sys.executable, str(ROOT / script), *arguments], check=False)
    if done.returncode:
        raise InputError(f"{script} {' '.join(arguments)}: failed\n  What it said stands above.")


if __name__ == "__main__":
    main()
