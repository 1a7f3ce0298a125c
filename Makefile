# make            lists the targets
# make dev        starts Gatehouse on demo data
# Only Go is needed, and Node.js for what changes the pages; lint tools are built from tools/go.mod at their pinned versions.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
PKGS     ?= ./...
FUZZTIME ?= 60s
TOOL     := go tool -modfile=tools/go.mod
PLATFORMS := linux/amd64 linux/arm64 darwin/arm64 windows/amd64

# What continuous integration runs, in this order. .ci/run reads this line.
CHECKS := test lint ui race fuzz-smoke generated e2e

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z][a-z0-9-]*:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{ printf "  make %-11s %s\n", $$1, $$2 }'

.PHONY: dev
dev: ## run the server on demo data: http://127.0.0.1:8069
	go run ./cmd/gatehouse serve --demo

.PHONY: build
build: ## build bin/gatehouse for this machine
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/gatehouse ./cmd/gatehouse

.PHONY: test
test: ## run all tests; PostgreSQL's are skipped where there is none
	go test -timeout 30m ./...

# Left out here, though not of `make test`: with -short, what loads large
# documents or a recorded database, or drives processes, for which the detector
# does not look; and the detector inside SQLite itself, which is C made into Go
# with locks of its own. Watched, SQLite would take five times as long as all
# the rest. Vet has its turn in test and lint.
.PHONY: race
race: ## run the tests under the race detector (needs a C compiler)
	go test -race -short -vet=off -gcflags=modernc.org/...=-race=false -timeout 40m $(PKGS)

.PHONY: lint
lint: ## check style, likely bugs and dead code (PKGS=./internal/x/... for a part)
	$(TOOL) golangci-lint run $(PKGS)
	$(if $(filter ./...,$(PKGS)),scripts/deadcode,@echo 'dead code is looked for in the whole tree only')

.PHONY: ui
ui: ## check the types and run the unit tests of the pages (needs Node.js)
	cd web && npm ci --ignore-scripts --no-audit --no-fund && npm run check

.PHONY: fmt
fmt: ## format the Go sources as lint wants them
	$(TOOL) golangci-lint fmt

.PHONY: gen
gen: ## make the generated files anew
	go generate ./...

.PHONY: generated
generated: ## fail if `make gen` changes anything
	scripts/generated

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (default 60s) each
	FUZZTIME=$(FUZZTIME) scripts/fuzz

.PHONY: fuzz-smoke
fuzz-smoke: ## run every fuzz target for a few seconds
	FUZZTIME=2s scripts/fuzz

CORPUS ?= ../shared/odoo19

.PHONY: conformance
conformance: ## compare with recorded answers of a real Odoo (CORPUS=DIR; REPORT=FILE writes the page)
	go run ./conformance -corpus $(CORPUS) $(if $(REPORT),-report $(REPORT))

.PHONY: bench
bench: ## run the benchmarks (PKGS=./bench/... for a part)
	go test -run '^$$' -bench . -benchmem $(PKGS)

.PHONY: e2e
e2e: ## run the end-to-end tests against the built binary
	@if ls e2e/*_test.go >/dev/null 2>&1; then go test -count=1 -timeout 40m -tags e2e ./e2e/...; else echo "no e2e tests yet"; fi

.PHONY: check
check: $(CHECKS) ## run what continuous integration runs

.PHONY: checks
checks:
	@echo $(CHECKS)

.PHONY: release
release: ## build static binaries of all platforms into dist/
	VERSION=$(VERSION) PLATFORMS="$(PLATFORMS)" scripts/release

.PHONY: clean
clean: ## delete what was built
	rm -rf bin dist
