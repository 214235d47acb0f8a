"""How the docs are built: `nox -s docs`."""

from elevenlabs_tokens import __version__

project = "elevenlabs-tokens"
author = "The elevenlabs-tokens maintainers"
project_copyright = "2026, the elevenlabs-tokens maintainers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "examples"]
html_theme = "furo"
html_title = project

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
napoleon_use_ivar = True
python_use_unqualified_type_names = True

# The standard library and aiohttp are not at hand where the docs are built, so their names lead nowhere.
nitpick_ignore_regex = [
    ("py:.*", r"(aiohttp|asyncio|collections|datetime|enum|ssl|types|typing)\..*"),
    ("py:.*", r"elevenlabs_tokens\.(\w+\.)?_.*"),
    ("py:.*", r"(ApiKey|QueryValue|UserId|AsgiApp|WsgiApp|AiohttpHandler|DjangoView|T|T_co|.*T_co)"),
    ("py:.*", r"list\[str\] \| tuple\[str"),  # Sphinx cuts a type at its comma
]
