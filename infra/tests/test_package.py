"""Packages for Lambda: what a binary asks for is read from the binary, and the manifest speaks of what is there."""

from __future__ import annotations

import json
import struct

import pytest

import glibc
import manifest
import packages
from failure import Failure
from settings import FUNCTIONS, ROOT

X86_64, ARM64, RISC_V = 0x3E, 0xB7, 0xF3
BASE = 0x400000

# Of the ELF specification, 64 bit, little-endian: (tag, value) in the dynamic section, and the types of sections.
HEADER = struct.Struct("<16sHHIQQQIHHHHHH")
SEGMENT = struct.Struct("<IIQQQQQQ")
SECTION = struct.Struct("<IIQQQQIIQQ")
DYNAMIC = struct.Struct("<qQ")
NEED = struct.Struct("<HHIII")
NEED_VERSION = struct.Struct("<IHHII")
LOAD, DYNAMIC_SEGMENT = 1, 2
END, NEEDED, STRING_TABLE, NEEDS = 0, 1, 5, 0x6FFFFFFE
STRINGS_SECTION, DYNAMIC_SECTION, NEEDS_SECTION = 3, 6, 0x6FFFFFFE


def binary(versions=("GLIBC_2.17", "GLIBC_2.34"), libraries=("libc.so.6",), machine=X86_64, has_sections=True):
    """The smallest ELF file that asks for these: a header, two segments, what they lead to, and its sections."""
    strings, places = b"\0", {}
    for name in (*libraries, *versions):
        places[name] = len(strings)
        strings += name.encode() + b"\0"
    needs = NEED.pack(1, len(versions), places[libraries[0]], NEED.size, 0)
    for number, name in enumerate(versions, 1):
        needs += NEED_VERSION.pack(0, 0, number, places[name], NEED_VERSION.size if number < len(versions) else 0)
    strings_at = HEADER.size + 2 * SEGMENT.size
    needs_at = strings_at + len(strings)
    tags = [(NEEDED, places[name]) for name in libraries]
    tags += [(STRING_TABLE, BASE + strings_at), (NEEDS, BASE + needs_at), (END, 0)]
    dynamic, at = b"".join(DYNAMIC.pack(*tag) for tag in tags), needs_at + len(needs)
    size = at + len(dynamic)

    def section(kind, place, length, link, info=0):
        return SECTION.pack(0, kind, 0, BASE + place, place, length, link, info, 1, 0)

    sections = [
        bytes(SECTION.size),
        section(STRINGS_SECTION, strings_at, len(strings), 0),
        section(NEEDS_SECTION, needs_at, len(needs), 1, 1),
        section(DYNAMIC_SECTION, at, len(dynamic), 1),
    ]
    if not has_sections:
        sections = []
    head = HEADER.pack(
        b"\x7fELF\x02\x01\x01",
        3,
        machine,
        1,
        0,
        HEADER.size,
        size if sections else 0,
        0,
        HEADER.size,
        SEGMENT.size,
        2,
        SECTION.size,
        len(sections),
        1 if sections else 0,
    )
    head += SEGMENT.pack(LOAD, 5, 0, BASE, BASE, size, size, 1)
    head += SEGMENT.pack(DYNAMIC_SEGMENT, 6, at, BASE + at, BASE + at, len(dynamic), len(dynamic), 8)
    return head + strings + needs + dynamic + b"".join(sections)


def test_what_a_binary_asks_for_is_read_from_it():
    wants = glibc.read(binary(("GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.9"), ("libc.so.6", "libm.so.6"), ARM64))
    assert wants == glibc.Wants("arm64", ("libc.so.6", "libm.so.6"), ("GLIBC_2.2.5", "GLIBC_2.17", "GLIBC_2.9"))
    # Numbers, not text: 2.9 is older than 2.17.
    assert wants.glibc == (2, 17)


def test_what_a_linker_made_is_read():
    made = glibc.read((ROOT / "target" / "debug" / FUNCTIONS[0]).read_bytes())
    assert made.machine in ("x86_64", "arm64")
    assert "libc.so.6" in made.libraries
    assert made.glibc >= (2, 17)


@pytest.mark.parametrize("version", ["GLIBC_2.2.5", "GLIBC_2.34", "GLIBC_PRIVATE"])
def test_what_lambda_has_may_be_asked_for(version):
    assert glibc.refusal(glibc.read(binary((version,))), "x86_64") is None


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (binary(("GLIBC_2.17", "GLIBC_2.35")), "GLIBC_2.35"),
        (binary(("GLIBC_3.0",)), "GLIBC_3.0"),
        (binary(libraries=("libc.so.6", "libssl.so.3")), "libssl.so.3"),
        (binary(machine=ARM64), "arm64"),
        (binary(machine=RISC_V), "EM_RISCV"),
    ],
)
def test_what_lambda_does_not_have_is_refused_by_name(tmp_path, content, said):
    path = tmp_path / "a-function"
    path.write_bytes(content)
    with pytest.raises(Failure, match=f"^a-function .*{said}"):
        glibc.check(path, "x86_64")


def without_an_end():
    """Its dynamic section ends in a tag that is none."""
    content, end = binary(), DYNAMIC.pack(END, 0)
    return content[: content.rindex(end)] + content[content.rindex(end) + len(end) :]


NO_BINARIES = [b"", b"#!/bin/sh\n", binary(has_sections=False), without_an_end()]


@pytest.mark.parametrize("content", NO_BINARIES + [binary()[:length] for length in range(1, len(binary()), 7)])
def test_what_is_no_whole_binary_is_a_failure_and_no_fault(tmp_path, content):
    path = tmp_path / "a-function"
    path.write_bytes(content)
    with pytest.raises(Failure):
        glibc.check(path, "x86_64")


@pytest.fixture
def sources(tmp_path):
    root = tmp_path / "sources"
    for name in manifest.SOURCES:
        place = root / name
        if name in ("shared", "functions"):
            place = place / "src" / "main.rs"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(name)
    return root


@pytest.fixture
def packaged(tmp_path, sources):
    directory = tmp_path / "arm64"
    directory.mkdir()
    found = {}
    for name in FUNCTIONS:
        path = directory / f"{name}.zip"
        path.write_bytes(name.encode())
        found[name] = manifest.Package(manifest.digest_of(path), path.stat().st_size, "2.34")
    manifest.Manifest("arm64", "rustc", manifest.sources(sources), found).write(directory)
    return directory


def test_what_was_packaged_is_what_is_deployed(packaged, sources):
    build = manifest.verified(packaged, sources).build(packaged)
    assert build.packages == {name: packaged / f"{name}.zip" for name in FUNCTIONS}
    assert build.prefix.startswith(packages.BUILDS)
    # Another package is another prefix.
    other = manifest.read(packaged)
    other.packages[FUNCTIONS[0]] = manifest.Package("0" * 64, 1, "2.34")
    assert other.build(packaged).prefix != build.prefix


def tampered(packaged, _):
    (packaged / f"{FUNCTIONS[3]}.zip").write_bytes(b"something else")


def lost(packaged, _):
    (packaged / f"{FUNCTIONS[3]}.zip").unlink()


def without_a_function(packaged, _):
    content = json.loads((packaged / manifest.NAME).read_text())
    del content["packages"][FUNCTIONS[3]]
    (packaged / manifest.NAME).write_text(json.dumps(content))


def for_another_processor(packaged, _):
    content = json.loads((packaged / manifest.NAME).read_text())
    (packaged / manifest.NAME).write_text(json.dumps(content | {"architecture": "x86_64"}))


def unreadable(packaged, _):
    (packaged / manifest.NAME).write_text('{"packages": {"public-capture": {}}}')


def missing(packaged, _):
    (packaged / manifest.NAME).unlink()


def changed(_, sources):
    (sources / "shared" / "src" / "main.rs").write_text("fn main() {}")


def added(_, sources):
    (sources / "functions" / "src" / "more.rs").write_text("")


@pytest.mark.parametrize(
    "happens",
    [tampered, lost, without_a_function, for_another_processor, unreadable, missing, changed, added],
)
def test_what_is_not_as_it_was_packaged_is_not_deployed(packaged, sources, happens):
    manifest.verified(packaged, sources)
    happens(packaged, sources)
    with pytest.raises(Failure, match="make package ARCH=arm64"):
        manifest.verified(packaged, sources)


def test_tests_and_what_a_build_leaves_are_no_sources(packaged, sources):
    for name in ("shared/tests/a.rs", "shared/fuzz/corpus/x", "target/release/a", "README.md"):
        path = sources / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("other")
    manifest.verified(packaged, sources)


def test_a_zip_is_the_same_whoever_makes_it_and_when(tmp_path):
    made = []
    for number, mode in enumerate((0o755, 0o600)):
        source, target = tmp_path / f"binary-{number}", tmp_path / f"{number}.zip"
        source.write_bytes(b"the same" * 1000)
        source.chmod(mode)
        packages.make_zip(source, target, packages.SMALLEST)
        made.append(target.read_bytes())
    assert made[0] == made[1]
