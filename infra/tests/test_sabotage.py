"""What `make sabotage` breaks is still there to be broken: it runs too long to be run with every change."""

from __future__ import annotations

import pytest
import sabotage


@pytest.mark.parametrize("name", sabotage.SABOTAGES)
def test_what_is_to_be_broken_is_in_its_file_once(name):
    entry = sabotage.SABOTAGES[name]
    assert (sabotage.ROOT / entry.file).read_text().count(entry.before) == 1
    assert entry.after != entry.before
