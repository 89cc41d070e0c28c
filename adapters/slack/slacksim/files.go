package slacksim

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strconv"
)

// place is files.getUploadURLExternal: a file's size is told before it comes.
func (s *Server) place(c *call) answer {
	if c.Text("filename") == "" || c.Number("length") <= 0 {
		return refused("invalid_arguments")
	}
	f := &File{ID: s.id("F"), Name: c.Text("filename")}
	s.uploads[f.ID] = f
	return good(map[string]any{"upload_url": s.base + "/upload/v1/" + f.ID + "?length=" + strconv.Itoa(c.Number("length")), "file_id": f.ID})
}

// share is files.completeUploadExternal.
func (s *Server) share(c *call) answer {
	ch, why := s.member(c)
	if why != "" {
		return refused(why)
	}
	list, _ := c.Fields["files"].([]any)
	m := &Message{Channel: ch.ID, Thread: c.Text("thread_ts"), Bot: botID, User: selfID, Subtype: "file_share", Text: c.Text("initial_comment"), Username: c.Text("username")}
	var told []map[string]any
	for _, one := range list {
		of, _ := one.(map[string]any)
		id, _ := of["id"].(string)
		f := s.uploads[id]
		if f == nil || f.Data == nil {
			return refused("file_not_found")
		}
		f.Title, _ = of["title"].(string)
		m.Files = append(m.Files, *f)
		told = append(told, map[string]any{"id": id, "title": f.Title})
	}
	if len(m.Files) == 0 {
		return refused("invalid_arguments")
	}
	s.add(m)
	return good(map[string]any{"files": told})
}

// filing adds where files are put and fetched. docs.slack.dev/messaging/working-with-files.
func (s *Server) filing(mux *http.ServeMux) {
	mux.HandleFunc("POST /upload/v1/{id}", func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<20))
		s.mu.Lock()
		defer s.mu.Unlock()
		f := s.uploads[r.PathValue("id")]
		if err != nil || f == nil || strconv.Itoa(len(data)) != r.URL.Query().Get("length") {
			http.Error(w, "not what was announced", http.StatusBadRequest)
			return
		}
		f.Data, f.MIME = data, r.Header.Get("Content-Type")
		_, _ = io.WriteString(w, "OK - "+strconv.Itoa(len(data)))
	})
	mux.HandleFunc("GET /files-pri/{id}/{name}", func(w http.ResponseWriter, r *http.Request) {
		if !bears(r, s.options.Token) { // a page to sign in at, as Slack gives to who shows no token
			http.Redirect(w, r, "/signin", http.StatusFound)
			return
		}
		s.gives(w, r)
	})
	mux.HandleFunc("GET /simfiles/{id}/{name}", s.gives) // to the simulated people
}

func (s *Server) gives(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.uploads[r.PathValue("id")]
	if f == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", f.MIME)
	_, _ = w.Write(f.Data)
}

// filed are files as messages have them. docs.slack.dev/reference/objects/file-object.
func (s *Server) filed(files []File) []map[string]any {
	var all []map[string]any
	for _, f := range files {
		address := s.base + "/files-pri/" + f.ID + "/" + url.PathEscape(f.Name)
		all = append(all, map[string]any{"id": f.ID, "name": f.Name, "title": f.Name, "mimetype": f.MIME, "filetype": "binary", "size": len(f.Data), "mode": "hosted",
			"is_external": false, "url_private": address, "url_private_download": address})
	}
	return all
}

// encode writes JSON that can always be written.
func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}
