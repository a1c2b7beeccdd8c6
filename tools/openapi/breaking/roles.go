package breaking

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Change is a breaking change of one operation.
type Change struct {
	// Method is in capitals.
	Method, Path string
	// Text says what has changed.
	Text string
}

// String returns the change as the file Accepted names it.
func (c Change) String() string { return c.Method + " " + c.Path + " " + c.Text }

// document is the part of openapi.yaml that names roles.
type document struct {
	// Paths are the operations by path and method in small letters.
	Paths map[string]map[string]struct {
		Roles []string `yaml:"x-roles"` //nolint:tagliatelle // extensions of OpenAPI start with x-
	} `yaml:"paths"`
}

// NarrowedRoles returns the operations that callers of some role may use by the first document and not by the second.
// An operation without roles is open to all of them.
func NarrowedRoles(base, revision []byte) ([]Change, error) {
	var before, after document
	if err := yaml.Unmarshal(base, &before); err != nil {
		return nil, fmt.Errorf("read the base: %w", err)
	}
	if err := yaml.Unmarshal(revision, &after); err != nil {
		return nil, fmt.Errorf("read the revision: %w", err)
	}
	var changes []Change
	for _, path := range slices.Sorted(maps.Keys(before.Paths)) {
		for _, method := range slices.Sorted(maps.Keys(before.Paths[path])) {
			was, is := before.Paths[path][method].Roles, after.Paths[path][method].Roles
			if len(is) == 0 { // open to all, or removed, which oasdiff names
				continue
			}
			if len(was) == 0 {
				changes = append(changes, Change{strings.ToUpper(method), path, "now wants one of the roles `" + strings.Join(is, "`, `") + "`"})
			}
			for _, role := range was {
				if !slices.Contains(is, role) {
					changes = append(changes, Change{strings.ToUpper(method), path, "no longer lets the role `" + role + "` in"})
				}
			}
		}
	}
	return changes, nil
}
