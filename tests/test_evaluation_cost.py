"""What an evaluation costs: operations, and energy as the libraries tell it, which stand here as small copies of their interfaces."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from simpy_eval.cost import Meter, operations
from simpy_eval.markdown import report_as_markdown

CODECARBON = """
class CPU: _mode = {mode!r}
class GPU: _mode = ""
class Data:
    energy_consumed, ram_energy = 0.5, {ram}
class OfflineEmissionsTracker:
    _hardware = [CPU(), GPU()]
    final_emissions_data = Data()
    def __init__(self, **options): assert options["save_to_file"] is False
    def start(self): pass
    def stop(self): pass
"""
ZEUS = """
class Measured: total_energy = 12.5
class ZeusMonitor:
    def begin_window(self, name): self.name = name
    def end_window(self, name):
        assert name == self.name
        return Measured()
"""


@pytest.fixture(autouse=True)
def _libraries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in ("codecarbon", "zeus")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "zeus").mkdir()
    (tmp_path / "zeus" / "__init__.py").write_text("")
    (tmp_path / "zeus" / "monitor.py").write_text(ZEUS)


@pytest.mark.parametrize(
    ("mode", "ram", "assumed"),
    [
        ("intel_rapl", 0.0, ""),
        ("constant", 0.0, "CPU: constant"),
        ("cpu_load", 0.1, "CPU: cpu_load, RAM: a constant power"),
    ],
)
def test_codecarbon_says_what_is_assumed(mode: str, ram: float, assumed: str, tmp_path: Path) -> None:
    (tmp_path / "codecarbon.py").write_text(CODECARBON.format(mode=mode, ram=ram))
    with Meter(watts=100) as meter:
        pass
    assert meter.energy == (0.5 * 3_600_000, "codecarbon", assumed)
    assert meter.described()["energy"]["joules"] == 1_800_000


def test_zeus_measures_a_gpu() -> None:
    with Meter(on_gpu=True) as meter:
        pass
    assert meter.energy == (12.5, "zeus", "")


def test_a_constant_power_is_marked_as_assumed() -> None:
    with Meter(watts=100, libraries=()) as meter:
        pass
    assert meter.energy is not None and meter.energy.joules == 100 * meter.seconds and meter.energy.assumed
    with Meter(libraries=()) as nobody:
        pass
    assert nobody.energy is None
    part = {"items": [], "refused": [], "summary": {}, "cost": {"tokens": 0, "operations": operations(7, 3)}}
    model = {"name": "a`<m>\x1b", "dialect": "classic", "parameters": 7, "vocabulary": 3, "type": "float32"}
    settings = {"sampling": {"max_tokens": 1, "temperature": 0, "seed": 0}}
    page = report_as_markdown({"model": model, "settings": settings, "programs": part, "measured": {"programs": meter.described()}})
    assert "**power assumed**" in page and "Power assumed instead of measured: programs: 100 W of the whole machine." in page
    assert "| programs | 0 | 42 |" in page and page.startswith("# a'&lt;m>\\x1b\n")
