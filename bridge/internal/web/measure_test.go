//go:build measure

package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/tracing"
	"github.com/chromedp/chromedp"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/engine"
)

const (
	waitingMany = 500
	wordsMany   = 10_000
	smooth      = 200 * time.Millisecond // the longest task while somebody works
)

// TestMeasureDesk has 500 customers wait and 10,000 events in one conversation,
// and looks for how long the page ever keeps its agent from the next key.
func TestMeasureDesk(t *testing.T) {
	s := newServer(t)
	began := time.Now()
	long := seed(s)
	t.Logf("seeded in %v", time.Since(began).Round(time.Second))
	b := typist{tab: newTab(t, desktop), done: map[string]bool{}}
	b.open(s.url() + "/desk")
	b.focused("#sign-token")
	b.take("opening the desk", func() {
		b.keys(deskToken + "\t" + "sam" + "\t" + "Sam" + "\r")
		b.until("all wait", fmt.Sprintf(`document.querySelector("#waiting-head").textContent === "Waiting · %d"`, waitingMany))
	})
	b.take("opening 10,000 events", func() {
		b.keys("1")
		b.until("the long one", fmt.Sprintf(`document.querySelector("#talk").innerText.includes("word %d.")`, wordsMany-1))
	})
	stop := livens(s, long)
	b.take("scrolling the transcript", func() { b.wheel("#scroll", -2000, 60); b.wheel("#scroll", 2000, 60) })
	b.take("scrolling who waits", func() { b.wheel("#waiting", 1500, 60); b.wheel("#waiting", -1500, 60) })
	b.take("typing", func() { b.keys("r"); b.slowly("The quick brown fox jumps over the lazy dog, and again, and again.\r") })
	b.take("from one to the next", func() { b.keys("\u001b"); b.slowly("jjjjjjjjkkkkkkkk") })
	b.until("all who wait have been shown", fmt.Sprintf(`document.querySelectorAll("#waiting .item").length >= %d`, waitingMany))
	stop()
	b.clean()
}

// take does something and looks how long the page was ever busy with it.
func (b typist) take(what string, work func()) {
	b.t.Helper()
	wall, busy := b.during(work)
	b.t.Logf("%-26s longest task %v, %v of it at work", what, wall, busy)
	if busy > smooth {
		b.t.Errorf("%s: a task of %v, want at most %v", what, busy, smooth)
	}
}

// task is one task of the page's own thread.
type task struct {
	Name string  `json:"name"`
	Pid  int     `json:"pid"`
	Tid  int     `json:"tid"`
	Wall float64 `json:"dur"`  // in microseconds
	CPU  float64 `json:"tdur"` // of which the processor was at it
	Args struct {
		Name string `json:"name"`
	} `json:"args"`
}

// during traces what the page does while somebody works, and gives the longest
// task: how long it took, and how much of that the processor was at it. On a
// machine with other load only the latter tells about the page.
func (b typist) during(work func()) (wall, busy time.Duration) {
	b.t.Helper()
	var tasks []task
	ended := make(chan struct{})
	ctx, cancel := context.WithCancel(b.ctx)
	defer cancel()
	b.trace(ctx, &tasks, ended)
	b.do(send(tracing.Start, tracing.StartParams{TraceConfig: &tracing.TraceConfig{
		IncludedCategories: []string{"toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline", "__metadata"}}}))
	work()
	b.do(chromedp.Sleep(300*time.Millisecond), send(tracing.End, cdp.Empty{}))
	select {
	case <-ended:
	case <-time.After(patience):
		b.t.Fatal("the trace never ended")
	}
	renderer := map[[2]int]bool{}
	for _, k := range tasks {
		if k.Name == "thread_name" && k.Args.Name == "CrRendererMain" {
			renderer[[2]int{k.Pid, k.Tid}] = true
		}
	}
	n := 0
	for _, k := range tasks {
		if !renderer[[2]int{k.Pid, k.Tid}] || !strings.Contains(k.Name, "RunTask") {
			continue
		}
		n++
		wall = max(wall, time.Duration(k.Wall)*time.Microsecond)
		busy = max(busy, time.Duration(k.CPU)*time.Microsecond)
	}
	if n < 20 || busy == 0 {
		b.t.Fatalf("%d tasks were traced, the longest %v: the trace shows nothing", n, busy)
	}
	return wall.Round(time.Millisecond), busy.Round(time.Millisecond)
}

// trace collects the tasks until the trace has ended.
func (b typist) trace(ctx context.Context, tasks *[]task, ended chan struct{}) {
	b.t.Helper()
	if err := chromedp.Listen(b.ctx, func(ev any) {
		switch e := ev.(type) {
		case *tracing.EventDataCollected:
			for _, raw := range e.Value {
				var k task
				if ctx.Err() == nil && json.Unmarshal(raw, &k) == nil && (strings.Contains(k.Name, "RunTask") || k.Name == "thread_name") {
					*tasks = append(*tasks, k)
				}
			}
		case *tracing.EventTracingComplete:
			if ctx.Err() == nil {
				close(ended)
			}
		}
	}); err != nil {
		b.t.Fatal(err)
	}
}

func (b typist) slowly(keys string) {
	for _, r := range keys {
		b.keys(string(r))
		time.Sleep(25 * time.Millisecond)
	}
}

// wheel turns the wheel over an element.
func (b typist) wheel(selector string, by float64, times int) {
	b.t.Helper()
	at := value[[]float64](b.tab, `(r => [r.x + r.width / 2, r.y + r.height / 2])(document.querySelector(`+quoted(selector)+`).getBoundingClientRect())`)
	for range times {
		b.do(send(input.DispatchMouseEvent, input.DispatchMouseEventParams{Type: "mouseWheel", X: at[0], Y: at[1], DeltaX: 0.01, DeltaY: by}))
		time.Sleep(16 * time.Millisecond)
	}
}

// seed fills the desk, and gives the long conversation.
func seed(s *server) string {
	s.t.Helper()
	ctx := context.Background()
	var all sync.WaitGroup
	gate := make(chan struct{}, 8)
	for i := range waitingMany {
		gate <- struct{}{}
		all.Go(func() {
			defer func() { <-gate }()
			waits(ctx, s, fmt.Sprintf("Customer %03d", i))
		})
	}
	all.Wait()
	id := waits(ctx, s, "Long")
	sam := event.Actor{Role: event.RoleLiveAgent, ID: "sam", Name: "Sam"}
	for {
		if _, err := s.engine.Do(ctx, engine.Command{Conversation: id, Role: event.RoleLiveAgent, Actor: sam, Body: event.HandoffAccepted{}}); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for i := range wordsMany {
		says(ctx, s, id, sam, i)
	}
	return id
}

func says(ctx context.Context, s *server, id string, sam event.Actor, i int) {
	who := sam
	if i%3 == 0 {
		who = event.Actor{Role: event.RoleCustomer, Name: "Long"}
	}
	body := event.MessageCreated{Content: event.Plain(fmt.Sprintf("word %d. Some more of what people say to each other, https://example.com/%d and so on.", i, i))}
	_, err := s.engine.Do(ctx, engine.Command{Conversation: id, Role: who.Role, Actor: who, Body: body})
	s.must(err)
}

// livens has the customer of the long conversation go on talking, and others
// arrive, until the end.
func livens(s *server, id string) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var work sync.WaitGroup
	work.Go(func() {
		for i := wordsMany; ctx.Err() == nil; i++ {
			says(context.Background(), s, id, event.Actor{Role: event.RoleLiveAgent, ID: "sam", Name: "Sam"}, i)
			if i%20 == 0 {
				waits(context.Background(), s, fmt.Sprintf("Late %d", i))
			}
			time.Sleep(50 * time.Millisecond)
		}
	})
	return func() {
		cancel()
		work.Wait()
	}
}
