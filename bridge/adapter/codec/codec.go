// Package codec holds what authors of adapters would otherwise each write again:
// reading a vendor's JSON whatever its exact shape, cutting text to a vendor's
// limit, and saying rich content in plain words.
//
// Everything here is a pure function, safe for concurrent use.
package codec
