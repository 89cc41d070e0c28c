package adapterpb_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/footbridge/footbridge/bridge/adapter/adapterpb"
)

var update = flag.Bool("update", false, "add what is new in the protocol to adapter.descriptor.txt")

const descriptorFile = "adapter.descriptor.txt"

// TestDescriptor compares the generated code with the protocol as written down.
// Version 1 only grows: a line may be added, and none may change or go.
func TestDescriptor(t *testing.T) {
	data, err := os.ReadFile(descriptorFile)
	if err != nil && !*update {
		t.Fatal(err)
	}
	known := slices.DeleteFunc(strings.Split(string(data), "\n"), func(line string) bool { return line == "" })
	have := describe(adapterpb.File_adapter_proto)
	added := slices.DeleteFunc(slices.Clone(have), func(line string) bool { return slices.Contains(known, line) })
	for _, line := range known {
		if !slices.Contains(have, line) {
			t.Errorf("changed or removed, which breaks plugins that are out: %s", line)
		}
	}
	if !*update {
		for _, line := range added {
			t.Errorf("new in the protocol; go test -run Descriptor . -update writes it down: %s", line)
		}
		return
	}
	text := strings.Join(append(known, added...), "\n")
	if err := os.WriteFile(descriptorFile, []byte(text+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// describe lists a protocol, one line an element.
func describe(file protoreflect.FileDescriptor) []string {
	lines := []string{fmt.Sprintf("package %s %s", file.Package(), file.Syntax())}
	for i := range file.Services().Len() {
		methods := file.Services().Get(i).Methods()
		for j := range methods.Len() {
			m := methods.Get(j)
			lines = append(lines, fmt.Sprintf("rpc %s (%s stream=%t) (%s stream=%t)", m.FullName(),
				m.Input().FullName(), m.IsStreamingClient(), m.Output().FullName(), m.IsStreamingServer()))
		}
	}
	for i := range file.Messages().Len() {
		m := file.Messages().Get(i)
		lines = append(lines, fmt.Sprintf("message %s", m.FullName()))
		for j := range m.Fields().Len() {
			lines = append(lines, field(m.Fields().Get(j)))
		}
	}
	return lines
}

func field(f protoreflect.FieldDescriptor) string {
	kind := f.Kind().String()
	switch {
	case f.IsMap():
		kind = fmt.Sprintf("map %s %s", f.MapKey().Kind(), f.MapValue().Kind())
	case f.Message() != nil:
		kind = string(f.Message().FullName())
	}
	line := fmt.Sprintf("field %s = %d %s %s", f.FullName(), f.Number(), f.Cardinality(), kind)
	if o := f.ContainingOneof(); o != nil {
		line += fmt.Sprintf(" oneof %s", o.Name())
	}
	return line
}
