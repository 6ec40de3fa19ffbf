"""Our Java sources become jars once, wherever they, the cache and the jars that they need are."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from fraudstream.core.errors import ArtifactError
from fraudstream.runtime.parts import artifacts, jvm_libraries
from fraudstream.runtime.parts.jvm_libraries import LIBRARIES, Library, ensure, sources, sources_folder

GREETING = "package fraudstream.greeting;\n\npublic record Greeting(String name) {\n}\n"
USE = """package fraudstream.use;

import fraudstream.greeting.Greeting;

final class Use {
    Greeting it = new Greeting("you");
}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of sources with two rooms, and a cache of its own that has the compiler."""
    (compiler,) = artifacts.ensure("compiler")
    cache = tmp_path / "ca[che] #1"
    place = cache / compiler.relative_to(artifacts.cache_dir())
    place.parent.mkdir(parents=True)
    place.symlink_to(compiler)
    monkeypatch.setenv(artifacts.CACHE_VARIABLE, str(cache))
    folder = tmp_path / "jvm"
    for room, name, text in (("greeting", "Greeting", GREETING), ("use", "Use", USE)):
        (folder / "fraudstream" / room).mkdir(parents=True)
        (folder / "fraudstream" / room / f"{name}.java").write_text(text, "utf-8")
    monkeypatch.setattr(jvm_libraries, "sources_folder", lambda: folder)
    return folder


def library(name: str, *jars: Path, made_for: str = "1") -> Library:
    return Library(name, (name,), lambda: jars, lambda: made_for)


def entries(jar: Path) -> list[str]:
    with zipfile.ZipFile(jar) as packed:
        return packed.namelist()


def test_the_sources_are_found_in_a_clone_and_every_room_has_some(project_root: Path) -> None:
    assert sources_folder() == project_root / "services" / "jvm"
    rooms = {file.parent for java_library in LIBRARIES.values() for file in sources(java_library)}
    assert rooms == {file.parent for file in (sources_folder() / "fraudstream").rglob("*.java")}
    assert rooms == {
        sources_folder() / "fraudstream" / room for java_library in LIBRARIES.values() for room in java_library.rooms
    }


def test_a_library_is_compiled_once_from_odd_folders_against_jars_in_others(root: Path, tmp_path: Path) -> None:
    greeting = ensure(library("greeting"))
    assert entries(greeting) == ["fraudstream/greeting/Greeting.class"]
    odd = tmp_path / "o'dd [~x];b" / "greeting.jar"
    odd.parent.mkdir()
    greeting.rename(odd)
    use = ensure(library("use", odd))
    assert "fraudstream/use/Use.class" in entries(use)
    written_at = use.stat().st_mtime_ns
    assert ensure(library("use", odd)) == use
    assert use.stat().st_mtime_ns == written_at


def test_other_sources_or_another_class_path_make_another_jar(root: Path) -> None:
    first = ensure(library("greeting"))
    assert ensure(library("greeting", made_for="2")) != first
    (root / "fraudstream" / "greeting" / "Greeting.java").write_text(GREETING.replace("name", "called"), "utf-8")
    assert ensure(library("greeting")) != first


def test_the_same_sources_make_the_same_bytes(root: Path) -> None:
    jar = ensure(library("greeting"))
    kept = jar.read_bytes()
    jar.unlink()
    assert ensure(library("greeting")).read_bytes() == kept


def test_what_does_not_compile_is_told_with_the_compilers_words(root: Path) -> None:
    (root / "fraudstream" / "greeting" / "Greeting.java").write_text(
        "package fraudstream.greeting;\nclass Greeting {", "utf-8"
    )
    with pytest.raises(ArtifactError, match=r"(?s)greeting could not be compiled: .*Syntax error"):
        ensure(library("greeting"))


def test_no_sources_are_told(root: Path) -> None:
    with pytest.raises(ArtifactError, match="holds no Java sources"):
        ensure(library("nowhere"))
