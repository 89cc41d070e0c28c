package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"
)

// validator checks values by the part of JSON Schema that event.schema.json
// uses; a word it does not know is an error.
type validator struct{ root object }

func validatorOf(t *testing.T) validator {
	t.Helper()
	data, err := os.ReadFile(schemaPath)
	if err != nil {
		t.Fatal(err)
	}
	var v validator
	if err := json.Unmarshal(data, &v.root); err != nil {
		t.Fatal(err)
	}
	return v
}

func (v validator) event(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	return v.check(v.root, value)
}

func (v validator) check(schema object, value any) error {
	for word, want := range schema {
		rule, known := v.rules()[word]
		if !known {
			return fmt.Errorf("the schema's word %s is not known", word)
		}
		if err := rule(want, value); err != nil {
			return fmt.Errorf("%s: %w", word, err)
		}
	}
	return nil
}

func (v validator) rules() map[string]func(want, value any) error {
	skip := func(any, any) error { return nil }
	return map[string]func(want, value any) error{
		"$schema": skip, "$id": skip, "$defs": skip, "title": skip, "description": skip, "format": skip,
		"$ref": v.checkRef, "type": checkType, "const": checkConst, "enum": checkEnum, "not": v.checkNot, "required": checkRequired,
		"properties": v.checkProperties, "additionalProperties": v.checkMembers, "items": v.checkItems, "oneOf": v.checkOneOf,
	}
}

func (v validator) checkRef(want, value any) error {
	name := strings.TrimPrefix(want.(string), "#/$defs/")
	def, ok := v.root["$defs"].(object)[name].(object)
	if !ok {
		return fmt.Errorf("%s is not defined", name)
	}
	if err := v.check(def, value); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

func checkType(want, value any) error {
	names, several := want.([]any)
	if !several {
		names = []any{want}
	}
	for _, name := range names {
		if typeName(value) == name || (name == "number" && typeName(value) == "integer") {
			return nil
		}
	}
	return fmt.Errorf("%v is no %v", value, names)
}

func typeName(value any) string {
	switch n := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case float64:
		if n == math.Trunc(n) {
			return "integer"
		}
		return "number"
	case []any:
		return "array"
	}
	return "object"
}

func checkConst(want, value any) error {
	if !reflect.DeepEqual(want, value) {
		return fmt.Errorf("%v is not %v", value, want)
	}
	return nil
}

func checkEnum(want, value any) error {
	for _, one := range want.([]any) {
		if reflect.DeepEqual(one, value) {
			return nil
		}
	}
	return fmt.Errorf("%v is none of %v", value, want)
}

func (v validator) checkNot(want, value any) error {
	if v.check(want.(object), value) == nil {
		return fmt.Errorf("%v is %v", value, want)
	}
	return nil
}

func checkRequired(want, value any) error {
	members, ok := value.(object)
	if !ok {
		return nil
	}
	for _, name := range want.([]any) {
		if _, there := members[name.(string)]; !there {
			return fmt.Errorf("%s is missing", name)
		}
	}
	return nil
}

func (v validator) checkProperties(want, value any) error {
	members, _ := value.(object)
	for name, schema := range want.(object) {
		member, there := members[name]
		if !there {
			continue
		}
		if err := v.check(schema.(object), member); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// checkMembers is additionalProperties where no properties stand beside it.
func (v validator) checkMembers(want, value any) error {
	members, _ := value.(object)
	for name, member := range members {
		if err := v.check(want.(object), member); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (v validator) checkItems(want, value any) error {
	items, _ := value.([]any)
	for i, item := range items {
		if err := v.check(want.(object), item); err != nil {
			return fmt.Errorf("[%d]: %w", i, err)
		}
	}
	return nil
}

func (v validator) checkOneOf(want, value any) error {
	fits, errs := 0, []error{}
	for _, arm := range want.([]any) {
		err := v.check(arm.(object), value)
		if err == nil {
			fits++
			continue
		}
		errs = append(errs, err)
	}
	if fits != 1 {
		return fmt.Errorf("%d arms fit: %w", fits, errors.Join(errs...))
	}
	return nil
}
