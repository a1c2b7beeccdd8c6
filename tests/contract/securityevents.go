package contract

import (
	"maps"
	"regexp"
	"slices"
	"strings"
)

// EventKinds returns the kinds of events that a Go file declares: the values of its constants that begin with a
// prefix, such as "session_".
func EventKinds(source, prefix string) []string {
	return matches(regexp.MustCompile(`(?m)^\s*\w+(?: \w+)?\s+= "(`+prefix+`[a-z_]+)"`), source)
}

// SecurityEvents compares the kinds of events in the code with the metric filters that count them. Alarming has
// the filter's logical id of each kind, or "" for a kind that raises no alarm; fields are the fields
// of a log line that have the kinds, by the prefix of the kind.
func SecurityEvents(kinds []string, alarming, fields map[string]string, resources map[string]Resource) []string {
	var f faults
	want := map[string][]string{}
	for _, kind := range kinds {
		filter, decided := alarming[kind]
		if !decided {
			f.add("%s: decide whether this event raises an alarm, and add it to alarming() in tests/contract/securityevents_test.go", kind)
			continue
		}
		prefix, _, _ := strings.Cut(kind, "_")
		if filter != "" {
			want[filter] = append(want[filter], fields[prefix]+` = "`+kind+`"`)
		}
	}
	for kind := range alarming {
		if !slices.Contains(kinds, kind) {
			f.add("%s: no code logs it: remove it from alarming()", kind)
		}
	}
	for _, filter := range slices.Sorted(maps.Keys(want)) {
		group := strings.Join(scalars(find(resources[filter].Properties, "LogGroupName")), "")
		if group != "AuthLogGroup" {
			f.add("template.yaml: %s reads %q, want AuthLogGroup, which has the events", filter, group)
		}
		pattern := strings.Join(scalars(find(resources[filter].Properties, "FilterPattern")), "")
		inner := strings.TrimSuffix(strings.TrimPrefix(pattern, "{ $."), " }")
		got := strings.Split(inner, " || $.")
		slices.Sort(got)
		slices.Sort(want[filter])
		if !slices.Equal(got, want[filter]) {
			f.add("template.yaml: %s must find exactly { $.%s }, it finds %s", filter, strings.Join(want[filter], " || $."), pattern)
		}
	}
	return f
}
