"""Batches for training and validation from folders of focus stacks."""

from collections.abc import Iterator
from pathlib import Path

import lightning as L
import torch
from rich.progress import track
from torch.utils.data import DataLoader, Dataset, Sampler

from dfnet.capture import find_captures, load_capture
from dfnet.capture_sets import refuse_mixed_versions
from dfnet.errors import InputError
from dfnet.training.samples import SampleSettings, TrainingBatch, draw_sample
from dfnet.training.stacks import TrainingStack, load_stack, preprocess_slices

_SEED_STRIDE = 1_000_003  # a prime, so that (seed, number) pairs do not meet


class StackSamples(Dataset):
    """Sample number n, drawn from random stacks by a generator seeded with n alone."""

    def __init__(self, stacks: list[TrainingStack], settings: SampleSettings, seed: int):
        self.stacks, self.settings, self.seed = stacks, settings, seed

    def __getitem__(self, number: int) -> TrainingBatch:
        """Draw sample `number`; the same number gives the same sample."""
        generator = torch.Generator().manual_seed(self.seed * _SEED_STRIDE + number)
        stack = self.stacks[int(torch.randint(len(self.stacks), (), generator=generator))]
        return draw_sample(stack, self.settings, generator)


class NumberSampler(Sampler[int]):
    """Consecutive numbers that go on from epoch to epoch, so that a resumed run sees new samples.

    Several processes share them out in turn: a step of all together sees what one would see alone.

    Args:
        per_epoch: how many numbers make an epoch of all processes.
        process: this one's number.
        processes: how many there are; `per_epoch` is a multiple.
    """

    def __init__(self, per_epoch: int, process: int = 0, processes: int = 1):
        self.per_epoch = per_epoch
        self.process, self.processes = process, processes
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Called by Lightning at the start of each epoch, also after a resume."""
        self.epoch = epoch

    def __iter__(self) -> Iterator[int]:
        """This process's numbers of this epoch."""
        first, stop = self.epoch * self.per_epoch, (self.epoch + 1) * self.per_epoch
        return iter(range(first + self.process, stop, self.processes))

    def __len__(self) -> int:
        """Numbers in an epoch of this process."""
        return self.per_epoch // self.processes


class StackDataModule(L.LightningDataModule):
    """Training samples and validation captures.

    Args:
        root: folder of training stacks.
        val_root: folder of validation stacks; None holds out the last tenth of `root`.
        batch_size: samples per step, of all processes together.
        steps_per_epoch: batches between two validations.
        workers: processes that draw samples; 0 draws in the training process.
        preprocessing: `estimated` mixes estimated guidance into training and validates on it;
            `truth` uses the renderer's truth only.
        max_val_stacks: validate on at most so many.
        seed: of the sample draws.
        settings: how samples are drawn.
    """

    def __init__(
        self,
        root: str,
        val_root: str | None,
        batch_size: int,
        steps_per_epoch: int,
        workers: int,
        preprocessing: str,
        max_val_stacks: int,
        seed: int,
        settings: SampleSettings,
    ):
        super().__init__()
        if preprocessing not in ("estimated", "truth"):
            raise InputError(f"data.preprocessing={preprocessing}\n  Use estimated or truth.")
        self.root, self.val_root, self.batch_size = Path(root), val_root, batch_size
        self.steps_per_epoch, self.workers = steps_per_epoch, workers
        self.preprocessing, self.max_val_stacks = preprocessing, max_val_stacks
        self.seed, self.settings = seed, settings
        self.train_stacks: list[TrainingStack] = []
        self.val_folders: list[Path] = []

    @property
    def process(self) -> tuple[int, int]:
        """This process's number, and how many there are."""
        return (
            (0, 1) if self.trainer is None else (self.trainer.global_rank, self.trainer.world_size)
        )

    def prepare_data(self) -> None:
        """Before several processes start: fill the cache of preprocessing once per machine."""
        if self.process[1] > 1 and self.preprocessing == "estimated":
            for folder in split_captures(self.root, self.val_root)[0]:
                preprocess_slices(load_capture(folder))

    def setup(self, stage: str) -> None:
        """Find, check and decode the stacks."""
        if self.train_stacks:
            return
        train_folders, val_folders = split_captures(self.root, self.val_root)
        self.val_folders = val_folders[: self.max_val_stacks]
        use_estimated = self.preprocessing == "estimated"
        self.train_stacks = [
            load_stack(folder, use_estimated)
            for folder in track(train_folders, f"Loading {len(train_folders)} stacks")
        ]
        smallest = min(min(s.radial_w.shape[-2:]) for s in self.train_stacks)
        if smallest < self.settings.crop_px:
            raise InputError(
                f"{self.root}: a stack is only {smallest} pixels high or wide, less than the crop\n"
                f"  of {self.settings.crop_px}. Set data.settings.crop_px to at most {smallest}."
            )

    def train_dataloader(self) -> DataLoader:
        """This process's part of the batches, of `TrainingBatch`.

        Raises:
            InputError: the batch cannot be shared out evenly.
        """
        process, processes = self.process
        if self.batch_size % processes:
            raise InputError(
                f"data.batch_size={self.batch_size}: not a multiple of {processes} processes\n"
                "  It counts the samples per step of all processes together."
            )
        return DataLoader(
            StackSamples(self.train_stacks, self.settings, self.seed),
            batch_size=self.batch_size // processes,
            sampler=NumberSampler(self.batch_size * self.steps_per_epoch, process, processes),
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            drop_last=True,
        )

    def val_dataloader(self) -> DataLoader:
        """Capture folders, one at a time; validation runs the evaluation's own tasks on them.

        Each process gets as many; what is missing to that is an empty name.
        """
        process, processes = self.process
        names = [str(f) for f in self.val_folders]
        names += [""] * (-len(names) % processes)
        return DataLoader(names[process::processes], batch_size=None, collate_fn=str)


def split_captures(root: Path, val_root: str | None) -> tuple[list[Path], list[Path]]:
    """Folders to train on and folders to validate on, apart from each other.

    Raises:
        InputError: a folder holds no capture that can be trained on, or renders of several
            generator versions.
    """
    train = [f for f in find_captures(root) if is_trainable(f)]
    if val_root is not None:
        validation = find_captures(val_root)
    else:
        held_out = max(1, len(train) // 10) if len(train) > 1 else 0
        validation = train[len(train) - held_out :]
        train = train[: len(train) - held_out]
    if not train:
        raise InputError(
            f"{root}: no focus stack to train on\n"
            "  Training needs captures with at least two wide slices and an ultrawide photo."
        )
    for folders in (train, validation):
        refuse_mixed_versions(folders)
    return train, validation


def is_trainable(folder: Path) -> bool:
    """Whether the capture has two slices or more, and a guide."""
    capture = load_capture(folder)
    return len(capture.wide) > 1 and bool(capture.ultrawide)
