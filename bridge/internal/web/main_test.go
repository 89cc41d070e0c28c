package web_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestMain lets more tests run at once than there are processors, for most of what
// they do is to wait for each other's pages, and ends the browser when all are done.
func TestMain(m *testing.M) {
	flag.Parse()
	if !given("test.parallel") {
		_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0)))
	}
	code := m.Run()
	quit()
	os.Exit(code)
}

// given tells whether a flag is on the command line.
func given(name string) (is bool) {
	flag.Visit(func(f *flag.Flag) { is = is || f.Name == name })
	return is
}

// alive is the life of the browser: quit ends it, and waits until it has gone.
var alive, quit = chromedp.NewExecAllocator(context.Background(), options()...)

// browser is the one Chromium of all tests, begun with the first that needs it.
// Without one the pages are not tested, and that is no success.
var browser = sync.OnceValues(func() (context.Context, error) {
	if chromium() == "" {
		return nil, errors.New("no Chromium on PATH to test the pages with; mend: apt-get install chromium")
	}
	ctx, _ := chromedp.NewContext(alive)
	if err := chromedp.Do(ctx); err != nil {
		return nil, fmt.Errorf("start the browser: %w", err)
	}
	return ctx, nil
})

// chromium is where the browser is, "" where there is none.
func chromium() string {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// options are how the browser is started. No window is treated as one that nobody
// sees, for all but one of them are.
func options() []chromedp.ExecAllocatorOption {
	out := []chromedp.ExecAllocatorOption{chromedp.ExecPath(chromium()),
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU}
	for _, name := range []string{"disable-quic", "disable-background-networking", "disable-component-update", "disable-sync",
		"disable-extensions", "disable-dev-shm-usage", "disable-background-timer-throttling", "disable-backgrounding-occluded-windows",
		"disable-renderer-backgrounding", "disable-ipc-flooding-protection"} {
		out = append(out, chromedp.Flag(name, true))
	}
	return out
}
