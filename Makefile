# Everything starts here: `make` lists what there is.

PYTHON ?= python3
ARGS ?=
VENV := .venv/bin
CHROMIUM := { command -v chromium || command -v chromium-browser || command -v google-chrome; }
TEMPLATES := find templates */templates -name '*.html' -print0 2>/dev/null | xargs -0 -r

.DEFAULT_GOAL := help
.PHONY: help run setup test browser snapshots lint format bench observatory pictures messages

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the whole shop; PORT=8080 chooses another port
	@exec $(PYTHON) config/run.py

setup: ## Install everything for development into .venv
	@$(PYTHON) config/run.py --setup dev

test: setup browser ## Run all tests on all cores; ARGS="tests/cart -x" is passed to pytest instead
	@$(VENV)/python -m pytest $(or $(ARGS),-n auto --dist worksteal)

browser:
	@if ! $(CHROMIUM) >/dev/null; then \
		if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
			echo "Installing Chromium for the browser tests."; \
			{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
				--no-install-recommends chromium; } >/dev/null 2>&1 \
				|| echo "Chromium could not be installed."; \
		fi; \
	fi; \
	$(CHROMIUM) >/dev/null \
		|| echo "There is no Chromium here, so the browser tests are skipped. Install it with your" \
			"system's packages, on Debian: sudo apt install chromium"

snapshots: setup browser ## Write anew what screen readers are told of the main pages; then read it
	@WRITE_SNAPSHOTS=1 $(VENV)/python -m pytest tests/browser/test_accessibility_tree.py

lint: setup ## Check style, templates, floors, types and migrations
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(TEMPLATES) $(VENV)/djade --check --target-version 5.2
	$(VENV)/lint-imports --no-cache
	$(VENV)/mypy
	$(VENV)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run

format: setup ## Put code and templates into the common style
	$(VENV)/ruff check --fix .
	$(VENV)/ruff format .
	$(TEMPLATES) $(VENV)/djade --target-version 5.2

bench: setup ## Measure the pages; ARGS="--help" tells what can be chosen
	@$(VENV)/python -m bench $(ARGS)

observatory: setup ## Have Mozilla's Observatory judge the headers of each class of page; needs npm
	@$(VENV)/python -m bench.observatory $(ARGS)

pictures: setup ## Take the documentation's pictures anew from an open trial shop; ARGS="--shop http://..."
	@$(VENV)/python docs/pictures.py $(ARGS)

messages: setup ## Collect texts for translation and compile the translations (needs GNU gettext)
	$(VENV)/python manage.py makemessages --all --no-obsolete --no-wrap --add-location file \
		--ignore '.venv/*' --ignore 'var/*' --ignore 'tests/*' --ignore 'bench/*'
	@# The day of collecting would change every file each time.
	@for file in locale/*/LC_MESSAGES/*.po; do \
		grep -v '^"POT-Creation-Date:' "$$file" >"$$file.new" && mv "$$file.new" "$$file"; \
	done
	$(VENV)/python manage.py compilemessages --ignore '.venv/*' --ignore 'var/*'
