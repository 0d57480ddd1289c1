"""Where models are found, and in which order."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from tiny_bundle import tiny_bundle

from audiocycle.bundles import library
from audiocycle.bundles.library import find_for_target, installed_models, locate, model_folders
from audiocycle.errors import BundleError, ConfigError, DomainError


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("made") / "tiny")


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Empty model folders: ./models, the user's, the package's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AUDIOCYCLE_MODELS", str(tmp_path / "users"))
    monkeypatch.setattr(library, "__file__", str(tmp_path / "package/bundles/library.py"))
    return {"here": tmp_path / "models", "users": tmp_path / "users", "package": tmp_path / "package/pretrained"}


def test_folders_are_searched_from_here_to_the_package(folders: dict[str, Path]) -> None:
    assert [folder.resolve() for folder in model_folders()] == list(folders.values())


def test_the_users_folder_has_a_place_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("AUDIOCYCLE_MODELS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert model_folders()[1] == tmp_path / "audiocycle" / "models"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    assert model_folders()[1].parts[-4:] == (".local", "share", "audiocycle", "models")


def test_the_first_folder_wins(folders: dict[str, Path], bundle: Path) -> None:
    for name in ("package", "users", "here"):
        shutil.copytree(bundle, folders[name] / "tiny")
        assert find_for_target("ben")[0].path.resolve() == folders[name] / "tiny"
        assert locate("tiny").resolve() == folders[name] / "tiny"
    assert len(list(installed_models())) == 3


def test_what_is_no_bundle_is_passed_over(folders: dict[str, Path], bundle: Path) -> None:
    damaged = folders["here"] / "damaged"
    damaged.mkdir(parents=True)
    (damaged / "config.json").write_text("{")
    (folders["here"] / "file").write_text("")
    (folders["here"] / "empty").mkdir()
    shutil.copytree(bundle, folders["users"] / "tiny")
    assert [model.path for model in installed_models()] == [folders["users"] / "tiny"]


def test_an_unknown_target_lists_what_is_known(folders: dict[str, Path], bundle: Path) -> None:
    with pytest.raises(DomainError, match="no model is installed"):
        find_for_target("zoe")
    shutil.copytree(bundle, folders["users"] / "tiny")
    with pytest.raises(DomainError, match=r"no installed model converts to 'zoe' \(tiny: anna, ben\).*`model=BUNDLE`"):
        find_for_target("zoe")


def test_a_path_needs_no_installation(folders: dict[str, Path], bundle: Path) -> None:
    assert locate(bundle) == bundle
    assert locate(str(bundle)) == bundle
    assert locate(bundle / "config.json") == bundle


def test_a_model_is_found_by_its_name_or_its_folders(folders: dict[str, Path], bundle: Path) -> None:
    shutil.copytree(bundle, folders["users"] / "renamed")
    assert locate("tiny") == locate("renamed") == folders["users"] / "renamed"


def test_an_unknown_model_lists_the_installed_ones(folders: dict[str, Path], bundle: Path) -> None:
    shutil.copytree(bundle, folders["users"] / "tiny")
    with pytest.raises(BundleError, match="nothing: no such bundle here; installed models: tiny"):
        locate("nothing")


@pytest.mark.parametrize("revision", [None, "v1", "0123abcd"])
def test_what_is_asked_for_on_the_hub_is_downloaded_and_said(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, bundle: Path, capsys: pytest.CaptureFixture[str], revision: str | None
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda hub_id, **options: asked.append((hub_id, options)) or str(bundle))
    name = "hf:somebody/a-model" + (f"@{revision}" if revision else "")
    assert locate(name) == locate(Path(name)) == bundle
    assert asked[0] == asked[1] == (
        "somebody/a-model",
        {"revision": revision, "allow_patterns": ["config.json", "model.safetensors", "README.md", "*.onnx"]},
    )
    first, second = capsys.readouterr().err.splitlines()[:2]
    assert first == f"{name}: from the model hub"
    assert second.startswith("hf:somebody/a-model@tiny: 3 files, 0.")  # the folder's name is the commit
    assert second.endswith(f"MB, in {bundle}")


def test_a_hub_that_cannot_be_reached_is_one_line(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(hub_id: str, **options: Any) -> str:
        raise OSError("no network\nwith details")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(BundleError) as error:
        locate("hf:somebody/a-model")
    assert "no network" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["./no/bundle", "a/b/c", "/no/bundle", "../bundle", "runs/anna", "somebody/a-model", "hf"])
def test_a_path_is_never_taken_for_a_hub_id(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: pytest.fail("went to the hub"))
    with pytest.raises(BundleError, match="no such bundle here"):
        locate(name)


def test_a_mistyped_path_says_how_the_hub_would_be_asked(folders: dict[str, Path]) -> None:
    with pytest.raises(BundleError, match=r"runs/anna: no such bundle here; installed models: none; on the model hub\? write hf:owner/name"):
        locate("runs/anna")


@pytest.mark.parametrize("name", ["hf:", "hf:anna", "hf:a/b/c", "hf:a/b@", "hf:a/b@-x", "hf:a/b@x/../y", "hf:../b", "hf:a/b@c d", "hf:a/b\n"])
def test_what_is_no_hub_id_is_refused(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: pytest.fail("went to the hub"))
    with pytest.raises(ConfigError, match="not a model on the hub; write hf:owner/name"):
        locate(name)
