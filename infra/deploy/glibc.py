"""What a binary asks of the machine that runs it: processor, libraries, and of glibc which versions.

Read from the file itself (64 bit ELF, little-endian), so that it can be asked on any machine and for any other.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

from failure import Failure

# Lambda's provided.al2023.
NEWEST_GLIBC = (2, 34)
# Of glibc itself: what else is on Lambda's machine is nobody's promise.
LIBRARIES = re.compile(
    r"^(libc\.so\.6|libm\.so\.6|libdl\.so\.2|librt\.so\.1|libpthread\.so\.0|ld-linux-[a-z0-9-]+\.so\.\d)$"
)
MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}

HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
DYNAMIC = struct.Struct("<qQ")
NEED = struct.Struct("<HHIII")
NEED_VERSION = struct.Struct("<IHHII")
LOAD, DYNAMIC_SEGMENT = 1, 2
END, NEEDED, STRINGS, NEEDS = 0, 1, 5, 0x6FFFFFFE


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
        return _read(content)
    except (struct.error, IndexError, StopIteration, ValueError) as error:
        raise Failure(f"it is no readable 64 bit ELF file ({error or type(error).__name__})") from error


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


def _read(content: bytes) -> Wants:
    if content[:6] != b"\x7fELF\x02\x01":
        raise ValueError("its first bytes are others")
    head = HEADER.unpack_from(content)
    machine, at, size, count = head[2], head[5], head[9], head[10]
    segments = [SEGMENT.unpack_from(content, at + number * size) for number in range(count)]
    loaded = [(entry[3], entry[2], entry[5]) for entry in segments if entry[0] == LOAD]

    def offset(address: int) -> int:
        """Where in the file stands what is loaded there."""
        return next(place + address - begin for begin, place, length in loaded if begin <= address < begin + length)

    tags = [tag for entry in segments if entry[0] == DYNAMIC_SEGMENT for tag in _tags(content, entry[2], entry[5])]
    one = dict(tags)
    named = MACHINES.get(machine, f"machine {machine:#x}")
    if STRINGS not in one:
        # Everything is in it.
        return Wants(named, (), ())
    strings = offset(one[STRINGS])

    def text(place: int) -> str:
        begin = strings + place
        return content[begin : content.index(b"\0", begin)].decode("ascii")

    libraries = tuple(text(value) for tag, value in tags if tag == NEEDED)
    versions = tuple(text(place) for place in _versions(content, offset(one[NEEDS]))) if NEEDS in one else ()
    return Wants(named, libraries, versions)


def _tags(content: bytes, at: int, length: int) -> list[tuple[int, int]]:
    found = []
    for place in range(at, at + length, DYNAMIC.size):
        tag, value = DYNAMIC.unpack_from(content, place)
        if tag == END:
            break
        found.append((tag, value))
    return found


def _versions(content: bytes, at: int) -> list[int]:
    """Where the names of the versions stand: a chain of libraries, each with a chain of versions."""
    found = []
    while True:
        _, _, _, first, following = NEED.unpack_from(content, at)
        place = at + first
        while True:
            _, _, _, name, step = NEED_VERSION.unpack_from(content, place)
            found.append(name)
            if not step:
                break
            place += step
        if not following:
            return found
        at += following
