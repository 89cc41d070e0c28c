package aisera_test

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/aisera"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
)

func TestScripts(t *testing.T) { adaptertest.Scripts(t, aisera.Definition(), "testdata") }

func TestLaws(t *testing.T) {
	o, err := adaptertest.ReadOptions("testdata/laws.json")
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.Laws(t, aisera.Definition(), o)
}

func TestCorpus(t *testing.T) { adaptertest.Corpus(t, aisera.Definition(), "testdata/corpus.json") }
