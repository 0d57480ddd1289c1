"""Several processes that train together: shares, sums, and runs that equal those of one process."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from several_processes import started, together, torchrun_environment
from tiny_trainer import FEATURE_DIM, tiny_features, tiny_objective
from torch import nn

from audiocycle.data.sampler import CropSampler
from audiocycle.errors import ConfigError, TrainingError
from audiocycle.models.translator import DomainCritic
from audiocycle.models.translators.pair import PairTranslator
from audiocycle.spec import Domain, directions
from audiocycle.training.checkpoint import checkpoints
from audiocycle.training.devices import choose_device
from audiocycle.training.distributed import ALONE, Processes
from audiocycle.training.trainer import Trainer, TrainerConfig

OPTIONS = {"batch_size": 4, "pool_size": 3, "average": 0.9, "max_gradient_norm": 0.05, "checkpoint_every": 3}


@given(size=st.integers(1, 8), count=st.integers(1, 5))
def test_shares_are_equal_and_joined_they_are_the_batch(size: int, count: int) -> None:
    batch = list(range(size * count))
    shares = [batch[Processes(rank, size).share(len(batch))] for rank in range(size)]
    assert {len(share) for share in shares} == {count}
    assert [item for share in shares for item in share] == batch


@pytest.mark.parametrize(("batch", "size"), [(3, 2), (1, 2), (8, 3)])
def test_a_batch_that_cannot_be_shared_is_refused(batch: int, size: int) -> None:
    with pytest.raises(ConfigError, match=rf"trainer.batch_size={batch}: .* set a multiple of {size}"):
        Processes(0, size).share(batch)


def test_torchrun_tells_who_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in torchrun_environment(0, 1, 1):
        monkeypatch.delenv(name, raising=False)
    assert Processes.from_environment() == ALONE
    monkeypatch.setenv("WORLD_SIZE", "4")  # by a scheduler
    assert Processes.from_environment() == ALONE
    for name, value in (torchrun_environment(5, 8, 1) | {"LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "2")
    assert Processes.from_environment() == Processes(rank=5, size=8, local_rank=1, local_size=4, restarts=2)


def test_one_process_alone_starts_nothing() -> None:
    mine = torch.tensor([1.0, 2.0])
    with ALONE.joined(torch.device("cpu")):
        assert not torch.distributed.is_initialized()
        ALONE.mean_([mine])
        ALONE.copy_first_([mine])
        ALONE.wait()
        assert ALONE.gather({"x": mine})["x"] is mine
        assert ALONE.of_first("x") == "x"
    assert mine.tolist() == [1.0, 2.0]


def test_several_processes_need_a_device_each(monkeypatch: pytest.MonkeyPatch) -> None:
    second = Processes(rank=3, size=4, local_rank=1, local_size=2)
    assert choose_device("cpu", second) == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    assert choose_device("auto", second) == torch.device("cuda", 1)
    assert choose_device("auto", ALONE) == torch.device("cuda")
    with pytest.raises(ConfigError, match=r"trainer.device=cuda:0: of 2 processes each needs a GPU"):
        choose_device("cuda:0", second)
    with pytest.raises(ConfigError, match=r"2 GPUs for 3 processes; .*--nproc-per-node=gpu"):
        choose_device("auto", replace(second, local_size=3))
    with pytest.raises(ConfigError, match="several processes train on cpu or cuda"), second.joined(torch.device("mps")):
        pass


def write_or_find(processes: Processes, file: Path) -> str:
    """The first writes a file, slowly; the others count on it."""
    with processes.one_before_others():
        if processes.first:
            time.sleep(0.2)
            file.write_text("made by the first")
        return file.read_text()


def test_one_goes_before_the_others(tmp_path: Path) -> None:
    assert together(3, write_or_find, tmp_path / "file") == ["made by the first"] * 3


def exchange(processes: Processes) -> dict[str, Any]:
    """Everything that processes tell each other."""
    rank = processes.rank
    matrix, scalar, first = torch.full((2, 3), float(rank)), torch.tensor(10.0 * rank), torch.tensor([float(rank)])
    columns = matrix.t()  # not contiguous, as gradients may be
    processes.mean_([columns, scalar])
    processes.copy_first_([first])
    whole = torch.arange(12.0).view(6, 2)
    mine = processes.share(len(whole))
    gathered = processes.gather({"float": whole[mine], "half": whole[mine].bfloat16()})
    processes.wait()
    return {
        "means": (matrix.tolist(), scalar.item()), "first": first.item(), "object": processes.of_first({"rank": rank}),
        "joined": [torch.equal(gathered["float"], whole), torch.equal(gathered["half"], whole.bfloat16())],
    }  # fmt: skip


def test_means_copies_and_joined_shares_are_the_same_everywhere() -> None:
    expected = {"means": ([[1.0] * 3] * 2, 10.0), "first": 0.0, "object": {"rank": 0}, "joined": [True, True]}
    assert together(3, exchange) == [expected] * 3


def start_again(restarts: int, port: int) -> int:
    """As torchrun starts workers: the store is its own, and outlives them. The second comes late."""
    os.environ |= {"TORCHELASTIC_USE_AGENT_STORE": "True", "TORCHELASTIC_RESTART_COUNT": str(restarts), "MASTER_PORT": str(port)}
    processes = Processes.from_environment()
    time.sleep(0.3 * processes.rank)
    with processes.joined(torch.device("cpu")):
        return processes.of_first(processes.restarts)


def test_workers_that_are_started_again_do_not_look_for_the_dead() -> None:
    store = torch.distributed.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    for restarts in (0, 1):
        assert started(2, start_again, restarts, store.port) == [restarts] * 2


def survive(processes: Processes) -> str:
    """The second process leaves without a word, and the first waits for it."""
    if processes.first:
        with pytest.raises(TrainingError) as caught:
            processes.wait()
        return str(caught.value)
    return ""


def test_a_lost_process_is_told_in_one_line() -> None:
    message = together(2, survive)[0]
    assert message.startswith("a process of this training was lost (")
    assert "resume=true" in message
    assert "\n" not in message


def layers(out: int) -> nn.Module:
    """No norms: those of crops of 16 frames blow rounding errors up to anything."""
    return nn.Sequential(nn.Conv1d(FEATURE_DIM, 6, 5, padding=2), nn.Tanh(), nn.Conv1d(6, out, 5, padding=2))


def smooth_trainer(processes: Processes, folder: Path, **options: Any) -> Trainer:
    """Each process with weights of its own at first, of which the first's are to be taken."""
    config = TrainerConfig(crop=16, device="cpu", precision="fp32", log_every=1, sample_every=0, lr=1e-3, **(OPTIONS | options))  # type: ignore[arg-type]
    torch.manual_seed(processes.rank)
    domains = (Domain("a"), Domain("b"))
    return Trainer(
        PairTranslator(directions(domains), lambda: layers(FEATURE_DIM)),
        {name: DomainCritic(domains, lambda: layers(1)) for name in ("critic", "cycle_critic")},
        tiny_objective(), CropSampler(dict(zip(domains, tiny_features(("a", "b")).values(), strict=True)), 16, config.batch_size, 0), config, folder,
        processes=processes,
    )  # fmt: skip


def train_to(processes: Processes, folder: Path, max_steps: int) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Resume if there is anything, train; all that a checkpoint holds, and what was logged."""
    log: list[dict[str, float]] = []
    trainer = smooth_trainer(processes, folder, max_steps=max_steps)
    trainer.on_log = lambda report: log.append(dict(report.values))
    trainer.resume()
    trainer.run()
    assert trainer.average is not None
    state = {
        "translator": trainer.translator.state_dict(), "critics": trainer.critics.state_dict(), "average": trainer.average.weights(),
        "pools": {f"{kind}{name}{i}": x for kind, pool in trainer.pools.items() for name, xs in pool.items.items() for i, x in enumerate(xs)},
    }  # fmt: skip
    return {f"{part}.{name}": x.numpy() for part, tensors in state.items() for name, x in tensors.items()}, log


def test_any_number_of_processes_trains_the_same_networks_and_resumes_what_another_began(tmp_path: Path) -> None:
    """To 1e-5, weights being about 0.1: the sums are the same in another order. Six steps of lr 1e-3 move a weight by 6e-3."""
    ((one, logged_one),) = together(1, train_to, tmp_path / "one", 6)
    (two, logged_two), (other, logged_other) = together(2, train_to, tmp_path / "two", 6)
    for size, steps in ((2, 3), (1, 4), (4, 6)):
        mixed, _ = together(size, train_to, tmp_path / "mixed", steps)[0]
    assert one.keys() == two.keys()
    for name, expected in one.items():
        np.testing.assert_allclose(two[name], expected, atol=1e-5, rtol=0, err_msg=name)
        np.testing.assert_allclose(mixed[name], expected, atol=1e-5, rtol=0, err_msg=name)
        np.testing.assert_array_equal(two[name], other[name], err_msg=name)
    assert [values.keys() for values in logged_one] == [values.keys() for values in logged_two]
    for expected, found in zip(logged_one, logged_two, strict=True):
        assert found == pytest.approx(expected, rel=1e-4)
        assert expected["norm/generator"] > 0.05  # so that gradients were scaled down
    assert logged_other == []
    assert [path.name for path in checkpoints(tmp_path / "mixed")] == ["step-00000004.pt", "step-00000006.pt"]


def end_early(processes: Processes, folder: Path) -> dict[str, Any]:
    """The second process is told to stop during step 2; then its data break."""
    saved: list[int] = []
    trainer = smooth_trainer(processes, folder, max_steps=50, checkpoint_every=100)
    trainer.on_checkpoint = lambda step, weights: saved.append(step)
    step = trainer.train_step

    def stopped_step(*crops: Any) -> Any:
        trainer.stopping = trainer.step == 2 and not processes.first
        return step(*crops)

    trainer.train_step = stopped_step  # type: ignore[method-assign]
    trainer.run()
    broken = trainer.sampler.batch(trainer.step)
    if not processes.first:
        broken.items[Domain("a")][:] = np.nan
    with pytest.raises(TrainingError) as caught:
        step(broken.map(lambda crops: crops[trainer.share]))
    return {"step": trainer.step, "saved": saved, "error": str(caught.value).split(" is not")[0]}


def test_all_processes_stop_at_the_same_step_and_at_the_same_nan(tmp_path: Path) -> None:
    first, second = together(2, end_early, tmp_path)
    assert first["step"] == second["step"] == 3
    assert (first["saved"], second["saved"]) == ([3], [])
    assert first["error"] == second["error"]
    assert first["error"].startswith("step 3: adversarial/a->b, cycle/a->b")
