package adapter_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/footbridge/footbridge/bridge/adapter"
	"github.com/footbridge/footbridge/bridge/event"
)

type deskSettings struct {
	Region string            `json:"region"`
	Wait   int               `json:"wait"`
	Loud   bool              `json:"loud"`
	Days   []string          `json:"days"`
	Number string            `json:"number"`
	Texts  map[string]string `json:"texts"`
	Rules  []struct {
		Word string `json:"word"`
	} `json:"rules"`
}

func desk() adapter.Manifest {
	return adapter.Manifest{Name: "desk", Roles: []event.Role{event.RoleCustomer, event.RoleVirtualAgent, event.RoleLiveAgent},
		Settings: []adapter.Setting{
			{Name: "region", Type: "string", Values: []string{"eu", "us"}, Required: true, Example: "eu", Doc: "Where the desk is."},
			{Name: "wait", Type: "number"}, {Name: "loud", Type: "boolean"},
			{Name: "days", Type: "list", Values: []string{"mon", "tue"}},
			{Name: "number", Type: "string", Roles: []event.Role{event.RoleLiveAgent}},
			{Name: "texts.hello", Type: "string"}, {Name: "texts.CODE", Type: "string"}, {Name: "rules", Type: "list"}, {Name: "ID", Type: "string"},
		}}
}

func TestReadSettings(t *testing.T) {
	for _, c := range []struct {
		name, given, want string
		role              event.Role
	}{
		{"all", `{"region":"us","wait":3,"loud":true,"days":["tue"],"number":"7","texts":{"hello":"Hi","code_7":"Seven"},"rules":[{"word":"x"}]}`, "", ""},
		{"null is not set", `{"region":"eu","wait":null,"texts":{"hello":""}}`, "", ""},
		{"an allowed value", `{"region":"mars"}`, `setting region is "mars": use one of eu, us`, ""},
		{"each of a list", `{"region":"eu","days":["mon","sun"]}`, `setting days is ["mon","sun"]: use one of mon, tue`, ""},
		{"text", `{"region":"eu","number":7}`, `setting number is 7: use text`, ""},
		{"a number", `{"region":"eu","wait":"7"}`, `setting wait is "7": use a number`, ""},
		{"a boolean", `{"region":"eu","loud":"no"}`, `setting loud is "no": use true or false`, ""},
		{"a list", `{"region":"eu","rules":"x"}`, `setting rules is "x": use a list`, ""},
		{"a table", `{"region":"eu","texts":"x"}`, `setting texts is "x": use a table`, ""},
		{"below a table", `{"region":"eu","texts":{"other":1}}`, `setting texts.other is 1: use text`, ""},
		{"unknown", `{"region":"eu","colour":"red"}`, `setting colour is unknown: take it out, or use one of region, wait, loud, days, number, texts.hello, texts.CODE, rules, ID`, ""},
		{"a name stands for others only in its table", `{"region":"eu","anything":"red"}`, `setting anything is unknown`, ""},
		{"in another case", `{"region":"eu","Wait":3}`, `setting Wait is unknown`, ""},
		{"of another role", `{"region":"eu","number":"7"}`, "", event.RoleCustomer},
		{"wrong, of another role", `{"region":"eu","number":7}`, `setting number is 7: use text`, event.RoleCustomer},
		{"missing", `{}`, `setting region is missing: set it to a value such as eu. Where the desk is.`, ""},
		{"missing as it is empty", `{"region":""}`, `setting region is missing`, ""},
		{"not there", ``, `setting region is missing`, ""},
		{"below a list", `{"region":"eu","rules":[{"words":"x"}]}`, `read settings: json: unknown field "words"`, ""},
		{"no whole number", `{"region":"eu","wait":1.5}`, `read settings: json: cannot unmarshal number 1.5`, ""},
		{"no object", `["eu"]`, `read settings: json: cannot unmarshal array`, ""},
		{"another role", `{}`, `role observer is not served: use customer, virtual_agent or live_agent`, event.RoleObserver},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := adapter.Account{Role: event.RoleLiveAgent, Settings: json.RawMessage(c.given)}
			if c.role != "" {
				a.Role = c.role
			}
			var got, want deskSettings
			err := desk().ReadSettings(a, &got)
			if c.want != "" {
				if err == nil || !strings.HasPrefix(err.Error(), c.want) {
					t.Errorf("error %v, not %s", err, c.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(a.Settings, &want); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("read %+v, not %+v (%v)", got, want, err)
			}
		})
	}
}
