"""What a binary asks of the machine that runs it: processor, libraries, and of glibc which versions.

Read from the file itself, so that it can be asked on any machine and for any other.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from elftools.common.exceptions import ELFError
from elftools.elf.elffile import ELFFile

from failure import Failure

# Lambda's provided.al2023.
NEWEST_GLIBC = (2, 34)
# Of glibc itself: what else is on Lambda's machine is nobody's promise.
LIBRARIES = re.compile(
    r"^(libc\.so\.6|libm\.so\.6|libdl\.so\.2|librt\.so\.1|libpthread\.so\.0|ld-linux-[a-z0-9-]+\.so\.\d)$"
)
MACHINES = {"EM_X86_64": "x86_64", "EM_AARCH64": "arm64"}


@dataclass(frozen=True)
class Wants:
    machine: str
    libraries: tuple[str, ...]
    # As `GLIBC_2.34`, from whichever library.
    versions: tuple[str, ...]

    @property
    def glibc(self) -> tuple[int, ...]:
        """The newest version of glibc that it asks for."""
        numbers = [name.removeprefix("GLIBC_").split(".") for name in self.versions if re.match(r"GLIBC_\d", name)]
        return max((tuple(int(part) for part in number) for number in numbers), default=(0,))


def read(content: bytes) -> Wants:
    """Raises a Failure for whatever is no such file."""
    try:
        return _read(ELFFile(BytesIO(content)))
    except (ELFError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise Failure(f"it is no readable ELF file ({error or type(error).__name__})") from error


def check(binary: Path, architecture: str) -> Wants:
    """What it wants, once it is certain that Lambda has it."""
    try:
        wants = read(binary.read_bytes())
    except Failure as failure:
        raise Failure(f"{binary.name}: {failure}") from failure
    problem = refusal(wants, architecture)
    if problem:
        raise Failure(f"{binary.name} {problem}")
    return wants


def refusal(wants: Wants, architecture: str) -> str | None:
    """Why Lambda could not run it, if so."""
    if wants.machine != architecture:
        return f"is for {wants.machine}, and was to be for {architecture}"
    strange = [name for name in wants.libraries if not LIBRARIES.match(name)]
    if strange:
        return f"asks for {', '.join(strange)}, which Lambda's provided.al2023 does not promise"
    if wants.glibc > NEWEST_GLIBC:
        newest = [name for name in wants.versions if name == "GLIBC_" + _dotted(wants.glibc)]
        return f"asks for {newest[0]}; Lambda's provided.al2023 has glibc {_dotted(NEWEST_GLIBC)}"
    return None


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


def _read(elf: ELFFile) -> Wants:
    machine = elf["e_machine"]
    tags = [tag for segment in elf.iter_segments("PT_DYNAMIC") for tag in segment.iter_tags()]
    libraries = tuple(tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED")
    versions = tuple(
        asked.name
        for section in elf.iter_sections("SHT_GNU_verneed")
        for _, of_library in section.iter_versions()
        for asked in of_library
    )
    if not versions and any(tag.entry.d_tag == "DT_VERNEED" for tag in tags):
        raise ELFError("it asks for versions and does not say where they stand")
    return Wants(MACHINES.get(machine, str(machine)), libraries, versions)
