package omilia

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/footbridge/footbridge/bridge/adapter/codec"
)

// fields reads an object by its members' names, whatever their case and
// underscores, and knows what is left: what nobody asked for, and what had
// another form than was asked for.
type fields struct {
	members []codec.Member
	left    []json.RawMessage // nil where a member was read
}

func fieldsOf(v codec.Value) *fields {
	f := &fields{members: v.Members()}
	for _, m := range f.members {
		f.left = append(f.left, rawOf(m.Value))
	}
	return f
}

// rawOf is a value as compact JSON; nil for null.
func rawOf(v codec.Value) json.RawMessage {
	switch {
	case !v.Exists():
		return nil
	case v.IsObject(), v.IsArray():
		return json.RawMessage(v.Text())
	}
	return v.Raw()
}

// alike is a name without what senders write differently.
func alike(name string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "", " ", "").Replace(name))
}

// at finds the member under a name, written exactly so or alike.
func (f *fields) at(name string) int {
	for i, m := range f.members {
		if m.Name == name && f.left[i] != nil {
			return i
		}
	}
	for i, m := range f.members {
		if alike(m.Name) == alike(name) && f.left[i] != nil {
			return i
		}
	}
	return -1
}

func (f *fields) get(name string) codec.Value {
	if i := f.at(name); i >= 0 {
		return f.members[i].Value
	}
	return codec.Value{}
}

func (f *fields) has(name string) bool { return f.at(name) >= 0 }

// read gives the member under a name to use, and counts it as read where use
// says so.
func (f *fields) read(name string, use func(codec.Value) bool) {
	if i := f.at(name); i >= 0 && use(f.members[i].Value) {
		f.left[i] = nil
	}
}

// drop forgets a member.
func (f *fields) drop(name string) { f.read(name, func(codec.Value) bool { return true }) }

// text is a string, or a number or truth as it was written.
func (f *fields) text(name string) string {
	out := ""
	f.read(name, func(v codec.Value) bool {
		if v.IsObject() || v.IsArray() {
			return false
		}
		out = v.Text()
		return true
	})
	return out
}

// words is one string or an array of them.
func (f *fields) words(name string) []string {
	var out []string
	f.read(name, func(v codec.Value) bool {
		for _, item := range v.Items() {
			if item.IsObject() || item.IsArray() || !item.Exists() {
				out = nil
				return false
			}
			if item.Text() != "" || v.IsArray() {
				out = append(out, item.Text())
			}
		}
		return true
	})
	return out
}

// items are the members of an array as they are; a value alone is one.
func (f *fields) items(name string) []json.RawMessage {
	var out []json.RawMessage
	f.read(name, func(v codec.Value) bool {
		for _, item := range v.Unwrap().Items() {
			if raw := rawOf(item); raw != nil {
				out = append(out, raw)
			}
		}
		return true
	})
	return out
}

// number is a number, or a string of one.
func (f *fields) number(name string) *float64 {
	var out *float64
	f.read(name, func(v codec.Value) bool {
		n, err := strconv.ParseFloat(v.Text(), 64)
		if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
			return false
		}
		out = &n
		return true
	})
	return out
}

// integer is a whole number, or a string of one.
func (f *fields) integer(name string) *int64 {
	var out *int64
	f.read(name, func(v codec.Value) bool {
		n, ok := whole(v.Text())
		if ok {
			out = &n
		}
		return ok
	})
	return out
}

// whole reads digits, or a number such as 5.0 that needs no fraction.
func whole(text string) (int64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n != math.Trunc(n) || math.Abs(n) > 1<<53 {
		return 0, false
	}
	return int64(n), true
}

// flag is true or false, or a string of it.
func (f *fields) flag(name string) *bool {
	var out *bool
	f.read(name, func(v codec.Value) bool {
		text := strings.ToLower(v.Text())
		if text != "true" && text != "false" {
			return false
		}
		truth := text == "true"
		out = &truth
		return true
	})
	return out
}

// The least number that is milliseconds since 1970 and not seconds, and the
// greatest an event's time can hold.
const (
	leastMillis    = 100_000_000_000
	greatestMillis = 253_402_300_799_999
)

// moment is a time in milliseconds since 1970. One in seconds is left, too, so
// that its unit is not lost.
func (f *fields) moment(name string) time.Time {
	var out time.Time
	f.read(name, func(v codec.Value) bool {
		n, err := strconv.ParseFloat(v.Text(), 64)
		seconds := n < leastMillis
		if seconds {
			n *= 1000
		}
		if err != nil || n < 0 || n > greatestMillis {
			return false
		}
		out = time.UnixMilli(int64(math.Round(n))).UTC()
		return !seconds && n == math.Trunc(n)
	})
	return out
}

// inner reads an object within; what it leaves is left under its name.
func (f *fields) inner(name string, use func(*fields)) {
	i := f.at(name)
	if i < 0 || !f.members[i].Value.IsObject() {
		return
	}
	within := fieldsOf(f.members[i].Value)
	use(within)
	f.left[i] = within.rest()
}

// each reads the objects of an array. What they leave is left as an array of the
// same length.
func (f *fields) each(name string, use func(*fields)) {
	i := f.at(name)
	if i < 0 {
		return
	}
	left, any := []json.RawMessage{}, false
	for _, item := range f.members[i].Value.Items() {
		within := fieldsOf(item)
		use(within)
		rest := within.rest()
		if !item.IsObject() {
			rest = rawOf(item)
		}
		any = any || rest != nil
		if rest == nil {
			rest = json.RawMessage("{}")
		}
		left = append(left, rest)
	}
	f.left[i] = nil
	if data, err := codec.Encode(left); any && err == nil {
		f.left[i] = data
	}
}

// rest is what is left, as an object; nil when that is nothing.
func (f *fields) rest() json.RawMessage {
	if f == nil {
		return nil
	}
	var out []byte
	for i, m := range f.members {
		name, err := codec.Encode(m.Name)
		if f.left[i] == nil || err != nil {
			continue
		}
		out = append(append(append(append(out, ','), name...), ':'), f.left[i]...)
	}
	if out == nil {
		return nil
	}
	out[0] = '{'
	return append(out, '}')
}
