package codec

// Compose writes v as Encode does, for what an adapter puts together itself:
// objects of texts, numbers, truths, lists of them, and JSON that was read. These
// can always be written; what cannot (a channel, a number that is none) is {}.
func Compose(v any) []byte {
	data, err := Encode(v)
	if err != nil {
		return []byte("{}")
	}
	return data
}
