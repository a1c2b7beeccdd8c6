// Command service is a Lambda function with two routes behind an HTTP API: everybody reads the notes, callers with the
// scope notes/write add one. The notes live as long as the process: a real service has a store.
package main

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"example.com/notes/providers"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/middleware"
	"github.com/tienda-dev/tienda/shared/problem"
)

var (
	listNotes = api.Route{Name: "list-notes", Method: http.MethodGet, Path: "/notes", Auth: api.Public, Rate: api.Unlimited}
	addNote   = api.Route{
		Name: "add-note", Method: http.MethodPost, Path: "/notes", Auth: api.Required, Rate: api.Unlimited, Scopes: []string{"notes/write"},
	}
)

func main() { app.MainMux(build) }

func build(_ context.Context, s *app.Setup) ([]middleware.Endpoint, error) {
	s.Chain().Authenticator = middleware.JWTAuthenticator(providers.Cognito, time.Now)
	b := &board{}
	return []middleware.Endpoint{{Route: listNotes, Handler: b.list}, {Route: addNote, Handler: b.add}}, nil
}

type note struct {
	Text   string `json:"text"`
	Author string `json:"author"`
}

type addNoteRequest struct {
	Text string `json:"text"`
}

// Validate implements api.Validator.
func (in addNoteRequest) Validate() []problem.FieldError {
	if strings.TrimSpace(in.Text) == "" {
		return []problem.FieldError{{Pointer: "/text", Detail: "must not be blank"}}
	}
	return nil
}

type board struct {
	mu    sync.Mutex
	notes []note
}

// list answers 200 with all notes, the newest last.
func (b *board) list(w http.ResponseWriter, _ *http.Request) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return api.Write(w, http.StatusOK, map[string][]note{"data": append([]note{}, b.notes...)})
}

// add answers 201 with the note.
func (b *board) add(w http.ResponseWriter, r *http.Request) error {
	in, err := api.Decode[addNoteRequest](r)
	if err != nil {
		return err
	}
	n := note{Text: in.Text, Author: identity.MustUserID(r.Context())}
	b.mu.Lock()
	b.notes = append(b.notes, n)
	b.mu.Unlock()
	return api.Write(w, http.StatusCreated, n)
}
