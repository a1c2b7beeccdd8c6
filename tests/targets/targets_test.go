//go:build targets

// Package targets_test starts every make target in a fresh clone of its own: no target may need what
// another one has built. The folder above the clone has a space and letters beyond ASCII in its path, and
// holds files that tools which look upwards would take for the clone's.
package targets_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/child"
)

// root is the repository, seen from this package's folder.
const root = "../.."

const (
	// watchdog bounds one target.
	watchdog = 10 * time.Minute
	// patience is how long a stopped target may take to end.
	patience = time.Minute
)

// target says how a make target is started, and what shows that it works.
type target struct {
	// args are added to make's command line.
	args []string
	// says is a text that the target prints. Without ends, the target is stopped when it has printed it.
	says string
	// ends says to wait until the target ends.
	ends bool
	// refuses says that it ends with an error, because of what a fresh clone does not have.
	refuses bool
	// serves is a path that the API on PORT answers with 200. The target is stopped then.
	serves string
	// changes says that it changes the sources.
	changes bool
	// installs says that the target installs Python's tools into this clone, instead of using those of root: one of
	// them, because all take minutes.
	installs bool
}

// targets has every target of `make help`, except those that .ci/run makes with nothing built: its steps, and the parts
// of `make test`; a few of them are here all the same.
var targets = map[string]target{
	"help":           {ends: true, says: "Variables:"},
	"run":            {serves: "/v1/products?limit=1"},
	"observe":        {serves: "/v1/products?limit=1"},
	"token":          {ends: true, says: "eyJ"},
	"admin":          {args: []string{"EMAIL=a@shop.example"}, refuses: true, says: "make run"},
	"keys":           {ends: true, says: "active"},
	"generate":       {ends: true},
	"docs":           {ends: true, says: "The page is in"},
	"plot-ratelimit": {ends: true},
	"seed":           {refuses: true, says: "make run"},
	"demo":           {refuses: true, says: "make run"},
	"reindex":        {refuses: true, says: "make run"},
	"redrive":        {args: []string{"QUEUE=Dead"}, refuses: true, says: "make run"},
	"route": {
		args: []string{"NAME=count-products", "RESOURCE=catalog", "METHOD=GET", "ROUTE=/v1/products/count"},
		ends: true, says: "answers after the next", changes: true,
	},
	"deploy":     {args: []string{"STAGE=dev"}, refuses: true, says: "credentials"},
	"package":    {refuses: true, says: "BUCKET is empty"},
	"promote":    {args: []string{"STAGE=dev"}, refuses: true, says: "credentials"},
	"clean":      {ends: true},
	"sam-api":    {serves: "/v1/products?limit=1"},
	"sam-env":    {says: "Ready for SAM's own commands"},
	"sam-build":  {ends: true, says: "are built"},
	"invoke":     {args: []string{"FN=get-product"}, ends: true, says: `"statusCode": 200`},
	"invoke-all": {says: "answers 200 as expected"},
	"sam-image":  {ends: true, says: "the image"},
	// Steps of .ci/run, for the path with a space.
	"build":              {ends: true},
	"fmt-check":          {ends: true},
	"sam-lint":           {ends: true},
	"actionlint":         {ends: true},
	"unit":               {says: "ok  \t"},
	"load":               {args: []string{"QUICK=1"}, says: "limit checkout"},
	"bench":              {args: []string{"QUICK=1"}, says: "warm: round"},
	"bench-code":         {says: "ns/op"},
	"bench-ratelimit":    {says: "writes and"},
	"bench-telemetry":    {says: "BenchmarkRecordBesideTheAPI"},
	"dynamodb-local":     {ends: true},
	"fmt":                {ends: true},
	"venv":               {ends: true, installs: true, changes: true},
	"govulncheck":        {says: "installing golang.org/x/vuln"}, // the rest needs vuln.go.dev
	"test-observability": {says: "go test -tags observability"},
	"test-long":          {says: "go test -tags integration -count=3"},
	"collector":          {ends: true, says: "collector"},
	"test-conditions":    {args: []string{"ONLY=usedAtMost"}, refuses: true, says: "no condition contains"},
	"test-mutations":     {says: "gremlins"},
	"test-targets":       {says: "go test -tags targets"},
}

// installed are the folders of .cache that hold what was downloaded or installed. A clone uses root's.
var installed = []string{
	"bin/golangci-lint-*", "bin/actionlint-*", "bin/collector-*", "bin/prometheus-*", "dynamodb-local", "golangci-lint", "npm", "openapi-tools",
	"pip", "venv", "venv-checkov",
}

func TestTargets(t *testing.T) {
	for _, name := range documented(t) {
		how, found := targets[name]
		if !found {
			continue // TestEveryTargetIsStarted
		}
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			clone, above := freshClone(t, how.installs)
			how.run(t, clone, name)
			if status := command(t, clone, "git", "status", "--porcelain"); status != "" && !how.changes {
				t.Errorf("it left files that git would add:\n%s", status)
			}
			unchanged(t, above)
			t.Logf("%.0f s", time.Since(began).Seconds())
		})
	}
}

// TestEveryTargetIsStarted holds the table against `make help` and .ci/run.
func TestEveryTargetIsStarted(t *testing.T) {
	t.Parallel()
	ci, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for name := range targets {
		known[name] = true
	}
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	steps := regexp.MustCompile(`(?m)^ *step (.+)$`).FindAllSubmatch(ci, -1)
	steps = append(steps, regexp.MustCompile(`(?m)tools/each (.+)$`).FindAllSubmatch(makefile, -1)...)
	for _, step := range steps {
		for name := range strings.FieldsSeq(string(step[1])) {
			known[name] = true
		}
	}
	names := documented(t)
	for _, name := range names {
		if !known[name] {
			t.Errorf("neither .ci/run nor the table of this test starts make %s", name)
		}
	}
	for name := range targets {
		if !slices.Contains(names, name) {
			t.Errorf("make help does not list %s", name)
		}
	}
}

// documented returns the targets that `make help` lists.
func documented(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, line := range regexp.MustCompile(`(?m)^  ([a-z-]+) `).FindAllStringSubmatch(command(t, root, "make", "--no-print-directory", "help"), -1) {
		names = append(names, line[1])
	}
	if len(names) < 20 {
		t.Fatalf("make help lists %d targets", len(names))
	}
	return names
}

// freshClone returns a clone with nothing built in it, and the folder above.
func freshClone(t *testing.T, installs bool) (clone, above string) {
	t.Helper()
	above = filepath.Join(t.TempDir(), "la tienda ñ 店")
	clone = filepath.Join(above, "tienda")
	if err := os.MkdirAll(above, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range lures {
		if err := os.WriteFile(filepath.Join(above, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	command(t, root, "git", "clone", "--quiet", ".", clone)

	cache, err := filepath.Abs(filepath.Join(root, ".cache"))
	if err != nil {
		t.Fatal(err)
	}
	// make installs Python's tools again when a list of them is newer than the tools.
	for _, list := range []string{"requirements.txt", "requirements-checkov.txt"} {
		if err := os.Chtimes(filepath.Join(clone, "tools", list), time.Time{}, time.Unix(0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if installs {
		onePackage(t, filepath.Join(clone, "tools", "requirements.txt"))
	}
	for _, pattern := range installed {
		if installs && strings.HasPrefix(pattern, "venv") {
			continue
		}
		paths, err := filepath.Glob(filepath.Join(cache, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			link := filepath.Join(clone, ".cache", strings.TrimPrefix(path, cache))
			if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(path, link); err != nil {
				t.Fatal(err)
			}
		}
	}
	return clone, above
}

// onePackage leaves one package in a list of Python's packages: one that needs no other.
func onePackage(t *testing.T, list string) {
	t.Helper()
	all, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	only := regexp.MustCompile(`(?m)^jmespath==.*(\n[ ]+--hash.*)+`).Find(all)
	if only == nil {
		t.Fatalf("%s does not have jmespath", list)
	}
	if err := os.WriteFile(list, append(only, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
}

// lures are files above the clone which Go and npm would use if they were told to look for them.
var lures = map[string]string{"go.work": "go 1.26\n\nuse ./elsewhere\n", "package.json": "{}\n"}

// unchanged checks that the folder above the clone is as freshClone has made it.
func unchanged(t *testing.T, above string) {
	t.Helper()
	got := map[string]string{}
	entries, err := fs.ReadDir(os.DirFS(above), ".")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() == "tienda" {
			continue
		}
		content, err := os.ReadFile(filepath.Join(above, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got[e.Name()] = string(content)
	}
	if diff := cmp.Diff(lures, got); diff != "" {
		t.Errorf("it changed the folder above the clone (-before +after):\n%s", diff)
	}
}

// run makes the target and stops it as soon as it has shown that it works.
func (how target) run(t *testing.T, clone, name string) {
	t.Helper()
	port := freePort(t)
	output := filepath.Join(t.TempDir(), "output")
	file, err := os.Create(output)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	cmd := exec.Command("make", append([]string{"--no-print-directory", name, "PORT=" + strconv.Itoa(port)}, how.args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = clone, file, file
	cmd.Env = withoutAWS(os.Environ())
	p, err := child.Start(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	said := func() string {
		text, err := os.ReadFile(output)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	fail := func(why string) {
		t.Helper()
		t.Errorf("make %s %s; it printed:\n%s", name, why, said())
	}

	waits := how.ends || how.refuses
	limit := time.After(watchdog)
	shown := false
	for ended := false; !ended && !shown; {
		select {
		case <-p.Ended():
			ended = true
		case <-limit:
			fail("takes too long")
			ended = true
		case <-time.After(100 * time.Millisecond):
		}
		switch {
		case how.serves != "":
			shown = answers(t, fmt.Sprintf("http://localhost:%d%s", port, how.serves))
		case !waits:
			shown = strings.Contains(said(), how.says)
		}
	}
	if waits {
		if failed := p.Wait(0) && p.Err() != nil; failed != how.refuses {
			fail(fmt.Sprintf("ended with %v", p.Err()))
		}
		shown = strings.Contains(said(), how.says)
	}
	if !shown {
		fail(fmt.Sprintf("does not print %q or serve", how.says))
	}
	stop(p, how.serves != "")
	if how.serves != "" && answers(t, fmt.Sprintf("http://localhost:%d%s", port, how.serves)) {
		t.Errorf("make %s still serves after Ctrl-C", name)
	}
}

// stop ends the target as Ctrl-C does, and then whatever is left of it.
func stop(p *child.Process, serves bool) {
	if !p.Wait(0) {
		p.SignalGroup(syscall.SIGTERM)
	}
	limit := patience
	if !serves {
		limit = patience / 2
	}
	if !p.Wait(limit) {
		p.SignalGroup(syscall.SIGKILL)
	}
	<-p.Ended()
}

func answers(t *testing.T, url string) bool {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// withoutAWS drops the credentials of the person who runs the tests.
func withoutAWS(environ []string) []string {
	kept := slices.DeleteFunc(slices.Clone(environ), func(entry string) bool { return strings.HasPrefix(entry, "AWS_") })
	return append(kept, "AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE="+os.DevNull, "AWS_SHARED_CREDENTIALS_FILE="+os.DevNull)
}

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, stderr.String())
	}
	return stdout.String()
}
