package main

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"slices"
	"text/template"
)

//go:embed templates
var templates embed.FS

// write writes the files of the operation and returns their paths. It changes nothing if one of them exists or
// cannot be made.
func write(root string, o operation) ([]string, error) {
	if err := o.check(root); err != nil {
		return nil, err
	}
	files, err := created(o)
	if err != nil {
		return nil, err
	}
	for path := range files {
		if _, err := os.Stat(filepath.Join(root, path)); err == nil {
			return nil, fmt.Errorf("%s exists", path)
		}
	}
	changed, err := changed(root, o)
	if err != nil {
		return nil, err
	}

	var done []string
	for _, set := range []map[string][]byte{files, changed} {
		for path, content := range set {
			to := filepath.Join(root, path)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return nil, err
			}
			if err := os.WriteFile(to, content, 0o644); err != nil {
				return nil, err
			}
			done = append(done, path)
		}
	}
	slices.Sort(done)
	return done, nil
}

// created returns the content of the new files by path.
func created(o operation) (map[string][]byte, error) {
	folder := "functions/" + o.Resource + "/"
	files := map[string][]byte{}
	for path, name := range map[string]string{
		folder + o.file() + ".go":         "handler.go.tmpl",
		folder + o.file() + "_test.go":    "test.go.tmpl",
		folder + o.Name + "/main.go":      "main.go.tmpl",
		"tests/suite/" + o.file() + ".go": "suite.go.tmpl",
	} {
		text, err := render(name, o)
		if err != nil {
			return nil, err
		}
		if files[path], err = format.Source(text); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	var err error
	if files["events/"+o.Name+".json"], err = indented(event(o)); err != nil {
		return nil, err
	}
	files["events/expected/"+o.Name+".json"], err = indented(expected(o))
	return files, err
}

func render(name string, o operation) ([]byte, error) {
	t, err := template.ParseFS(templates, "templates/"+name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, o)
	return b.Bytes(), err
}

func indented(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// object is a JSON object whose members keep their order.
type object []member

type member struct {
	name  string
	value any
}

// MarshalJSON implements json.Marshaler.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(name)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// sampleToken is a token whose signature is not valid. It reads like one in the other events.
const sampleToken = "Bearer eyJhbGciOiJIUzI1NiIsImtpZCI6InNhbXBsZSIsInR5cCI6ImF0K2p3dCJ9." +
	"eyJpc3MiOiJodHRwczovL2F1dGgudGllbmRhLmV4YW1wbGUiLCJhdWQiOiJ0aWVuZGEtYXBpIiwic3ViIjoiMDFKRDdQWkMzSDhZNUUyQTlCNkQ0RjdHMEsiLCJleHAiOjQxMDI0NDQ4MDB9." +
	"c2FtcGxlLXNpZ25hdHVyZS1ub3QtdmFsaWQ"
