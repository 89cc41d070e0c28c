package adapter

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/footbridge/footbridge/bridge/event"
)

// ReadSettings holds an account against the manifest and reads its settings into
// v, a pointer to a struct with a json field for every setting. Configure calls it
// first. The error names the setting and the mend: a role the adapter does not
// serve, a setting it does not have, a value of another type or none of the allowed
// ones, a required setting that is missing. A setting of another role is checked and
// has no meaning. A null or an empty text counts as not set. It does not fill in
// defaults; see FillSettings.
func (m Manifest) ReadSettings(a Account, v any) error {
	if !slices.Contains(m.Roles, a.Role) {
		return fmt.Errorf("role %s is not served: use %s", a.Role, oneOf(m.Roles))
	}
	given := map[string]json.RawMessage{}
	if len(a.Settings) > 0 {
		if err := json.Unmarshal(a.Settings, &given); err != nil {
			return fmt.Errorf("read settings: %w: write keys and values", err)
		}
	}
	if err := m.checkGiven(a.Role, "", given); err != nil {
		return err
	}
	if err := m.checkRequired(a.Role, given); err != nil || len(given) == 0 {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(a.Settings))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return fmt.Errorf("read settings: %w: use the keys and types of this adapter's settings", err)
	}
	return nil
}

// FillSettings reads an account's settings into v, a pointer to a struct with json tags,
// with the manifest's defaults for what is not set or an empty text. It checks nothing:
// Configure has, with ReadSettings. Lists, and settings within a table, have no default.
func (m Manifest) FillSettings(a Account, v any) error {
	filled, given := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for _, s := range m.Settings {
		if s.Default != "" && s.Type != "list" && s.serves(a.Role) && !strings.Contains(s.Name, ".") {
			filled[s.Name] = s.standing()
		}
	}
	if len(a.Settings) > 0 {
		if err := json.Unmarshal(a.Settings, &given); err != nil {
			return fmt.Errorf("read settings: %w", err)
		}
	}
	maps.DeleteFunc(given, func(_ string, value json.RawMessage) bool { return unset(value) })
	maps.Copy(filled, given)
	all, err := json.Marshal(filled)
	if err == nil {
		err = json.Unmarshal(all, v)
	}
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	return nil
}

// standing is the default as JSON.
func (s Setting) standing() json.RawMessage {
	if s.Type != "string" {
		return json.RawMessage(s.Default)
	}
	text, _ := json.Marshal(s.Default) //nolint:errchkjson // a text always has a form
	return text
}

// checkGiven checks the settings of an object, and of those below it; under is
// the object's own name with a dot.
func (m Manifest) checkGiven(role event.Role, under string, given map[string]json.RawMessage) error {
	for _, key := range slices.Sorted(maps.Keys(given)) {
		name, value := under+key, given[key]
		setting, known := m.setting(under, name)
		switch {
		case known:
			if err := setting.check(name, value); err != nil {
				return err
			}
		case !m.hasBelow(name):
			return fmt.Errorf("setting %s is unknown: take it out, or use one of %s", name, strings.Join(m.names(role), ", "))
		default:
			below := map[string]json.RawMessage{}
			if json.Unmarshal(value, &below) != nil {
				return fmt.Errorf("setting %s is %s: use a table", name, value)
			}
			if err := m.checkGiven(role, name+".", below); err != nil {
				return err
			}
		}
	}
	return nil
}

// setting finds the setting of that name, or the one whose last word stands for
// any name: "failed.REASON".
func (m Manifest) setting(under, name string) (Setting, bool) {
	for _, any := range []bool{false, true} {
		for _, s := range m.Settings {
			last, below := strings.CutPrefix(s.Name, under)
			if s.Name == name || any && under != "" && below && last != "" && last == strings.ToUpper(last) {
				return s, true
			}
		}
	}
	return Setting{}, false
}

func (m Manifest) hasBelow(name string) bool {
	return slices.ContainsFunc(m.Settings, func(s Setting) bool { return strings.HasPrefix(s.Name, name+".") })
}

func (m Manifest) names(role event.Role) []string {
	var out []string
	for _, s := range m.Settings {
		if s.serves(role) {
			out = append(out, s.Name)
		}
	}
	return out
}

func (m Manifest) checkRequired(role event.Role, given map[string]json.RawMessage) error {
	for _, s := range m.Settings {
		if !s.Required || !s.serves(role) || !unset(given[s.Name]) {
			continue
		}
		mend := "set it"
		if s.Example != "" {
			mend += " to a value such as " + s.Example
		}
		return fmt.Errorf("setting %s is missing: %s. %s", s.Name, mend, s.Doc)
	}
	return nil
}

func (s Setting) serves(role event.Role) bool {
	return len(s.Roles) == 0 || slices.Contains(s.Roles, role)
}

func unset(value json.RawMessage) bool {
	return len(value) == 0 || string(value) == "null" || string(value) == `""`
}

// forms says how the types of a setting are read and what people are told to
// write.
//
//nolint:gochecknoglobals // a table that is never written.
var forms = map[string]struct {
	fits func(any) bool
	mend string
}{
	"string":  {func(v any) bool { _, ok := v.(string); return ok }, "text"},
	"number":  {func(v any) bool { _, ok := v.(float64); return ok }, "a number"},
	"boolean": {func(v any) bool { _, ok := v.(bool); return ok }, "true or false"},
	"list":    {func(v any) bool { _, ok := v.([]any); return ok }, "a list"},
}

// check holds a value against the setting's type and its allowed values.
func (s Setting) check(name string, value json.RawMessage) error {
	var v any
	if unset(value) || json.Unmarshal(value, &v) != nil {
		return nil
	}
	mend := forms[s.Type].mend
	if len(s.Values) > 0 {
		mend = "one of " + strings.Join(s.Values, ", ")
	}
	if form, known := forms[s.Type]; known && !form.fits(v) || !s.allows(v) {
		return fmt.Errorf("setting %s is %s: use %s", name, value, mend)
	}
	return nil
}

// allows reports whether a value, or each of a list, is one of the allowed ones.
func (s Setting) allows(v any) bool {
	if list, ok := v.([]any); ok {
		return !slices.ContainsFunc(list, func(item any) bool { return !s.allows(item) })
	}
	return len(s.Values) == 0 || slices.Contains(s.Values, fmt.Sprint(v))
}

// oneOf lists roles as people do: a, b or c.
func oneOf(roles []event.Role) string {
	var out strings.Builder
	for i, r := range roles {
		switch {
		case i == 0:
		case i == len(roles)-1:
			out.WriteString(" or ")
		default:
			out.WriteString(", ")
		}
		out.WriteString(string(r))
	}
	return out.String()
}
