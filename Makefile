# Each target sets up what it needs first; a second run installs and builds nothing.
.PHONY: setup build car demo dist test lint format clean requirements docs docs-check

ARGS ?=

setup:
	@scripts/setup.sh

build: setup
	@scripts/build.sh

car:  ## beside ROS 2 Jazzy from apt instead of its wheels; DESKTOP=1 adds RViz, Foxglove and Gazebo
	@scripts/car.sh

demo: build  ## BAG=path takes a recorded drive instead of a simulated one
	@scripts/run.sh conegrad demo $(if $(BAG),"$(BAG)") $(ARGS)

dist: setup  ## sdists and wheels of all packages into dist/, for pip
	@scripts/dist.sh

# Three workers for two cores, because many tests wait.
# A failure is never run again, but the test whose worker process died is, once, and counted as a rerun.
test: build  ## ARGS="-k name" chooses tests
	@scripts/run.sh python -m pytest -n 3 --dist worksteal --reruns 1 --only-rerun "no failure" $(ARGS)

lint: setup
	@scripts/lint.sh

format: setup
	@scripts/run.sh sh -c 'ruff check --fix . && ruff format .'

docs:  ## the documentation as a site, out/docs/index.html
	@scripts/docs.sh

docs-check: build  ## build the site and run the commands of the tutorials as they stand
	@scripts/docs.sh
	@scripts/run.sh python scripts/check_tutorials.py $(ARGS)

requirements: setup  ## ARGS="--upgrade" takes newer versions
	@scripts/requirements.sh $(ARGS)

clean:  ## keeps .venv
	@rm -rf build dist install log out .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
