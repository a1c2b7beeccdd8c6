// Command notes is a Lambda function behind an HTTP API. It stands in a module of its own and is
// built on Tienda's library alone.
package main

import (
	"example.com/notes/notes"

	"github.com/tienda-dev/tienda/shared/app"
)

func main() { app.Main(notes.CreateNoteRoute, notes.Build) }
