// Package notes keeps short notes on boards, in memory: one route, its rules and its table.
package notes

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/problem"
)

// CreateNoteRoute is the operation and its policy: editors only, bodies of 1 KiB at most.
var CreateNoteRoute = api.Route{
	Name: "create-note", Method: http.MethodPost, Path: "/v1/boards/{board}/notes",
	Auth: api.Required, Rate: api.Unlimited, Roles: []string{"editor"}, MaxBody: 1 << 10,
}

// maxText is the length of a note in characters.
const maxText = 140

// ErrBoardFull (409 board_full) is returned for a board that can hold no further note.
var ErrBoardFull = problem.New(problem.Conflict, "board_full", "The board is full.")

// Config is the environment of the function.
type Config struct {
	// PerBoard is how many notes a board holds.
	PerBoard int `env:"NOTES_PER_BOARD" envDefault:"100"`
}

// Note is what the client reads.
type Note struct {
	ID     string `json:"id"`
	Board  string `json:"board"`
	Author string `json:"author"`
	Text   string `json:"text"`
}

// Table keeps notes by board. It is safe for concurrent use.
type Table struct {
	perBoard int
	mu       sync.Mutex
	boards   map[string][]Note
}

// NewTable returns an empty table whose boards hold perBoard notes each.
func NewTable(perBoard int) *Table {
	return &Table{perBoard: perBoard, boards: map[string][]Note{}}
}

// Add stores the note under the next id of its board, or returns ErrBoardFull.
func (t *Table) Add(_ context.Context, n Note) (Note, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	notes := t.boards[n.Board]
	if len(notes) >= t.perBoard {
		return Note{}, ErrBoardFull
	}
	n.ID = strconv.Itoa(len(notes) + 1)
	t.boards[n.Board] = append(notes, n)
	return n, nil
}

// Build makes the function's handler in INIT.
func Build(_ context.Context, s *app.Setup) (api.Handler, error) {
	var cfg Config
	if err := s.Env(&cfg); err != nil {
		return nil, err
	}
	return CreateNote(NewTable(cfg.PerBoard)), nil
}

type noteAdder interface {
	Add(ctx context.Context, n Note) (Note, error)
}

type createNoteRequest struct {
	Text string `json:"text"`
}

// Validate implements api.Validator.
func (in createNoteRequest) Validate() []problem.FieldError {
	if strings.TrimSpace(in.Text) == "" || utf8.RuneCountInString(in.Text) > maxText {
		return []problem.FieldError{{Pointer: "/text", Detail: "must have 1 to 140 characters"}}
	}
	return nil
}

// CreateNote answers 201 with the note and its Location; 409 when the board is full.
func CreateNote(notes noteAdder) api.Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		in, err := api.Decode[createNoteRequest](r)
		if err != nil {
			return err
		}

		n, err := notes.Add(r.Context(), Note{
			Board: r.PathValue("board"), Author: identity.MustUserID(r.Context()), Text: in.Text,
		})
		if err != nil {
			return err
		}

		w.Header().Set("Location", "notes/"+n.ID) // relative to the request's URL
		return api.Write(w, http.StatusCreated, n)
	}
}
