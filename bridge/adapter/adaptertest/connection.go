package adaptertest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/adapter"
)

// follow keeps what an input says of timers and connections.
func (l *leg) follow(in adapter.Input) {
	switch in := in.(type) {
	case adapter.Fired:
		l.stop(in.Timer)
	case adapter.Opened:
		l.conns[in.Conn] = true
		l.dialled(in.Conn)
	case adapter.Closed:
		delete(l.conns, in.Conn)
		l.dialled(in.Conn)
	case adapter.Sent:
		l.finish(in.Tag)
	}
}

func (l *leg) dialled(conn string) {
	l.dials = slices.DeleteFunc(l.dials, func(d adapter.Dialing) bool { return d.Conn == conn })
}

// connect keeps an effect on a connection.
func (l *leg) connect(effect adapter.Effect) {
	switch e := effect.(type) {
	case adapter.Dialing:
		if l.conns[e.Conn] {
			l.faults = append(l.faults, "dial of "+e.Conn+" while that connection is in use")
		}
		l.made++
		l.conns[e.Conn] = true
		l.dials = append(l.dials, e)
	case adapter.Sending:
		l.made++
		if e.Tag != "" || slices.Contains(l.stands(), e.Conn) {
			l.queue = append(l.queue, e)
		}
		if e.Tag == "" {
			l.drain()
			return
		}
		if l.open[e.Tag] {
			l.faults = append(l.faults, "send with tag "+e.Tag+" while that tag is open")
		}
		l.open[e.Tag] = true
		l.sends = append(l.sends, e)
	case adapter.Closing:
		if l.conns[e.Conn] && !slices.Contains(l.closing, e.Conn) {
			l.closing = append(l.closing, e.Conn)
		}
	}
}

// drain lets what was sent without a tag leave, as far as nothing is before it.
func (l *leg) drain() {
	for len(l.queue) > 0 && l.queue[0].Tag == "" {
		l.left = append(l.left, string(l.queue[0].Data))
		l.queue = l.queue[1:]
	}
}

// connected ends the dials, sends and closes that are open: a dial stands or
// fails as ok says, what is sent is written where the connection is there.
// It returns false when nothing was open.
func (l *leg) connected(ok bool) (adapter.Input, bool) {
	switch {
	case len(l.dials) > 0 && ok:
		return adapter.Opened{Conn: l.dials[0].Conn}, true
	case len(l.dials) > 0:
		return adapter.Closed{Conn: l.dials[0].Conn, Reason: adapter.ClosedDialFailed, Status: http.StatusServiceUnavailable}, true
	case len(l.sends) > 0:
		s := l.sends[0]
		outcome := adapter.SentUnsent
		if ok && l.conns[s.Conn] {
			outcome = adapter.SentWritten
			l.left = append(l.left, string(s.Data))
		}
		return adapter.Sent{Tag: s.Tag, Outcome: outcome}, true
	case len(l.closing) > 0:
		conn := l.closing[0]
		l.closing = l.closing[1:]
		return adapter.Closed{Conn: conn, Code: 1000, Reason: adapter.ClosedByUs}, true
	}
	return nil, false
}

// stands lists the connections that are open.
func (l *leg) stands() []string {
	dialling := map[string]bool{}
	for _, d := range l.dials {
		dialling[d.Conn] = true
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.conns)), func(c string) bool { return dialling[c] })
}

// busy reports whether something is under way that will have an end.
func (l *leg) busy() bool { return len(l.calls)+len(l.dials)+len(l.sends) > 0 }

func stepOpened(p *player, words, _ []string) (string, error) {
	if err := want(words, 1, "opened CONN [ENDPOINT]"); err != nil {
		return "", err
	}
	in := adapter.Opened{Conn: words[0]}
	if len(words) > 1 {
		e, ok := p.leg.endpoint(words[1])
		if !ok || e.Transport == "" {
			return "", fmt.Errorf("the account serves no socket %q", words[1])
		}
		r := p.leg.request(e, "", nil)
		in.Endpoint, in.Path, in.Query, in.Header = e.Name, r.Path, r.Query, http.Header{}
	} else if !p.leg.conns[in.Conn] {
		return "", fmt.Errorf("connection %q was not dialled", in.Conn)
	}
	return renderOutcome(p.leg.turn(in)), nil
}

func stepFrame(p *player, words, input []string) (string, error) {
	if err := want(words, 1, "frame CONN [event=NAME] [binary]"); err != nil {
		return "", err
	}
	in := adapter.Frame{Conn: words[0], Data: []byte(strings.Join(input, "\n"))}
	for _, w := range words[1:] {
		name, value, _ := strings.Cut(w, "=")
		switch name {
		case "event":
			in.Event = value
		case "binary":
			in.Binary = true
		default:
			return "", fmt.Errorf("%q is no option of frame", w)
		}
	}
	if !slices.Contains(p.leg.stands(), in.Conn) {
		return "", fmt.Errorf("connection %q is not open", in.Conn)
	}
	return renderOutcome(p.leg.turn(in)), nil
}

func stepClosed(p *player, words, _ []string) (string, error) {
	if err := want(words, 3, "closed CONN CODE REASON [status=N]"); err != nil {
		return "", err
	}
	code, err := strconv.Atoi(words[1])
	if err != nil {
		return "", fmt.Errorf("close code: %w", err)
	}
	if !p.leg.conns[words[0]] {
		return "", fmt.Errorf("connection %q is not there", words[0])
	}
	in := adapter.Closed{Conn: words[0], Code: code, Reason: words[2]}
	if len(words) > 3 {
		if in.Status, err = strconv.Atoi(strings.TrimPrefix(words[3], "status=")); err != nil {
			return "", fmt.Errorf("status: %w", err)
		}
	}
	return renderOutcome(p.leg.turn(in)), nil
}

func stepSent(p *player, words, _ []string) (string, error) {
	if err := want(words, 2, "sent TAG written|unsent|unknown"); err != nil {
		return "", err
	}
	if !p.leg.open[words[0]] {
		return "", fmt.Errorf("no send %q is open", words[0])
	}
	return renderOutcome(p.leg.turn(adapter.Sent{Tag: words[0], Outcome: words[1]})), nil
}

func renderConnection(effect adapter.Effect) string {
	switch e := effect.(type) {
	case adapter.Dialing:
		return renderDial(e)
	case adapter.Sending:
		words := []string{"send", first(e.Tag, "-"), e.Conn}
		if e.Binary {
			words = append(words, "binary")
		}
		return strings.Join(words, " ") + indent(prettyBody(e.Data))
	case adapter.Closing:
		return fmt.Sprintf("close %s %d", e.Conn, e.Code)
	case adapter.Minting:
		return fmt.Sprintf("mint %s %s as %s", e.Name, e.TTL, e.Placeholder)
	}
	return fmt.Sprintf("unknown effect %T", effect)
}

func renderDial(d adapter.Dialing) string {
	words := []string{"dial", d.Conn, d.Dial.URL}
	words = appendPair(words, "transport", d.Dial.Transport)
	words = appendPair(words, "event", d.Dial.Event)
	words = appendPair(words, "protocols", strings.Join(d.Dial.Protocols, ","))
	if d.Dial.GiveUp != 0 {
		words = append(words, "give_up="+d.Dial.GiveUp.String())
	}
	if d.Dial.Binds {
		words = append(words, "binds")
	}
	return strings.Join(words, " ") + renderHeader(d.Dial.Header)
}
