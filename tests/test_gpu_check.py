"""`make gpu-check` where there is no GPU, and the GPU's benchmarks at a tiny size on the CPU."""

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "benchmarks")]

import common  # noqa: E402
import gpu  # noqa: E402
import gpu_check  # noqa: E402
import mnist_likelihood  # noqa: E402
import pixelcnn as cpu_benchmark  # noqa: E402
from mnist_likelihood import Averaged, Recipe, Run  # noqa: E402

from vaeedu.training import devices  # noqa: E402

TINY = Recipe(num_layers=2, num_channels=4, batch_size=3, precision="float32", learning_rate=0.01)

# What a machine with a GPU and no environment of this course has not.
HIDDEN = (
    "anywidget beartype distributed execnet hypothesis ipykernel IPython ipywidgets nbclient nbconvert nbformat "
    "nbgrader nh3 playwright pooch psycopg pytest_timeout requests tinycss2 xdist yaml"
)


def step(name, program, limit=60.0):
    return gpu_check.Step(name, (sys.executable, "-c", program), limit)


@pytest.fixture
def no_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


@pytest.fixture
def results(monkeypatch, tmp_path):
    for module in (common, mnist_likelihood):
        monkeypatch.setattr(module, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture(autouse=True)
def few_stages(monkeypatch):
    monkeypatch.setattr(mnist_likelihood, "NUM_STAGES", 8)
    monkeypatch.setattr(mnist_likelihood, "LOOKS", (2, 4, 8))


@pytest.fixture
def images():
    generator = torch.Generator().manual_seed(0)
    grey = 0.2 * torch.rand(12, 1, 28, 28, generator=generator)
    return {"train": grey, "test": torch.bernoulli(grey, generator=generator)}


class TestGpuCheck:
    @pytest.mark.usefixtures("no_cuda")
    def test_without_a_gpu_it_says_so_in_one_line_and_succeeds(self, capsys, monkeypatch):
        monkeypatch.setattr(
            subprocess, "run", lambda *args, **kwargs: pytest.fail("nothing is to be started")
        )
        assert gpu_check.main([]) == 0
        out = capsys.readouterr().out
        assert out.startswith("gpu-check: ")
        assert out.count("\n") == 1
        assert "nothing was checked" in out

    def test_it_says_why(self):
        assert "built without CUDA" in gpu_check.absence(None)
        assert "finds no CUDA device (it is built for CUDA 12.8)" in gpu_check.absence("12.8")

    @pytest.mark.parametrize(
        ("codes", "code"), [((0, 0, 0), 0), ((1, 0, 0), 1), ((0, 2, 0), 2), ((5, 0, 2), 5)]
    )
    def test_each_step_runs_and_all_must_succeed(self, capsys, codes, code):
        steps = [step(str(i), f"import sys; sys.exit({c})") for i, c in enumerate(codes)]
        assert gpu_check.run_all(steps) == code
        ends = [line for line in capsys.readouterr().out.splitlines() if " after " in line]
        assert ["FAILED" in end for end in ends] == [c != 0 for c in codes]

    def test_a_step_that_takes_too_long_does_not_keep_the_others_from_running(self, capsys):
        steps = [step("long", "import time; time.sleep(600)", limit=0.5), step("next", "")]
        assert gpu_check.run_all(steps) == 124
        assert re.search(
            "long: STOPPED at its time limit after .* s\ngpu-check: next: passed", capsys.readouterr().out
        )

    def test_a_step_that_lacks_something_says_so(self, capsys):
        steps = [gpu_check.Step("one", ("false",), 1.0, gpu_check.lacking("no_such_module", "json"))]
        assert gpu_check.run_all(steps) == 0
        assert (
            capsys.readouterr().out == f"gpu-check: one: left out: {sys.executable} has no no_such_module\n"
        )

    def test_all_steps_fit_into_eight_minutes(self):
        assert sum(step.limit for step in gpu_check.check()) <= 480

    def test_arguments_are_handed_on(self, monkeypatch):
        steps = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(gpu_check, "run_all", lambda given: steps.extend(given) or 7)
        assert gpu_check.main(["--seconds", "300"]) == 7
        assert [step.name for step in steps] == ["tests", "sampling", "training"]
        assert steps[-1].command[-2:] == ("--seconds", "300")
        assert steps[-1].limit > 300

    def test_without_mnist_only_training_is_left_out(self, monkeypatch):
        monkeypatch.setattr(gpu_check, "data_folder", lambda: None)
        assert [step.lacking for step in gpu_check.check()] == [
            "",
            "",
            "no MNIST files: set VAEEDU_DATA to the folder above mnist/",
        ]

    def test_every_test_that_needs_a_gpu_is_among_those_that_run(self):
        """Found otherwise than by the words that `marked_files` looks for."""
        marked = [
            str(path.relative_to(ROOT))
            for path in (ROOT / "tests").rglob("test_*.py")
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "pytest.mark.gpu"
        ]
        assert sorted(set(marked)) == gpu_check.marked_files()

    def test_what_the_tests_found_is_kept(self, tmp_path):
        """Run by pytest itself: one test passes, one fails, one is skipped, and one lacks the marker."""
        (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = gpu: needs a GPU\n")
        (tmp_path / "test_three.py").write_text(
            "import pytest\npytestmark = pytest.mark.gpu\ndef test_good(): pass\ndef test_bad(): assert False\n"
            "def test_skipped(): pytest.skip('no')\n"
        )
        (tmp_path / "test_other.py").write_text("def test_other(): assert False\n")
        options = ["-q", "-p", "no:cacheprovider", "-c", str(tmp_path / "pytest.ini"), str(tmp_path)]
        assert gpu_check.run_tests(tmp_path / "results", gpu_check.pytest_command(paths=options)) == 1
        found = json.loads((tmp_path / "results" / "gpu_tests.json").read_text())
        assert (found["passed"], found["skipped"], found["exit_code"]) == (1, 1, 1)
        assert [name.endswith("::test_bad") for name in found["failed"]] == [True]
        assert found["machine"]["torch"] == torch.__version__
        assert found["seconds"] > 0

    @pytest.mark.slow
    def test_a_machine_without_this_environment_goes_through_all_of_it(self, tmp_path):
        """It has PyTorch, what benchmarks draw and compute with, and pytest; the rest cannot be imported there."""
        # Each Python reads it when it starts; what stands there as None cannot be imported.
        hiding = f"import sys\nsys.modules.update(dict.fromkeys({HIDDEN!r}.split()))\n"
        (tmp_path / "sitecustomize.py").write_text(hiding)
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

        def python(*arguments):
            return subprocess.run(
                [sys.executable, *arguments], env=environment, capture_output=True, text=True
            )

        assert "ModuleNotFoundError" in python("-c", "import IPython.display").stderr
        done = python(str(ROOT / "tools" / "gpu_check.py"), "--rehearse")
        assert done.returncode == 0, done.stdout + done.stderr
        tests, benchmarks = done.stdout.splitlines()[-2:]
        assert tests.startswith("gpu-check: tests: passed")
        assert benchmarks.startswith("gpu-check: benchmarks: passed")
        assert re.search(r"\d+ skipped", done.stdout)
        assert "Measured on" in done.stdout


class TestAveraged:
    def test_follows_at_the_distance_of_a_26th(self):
        """Of weights 1, 2, …, t with shares 25/(s + 24), the average is (25 t + 1)/26."""
        model = Averaged(mnist_likelihood.network(TINY).double())
        for t in range(1, 200):
            for weight in model.network.parameters():
                weight.data.fill_(t)
            model.update()
            for weight in model.average.parameters():
                assert weight.detach().sub((25 * t + 1) / 26).abs().max() < 1e-4 * t

    def test_is_not_trained(self):
        model = Averaged(mnist_likelihood.network(TINY))
        trained = {id(p) for p in model.parameters() if p.requires_grad}
        assert trained == {id(p) for p in model.network.parameters()}
        assert model.microbatch_size == model.network.microbatch_size


class TestRun:
    @pytest.fixture
    def run(self, images, tmp_path, monkeypatch):
        monkeypatch.setattr(mnist_likelihood, "speed", lambda *args, **options: 0.1)
        return lambda name, recipe=TINY: Run(name, recipe, tmp_path / "runs", images, num_looked_at=4)

    def test_the_budget_holds_the_steps_that_its_speed_says(self, run):
        a = run("a").train(3.0)  # 0.95 · 3 / 0.1 = 28.5 steps: three for each of eight stages
        assert a.plan["steps_a_stage"] == 3
        assert a.curve[-1]["images"] == 3 * 3 * 8
        assert [p["stage"] for p in a.curve] == [2, 4, 8]
        assert [p["stage"] for p in a.curve if "nll_of_all" in p] == [8]

    def test_likelihood_is_that_of_the_average(self, run, images):
        a = run("a").train(1.0)
        with torch.no_grad():
            nll = -a.model.average.log_prob(images["test"]).double()
            raw = -a.model.network.log_prob(images["test"][:4]).mean()
        assert a.curve[-1]["nll_of_all"] == pytest.approx(float(nll.mean()), rel=1e-5)
        assert a.curve[-1]["nll_of_all_error"] == pytest.approx(float(nll.std()) / 12**0.5, rel=1e-4)
        assert a.curve[-1]["nll"] == pytest.approx(float(nll[:4].mean()), rel=1e-5)
        assert a.curve[-1]["nll_without_averaging"] == pytest.approx(float(raw), rel=1e-5)
        assert a.curve[-1]["nll"] < a.curve[0]["nll"] - 10  # black images are soon learnt

    def test_a_run_that_was_cut_short_goes_on_as_planned(self, run, monkeypatch):
        whole, look = run("whole").train(1.0), Run._look

        def cut_short(self):
            value = look(self)
            if len(self.curve) == 2:
                raise MemoryError
            return value

        monkeypatch.setattr(Run, "_look", cut_short)
        with pytest.raises(MemoryError):
            run("cut").train(1.0)
        monkeypatch.setattr(Run, "_look", look)
        monkeypatch.setattr(
            mnist_likelihood, "speed", lambda *args, **options: pytest.fail("the plan stands")
        )
        cut = run("cut").train(1.0)
        for mine, theirs in zip(cut.model.parameters(), whole.model.parameters(), strict=True):
            assert torch.equal(mine, theirs)
        assert [p["nll"] for p in cut.curve] == [p["nll"] for p in whole.curve]

    def test_another_recipe_may_not_go_on(self, run):
        run("a").train(1.0)
        with pytest.raises(SystemExit, match=r"was begun with \{'batch_size': 3\}: use the same settings"):
            run("a", replace(TINY, batch_size=4)).train(1.0)

    def test_learning_rate(self):
        factors = [mnist_likelihood.factor(stage) for stage in range(8)]
        assert factors[:5] == pytest.approx([1 / 3, 2 / 3, 1, 1, 1])
        assert factors[4:] == sorted(factors[4:], reverse=True)
        assert 0 < factors[-1] < 0.2

    def test_drawing(self, images):
        draw = mnist_likelihood.drawing(images["test"])  # black and white ones stay as they are
        x = draw(torch.zeros(200), generator=torch.Generator().manual_seed(0))
        found = [(images["test"] == image).all(dim=(1, 2, 3)).nonzero().item() for image in x]
        assert set(found) == set(range(12))

    def test_report(self, run, results):
        mnist_likelihood.report("tiny", "Tiny", run("a").train(1.0), {"more": 1}, note=" A note.")
        found = json.loads((results / "tiny.json").read_text())
        assert found["numbers"]["seed"] == 0
        assert found["numbers"]["more"] == 1
        last = found["numbers"]["curve"][-1]
        assert (
            f"{last['nll_of_all']:.2f} ± {last['nll_of_all_error']:.2f} nats an image**, on all 12 test images. A note."
            in (results / "tiny.md").read_text()
        )
        assert (results / "tiny.png").read_bytes().startswith(b"\x89PNG")


class TestGpuBenchmark:
    @pytest.mark.usefixtures("no_cuda", "results")
    def test_without_a_gpu_it_says_so(self, capsys):
        gpu.main([])
        assert capsys.readouterr().out == "No CUDA device: nothing to measure on a GPU.\n"

    def test_training(self, images, results, tmp_path, monkeypatch):
        variants = {name: gpu.VARIANTS[name] for name in ("float32", "bfloat16, weights channels_last")}
        monkeypatch.setattr(gpu, "VARIANTS", variants)
        monkeypatch.setattr(devices.precision, "has_bfloat16", lambda device: True)  # emulated, if need be
        run = gpu.training(TINY, 0.5, tmp_path / "runs", "cpu", images, steps=1)
        text = (results / "gpu_training.md").read_text()
        found = json.loads((results / "gpu_training.json").read_text())["numbers"]
        rows = found["variants"]
        assert {row["variant"] for row in rows} == set(variants)
        assert rows[0]["steps_a_second"] >= rows[1]["steps_a_second"] > 0
        assert rows[0]["images_a_second"] == pytest.approx(3 * rows[0]["steps_a_second"])
        assert found["recipe"]["precision"] == rows[0]["options"]["precision"] == run.recipe.precision
        assert f"| {rows[0]['variant']}" in text
        assert found["seconds_in_all"] > 0
        # A run that goes on keeps the variant that it was begun with.
        monkeypatch.setattr(gpu, "choose", lambda *args: pytest.fail("chosen already"))
        assert gpu.training(TINY, 0.5, tmp_path / "runs", "cpu", images).recipe == run.recipe

    def test_a_variant_that_fails_is_no_choice(self, images, monkeypatch):
        monkeypatch.setattr(gpu, "VARIANTS", {"good": {}, "bad": {"compile": True}})

        def speed(recipe, *args):
            if recipe.compile:
                raise RuntimeError("no compiler\nat all")
            return 0.5

        monkeypatch.setattr(mnist_likelihood, "speed", speed)
        rows = gpu.choose(TINY, images["train"], torch.device("cpu"))
        assert [row["variant"] for row in rows] == ["good", "bad"]
        assert rows[0]["steps_a_second"] == 2
        assert "failed: no compiler |" in gpu._variants_table(rows, 3)

    def test_sampling(self, results, monkeypatch):
        """On the CPU nothing is recorded, so that both cached samplers are the same."""
        row = gpu.sampling(1, 2, 3, 1, "cpu")
        assert row["same_images"]
        assert row["against_naive"] == row["naive_seconds"] / row["graph_seconds"]
        gpu.report_sampling([{"network": "tiny", **row, "against_naive_asked": 2}], 1.0)
        text = (results / "gpu_sampling.md").read_text()
        assert f"{row['against_naive']:.1f}× (2× asked)" in text
        assert json.loads((results / "gpu_sampling.json").read_text())["numbers"]["seed"] == 0

    def test_without_graphs(self):
        program = type("Program", (), {"run": "run"})
        with gpu.without_graphs():
            assert gpu.sampler.captured(program) == "run"
        assert gpu.sampler.captured.__name__ == "captured"


def test_components_of_ppca_are_chosen_without_the_test_images():
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(17, (120, 1, 8, 8), generator=generator)
    bits, K = cpu_benchmark._ppca_bits(x[:80], x[80:100], x[100:], num_draws=2)
    other_bits, other_K = cpu_benchmark._ppca_bits(x[:80], x[80:100], torch.zeros_like(x[100:]), num_draws=2)
    assert other_K == K
    assert bits != other_bits
    assert bits > 4.0  # level noise has log2(17) = 4.09 bits, and nothing does better
