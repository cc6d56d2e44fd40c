# Run `make` or `make help` for the list of targets.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Arguments of `settle-dev demo` ("--json --keep"), `make drill` and `make mutants`.
ARGS ?=
# Runs of `make drill`, each of 1,000 transfers.
RUNS ?= 1
# Folder for the report of `make drill` and for the logs of failed runs.
OUT ?= $(CURDIR)/.settle/drill
# Folder for the results of `make bench`; those of `make bench-tiny` lie beside it.
BENCH ?= $(CURDIR)/.settle/bench
# Further flags of `go test`, for example TESTFLAGS="-short -run Tree".
TESTFLAGS ?=
# Packages that `make test` and `make vet` look at.
PKG ?= ./...
# Time that `make fuzz` gives each fuzz target.
FUZZTIME ?= 20s

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FORGE := tools/forge
TOOLS := tools/node_modules/.package-lock.json
REFERENCE := reference/node_modules/.package-lock.json

# Where binaries that make fetches lie; what starts Postgres reads it too. SETTLE_POSTGRES=bundled leaves installed ones alone.
export SETTLE_TOOLS_DIR ?= $(CURDIR)/.tools

.PHONY: help
help: ## Show this list
	@echo 'Settle: usage: make TARGET [NAME=VALUE ...]'; echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@awk '/^# / { doc = doc substr($$0, 2); next } /^[A-Z]+ \?=/ { printf "  %-14s%s\n", $$1 "=" $$3, doc } { doc = "" }' $(MAKEFILE_LIST)

.PHONY: build
build: check-go ## Build bin/settle, bin/settle-dev and bin/settle-bench
	@echo 'make build: bin/settle, bin/settle-dev and bin/settle-bench, version $(VERSION)'
	@go build -trimpath -buildvcs=false -ldflags '-X main.version=$(VERSION)' -o bin/ ./cmd/...

.PHONY: demo
demo: check-go ## Run the rollup end to end on a private Postgres and chain (ARGS="--json", "--keep")
	@tools/ensure-postgres.sh
	@$(MAKE) build >&2
	@bin/settle-dev demo $(ARGS)

.PHONY: demo-shapes
demo-shapes: check-go ## Prove and settle full batches at small and medium (setup takes minutes, once); then a table of each
	@tools/ensure-postgres.sh
	@$(MAKE) build >&2
	@bin/settle-dev demo --shape small --transfers 216 --workers 1 --timeout 30m $(ARGS)
	@bin/settle-dev demo --shape medium --transfers 472 --workers 1 --timeout 60m $(ARGS)

.PHONY: demo-aggregate
demo-aggregate: check-go ## Run the demo with proofs folded in pairs (the first run makes keys: many minutes)
	@tools/ensure-postgres.sh
	@$(MAKE) build >&2
	@bin/settle-dev demo --aggregate --workers 1 $(ARGS)

.PHONY: test
test: check-go ## Run the Go tests; needs Go, and Postgres or npm, nothing else
	@tools/ensure-postgres.sh
	@echo 'make test: all Go tests, with Postgres, real proofs of the small shapes and a chain in the process'
	go test -timeout 25m $(TESTFLAGS) $(PKG)

.PHONY: solidity
solidity: check-go $(TOOLS) ## Run the contracts' tests with forge; needs Node.js and npm
	@echo 'make solidity: forge test in verifier/contracts'
	@cd verifier/contracts && ../../$(FORGE) test --offline
	@go run ./internal/mutants/solidity -list >/dev/null

.PHONY: reference
reference: $(REFERENCE) ## Hold the second implementation of the protocol to all vectors, and the API's types to TypeScript; needs Node.js 20 and npm
	@echo 'make reference: compile and test reference/'
	@cd reference && npm run --silent check || { echo 'reference/client/schema.ts is not that of api/openapi.json: run make generate and commit it' >&2; exit 1; }
	@cd reference && npm run --silent build && npm run --silent test

.PHONY: fuzz
fuzz: check-go ## Run each fuzz target for FUZZTIME
	@grep -rlE --include='*_test.go' '^func Fuzz' . | xargs -r -n1 dirname | sort -u | while read -r dir; do \
		for name in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' "$$dir"/*_test.go | cut -c6-); do \
			echo "make fuzz: $$dir $$name for $(FUZZTIME)"; \
			go test "$$dir" -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x || exit 1; \
		done; \
	done

.PHONY: drill
drill: check-go ## Kill, pause and restart everything during RUNS runs of 1,000 transfers; report in .settle/drill (ARGS="-drill.seed 7")
	@tools/ensure-postgres.sh
	@mkdir -p "$(OUT)"
	go test ./cmd/settle -count=1 -timeout 0 -v -run '^TestDrill$$' -drill.runs $(RUNS) -drill.transfers 1000 -drill.shape demo \
		-drill.faults 20 -drill.away 60s -drill.node 24 -drill.bad 15s -drill.out "$(OUT)" $(ARGS) 2>&1 | tee "$(OUT)/output.txt"

.PHONY: bench
bench: check-go ## Run every benchmark at demo into BENCH, with a report (10 minutes; keys are made once, minutes more)
	@tools/ensure-postgres.sh
	@$(MAKE) build >&2
	@bin/settle-bench all --out "$(BENCH)" $(ARGS)

.PHONY: bench-tiny
bench-tiny: check-go ## Run the smallest form of every benchmark, and compare constraint counts with bench/testdata/counts
	@tools/ensure-postgres.sh
	@$(MAKE) build >&2
	@bin/settle-bench all --tiny --fresh --out "$(BENCH)-tiny"
	@bin/settle-bench compare --counts-only bench/testdata/counts "$(BENCH)-tiny"

.PHONY: bench-counts
bench-counts: check-go ## Regenerate bench/testdata/counts from the last make bench-tiny
	@bin/settle-bench compare --counts-only --update bench/testdata/counts "$(BENCH)-tiny"

.PHONY: bench-state
bench-state: check-go ## Measure execution, signatures, genesis, restart and history over 2^20 accounts (minutes, 3 GB)
	@tools/ensure-postgres.sh
	go test ./state -run '^$$' -bench Apply -cpu 1 -benchtime 5s -args -bench-log-accounts 20
	go test ./schnorr -run '^$$' -bench Verify -cpu 1
	go test ./state -run '^$$' -bench Genesis -benchtime 1x -args -bench-log-accounts 20
	go test ./sequencer -run '^$$' -bench Stored -timeout 30m -args -bench-log-accounts 20

.PHONY: alerts
alerts: ## Check deploy/alerts.yml and what fires when (deploy/alerts_test.yml); needs promtool of Prometheus
	@command -v promtool >/dev/null || { \
		echo "make alerts: promtool is missing. It comes with Prometheus (Debian, Ubuntu: apt-get install prometheus)." >&2; exit 1; }
	@promtool check rules deploy/alerts.yml
	@promtool test rules deploy/alerts_test.yml

.PHONY: vet
vet: check-go ## Run go vet and check that gofmt would change nothing
	go vet $(PKG)
	@unformatted=$$(git ls-files --cached --others --exclude-standard '*.go' | xargs gofmt -l); \
	if [ -n "$$unformatted" ]; then echo "not formatted, run gofmt -w on:"; echo "$$unformatted"; exit 1; fi

.PHONY: lint
lint: check-go ## Run golangci-lint at the pinned version (the first run builds it: 2 minutes)
	go run $(GOLANGCI) run

# update DIRS: in each folder, run the tests of the files that know -update, with it.
define update
	@for dir in $(1); do \
		names=$$(grep -lF '*update' "$$dir"/*_test.go | xargs grep -hoE '^func Test[A-Za-z0-9_]+' | cut -c6- | paste -sd'|'); \
		echo "make $@: $$dir: $$names"; \
		go test -count=1 -timeout 30m "./$$dir" -run "^($$names)\$$" -update; \
	done
endef
UPDATING = $(shell grep -rlE --include='*_test.go' 'flag\.Bool."update"' --exclude-dir=node_modules . | xargs -r -n1 dirname | sort -u)

.PHONY: generate
generate: check-go $(TOOLS) $(REFERENCE) ## Regenerate contract artifacts, bindings, vectors in testdata, docs/errors.md, api/openapi.json and its TypeScript types
	@tools/generate-contracts.sh
	$(call update,$(filter-out ./circuits,$(UPDATING)))
	@cd reference && npm run --silent generate # from api/openapi.json, which is written above

.PHONY: ratchet
ratchet: check-go ## Regenerate the constraint counts and fingerprints of circuits/ (minutes, 8 GB)
	@echo 'make ratchet: compiles every shape, one after another'
	go test -timeout 30m -count=1 ./circuits -run Ratchet -all -update

.PHONY: ratchet-check
ratchet-check: check-go ## Compare the constraint counts and fingerprints of circuits/ with every shape, compiled (minutes, 8 GB)
	go test -timeout 30m -count=1 ./circuits -run Ratchet -all

.PHONY: attack
attack: check-go ## Lie in every output of hints and change every witness value of the transition circuit (tiny and demo: long)
	go test -timeout 0 -count=1 ./circuits/transition -run '^(TestHostileHints|TestEveryWitnessValueMatters)$$' -exhaustive -v

.PHONY: attack-aggregate
attack-aggregate: check-go ## Lie in the hints and change every witness value of the whole aggregate circuit (long, 5 GB)
	go test -timeout 0 -count=1 ./circuits/aggregate -run '^(TestHostileHints|TestEveryWitnessValueMatters)$$' -exhaustive -v

.PHONY: mutants
mutants: check-go ## Take out or weaken each rule of the circuits, and of schnorr, state and publicdata: the tests must notice (long; ARGS="-run PATTERN")
	go run ./internal/mutants $(ARGS)

.PHONY: mutants-solidity
mutants-solidity: check-go $(TOOLS) ## Take out or weaken each condition, write, call and hashed word of the contracts: their tests must notice (long; ARGS="-run PATTERN")
	go run ./internal/mutants/solidity $(ARGS)

.PHONY: tools
tools: $(TOOLS) ## Fetch what tests may need: Postgres binaries, the Solidity compiler and forge
	@tools/ensure-postgres.sh --install

.PHONY: ci
ci: ## Run what continuous integration runs
	@.ci/run

.PHONY: clean
clean: ## Remove what was built and fetched; keys and databases stay
	rm -rf bin .tools tools/node_modules verifier/contracts/out verifier/contracts/cache reference/dist reference/node_modules

.PHONY: check-go
check-go:
	@command -v go >/dev/null || { \
		echo "make: Go is missing. Install Go $$(awk '/^go / { print $$2 }' go.mod) or newer from the Go project's download page," \
			'or a distribution package of Go 1.21 or newer, which fetches the right one by itself.' >&2; exit 1; }

.PHONY: check-npm
check-npm:
	@command -v npm >/dev/null || { \
		echo 'make: npm is missing. Install Node.js 20 or newer with npm (Debian, Ubuntu: apt-get install nodejs npm).' >&2; exit 1; }

$(REFERENCE): reference/package-lock.json | check-npm
	@echo 'make: fetching TypeScript, its generator and the curve library (npm in reference/)' >&2
	@cd reference && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2
	@touch $@

$(TOOLS): tools/package-lock.json | check-npm
	@echo 'make: fetching the Solidity compiler and forge (npm in tools/)' >&2
# Not npm ci: it refuses the lock file where a registry lacks forge for another platform. The versions
# and digests of the lock file hold all the same.
	@cd tools && npm install --no-save --ignore-scripts --no-audit --no-fund --loglevel=error </dev/null >&2
	@touch $@
