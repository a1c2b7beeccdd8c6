// Command notes is a Lambda function behind an HTTP API. It is a module of its own that
// uses only Tienda's library.
package main

import (
	"example.com/notes/notes"

	"github.com/tienda-dev/tienda/shared/app"
)

func main() { app.Main(notes.CreateNoteRoute, notes.Build) }
