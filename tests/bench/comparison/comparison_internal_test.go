package comparison

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/template"
)

// planted are results of a run in which full takes 4 times what bare takes, and a start from disk was not measured.
func planted() *Results {
	r := &Results{Machine: Machine{Commit: "abc1234", CPU: "a CPU", Cores: 2}, LoadBefore: 0.5, NotMeasured: []string{"start, from disk: not measured"}}
	for _, row := range []struct {
		mode    Mode
		name    string
		measure Measure
		values  []float64
	}{
		{Delayed, "full", Sequence, []float64{2}},
		{Warm, "full", Latency, []float64{400, 800, 1200}},
		{Warm, Bare, Latency, []float64{100, 200, 300}},
		{Warm, "otellambda", Latency, []float64{400, 700, 1200}},
		{Start, Bare, Init, []float64{2}},
		{Start, "full", Init, []float64{5}},
	} {
		for _, v := range row.values {
			r.row(row.mode, row.name).add(row.measure, v)
		}
	}
	r.row(Warm, "full").spread([]float64{300, 400, 500})
	r.sort()
	r.judge()
	return r
}

func TestGoals(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for _, v := range planted().Goals {
		got[string(v.Mode)+" "+v.Name+" "+v.Text] = v.String()
	}
	for goal, want := range map[string]string{
		"warm full median us / bare":           "median us / bare 4 <= 5.5: met, 27 % below",
		"warm full median us / otellambda":     "median us / otellambda 1 <= 1.3: met, 23 % below",
		"delay full in sequence":               "in sequence 2 <= 1.1: NOT met, 82 % above",
		"start full init ms / bare":            "init ms / bare 2.5 <= 2.8: met, 11 % below",
		"start, from disk full init ms / bare": "init ms / bare <= 1.8: not measured",
		"warm full CPU us / bare":              "CPU us / bare <= 4.5: not measured",
	} {
		if got[goal] != want {
			t.Errorf("%s: got %q, want %q", goal, got[goal], want)
		}
	}
	if missed := planted().Missed(); len(missed) != 1 || missed[0].Name != "full" || missed[0].Mode != Delayed {
		t.Errorf("missed: %v", missed)
	}
}

// Every goal is about a binary and a reference that exist.
func TestGoalsNameDefinitions(t *testing.T) {
	t.Parallel()
	known := names()
	for _, g := range goals() {
		_, reference, found := strings.Cut(g.Text, " / ")
		if !found {
			reference = Bare
		}
		if !slices.Contains(known, g.Name) || !slices.Contains(known, reference) || !g.within(g.Stretch, g.Gate) {
			t.Errorf("%+v", g)
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	r := planted()
	text, markdown := r.Text(), r.Markdown()["table.md"]
	for _, want := range []string{"800 (4x)", "5 (2.50x)", "commit abc1234", "Not measured: start, from disk", "1 of 30 goals are not met", "27 % below"} {
		if !strings.Contains(text, want) || !strings.Contains(markdown, want) {
			t.Errorf("the table has no %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "NaN") || strings.Contains(text, "BUSY") {
		t.Error(text)
	}
	if strings.Index(text, "warm  bare") > strings.Index(text, "warm  full") || strings.Index(text, "warm  full") > strings.Index(text, "start  bare") {
		t.Errorf("the order of the rows:\n%s", text)
	}
	r.LoadBefore = 2.5
	if !strings.Contains(r.Text(), "THE MACHINE WAS BUSY") {
		t.Error("a busy machine is not marked")
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

func TestPlots(t *testing.T) {
	t.Parallel()
	plots := planted().Plots()
	if len(plots) != 3 || plots["cpu.svg"] != "" { // nobody has a CPU time
		t.Errorf("%d plots", len(plots))
	}
	for name, plot := range plots {
		d := xml.NewDecoder(strings.NewReader(plot))
		for {
			_, err := d.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if !strings.Contains(plot, ">full<") || strings.Contains(plot, "NaN") || strings.Contains(plot, "Inf") {
			t.Errorf("%s:\n%s", name, plot)
		}
	}
}

func TestDigits(t *testing.T) {
	t.Parallel()
	for v, want := range map[float64]string{1234.6: "1235", 12.34: "12.3", 1.234: "1.23", 3: "3", 0.456: "0.46", -20.04: "-20.0"} {
		if got := digits(v); got != want {
			t.Errorf("%v: got %q, want %q", v, got, want)
		}
	}
}

func TestSpread(t *testing.T) {
	t.Parallel()
	row := &Row{Values: map[Measure][]float64{}}
	row.spread([]float64{100, 200, 300})
	row.spread([]float64{300, 400, 500})
	if row.Quantiles[2] != 300 { // the mean of the medians 200 and 400
		t.Errorf("got %v", row.Quantiles)
	}
	if !math.IsNaN(row.Median(CPU)) {
		t.Error("a row without values has a median")
	}
}

// A function and its peer find the same world: tables, a token, events.
func TestWorld(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.Context(), t.TempDir(), time.Now(), usual())
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range definitions() {
		events, err := d.event(w)
		if err != nil || len(events) != addresses {
			t.Fatalf("%s: %d events, %v", d.name, len(events), err)
		}
		seen := map[string]bool{}
		for _, event := range events {
			var got struct {
				Version        string
				RequestContext struct{ HTTP struct{ SourceIP string } }
			}
			if err := json.Unmarshal(event, &got); err != nil || got.Version != "2.0" {
				t.Fatalf("%s: %s: %v", d.name, event, err)
			}
			seen[got.RequestContext.HTTP.SourceIP] = true
		}
		if len(seen) != addresses {
			t.Errorf("%s: %d addresses", d.name, len(seen))
		}
	}
	answer, err := w.store.Do("GetItem", []byte(`{"TableName":"Commerce","Key":{"PK":{"S":"P#`+w.product+`"},"SK":{"S":"META"}}}`))
	if err != nil || !strings.Contains(string(answer), "Stoneware mug") {
		t.Errorf("the product is %s, %v", answer, err)
	}
}

func TestPeers(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		folders []string
		want    string
	}{
		"NoBare":       {[]string{"typed"}, "the peer bare is missing"},
		"NoDefinition": {[]string{"bare", "surprise"}, "build surprise: the peer has no definition"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			for _, folder := range test.folders {
				path := filepath.Join(root, peersFolder, folder)
				if err := errors.Join(os.MkdirAll(path, 0o755), os.WriteFile(filepath.Join(path, "main.go"), []byte("package main\n"), 0o600)); err != nil {
					t.Fatal(err)
				}
			}
			_, _, err := build(t.Context(), root, t.TempDir(), func(string, ...any) {})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
	there, err := peers("../../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range definitions() {
		if d.peer && !slices.Contains(there, d.program()) {
			t.Errorf("the peer %s has no folder", d.name)
		}
		if _, ok := folders()[d.program()]; !d.peer && !ok {
			t.Errorf("%s has no package", d.name)
		}
	}
	for _, name := range there {
		if !slices.ContainsFunc(definitions(), func(d definition) bool { return d.peer && d.program() == name }) {
			t.Errorf("the peer %s has no definition", name)
		}
	}
}

func TestTrust(t *testing.T) {
	t.Parallel()
	stores := trust{system: "s.pem", pinned: "p.pem", none: "none"}
	if got := stores.env(definition{peer: true}); !slices.Equal(got, []string{"SSL_CERT_FILE=s.pem"}) {
		t.Errorf("a peer gets %q", got)
	}
	if got := stores.env(definition{}); !slices.Equal(got, []string{"SSL_CERT_FILE=p.pem", "SSL_CERT_DIR=none"}) {
		t.Errorf("Tienda gets %q", got)
	}
	if got := (trust{}).env(definition{peer: true}); got != nil {
		t.Errorf("without TLS: %q", got)
	}
}

// The bench starts Tienda's functions with the variables of Go's runtime that they have on Lambda. On one's own machine
// GODEBUG is empty.
func TestRuntimeVariablesAreTheTemplates(t *testing.T) {
	t.Parallel()
	for stage, want := range map[string]map[string]string{
		"prod":  {"GODEBUG": goDebug, "GOMAXPROCS": goMaxProcs},
		"local": {"GODEBUG": "", "GOMAXPROCS": goMaxProcs},
	} {
		tm, err := template.ReadFile("../../../template.yaml", template.Options{Parameters: map[string]string{"Stage": stage}})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range tm.Functions {
			for name, value := range want {
				if name == "GOMAXPROCS" && f.MemoryMB > 1769 { // more than one processor
					value = ""
				}
				if got := f.Environment[name]; got != value {
					t.Errorf("%s, stage %s: %s is %q in template.yaml, want %q", f.LogicalID, stage, name, got, value)
				}
			}
		}
	}
}
