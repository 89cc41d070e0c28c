package engine

import (
	"strconv"
	"testing"
	"time"
)

// TestLinksCostTheSame: what a socket costs when it opens does not grow with those
// that are open.
func TestLinksCostTheSame(t *testing.T) {
	cost := func(open int) time.Duration {
		var k links
		for i := range open {
			k.put(&link{leg: strconv.Itoa(i), conn: "c", endpoint: "ws"})
		}
		least := time.Hour
		for range 20 {
			began := time.Now()
			for i := range 100 {
				l := &link{leg: "other-" + strconv.Itoa(i), conn: "c", endpoint: "ws"}
				k.put(l)
				k.take(l)
			}
			least = min(least, time.Since(began))
		}
		return least
	}
	if few, many := cost(10), cost(50_000); many > 50*few {
		t.Errorf("100 sockets take %v beside 10 others and %v beside 50,000", few, many)
	}
}

// TestLinksKeepTheNewest: the older one is replaced, whichever ends first.
func TestLinksKeepTheNewest(t *testing.T) {
	var k links
	at := func(leg, conn, endpoint string) *link {
		l := &link{leg: leg, conn: conn, endpoint: endpoint}
		k.put(l)
		return l
	}
	first, other, elsewhere, dialled := at("a", "1", "ws"), at("b", "2", "ws"), at("a", "3", "chat"), at("a", "4", "")
	second := at("a", "5", "ws")
	k.take(first)
	third := at("a", "6", "ws")
	k.take(third)
	fourth := at("a", "7", "ws")
	for l, want := range map[*link]bool{first: true, second: true, third: false, fourth: false, other: false, elsewhere: false, dialled: false} {
		if l.replaced != want {
			t.Errorf("connection %s is replaced: %t", l.conn, l.replaced)
		}
	}
	for _, l := range k.all() {
		k.take(l)
	}
	if len(k.open)+len(k.newest) != 0 {
		t.Errorf("%d and %d are kept", len(k.open), len(k.newest))
	}
}
