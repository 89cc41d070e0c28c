package chatwoot_test

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/chatwoot"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
)

func TestScripts(t *testing.T) { adaptertest.Scripts(t, chatwoot.Definition(), "testdata") }

func TestLaws(t *testing.T) {
	o, err := adaptertest.ReadOptions("testdata/laws.json")
	if err != nil {
		t.Fatal(err)
	}
	adaptertest.Laws(t, chatwoot.Definition(), o)
}

func TestCorpus(t *testing.T) { adaptertest.Corpus(t, chatwoot.Definition(), "testdata/corpus.json") }
