package contract

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tienda-dev/tienda/local/template"
)

// EnvTags returns the environment variables in the struct tags of a Go file; a comment may name others.
func EnvTags(source string) []string {
	return matches(regexp.MustCompile(`(?m)^[^/\n]*env:"([A-Z][A-Z0-9_]*)[,"]`), source)
}

// matches returns what the first group of a pattern matched.
func matches(pattern *regexp.Regexp, text string) []string {
	var found []string
	for _, m := range pattern.FindAllStringSubmatch(text, -1) {
		found = append(found, m[1])
	}
	return found
}

// DocumentedVariables returns the variables of the tables in a Markdown page: the rows whose first
// cell is one name in code style.
func DocumentedVariables(page string) []string {
	return matches(regexp.MustCompile("(?m)^\\|\\s*`([A-Z][A-Z0-9_]*)`\\s*\\|"), page)
}

// forOthers returns the variables of the template that no env tag names: one of OpenTelemetry's SDK, one of Go's runtime, and
// the one that makes versions differ.
func forOthers() []string {
	return []string{"OTEL_GO_X_PER_SERIES_START_TIMESTAMPS", "GODEBUG", "CONFIG_VERSION"}
}

// Configuration checks that the documented variables are those that code reads through an env tag or the
// template sets for others.
func Configuration(tags, documented []string, t *template.Template) []string {
	var f faults
	set := map[string]bool{}
	for _, fn := range t.Functions {
		for name := range fn.Environment {
			set[name] = true
		}
	}
	for name := range set {
		if !slices.Contains(documented, name) {
			f.add("%s is set in template.yaml: add a row to the table in docs/configuration.md", name)
		}
		if !slices.Contains(tags, name) && !slices.Contains(forOthers(), name) {
			f.add("%s is set in template.yaml, but no code reads it: remove it, or correct the name in the env tag", name)
		}
	}
	for _, name := range tags {
		if !slices.Contains(documented, name) {
			f.add("%s is read by code: add a row to the table in docs/configuration.md", name)
		}
	}
	for _, name := range documented {
		if !slices.Contains(tags, name) && !set[name] {
			f.add("%s is in the table in docs/configuration.md, but nothing reads or sets it: remove the row", name)
		}
	}
	slices.Sort(f)
	return slices.Compact(f)
}

// MakeTargets returns the targets that a Makefile documents with ##.
func MakeTargets(makefile string) []string {
	return matches(regexp.MustCompile(`(?m)^([a-z][a-z0-9-]*):.*## `), makefile)
}

// MakeCommands checks that the make commands in the fenced blocks and code spans of a Markdown page name
// targets that exist.
func MakeCommands(name, page string, targets []string) []string {
	var f faults
	command := regexp.MustCompile(`(?:^|&& |; )(?:\$ )?(?:[A-Z_]+=\S+ )*make(?: -C \S+)?((?: +[A-Za-z0-9_./:=-]+)+)`)
	for _, code := range codeOf(page) {
		for _, m := range command.FindAllStringSubmatch(code, -1) {
			for word := range strings.FieldsSeq(m[1]) {
				if !strings.Contains(word, "=") && !slices.Contains(targets, word) {
					f.add("%s has the command `make %s`, but the Makefile has no such target", name, word)
				}
			}
		}
	}
	return f
}

// SAMCommands checks that a page that shows a command of the SAM CLI has put it on the PATH before: make installs it
// where no shell looks.
func SAMCommands(name, page string) []string {
	var f faults
	command := regexp.MustCompile(`^(?:\$ )?(?:.*&& )?sam [a-z]`)
	fenced, found := false, false
	for line := range strings.SplitSeq(page, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "```"):
			fenced = !fenced
		case !fenced:
		case strings.Contains(line, "/.cache/venv/bin:$PATH"):
			found = true
		case command.MatchString(line) && !found:
			f.add("%s shows `%s`: put a line with PATH=$PWD/.cache/venv/bin:$PATH above it", name, line)
		}
	}
	return f
}

// codeOf returns the lines of a page's fenced blocks and its code spans.
func codeOf(page string) []string {
	var code []string
	span := regexp.MustCompile("`([^`]+)`")
	fenced := false
	for line := range strings.SplitSeq(page, "\n") {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
			continue
		}
		if fenced {
			code = append(code, line)
			continue
		}
		for _, m := range span.FindAllStringSubmatch(line, -1) {
			code = append(code, m[1])
		}
	}
	return code
}

// Steps returns the make targets that a CI script or workflow runs, in their order.
func Steps(script string) []string {
	targets := matches(regexp.MustCompile(`(?m)^\s*(?:step|- run: make) ([a-z -]+)$`), script)
	return strings.Fields(strings.Join(targets, " "))
}
