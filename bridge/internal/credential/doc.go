// Package credential owns every secret of the bridge: it resolves references to them, seals what is stored, puts them
// into calls at the last moment, checks the ones that come in, and keeps all of them out of logs.
package credential
