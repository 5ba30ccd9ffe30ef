"""Where the browser comes from: found, installed or missed. The machine that it is looked for on is made up."""

from __future__ import annotations

import pytest
from chromium import Missing, find, find_or_install


class Machine:
    """A directory of programs as the only PATH. They write down what they were called with."""

    def __init__(self, directory):
        self._directory = directory
        self._calls = directory / "calls"

    def has(self, name, script=":"):
        program = self._directory / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> "{self._calls}"\n{script}\n')
        program.chmod(0o755)
        return str(program)

    def has_apt(self, *, that_works=True):
        browser = self._directory / "chromium"
        # `:` and redirections only: there is no other program on this machine.
        makes_it = f'for word; do [ "$word" != install ] || echo "#!/bin/sh" > "{browser}"; done'
        self.has("apt-get", makes_it if that_works else "echo no network; exit 100")

    def has_sudo(self, *, passwordless):
        self.has("sudo", 'shift; "$@"' if passwordless else "exit 1")
        self.has("true")

    @property
    def calls(self):
        return self._calls.read_text().splitlines() if self._calls.exists() else []

    def environment(self, **more):
        return {"PATH": str(self._directory), **more}

    def browser_is_usable(self):
        (self._directory / "chromium").chmod(0o755)


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("name", ["chromium", "chromium-browser", "google-chrome"])
def test_it_is_found_under_any_of_its_names(machine, name):
    program = machine.has(name)
    machine.has_apt()
    assert find_or_install(machine.environment(), is_root=True) == program
    assert machine.calls == []


def test_the_one_that_is_named_goes_before(machine):
    machine.has("chromium")
    named = machine.has("my-own-chrome")
    assert find(machine.environment(CHROMIUM=named)) == named


def test_one_that_is_named_and_is_none_is_an_error_even_where_it_could_be_installed(machine):
    machine.has_apt()
    machine.has("chromium")
    with pytest.raises(Missing, match="/nowhere/chrome, which is no program"):
        find_or_install(machine.environment(CHROMIUM="/nowhere/chrome"), is_root=True)
    assert machine.calls == []


INSTALL = "apt-get -qq install --yes --no-install-recommends chromium fonts-dejavu-core fonts-liberation"


@pytest.mark.parametrize("is_root", [True, False])
def test_it_is_installed_where_that_is_allowed(machine, is_root, monkeypatch):
    machine.has_apt()
    machine.has_sudo(passwordless=True)
    # The stand-in for apt-get cannot set a file's mode by itself.
    monkeypatch.setattr("chromium.find", _finding_after(machine))
    assert find_or_install(machine.environment(), is_root=is_root).endswith("/chromium")
    steps = [call for call in machine.calls if call.startswith("apt-get")]
    assert steps == ["apt-get -qq update", INSTALL]
    sudo = [call for call in machine.calls if call.startswith("sudo")]
    assert sudo == ([] if is_root else ["sudo -n true", "sudo -n apt-get -qq update", f"sudo -n {INSTALL}"])


def _finding_after(machine):
    def look(environment):
        if machine.calls:
            machine.browser_is_usable()
        return find(environment)

    return look


MISSED = {
    "no apt-get": (lambda machine: None, "there is no apt-get"),
    "no sudo": (lambda machine: machine.has_apt(), "sudo apt-get install chromium"),
    "sudo asks": (
        lambda machine: (machine.has_apt(), machine.has_sudo(passwordless=False)),
        "sudo apt-get install chromium",
    ),
    "apt-get fails": (
        lambda machine: (machine.has_apt(that_works=False), machine.has_sudo(passwordless=True)),
        "apt-get update failed: no network",
    ),
}


@pytest.mark.parametrize("case", MISSED.values(), ids=MISSED.keys())
def test_what_is_missing_is_said_in_a_line(machine, case):
    prepare, said = case
    prepare(machine)
    with pytest.raises(Missing, match=said) as missing:
        find_or_install(machine.environment(), is_root=False)
    assert "\n" not in str(missing.value)
