package vonage_test

import (
	"testing"

	"github.com/footbridge/footbridge/adapters/vonage"
	"github.com/footbridge/footbridge/bridge/adapter/adaptertest"
)

func TestCorpus(t *testing.T) {
	adaptertest.Corpus(t, vonage.Definition(), "testdata/corpus.json")
}
