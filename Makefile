# Lampworks. `make demo` runs the main job, `make test` passes the tests; both work from a fresh clone.
SHELL := /bin/bash
GO ?= go
export CGO_ENABLED ?= 0
VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
# What the tests need of the system; scripts/setup installs it when it is missing and says so.
.PHONY: all build demo test test-postgres check lint fuzz bench bench-peers bench-hassil nlu-score soak web docs setup clean

all: build

setup:
	@scripts/setup

# The console: installed and built when its sources are newer than what was built.
WEB_SOURCES := $(shell find web/src web/public web/index.html web/*.json web/*.ts 2>/dev/null -type f)
web/node_modules/.installed: web/package-lock.json
	@scripts/setup node
	cd web && npm ci --no-audit --no-fund --loglevel=error && touch node_modules/.installed
# The types of the API come from its document.
web/src/api/schema.d.ts: internal/edge/api/openapi.json | web/node_modules/.installed
	cd web && OPENAPI=../internal/edge/api/openapi.json npm run --silent schema
web/dist/index.html: web/node_modules/.installed web/src/api/schema.d.ts $(WEB_SOURCES)
	cd web && npm run --silent build && touch dist/index.html
web: web/dist/index.html

build: web
	$(GO) build -ldflags '$(LDFLAGS)' -o bin/lampworks ./cmd/lampworks

demo: build
	@scripts/setup espeak-ng
	bin/lampworks demo

# Fast static checks; part of make test.
check: web/node_modules/.installed web/dist/index.html
	@echo '== gofumpt, goimports'; out=$$($(GO) tool gofumpt -l $$(git ls-files '*.go') ; $(GO) tool goimports -local lampworks -l $$(git ls-files '*.go')); test -z "$$out" || { echo "$$out"; exit 1; }
	@echo '== go vet'; $(GO) vet ./...
	@echo '== staticcheck'; $(GO) tool staticcheck ./...
	@echo '== rooms'; $(GO) test -count=1 -v -run 'TestSizes' . | grep -v '^=== ' && $(GO) test -count=1 .
	@echo '== web'; cd web && npm run --silent typecheck && npm run --silent lint

# Lists what was skipped, and why, at the end.
test: setup build check
	cd web && npm run --silent test
	@scripts/gotest ./...
	@$(MAKE) --no-print-directory test-postgres

# The tests of every room that keeps rows, once more on PostgreSQL: those that ask storetest for their store.
test-postgres:
	@scripts/setup postgresql
	@echo '== on PostgreSQL'; export LAMPWORKS_TEST_STORE=postgres; $(GO) run ./internal/infra/store/pgtest/runtest scripts/gotest \
		$$(grep -rlE '"lampworks/internal/(infra/store/storetest|fleet/device/devicetest)"' --include='*_test.go' internal | xargs -n1 dirname | sort -u | grep -E '^internal/(infra/[a-tv-z]|partner/|edge/api|fleet/(device|command|session|shadow|timeline)|household/home)' | grep -v '^internal/infra/store' | sed 's,^,./,')

# Tools that take minutes to build; run before an issue is closed.
lint: check
	$(GO) run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0 run

FUZZTIME ?= 60s
fuzz:
	@scripts/fuzz $(FUZZTIME)

bench: build
	$(GO) test -run '^$$' -bench . -benchmem ./...
	bin/lampworks bench all

bench-peers: build
	@scripts/bench-peers

# Beside hassil, the reader of Home Assistant, over the sets in nlu/testdata.
bench-hassil:
	@scripts/bench-hassil

soak: build
	LAMPWORKS_SOAK=1 $(GO) test -count=1 -timeout 60m ./test/...

# The sets in nlu/testdata, or those of another folder: make nlu-score LAMPWORKS_NLU_DATA=DIR
LAMPWORKS_NLU_DATA ?= $(wildcard ../shared/data/nlu)
nlu-score:
	@LAMPWORKS_NLU_TABLE=1 LAMPWORKS_NLU_DATA='$(and $(LAMPWORKS_NLU_DATA),$(abspath $(LAMPWORKS_NLU_DATA)))' $(GO) test -count=1 -v -run '^TestScoreTable$$' ./nlu

docs: build
	@echo 'The guides are not generated yet; docs/ holds what there is.'

clean:
	rm -rf bin web/dist/assets web/dist/index.html
