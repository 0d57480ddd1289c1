"""What the documentation says can be typed, and the tools that make a site of it. ``make docs`` tests the rest: links, and that a build has no warnings."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "docs/tools"))

from check_site import main as check_site  # noqa: E402
from documents import LINK, by_package, included, modules, rewritten  # noqa: E402

PAGES = [ROOT / "README.md", ROOT / "docs/index.md", *sorted((ROOT / "docs/guides").glob("*.md"))]
FENCED = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands() -> list[tuple[str, list[str]]]:
    """Every call of audiocycle in the blocks of the pages: (page, its words), pipes and comments left out."""
    found = []
    for page in PAGES:
        for block in FENCED.findall(page.read_text(encoding="utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                for part in re.split(r"\s[|>]\s", line):
                    try:
                        words = shlex.split(part, comments=True)
                    except ValueError:  # Python
                        continue
                    if "torchrun" in words[:1] and "audiocycle" in words:
                        words = words[words.index("audiocycle") :]
                    if words[:1] in (["audiocycle"], [".venv/bin/audiocycle"]) and len(words) > 1:
                        found.append((page.name, words[1:]))
    return found


@cache
def options(command: str) -> set[str]:
    """What a command's help lists, but for ``train``, whose settings are Hydra's."""
    text = subprocess.run(
        [sys.executable, "-m", "audiocycle", command, "--help"], capture_output=True, text=True, check=True
    ).stdout
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text.partition("Options:")[2]))


def test_commands_in_the_documentation_have_the_options_that_they_are_given() -> None:
    shown = commands()
    assert {"convert", "train", "evaluate", "stream", "export", "models"} <= {words[0] for _, words in shown}
    for page, words in shown:
        unknown = {word for word in words[1:] if re.match(r"--?[a-z]", word)} - options(words[0])
        assert not unknown, f"{page}: audiocycle {shlex.join(words)}"


TRAININGS = sorted(
    {
        tuple(word for word in words if word not in ("-m", "--cfg"))
        for _, words in commands()
        if words[0] == "train" and "..." not in words
    }
)


@pytest.mark.parametrize("words", TRAININGS, ids=" ".join)
def test_settings_in_the_documentation_are_settings(words: tuple[str, ...]) -> None:
    single = [word for word in words if not re.match(r"hydra[./]", word)]
    single = [re.sub(r"^([\w.]+=[^\[,]*),.*", r"\1", word) for word in single]  # a sweep's first value
    printed = subprocess.run(
        [sys.executable, "-m", "audiocycle", *single, "--cfg"], capture_output=True, text=True
    )
    assert printed.returncode == 0, printed.stderr


def test_every_module_has_its_page_and_none_is_listed_by_hand(tmp_path: Path) -> None:
    package = tmp_path / "package"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text('"""All of it."""')
    (package / "__main__.py").write_text("")
    (package / "_private.py").write_text("")
    (package / "inner/__init__.py").write_text("")
    (package / "inner/thing.py").write_text('"""A thing.\n\nMore."""')
    assert modules(package) == {
        "package": "All of it.",
        "package.inner": "",
        "package.inner.thing": "A thing.",
    }
    assert by_package(modules(package)) == {"inner": ["package.inner", "package.inner.thing"]}
    for name in modules(ROOT / "audiocycle"):
        assert (ROOT / name.replace(".", "/")).with_suffix(".py").is_file() or (
            ROOT / name.replace(".", "/") / "__init__.py"
        ).is_file()


@pytest.mark.parametrize(
    ("source", "page", "link", "expected"),
    [
        ("ARCHITECTURE.md", "architecture.md", "[x](docs/security.md#a-b)", "[x](security.md#a-b)"),
        ("ARCHITECTURE.md", "architecture.md", "![x](docs/pictures/growth.png)", "![x](pictures/growth.png)"),
        (
            "docs/guides/voices.md",
            "guides/voices.md",
            "[x](../../ARCHITECTURE.md)",
            "[x](../architecture.md)",
        ),
        ("docs/guides/voices.md", "guides/voices.md", "[x](../../recipes/genre)", "[x](../recipes/genre.md)"),
        ("docs/guides/voices.md", "guides/voices.md", "[x](../index.md)", "[x](../index.md)"),
        ("docs/security.md", "security.md", "by [`the file`](../pyproject.toml).", "by `the file`."),
        ("docs/security.md", "security.md", "[x](../gone.md)", "[x](../gone.md)"),
        (
            "docs/security.md",
            "security.md",
            "[x](https://example.org/y) [z](#here)",
            "[x](https://example.org/y) [z](#here)",
        ),
        (
            "docs/security.md",
            "security.md",
            "```\n[x](../pyproject.toml)\n```",
            "```\n[x](../pyproject.toml)\n```",
        ),
    ],
)
def test_links_of_the_repository_lead_somewhere_on_the_site(
    source: str, page: str, link: str, expected: str
) -> None:
    assert rewritten(link, source, page, ROOT) == expected


def test_links_of_the_readme_lead_to_files() -> None:
    targets = [
        link["target"].partition("#")[0]
        for link in LINK.finditer((ROOT / "README.md").read_text(encoding="utf-8"))
    ]
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_documents_outside_the_folder_are_pages() -> None:
    assert included(ROOT)["recipes/genre/README.md"] == "recipes/genre.md"
    assert included(ROOT)["CHANGELOG.md"] == "changelog.md"


@pytest.mark.parametrize(
    "text",
    [
        '<script src="https://example.org/x.js"></script>',
        '<link rel="stylesheet" href="//example.org/x.css">',
        '<img srcset="x.png 1x, https://example.org/x.png 2x">',
        "<style>@font-face { src: url('https://example.org/x.woff2') }</style>",
        '<p style="background: url(http://example.org/x.png)">',
        '<div class="mermaid">graph</div>',
        '<a href="gone.html">x</a>',
        '<audio src="gone.ogg"></audio>',
        "<p>see :class:`Converter`</p>",
    ],
)
def test_a_site_that_needs_another_host_or_misses_a_file_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.png").write_bytes(b"")
    (tmp_path / "index.html").write_text(
        '<img src="x.png"> <a href="https://example.org">a link loads nothing</a>'
    )
    assert check_site(str(tmp_path)) == 0
    (tmp_path / "page.html").write_text(text)
    assert check_site(str(tmp_path)) == 1
    assert "page.html: " in capsys.readouterr().out


def test_a_style_sheet_with_another_host_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("")
    (tmp_path / "site.css").write_text("@import 'https://example.org/x.css';")
    assert check_site(str(tmp_path)) == 1
    assert check_site(str(tmp_path / "nothing")) == 1


def test_roles_become_links_and_stale_ones_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    griffe = pytest.importorskip("griffe", reason="make docs installs it")
    from roles import Roles

    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/__init__.py").write_text("")
    (tmp_path / "pkg/one.py").write_text("class One:\n    def go(self): ...\n")
    (tmp_path / "pkg/two.py").write_text(
        '"""See :class:`~pkg.one.One`, :meth:`One.go`, :func:`_hidden` and :func:`numpy.dot`; :mod:`pkg.gone`. So::\n\n    code\n\nEnd.\n"""\n'
        "from pkg.one import One\ndef _hidden(): ...\n"
    )
    package = griffe.load(
        "pkg", search_paths=[tmp_path], extensions=griffe.load_extensions(Roles()), allow_inspection=False
    )
    assert package["two"].docstring.value == (
        'See <autoref optional identifier="pkg.one.One"><code>One</code></autoref>, '
        '<autoref optional identifier="pkg.one.One.go"><code>One.go</code></autoref>, `_hidden` and `numpy.dot`; `pkg.gone`. So:\n\n    code\n\nEnd.'
    )
    assert "pkg.two: :mod:`pkg.gone` is not there" in caplog.text
