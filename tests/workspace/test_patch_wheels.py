"""The rewriting of include folders in the CMake files of the ROS wheels."""

import os

from patch_wheels import patch_text, patch_tree

EXPORTED = (
    "set_target_properties(a::a PROPERTIES\n"
    '  INTERFACE_INCLUDE_DIRECTORIES "/opt/python/cp311/include/python3.11;'
    '/opt/python/cp311/lib/python3.11/site-packages/numpy/_core/include"\n'
    ")\n"
)
EXPECTED = (
    "set_target_properties(a::a PROPERTIES\n"
    '  INTERFACE_INCLUDE_DIRECTORIES "/here/include/python3.12;/my place/numpy/include"\n'
    ")\n"
)
HERE = ("/here/include/python3.12", "/my place/numpy/include")


def test_both_include_folders_become_ours():
    assert patch_text(EXPORTED, *HERE) == EXPECTED


def test_the_folder_of_numpy_before_version_2_is_known_too():
    text = 'x "/opt/lib/python3.10/site-packages/numpy/core/include"\n'
    assert patch_text(text, *HERE) == 'x "/my place/numpy/include"\n'


def test_paths_with_spaces_are_rewritten_whole():
    text = 'x "/a b/include/python3.11;/c d/lib/python3.11/site-packages/numpy/_core/include"\n'
    assert patch_text(text, *HERE) == 'x "/here/include/python3.12;/my place/numpy/include"\n'


def test_other_paths_stay():
    text = 'x "${_IMPORT_PREFIX}/include/std_msgs;/usr/include/python3.11/extra"\n'
    assert patch_text(text, *HERE) == text


def test_the_second_run_changes_nothing(tmp_path):
    file = tmp_path / "share/std_msgs/cmake/export.cmake"
    file.parent.mkdir(parents=True)
    file.write_text(EXPORTED)
    assert patch_tree(tmp_path, *HERE) == [file]
    assert patch_tree(tmp_path, *HERE) == []
    assert file.read_text() == EXPECTED


def test_a_file_shared_with_the_cache_of_the_installer_is_replaced_not_edited(tmp_path):
    cached = tmp_path / "cache.cmake"
    cached.write_text(EXPORTED)
    file = tmp_path / "share/std_msgs/cmake/export.cmake"
    file.parent.mkdir(parents=True)
    os.link(cached, file)
    patch_tree(tmp_path, *HERE)
    assert cached.read_text() == EXPORTED
    assert list(file.parent.iterdir()) == [file]
