package app

import (
	"slices"
	"testing"

	"github.com/footbridge/footbridge/bridge/internal/config"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
)

// TestEveryTextCanBeReworded holds the two lists together: what a conversation
// may say is what the file may reword, no more and no less.
func TestEveryTextCanBeReworded(t *testing.T) {
	said, configured := slices.Sorted(slices.Values(conversation.TextKeys())), slices.Sorted(slices.Values(config.TextKeys()))
	if !slices.Equal(said, configured) {
		t.Errorf("said %q, in the configuration %q", said, configured)
	}
}
