package stories

import (
	"fmt"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/adapters/slack/slacksim"
	"github.com/footbridge/footbridge/bridge/adapter/simdesk"
	"github.com/footbridge/footbridge/bridge/adapter/simvendor"
)

// slackThreads is a Slack with a channel for the queue of each cell, for a channel takes
// a message a second. What people have before them may be older than the thread, so
// they press buttons it no longer has.
func slackThreads(t *testing.T) vendorDesk {
	var channels []slacksim.Channel
	var rows []string
	for i, cell := range cellsOf("slack") {
		id := fmt.Sprintf("C0CELL%02d", i)
		channels, rows = append(channels, slacksim.Channel{ID: id, Name: cell, Member: true}), append(rows, fmt.Sprintf("%q", cell+"="+id))
	}
	s, address := newSlack(t, slacksim.Options{Channels: channels, Burst: 2})
	d := s.Desk()
	for i, a := range d.Acts {
		button := map[string]string{simdesk.Take: "footbridge_claim", simdesk.Resolve: "footbridge_hand_back"}[a.Name]
		d.Acts[i].Do = func(o simdesk.Order) error {
			if err := a.Do(o); err == nil || button == "" {
				return err
			}
			return s.Press(o.Conversation, o.Person, button)
		}
	}
	return vendorDesk{Desk: d, account: account("slack", slackDesk, "live_agent", at(address+"/api"), "channels = ["+strings.Join(rows, ", ")+"]"), address: address,
		longest: 3000, unread: true, paced: true,
		tells: func(inbound string) {
			s.Tells(inbound+"/events", inbound+"/actions")
			s.Trouble(simvendor.Trouble{Twice: true})
		}}
}
