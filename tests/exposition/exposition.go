// Package exposition reads what GET /metrics answers: Prometheus' text format, and OpenMetrics.
package exposition

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Families are the metrics by their names in the text format.
type Families map[string]*dto.MetricFamily

// The formats, as a client accepts them.
const (
	Text        = "text/plain;version=0.0.4"
	OpenMetrics = "application/openmetrics-text;version=1.0.0"
)

// Parse reads a body of the format. The exemplars of OpenMetrics are checked and left out: expfmt's parser of
// OpenMetrics has them, but takes minutes for a page of long lines.
func Parse(format, body string) (Families, error) {
	if format == OpenMetrics {
		var err error
		if body, err = plain(body); err != nil {
			return nil, fmt.Errorf("OpenMetrics: %w", err)
		}
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	return parser.TextToMetricFamilies(strings.NewReader(body))
}

// exemplar is what follows a sample: the ids of a span, a value, and a time.
var exemplar = regexp.MustCompile(`^\{(span_id="[0-9a-f]{16}",trace_id="[0-9a-f]{32}"|trace_id="[0-9a-f]{32}",span_id="[0-9a-f]{16}")\} [0-9.e+-]+ [0-9.e+-]+$`)

// plain returns the text format of an OpenMetrics body. A counter's family is its samples' name without "_total", and
// only samples of counters and of buckets have exemplars.
func plain(body string) (string, error) {
	body, ended := strings.CutSuffix(body, "# EOF\n")
	if !ended {
		return "", errors.New("the end is missing")
	}
	counters := map[string]bool{}
	for line := range strings.Lines(body) {
		if fields := strings.Fields(line); len(fields) == 4 && fields[1] == "TYPE" && fields[3] == "counter" {
			counters[fields[2]] = true
		}
	}
	var text strings.Builder
	for line := range strings.Lines(body) {
		line = strings.TrimSuffix(line, "\n")
		if comment, ok := strings.CutPrefix(line, "# "); ok {
			kind, rest, _ := strings.Cut(comment, " ")
			name, rest, _ := strings.Cut(rest, " ")
			if counters[name] {
				name += "_total"
			}
			if kind != "UNIT" {
				fmt.Fprintf(&text, "# %s %s %s\n", kind, name, rest)
			}
			continue
		}
		sample, more, found := strings.Cut(line, " # ")
		name, _, _ := strings.Cut(strings.ReplaceAll(sample, "{", " "), " ")
		if counter, total := strings.CutSuffix(name, "_total"); counters[name] || total && !counters[counter] {
			return "", fmt.Errorf("the sample %s and its family's type disagree", name)
		}
		if found && (!exemplar.MatchString(more) || !strings.HasSuffix(name, "_total") && !strings.HasSuffix(name, "_bucket")) {
			return "", fmt.Errorf("the sample %s has the exemplar %s", name, more)
		}
		text.WriteString(sample + "\n")
	}
	return text.String(), nil
}
