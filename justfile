# Show the recipes
default:
    @just --list

# Install everything, development tools included
setup:
    uv sync

# Run the whole chain
demo *options:
    uv run fraudstream demo {{options}}

# Run all tests
test *options:
    uv run pytest {{options}}

# Run the unit tests only, in parallel
fast *options:
    uv run pytest -n 2 -m "not stack and not spark and not system and not browser" {{options}} tests/unit

# Check style and format
lint:
    uv run ruff check .
    uv run ruff format --check .

# Check types
types:
    uv run mypy services generator ml dashboards benchmarks/fraudstream docs/makers

# Write the generated pages again
docs:
    uv run python -m docs.makers --write

# The documentation as a site, in .site
site:
    uv run --group docs zensical build --strict

# Build, check and sign a release in dist/: just release KEY=FILE
release key:
    uv run python .ci/release.py --key {{trim_start_match(key, "KEY=")}}

# What continuous integration runs
ci:
    bash .ci/run
