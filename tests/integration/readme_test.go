//go:build integration

package integration_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// step is one command of a printed session and what is printed below it.
type step struct {
	command string
	output  []string
}

// session returns the steps of a document's console blocks: "$ " begins a command.
func session(document string) []step {
	var steps []step
	inside := false
	for line := range strings.Lines(document) {
		line = strings.TrimSuffix(line, "\n")
		switch command, isCommand := strings.CutPrefix(line, "$ "); {
		case strings.HasPrefix(line, "```"):
			inside = line == "```console"
		case !inside:
		case isCommand:
			steps = append(steps, step{command: command})
		case len(steps) > 0:
			last := &steps[len(steps)-1]
			last.output = append(last.output, line)
		}
	}
	return steps
}

// changing finds what differs from run to run: ids, times and request ids. "…" leaves text out.
var changing = regexp.MustCompile(`…|01[0-9A-HJKMNP-TV-Z]{24}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z|[A-Z2-7]{26}`)

// known maps each changing value of a printed session to its value in this run.
type known map[string]string

// match returns how a line differs from the printed one. They match when the fixed text is the same and each
// printed value maps to one value of its kind through the whole session.
func (k known) match(printed, got string) error {
	var values []string
	var built strings.Builder
	built.WriteString("^")
	rest := printed
	for at := changing.FindStringIndex(rest); at != nil; at = changing.FindStringIndex(rest) {
		value := rest[at[0]:at[1]]
		built.WriteString(regexp.QuoteMeta(rest[:at[0]]))
		if value == "…" {
			built.WriteString(".*")
		} else {
			built.WriteString("(" + kind(value) + ")")
			values = append(values, value)
		}
		rest = rest[at[1]:]
	}
	built.WriteString(regexp.QuoteMeta(rest) + "$")
	pattern := built.String()
	// A cursor is cut short in print, and no two begin in the same way.
	pattern = regexp.MustCompile(`"next_cursor":"[^"]*"`).ReplaceAllLiteralString(pattern, `"next_cursor":"[A-Za-z0-9_-]+"`)

	m := regexp.MustCompile(pattern).FindStringSubmatch(got)
	if m == nil {
		return fmt.Errorf("got %s\nwant %s", got, printed)
	}
	for i, value := range values {
		if before, seen := k[value]; seen && before != m[i+1] {
			return fmt.Errorf("%s stood for %s before: got %s\nwant %s", value, before, got, printed)
		}
		k[value] = m[i+1]
	}
	return nil
}

// kind is the pattern of values like this one.
func kind(value string) string {
	switch {
	case strings.HasSuffix(value, "Z") && strings.Contains(value, ":"):
		return `\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z`
	case strings.HasPrefix(value, "01"):
		return `01[0-9A-HJKMNP-TV-Z]{24}`
	default:
		return `[A-Z2-7]{26}`
	}
}

// TestReadme runs the commands of README's session against the stack that `make run` starts, and compares
// the output. Then it runs what `make demo` does.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	steps := session(string(text))
	if len(steps) < 10 {
		t.Fatalf("README has a session of %d steps: its console blocks were not found", len(steps))
	}
	run := command(t, map[string]string{"DYNAMODB_ENDPOINT": ""})
	url := run.url(t)
	began := regexp.MustCompile(`answers on http://localhost:\d+ after (\d+\.\d) s, with \d+ sample products in memory`)
	if m := began.FindSubmatch(run.stdout.Bytes()); m == nil {
		t.Errorf("it does not say where it answers, after how long and with what: %s", run.stdout.Bytes())
	} else {
		t.Logf("it answered after %s s", m[1])
	}

	outputs := typed(t, steps, url)
	k := known{}
	for i, s := range steps {
		if len(outputs[i]) != len(s.output) {
			t.Errorf("$ %s\nlines (-printed +got):\n%s", s.command, cmp.Diff(s.output, outputs[i]))
			continue
		}
		for j, printed := range s.output {
			if err := k.match(printed, outputs[i][j]); err != nil {
				t.Errorf("$ %s\n%v", s.command, err)
			}
		}
	}
	demonstrated(t, url)
}

// demonstrated walks an order through its life on the API, and wants it delivered and its money given back.
func demonstrated(t *testing.T, url string) {
	t.Helper()
	demo := command(t, map[string]string{"PORT": url[strings.LastIndex(url, ":")+1:]}, "demo")
	if code := demo.wait(t, 2*time.Minute); code != 0 {
		t.Fatalf("the demo: exit code %d\n%s\n%s", code, demo.stdout.Bytes(), demo.stderr.Bytes())
	}
	for _, want := range []string{`the order is delivered`, `refund +\d+\.\d\d EUR is given back`, `order delivered +payment refunded, parcels delivered`} {
		if !regexp.MustCompile(want).Match(demo.stdout.Bytes()) {
			t.Errorf("the demo does not print %q:\n%s", want, demo.stdout.Bytes())
		}
	}
}

// typed types the steps into one shell in the repository's folder, with url for the address that
// README prints, and returns the lines that each of them wrote.
func typed(t *testing.T, steps []step, url string) [][]string {
	t.Helper()
	const mark = "== next step =="
	var script strings.Builder
	for _, s := range steps {
		script.WriteString(strings.ReplaceAll(s.command, "http://localhost:3000", url) + "\necho; echo '" + mark + "'\n")
	}
	shell := exec.CommandContext(t.Context(), "bash", "-c", script.String())
	shell.Dir = root
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "MAKE") && !strings.HasPrefix(pair, "MFLAGS") { // not below another make
			shell.Env = append(shell.Env, pair)
		}
	}
	var stderr strings.Builder
	shell.Stderr = &stderr
	out, err := shell.Output()
	if err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, stderr.String())
	}
	if stderr.Len() > 0 {
		t.Logf("the shell complained: %s", stderr.String()) // the outputs will show what it led to
	}
	parts := strings.Split(strings.ReplaceAll(string(out), "\r", ""), mark+"\n")
	if len(parts) != len(steps)+1 {
		t.Fatalf("%d steps gave %d outputs:\n%s", len(steps), len(parts)-1, out)
	}
	outputs := make([][]string, len(steps))
	for i := range steps {
		if text := strings.Trim(parts[i], "\n"); text != "" {
			outputs[i] = strings.Split(text, "\n")
		}
	}
	return outputs
}

// TestReadmeComparison checks which differences the comparison reports and which it ignores.
func TestReadmeComparison(t *testing.T) {
	t.Parallel()
	const (
		one, two = "01M874YP3NK5TBFSVRCR9H7DZQ", "01M873SPX23Z9SEKM8NYNNDWW8"
		printed  = `{"data":[{"id":"` + one + `","sku":"A",…}],"has_more":true,"next_cursor":"AQJr…"}`
	)
	for name, test := range map[string]struct {
		printed, got string
		same         bool
	}{
		"OtherIDAndCursor": {printed, `{"data":[{"id":"` + two + `","sku":"A","name":"B"}],"has_more":true,"next_cursor":"zz-_9"}`, true},
		"OtherSKU":         {printed, `{"data":[{"id":"` + two + `","sku":"B","name":"B"}],"has_more":true,"next_cursor":"zz"}`, false},
		"NoCursor":         {printed, `{"data":[{"id":"` + two + `","sku":"A","name":"B"}],"has_more":true,"next_cursor":""}`, false},
		"NoID":             {printed, `{"data":[{"id":"x","sku":"A","name":"B"}],"has_more":true,"next_cursor":"zz"}`, false},
		"OtherStatus":      {"HTTP/1.1 201 Created", "HTTP/1.1 200 OK", false},
		"MoreBehindIt":     {"HTTP/1.1 201 Created", "HTTP/1.1 201 Created.", false},
		"OtherTime":        {`"at":"2026-11-24T15:46:40.381Z"`, `"at":"2027-01-01T00:00:00Z"`, true},
		"NoTime":           {`"at":"2026-11-24T15:46:40.381Z"`, `"at":"yesterday"`, false},
		"OtherRequestID":   {`"request_id":"TJZVYEGKJU6PVIJ4X4N2B7DYNK"`, `"request_id":"4YHNLZ3MWK7R7JT54WXXKUXZ6Q"`, true},
		"OneIDStaysOne":    {one + " " + one, two + " " + two, true},
		"OneIDBecomesTwo":  {one + " " + one, two + " " + one, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := (known{}).match(test.printed, test.got); (err == nil) != test.same {
				t.Errorf("the same: %v, want %v (%v)", err == nil, test.same, err)
			}
		})
	}
}

func TestSessionIsWhatConsoleBlocksHold(t *testing.T) {
	t.Parallel()
	document := "# A\n$ not a step\n```console\n$ one\n$ two\na\nb\n```\ntext\n```sh\n$ neither\n```\n```console\n$ three\n```\n"
	want := []step{{command: "one"}, {command: "two", output: []string{"a", "b"}}, {command: "three"}}
	if diff := cmp.Diff(want, session(document), cmp.AllowUnexported(step{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
