"""The list of folders that a node shares."""

from __future__ import annotations

from pathlib import Path

import pytest

from mesh.files.settings import SETTINGS_FILE, FolderSettings, add_folder, load_folders, remove_folder
from shared.errors import SettingsInvalid
from tests.support.file_nodes import node_key


def test_what_was_added_is_on_the_list(tmp_path: Path) -> None:
    assert load_folders(tmp_path) == []
    members = frozenset({node_key(0).public.id, node_key(1).public.id})
    papers = FolderSettings("papers", tmp_path / "papers", members, receive_only=True, keep=0, keep_days=1)
    models = FolderSettings("models", tmp_path / "models")
    add_folder(tmp_path, papers)
    add_folder(tmp_path, models)
    assert load_folders(tmp_path) == [papers, models]

    again = FolderSettings("papers", tmp_path / "papers")
    add_folder(tmp_path, again)
    assert load_folders(tmp_path) == [models, again]

    remove_folder(tmp_path, "models")
    assert load_folders(tmp_path) == [again]
    with pytest.raises(SettingsInvalid, match="No folder is shared here as models"):
        remove_folder(tmp_path, "models")


@pytest.mark.parametrize("inner", ["papers", "papers/inside", "."])
def test_folders_do_not_lie_in_one_another(tmp_path: Path, inner: str) -> None:
    add_folder(tmp_path / "home", FolderSettings("papers", tmp_path / "papers"))
    with pytest.raises(SettingsInvalid, match="lie in one another"):
        add_folder(tmp_path / "home", FolderSettings("other", tmp_path / inner))


@pytest.mark.parametrize("folder_id", ["", "Papers", "../x", "a" * 49, "-a", "a b"])
def test_an_id_that_others_could_not_have_is_refused(tmp_path: Path, folder_id: str) -> None:
    with pytest.raises(SettingsInvalid):
        FolderSettings(folder_id, tmp_path)


def test_a_path_that_depends_on_where_the_node_runs_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match="absolute"):
        FolderSettings("papers", Path("papers"))


@pytest.mark.parametrize(
    "text",
    ["", "{", "{}", "[1]", '[{"id": "a"}]', '[{"id":"a","path":"/a","members":["x"],"receive_only":false}]'],
)
def test_a_list_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / SETTINGS_FILE).write_text(text)
    with pytest.raises(SettingsInvalid, match="cannot be read"):
        load_folders(tmp_path)
