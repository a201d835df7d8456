"""Every family of attacks of the study has a test, and a twin that is read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.saving.attacks.test_attacks import ATTACKS

TESTS = Path(__file__).parents[2]
COUNTS = {"X": 18, "R": 14, "W": 11, "D": 22, "B": 11}
FAMILIES = {
    f"{kind}{i:02}" for kind, count in COUNTS.items() for i in range(1, count + 1)
}
OF_SERVERS = {"R14"}  # names of models that a server is asked for: there is none

# Families that are not files of models, or not one by one; and the tests of each.
ELSEWHERE = {
    "X05": "saving/attacks/test_slots.py::test_a_slot_takes_its_own_objects_alone",
    "X12": "saving/attacks/test_readers.py::test_an_array_of_objects_is_not_unpickled",
    "X13": "datasets/test_loading.py::test_a_pickle_runs_no_code",
    "X14": "saving/attacks/test_slots.py::test_a_pickled_model_brings_no_lambda",
    "X16": "saving/attacks/test_slots.py::test_there_is_no_reader_of_yaml",
    "X18": "export/test_hostile_onnx.py::test_python_is_not_run",
    "R12": "export/test_hostile_onnx.py::test_a_file_elsewhere_is_not_opened",
    "R13": "utils/test_folders.py::test_links_are_followed_only_if_wanted",
    "W06": "datasets/test_archives.py::test_neither_links_nor_devices_are_made",
    "W08": "datasets/test_downloads.py::test_a_file_must_have_a_name",
    "W10": "saving/attacks/test_readers.py::test_a_tag_is_no_path",
    "W11": "saving/attacks/test_slots.py::test_a_planted_link_is_not_written_through",
    "D18": "datasets/test_archives.py::test_a_tar_file_does_not_lead_backward",
    "D20": "saving/attacks/test_readers.py::test_a_record_is_no_longer_than_its_file",
    "D21": "saving/attacks/test_readers.py::test_an_image_of_huge_size_is_refused",
    "B01": "saving/attacks/test_bits.py::test_a_file_cut_short_is_refused",
    "B02": "saving/attacks/test_bits.py::test_a_changed_bit_changes_no_weight",
}


def test_every_family_has_a_test() -> None:
    here = {attack.family for attack in ATTACKS}
    assert here | ELSEWHERE.keys() == FAMILIES - OF_SERVERS
    assert len(FAMILIES) == 76


@pytest.mark.parametrize("family", ELSEWHERE)
def test_the_test_is_there(family: str) -> None:
    file, name = ELSEWHERE[family].split("::")
    assert re.search(rf"^def {name}\(", (TESTS / file).read_text(), re.MULTILINE)
