"""`vaeedu train pixelcnn` trains, goes on, and is evaluated by its exact likelihood."""

import json

import torch

from vaeedu import cli, data
from vaeedu.cli import files
from vaeedu.pixelcnn import GatedPixelCNN
from vaeedu.training.recovery import checkpoint

SMALL = ("--layers", "2", "--channels", "4", "--batch-size", "500", "--device", "cpu", "--no-progress")


def train(folder, epochs):
    return cli.main(["train", "pixelcnn", "--output", str(folder), *SMALL, "--epochs", str(epochs)])


def test_it_trains_goes_on_and_is_evaluated(tmp_path, capsys):
    assert train(tmp_path / "one", 1) == 0
    assert train(tmp_path / "one", 2) == 0
    assert train(tmp_path / "other", 2) == 0
    in_two, at_once = (
        checkpoint.load(tmp_path / name / files.CHECKPOINT)["model"] for name in ("one", "other")
    )
    assert all(torch.equal(in_two[name], at_once[name]) for name in at_once)

    capsys.readouterr()
    assert cli.main(["evaluate", str(tmp_path / "one"), "--num-images", "50", "--device", "cpu"]) == 0
    found = json.loads(capsys.readouterr().out)["minus_log_prob"]

    model = GatedPixelCNN((1, 8, 8), num_layers=2, num_channels=4)
    model.load_state_dict(at_once)
    x = data.binarize(data.digits("test")[0], "dynamic", generator=torch.Generator().manual_seed(1))
    nats = -model.log_prob(x[:50]).mean()
    torch.testing.assert_close(torch.tensor(found["mean"]), nats.detach(), rtol=1e-5, atol=1e-4)
