# Footbridge. `make run` tries it, `make test` tests it; the rest is for people
# who change it.

GO       ?= go
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS  := -s -w -X main.version=$(VERSION)
PLUGINS  := $(notdir $(wildcard plugins/footbridge-adapter-*))
CHROMIUM := $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

.PHONY: run build test race lint check generate bench fuzz clean tools

## run: build, start the bridge and a simulated AI Studio, print where to look
run: build
	@VGAI_KEY=demo-key ./.ci/demo

## build: the program and its plugins, into bin/, each complete in one file
build:
	@mkdir -p bin
	CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false -ldflags '$(LDFLAGS)' -o bin/ ./bridge/cmd/footbridge $(addprefix ./plugins/,$(PLUGINS))

## test: everything that is not a benchmark
test: tools
	$(GO) vet ./...
	$(GO) test -shuffle=on -timeout 14m ./...

## race: the same under the race detector, without the browser and without the
## stories, whose programs are processes of their own
race:
	$(GO) test -race -shuffle=on -short -timeout 14m $$($(GO) list ./... | grep -v /plugins/stories)

## lint: formatting, vet and the tidiness of the module
lint:
	@test -z "$$(gofmt -l bridge adapters plugins)" || { gofmt -l bridge adapters plugins; echo 'mend: gofmt -w bridge adapters plugins'; exit 1; }
	$(GO) vet ./...
	$(GO) vet -tags failpoint,measure ./...
	$(GO) mod tidy -diff

## check: what continuous integration runs
check: lint test race

## generate: rewrite generated files (needs protoc)
generate:
	$(GO) generate ./...

## bench: figures for docs/performance.md
bench:
	$(GO) test -run '^$$' -bench . -benchmem ./bridge/internal/journal/sqlite ./bridge/internal/host
	$(GO) test -tags measure -run '^TestMeasure' -v -count=1 ./plugins/stories

## fuzz: every fuzz target for FUZZTIME each
FUZZTIME ?= 10s
fuzz:
	@for pkg in $$($(GO) list ./...); do \
	  for f in $$($(GO) test -list '^Fuzz' $$pkg 2>/dev/null | grep '^Fuzz'); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; \
	done

## tools: what the tests need besides Go
tools:
ifeq ($(CHROMIUM),)
	@echo 'installing chromium for the browser tests'
	@if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; \
	else echo 'mend: install chromium (Debian: apt-get install chromium), then run make test again'; exit 1; fi
endif

clean:
	rm -rf bin
