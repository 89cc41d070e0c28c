package api

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/footbridge/footbridge/bridge/event"
	"github.com/footbridge/footbridge/bridge/internal/conversation"
	"github.com/footbridge/footbridge/bridge/internal/media"
)

// uploadWithin bounds how long a file may take to come.
const uploadWithin = 2 * time.Minute

// postFile takes a file in. Nobody is told of it before somebody says it.
func (a *API) postFile(w http.ResponseWriter, r *http.Request, p principal) error {
	id := r.URL.Query().Get("conversation")
	if p.customer() && id == "" {
		id = p.conversation
	}
	switch {
	case id == "":
		return invalid("conversation", "name the conversation the file is for")
	case !p.owns(id):
		return fault(codeForbidden)
	case r.Header.Get("Content-Encoding") != "":
		return fault(codeMediaType).mending("send the file without Content-Encoding")
	}
	row, err := a.Journal.Conversation(r.Context(), id)
	switch {
	case err != nil:
		return err
	case row.Erased:
		return fault(codeErased)
	case row.Index.State == string(conversation.Ended):
		return fault(conversation.RefusedEnded)
	}
	if a.hurries(r, p) {
		return fault(codeUploads)
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(uploadWithin)) // where it cannot be set, the listener's holds
	file, err := a.Files.Put(r.Context(), id, event.Media{Name: r.URL.Query().Get("name"), MIME: r.Header.Get("Content-Type")}, r.Body)
	if err != nil {
		return fileFault(err)
	}
	return answer(w, http.StatusCreated, file)
}

// hurries counts an upload of a customer, in their conversation and from their
// address, and reports whether there are too many. One who opens many conversations
// has one address; this machine is nobody's.
func (a *API) hurries(r *http.Request, p principal) bool {
	if !p.customer() || a.MaxUploads == 0 {
		return false
	}
	past := a.uploads.add(p.conversation)
	if !a.peer(r).IsLoopback() {
		past = a.uploads.add(a.address(r).String()) || past
	}
	return past
}

func (a *API) getFile(w http.ResponseWriter, r *http.Request, p principal) error {
	handle := r.PathValue("handle")
	if p.customer() && !media.Of(p.conversation, handle) {
		return fault(codeForbidden)
	}
	link, err := a.Files.LinkTo(r.Context(), handle)
	if err != nil {
		return fileFault(err)
	}
	return answer(w, http.StatusOK, link)
}

// attach holds a message's file against the conversation it is said in, and
// takes what is known of it from the store, not from who says it.
func (a *API) attach(ctx context.Context, id string, body event.Body) (event.Body, error) {
	said, _ := body.(event.MessageCreated)
	file, ok := said.Content.Part.(event.Media)
	if !ok || file.Blob == "" {
		return body, nil
	}
	if !media.Of(id, file.Blob) {
		return nil, invalid("body.content.blob", "use a blob POST /media answered for this conversation")
	}
	known, err := a.Files.Describe(ctx, file.Blob)
	switch {
	case err != nil && !errors.Is(err, media.ErrNotFound):
		return nil, fileFault(err)
	case err != nil, known.Account != "":
		return nil, invalid("body.content.blob", "use a blob POST /media answered for this conversation")
	}
	known.Caption = file.Caption
	said.Content.Part = known.Media
	return said, nil
}

// fileFault is the problem of a file that is not taken or not to be had.
func fileFault(err error) error {
	var no *media.Refusal
	switch {
	case errors.As(err, &no):
		return fault(codeFile).mending("it was refused: " + no.Reason)
	case errors.Is(err, media.ErrNotFound):
		return fault(codeNotFound)
	case errors.Is(err, media.ErrFull):
		return fault(codeFile).mending("try again later: the bridge's disk has no room for files now")
	case errors.Is(err, media.ErrCut):
		return fault(codeMalformed).mending("send the whole file")
	}
	return err
}
