package adaptertest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/footbridge/footbridge/bridge/event"
)

// compareEvents looks for every field that was written by hand.
func (c Case) compareEvents(events []event.Event) []error {
	if len(events) != len(c.Events) {
		return []error{fmt.Errorf("%d events, want %d: %s", len(events), len(c.Events), asJSON(events))}
	}
	var all []error
	for i, want := range c.Events {
		w, h := decoded(want), decoded([]byte(asJSON(events[i])))
		if missing := lacks(h, w, ""); missing != "" {
			all = append(all, fmt.Errorf("event %d: %s\n got %s", i+1, missing, asJSON(events[i])))
		}
	}
	return all
}

// lacks says where have does not hold what want asks. Bodies are compared whole.
func lacks(have, want any, at string) string {
	w, isObject := want.(map[string]any)
	h, ok := have.(map[string]any)
	if !isObject || !ok || at == "/body" {
		if asJSON(have) != asJSON(want) {
			return fmt.Sprintf("%s is %s, want %s", at, strings.TrimSpace(asJSON(have)), strings.TrimSpace(asJSON(want)))
		}
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(w)) {
		if missing := lacks(h[name], w[name], at+"/"+name); missing != "" {
			return missing
		}
	}
	return ""
}

func decoded(data []byte) any {
	var v any
	if json.Unmarshal(data, &v) != nil {
		return string(data)
	}
	return v
}

// without takes fields out of a decoded JSON value.
func without(v any, pointers []string) any {
	for _, p := range pointers {
		v = cut(v, strings.Split(strings.TrimPrefix(p, "/"), "/"))
	}
	return v
}

func cut(v any, path []string) any {
	switch x := v.(type) {
	case map[string]any:
		if len(path) == 1 {
			delete(x, path[0])
		} else if inner, ok := x[path[0]]; ok {
			x[path[0]] = cut(inner, path[1:])
		}
	case []any:
		for i := range x {
			if path[0] == "*" || path[0] == strconv.Itoa(i) {
				if len(path) > 1 {
					x[i] = cut(x[i], path[1:])
				}
			}
		}
	}
	return v
}

// differences are the places in which a list of events is not another one, as JSON
// pointers into that: "/1" is an event that is gone, "+kind" one that came. What
// only the vendor knows, and the numbers of events, are not looked at.
func differences(was, is []event.Event) []string {
	a, b := documents(was), documents(is)
	var out []string
	i, j := 0, 0
	for _, pair := range matches(a, b) {
		for ; i < pair[0]; i++ {
			out = append(out, fmt.Sprintf("/%d", i))
		}
		for ; j < pair[1]; j++ {
			out = append(out, "+"+string(is[j].Kind()))
		}
		if i < len(a) && j < len(b) {
			out = differing(fmt.Sprintf("/%d", i), a[i], b[j], out)
		}
		i, j = i+1, j+1
	}
	return out
}

func documents(events []event.Event) []map[string]any {
	out := make([]map[string]any, 0, len(events))
	for _, e := range events {
		e.ID, e.Seq, e.Vendor = "", 0, nil
		document, _ := decoded([]byte(asJSON(e))).(map[string]any)
		out = append(out, document)
	}
	return out
}

// matches pairs the events of two lists, in order, so that most are alike; the
// last pair is the lists' ends.
func matches(a, b []map[string]any) [][2]int {
	best := make([][]int, len(a)+1)
	for i := range best {
		best[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			best[i][j] = max(best[i+1][j], best[i][j+1], best[i+1][j+1]+likeness(a[i], b[j]))
		}
	}
	var out [][2]int
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch n := likeness(a[i], b[j]); {
		case n > 0 && best[i][j] == best[i+1][j+1]+n:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case best[i][j] == best[i+1][j]:
			i++
		default:
			j++
		}
	}
	return append(out, [2]int{len(a), len(b)})
}

// alike is the likeness of events that are the same.
const alike = 3

func likeness(a, b map[string]any) int {
	switch {
	case asJSON(a) == asJSON(b):
		return alike
	case a["kind"] == b["kind"]:
		return 1
	}
	return 0
}

// differing adds where two values of one place differ.
func differing(at string, a, b any, out []string) []string {
	x, isObject := a.(map[string]any)
	y, isAlso := b.(map[string]any)
	if isObject && isAlso {
		all := maps.Clone(x)
		maps.Copy(all, y)
		for _, name := range slices.Sorted(maps.Keys(all)) {
			out = differing(at+"/"+name, x[name], y[name], out)
		}
		return out
	}
	list, isList := a.([]any)
	other, isListToo := b.([]any)
	if isList && isListToo && len(list) == len(other) {
		for i := range list {
			out = differing(at+"/"+strconv.Itoa(i), list[i], other[i], out)
		}
		return out
	}
	if asJSON(a) != asJSON(b) {
		out = append(out, at)
	}
	return out
}

// beyond are the differences that are in none of the places allowed, nor around or
// within one.
func beyond(differences, allowed []string) []string {
	return slices.DeleteFunc(slices.Clone(differences), func(d string) bool {
		return slices.ContainsFunc(allowed, func(a string) bool {
			return a == d || strings.HasPrefix(d, a+"/") || strings.HasPrefix(a, d+"/")
		})
	})
}
