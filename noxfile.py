"""The matrix over releases of torch: ``nox --list`` shows the sessions.

``nox -s 'specification(2.13.0)'`` runs one. Each leaves its report in reports/, to be read, compared, or
stored in docs/compatibility: ``python -m fixtures.releases.compatibility reports/*[0-9]``.
"""

import shutil
import sys
from pathlib import Path

import nox

sys.path.insert(0, str(Path(__file__).parent))

from fixtures.releases.supported import RELEASES

# What makes something that is committed. The last runs every command of README and guides.
GENERATED = (
    "fixtures.specification.documents",
    "fixtures.findings.pages",
    "fixtures.public_reports.page",
    "fixtures.releases.ci_matrix",
    "fixtures.releases.compatibility",
    "fixtures.releases.upgrades",
    "self_tests.detection",
    "self_tests.documents.examples --write",
)

SITE = "build/site"
STRICT = ("-n", "-W", "--keep-going", "-E")

nox.options.sessions = ["specification"]
nox.options.error_on_missing_interpreters = False
nox.options.reuse_existing_virtualenvs = True

_ON_THE_CPU = [
    nox.param(release.pythons[0], release.torch, id=release.torch) for release in RELEASES
]
_EMULATED = [
    nox.param(release.pythons[0], release.torch, id=release.torch)
    for release in RELEASES
    if release.can_be_emulated_on
]


@nox.session
@nox.parametrize("python, torch", _ON_THE_CPU)
def specification(session: nox.Session, torch: str) -> None:
    """Ask the specification of a release, on the CPU."""
    _install(session, torch)
    session.run(
        "python", "-m", "pytest", "-m", "cpu", f"--report=reports/{torch}", *session.posargs
    )


@nox.session
@nox.parametrize("python, torch", _EMULATED)
def emulated(session: nox.Session, torch: str) -> None:
    """Ask the specification of a release, on the emulated accelerator."""
    _install(session, torch)
    device = ("--device", "emulated", "--require-device", "emulated")
    to = f"--report=reports/{torch}-emulated"
    session.run("python", "-m", "pytest", *device, to, *session.posargs)


@nox.session
def self_tests(session: nox.Session) -> None:
    """Test the suite itself, with the newest torch."""
    session.install("-e", ".[dev]")
    session.run("python", "-m", "pytest", "self_tests", *session.posargs)


@nox.session(venv_backend="none")
def regenerate(session: nox.Session) -> None:
    """Make anew all that is generated, with the Python in use; what is quick comes first."""
    for module in GENERATED:
        session.run("python", "-m", *module.split())


@nox.session
def docs(session: nox.Session) -> None:
    """Build the site from docs/ into build/site; a warning, or a link that leads nowhere, is an error."""
    session.install("-e", ".[docs]")
    shutil.rmtree(SITE, ignore_errors=True)
    session.run(
        "python", "-m", "sphinx", *STRICT, "-d", "build/doctrees", "docs", SITE, *session.posargs
    )


def _install(session: nox.Session, torch: str) -> None:
    session.install(f"torch=={torch}")
    session.install("-e", ".")
