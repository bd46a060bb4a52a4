"""How Sphinx makes the site from docs/: ``nox -s docs`` builds it into build/site.

Every warning is an error there, so that a link that leads nowhere fails the build.
"""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_site")]

from fixtures import VERSION  # noqa: E402

project = "The specification of torch.optim"
version = release = VERSION
html_title = project
html_show_copyright = False
html_use_index = False

extensions = ["myst_parser", "claim_links"]
exclude_patterns = ["_site"]

# The anchor of a claim is its id; the anchor of any other heading is the one that GitHub gives it.
myst_heading_anchors = 6
myst_heading_slug_func = "claim_links.slug"
# Text is shown as it is written: no curly quotes, no dashes for hyphens.
smartquotes = False
# A claim is a heading of the third level, also in a chapter without headings of the second.
suppress_warnings = ["myst.header"]
highlight_language = "text"

html_theme = "furo"
html_static_path = ["_site/static"]
html_css_files = ["site.css"]
html_copy_source = False
