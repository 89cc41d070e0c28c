package simvendor_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor/simtest"
)

// sorting is a Post of words and what it delivered: the batches, each as often as its
// Trouble says, and when, in milliseconds since the start.
type sorting struct {
	*simvendor.Post[string]
	began time.Time
	got   []string
}

func sort(together time.Duration) *sorting {
	s := &sorting{began: time.Now()}
	s.Post = simvendor.NewPost(time.Second, together, func(batch []string, t simvendor.Trouble) {
		for range t.Times() {
			s.got = append(s.got, fmt.Sprint(time.Since(s.began).Milliseconds(), " ", strings.Join(batch, "+")))
		}
	})
	return s
}

func (s *sorting) puts(words ...string) {
	for _, w := range words {
		s.Put(w)
	}
}

// after lets time pass and gives what was delivered in it.
func (s *sorting) after(d time.Duration) []string {
	time.Sleep(d)
	synctest.Wait()
	got := s.got
	s.got, s.began = nil, time.Now()
	return got
}

// TestPost: what is put comes in its order, one by one or together, as late and as often
// as Trouble says, and not where it was lost.
func TestPost(t *testing.T) {
	for _, c := range []struct {
		name     string
		together time.Duration
		trouble  simvendor.Trouble
		want     string
	}{
		{"by itself", 0, simvendor.Trouble{}, "0 a, 0 b, 0 c"},
		{"late", 0, simvendor.Trouble{Delay: 10 * time.Millisecond}, "10 a, 20 b, 30 c"},
		{"twice", 0, simvendor.Trouble{Twice: true}, "0 a, 0 a, 0 b, 0 b, 0 c, 0 c"},
		{"together", 5 * time.Millisecond, simvendor.Trouble{Twice: true, Delay: time.Millisecond}, "6 a+b+c, 6 a+b+c"},
		{"lost", 0, simvendor.Trouble{Lose: true}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := sort(c.together)
			s.Trouble(c.trouble)
			s.puts("a", "b", "c")
			if got := strings.Join(s.after(time.Second), ", "); got != c.want {
				t.Errorf("%s: %s, want %s", c.name, got, c.want)
			}
			if lost := s.Put("d"); lost != c.trouble.Lose {
				t.Errorf("%s: lost %v", c.name, lost)
			}
			s.Close()
		})
	}
}

// TestShuffle: what gathers is put in another order, all of it, once.
func TestShuffle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sort(0)
		s.Trouble(simvendor.Trouble{Shuffle: 50 * time.Millisecond})
		var all []string
		for i := range 40 {
			all = append(all, fmt.Sprintf("%02d", i))
		}
		s.puts(all...)
		got := s.after(time.Second)
		if len(got) != 1 || !strings.HasPrefix(got[0], "50 ") {
			t.Fatalf("delivered %q", got)
		}
		words := strings.Split(got[0][3:], "+")
		if slices.IsSorted(words) || !slices.Equal(slices.Sorted(slices.Values(words)), all) {
			t.Errorf("shuffled to %q", words)
		}
		s.Close()
	})
}

// TestAgain: what failed is sent again after each wait until it is taken, and not once
// the Post is closed; what waits then is not sent at all.
func TestAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := sort(0)
		waits := []time.Duration{0, time.Minute, time.Hour}
		var tries []time.Duration
		began := time.Now()
		s.Again(waits, func() bool { tries = append(tries, time.Since(began)); return len(tries) == 2 })
		time.Sleep(10 * time.Hour)
		synctest.Wait()
		if want := []time.Duration{0, time.Minute}; !slices.Equal(tries, want) {
			t.Errorf("tried after %v", tries)
		}
		s.Again(waits, func() bool { tries = append(tries, 0); return false })
		time.Sleep(2 * time.Minute)
		s.Trouble(simvendor.Trouble{Delay: time.Hour})
		s.puts("a")
		synctest.Wait()
		s.Close()
		if len(tries) != 4 || len(s.got) != 0 || !errors.Is(s.Context().Err(), context.Canceled) {
			t.Errorf("after the end: %d tries, delivered %q", len(tries), s.got)
		}
	})
}

// TestTell: each request is counted, and one that is not answered in time has failed.
func TestTell(t *testing.T) {
	held := make(chan struct{})
	address := simtest.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			<-held
		}
		w.Header().Set("X-Kind", r.Header.Get("X-Kind")+" "+r.Method)
		w.WriteHeader(http.StatusTeapot)
	}))
	p := simvendor.NewPost(50*time.Millisecond, 0, func([]string, simvendor.Trouble) {})
	defer p.Close()
	header := http.Header{"X-Kind": {"k"}}
	if resp, err := p.Tell(address, []byte("x"), header); err != nil || resp.StatusCode != http.StatusTeapot || resp.Header.Get("X-Kind") != "k POST" {
		t.Errorf("%v %v", resp, err)
	}
	if resp, err := p.Tell(address+"/slow", nil, header); err == nil {
		t.Errorf("answered %d", resp.StatusCode)
	}
	close(held)
	if _, err := p.Tell("http://[", nil, header); err == nil {
		t.Error("it was told nowhere")
	}
	p.Count()
	if n := p.Told(); n != 3 {
		t.Errorf("told %d", n)
	}
}

// TestTroubleOrdered: trouble is ordered in milliseconds.
func TestTroubleOrdered(t *testing.T) {
	got := make(chan simvendor.Trouble, 1)
	p := simvendor.NewPost(0, 0, func(_ []string, t simvendor.Trouble) { got <- t })
	defer p.Close()
	mux := http.NewServeMux()
	p.Control(mux)
	if status, _ := simtest.Ask(t, "POST", simtest.Serve(t, mux)+"/sim/trouble", `{"twice":true,"shuffle":2,"delay":3}`); status != 200 {
		t.Errorf("answered %d", status)
	}
	p.Put("a")
	if trouble, want := <-got, (simvendor.Trouble{Twice: true, Shuffle: 2 * time.Millisecond, Delay: 3 * time.Millisecond}); trouble != want {
		t.Errorf("trouble %+v", trouble)
	}
}

// TestAsked: an order that cannot be carried out says why, with the status it is given.
func TestAsked(t *testing.T) {
	address := simtest.Serve(t, simvendor.Asked(http.StatusConflict, func(_ context.Context, o struct{ N int }) (any, error) {
		if o.N < 0 {
			return nil, errors.New("too few")
		}
		return map[string]int{"n": o.N + 1}, nil
	}))
	for body, want := range map[string]string{`{"n":1}`: "200 {\"n\":2}\n", ``: "200 {\"n\":1}\n", `{"n":-1}`: "409 {\"error\":\"too few\"}\n", `{"n":"x"}`: "400 "} {
		status, answer := simtest.Ask(t, "POST", address, body)
		if got := fmt.Sprint(status, " ", answer); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s, want %s", body, got, want)
		}
	}
}

// TestNarrate: it tells ten times a second until the end.
func TestNarrate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, end := context.WithCancel(t.Context())
		var n atomic.Int32
		go simvendor.Narrate(ctx, func() { n.Add(1) })
		time.Sleep(1050 * time.Millisecond)
		end()
		time.Sleep(time.Second)
		if got := n.Load(); got != 10 {
			t.Errorf("told %d times", got)
		}
	})
}
