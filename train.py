"""Train DFNet: `python train.py +experiment=dfnet data.root=FOLDER`."""

from pathlib import Path

import lightning as L
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from dfnet.cli import entry_point, quote_paths
from dfnet.devices import pick_device, to_fast_layout, trainer_precision
from dfnet.training.setup import find_resume, start_weights


@entry_point("train")
def main(cfg: DictConfig) -> None:
    """Compose, build, fit, save what others can load."""
    L.seed_everything(cfg.seed, workers=True, verbose=False)
    device = pick_device(cfg.device)

    data = instantiate(cfg.data)
    task = instantiate(cfg.task)
    start_weights(task.model, cfg.start_from)
    to_fast_layout(task.model, device)

    trainer = instantiate(
        cfg.trainer,
        accelerator=device.type,
        precision=trainer_precision(device),
        logger=[instantiate(logger) for logger in cfg.logger.values()],
        callbacks=[instantiate(callback) for callback in cfg.callbacks.values()],
    )
    run_dir = Path(cfg.run_dir)
    trainer.fit(task, data, ckpt_path=find_resume(run_dir, cfg.resume))

    if trainer.is_global_zero:
        notes = {"run": OmegaConf.to_container(cfg, resolve=True)}
        task.model.save_pretrained(run_dir / "weights", notes)
        print(f"weights: {run_dir / 'weights'}")


if __name__ == "__main__":
    quote_paths(("data.root", "data.val_root", "run_dir", "start_from"))
    main()
