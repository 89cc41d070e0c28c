package breaker

import (
	"testing"
	"time"
)

// A breaker tells since when it stands as it does, why, and when it is tried next.
func TestViews(t *testing.T) {
	bubble(t, Options{Open: 10 * time.Second}, func(t *testing.T, s *Set) {
		b := s.Get("b")
		if v := s.Views()["b"]; v != (View{State: Closed}) {
			t.Errorf("a new one is %+v", v)
		}
		time.Sleep(time.Second)
		b.Blame("answered 503")
		trip(t, b)
		tripped := time.Now()
		v := s.Views()["b"]
		if wait := v.Next.Sub(tripped); v.State != Open || v.Why != "answered 503" || !v.Since.Equal(tripped) || wait < 7*time.Second || wait > 13*time.Second {
			t.Errorf("an open one is %+v", v)
		}
		time.Sleep(v.Next.Sub(tripped) + time.Second)
		if h := b.View(); h.State != HalfOpen || !h.Next.IsZero() || !h.Since.Equal(v.Next.Add(time.Nanosecond)) {
			t.Errorf("after %s it is %+v", v.Next, h)
		}
	})
}
