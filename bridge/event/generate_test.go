package event

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// text is short, as there are many of them in an event.
var text = rapid.StringN(0, 12, -1)

// draw makes any value of a type of the model: every field filled or empty.
func draw(t *rapid.T, typ reflect.Type, label string) reflect.Value {
	v := reflect.New(typ).Elem()
	switch typ {
	case reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(drawTime(t, label)))
		return v
	case reflect.TypeFor[json.RawMessage]():
		v.SetBytes(drawJSON(t, label))
		return v
	case reflect.TypeFor[Content]():
		v.Set(reflect.ValueOf(Content{drawPart(t, label)}))
		return v
	case reflect.TypeFor[Insight]():
		v.Set(reflect.ValueOf(drawInsight(t, label)))
		return v
	}
	switch typ.Kind() {
	case reflect.Struct:
		for i := range typ.NumField() {
			v.Field(i).Set(draw(t, typ.Field(i).Type, label+"."+typ.Field(i).Name))
		}
	case reflect.String:
		v.SetString(text.Draw(t, label))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, label))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(t, label))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, label))
	case reflect.Slice:
		for i := range rapid.IntRange(0, 3).Draw(t, label) {
			v.Set(reflect.Append(v, draw(t, typ.Elem(), fmt.Sprint(label, i))))
		}
	case reflect.Map:
		drawMap(t, v, label)
	case reflect.Pointer:
		if rapid.Bool().Draw(t, label+" is there") {
			v.Set(reflect.New(typ.Elem()))
			v.Elem().Set(draw(t, typ.Elem(), label))
		}
	default:
		t.Fatalf("%s is %s: the model has no such fields; teach draw about them", label, typ)
	}
	return v
}

func drawMap(t *rapid.T, v reflect.Value, label string) {
	for i := range rapid.IntRange(0, 3).Draw(t, label) {
		if v.IsNil() {
			v.Set(reflect.MakeMap(v.Type()))
		}
		v.SetMapIndex(draw(t, v.Type().Key(), fmt.Sprint(label, " key ", i)), draw(t, v.Type().Elem(), fmt.Sprint(label, i)))
	}
}

func drawTime(t *rapid.T, label string) time.Time {
	if rapid.Bool().Draw(t, label+" is zero") {
		return time.Time{}
	}
	return time.UnixMilli(rapid.Int64Range(-62167219200000, 253402300799999).Draw(t, label)).UTC()
}

// drawJSON makes any JSON but null, as a writer without spaces writes it.
func drawJSON(t *rapid.T, label string) json.RawMessage {
	value := rapid.OneOf(
		rapid.Map(text, func(s string) any { return s }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.MapOfN(text, rapid.SliceOfN(rapid.Int64(), 0, 2), 0, 3), func(m map[string][]int64) any { return m }),
	).Draw(t, label)
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// hologram is an arm of a sum nobody knows.
func hologram(t *rapid.T, label string) json.RawMessage {
	data, err := json.Marshal(map[string]any{"type": "hologram", "data": drawJSON(t, label)})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func drawInsight(t *rapid.T, label string) Insight {
	name := rapid.SampledFrom(append(insightNames(), "hologram")).Draw(t, label+" type")
	if name == "hologram" {
		return UnknownInsight{Name: name, JSON: hologram(t, label)}
	}
	insight, err := insightDecoders[name]([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return draw(t, reflect.TypeOf(insight), label).Interface().(Insight)
}

func drawPart(t *rapid.T, label string) Part {
	name := rapid.SampledFrom(append(partNames(), "hologram")).Draw(t, label+" type")
	if name == "hologram" {
		return UnknownContent{Name: name, JSON: hologram(t, label)}
	}
	part, err := contentDecoders[name]([]byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return draw(t, reflect.TypeOf(part), label).Interface().(Part)
}

// drawEvent makes an event of a kind, which need not be one of the known.
func drawEvent(t *rapid.T, kind Kind) Event {
	body, err := DecodeBody(kind, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, unknown := body.(Unknown); unknown {
		body = Unknown{Name: kind, JSON: drawJSON(t, "body")}
	} else {
		body = draw(t, reflect.TypeOf(body), "body").Interface().(Body)
	}
	e := Event{ID: text.Draw(t, "id"), Conversation: text.Draw(t, "conversation"), Seq: rapid.Int64Range(0, 1<<53).Draw(t, "seq"),
		Time: drawTime(t, "time"), Ref: text.Draw(t, "ref"), Body: body}
	e.Actor = draw(t, reflect.TypeFor[Actor](), "actor").Interface().(Actor)
	e.Via = draw(t, reflect.TypeFor[Via](), "via").Interface().(Via)
	drawMap(t, reflect.ValueOf(&e.Vendor).Elem(), "vendor")
	return e
}

func kinds() []Kind { return slices.Sorted(slices.Values(Kinds())) }

func partNames() []string { return slices.Sorted(maps.Keys(contentDecoders)) }

func insightNames() []string { return slices.Sorted(maps.Keys(insightDecoders)) }
