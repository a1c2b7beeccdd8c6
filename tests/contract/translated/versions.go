package translated

import (
	"fmt"
	"slices"
)

// longestDescription is how long a version's description may be, in characters.
const longestDescription = 256

// Versions checks that a new value of any parameter that reaches a function also changes a property
// of its version: CloudFormation publishes a version only then, and the alias would otherwise stay
// on the old configuration for ever.
func Versions(s Stack) []string {
	var f faults
	for _, id := range s.of(typeFunction) {
		if id == Authorizer {
			continue // it has no version: the API invokes what is deployed
		}
		for _, version := range s.of(typeVersion) {
			props := s.Resources[version].Properties
			if ref(props["FunctionName"]) != id {
				continue
			}
			named := names(props)
			for _, name := range names(s.Resources[id].Properties) {
				if _, ok := s.Parameters[name]; ok && !slices.Contains(named, name) {
					f.add("%s: the parameter %s reaches it and changes no property of its version", id, name)
				}
			}
			if n := s.longest(props["Description"]); n > longestDescription {
				f.add("%s: its version's description may have %d characters, want at most %d", id, n, longestDescription)
			}
		}
	}
	return f
}

// longest is how long a text can get with the parameters' longest values.
func (s Stack) longest(v any) int {
	sub := list(at(v, "Fn::Sub"))
	if len(sub) == 0 {
		return len(fmt.Sprint(v))
	}
	text := fmt.Sprint(sub[0])
	n := len(text)
	for _, name := range placeholders(text) {
		n -= len("${" + name + "}")
		parameter := s.Parameters[name]
		longest := len(fmt.Sprint(parameter.Default))
		for _, value := range parameter.AllowedValues {
			longest = max(longest, len(fmt.Sprint(value)))
		}
		if parameter.MaxValue != nil {
			longest = max(longest, len(fmt.Sprint(parameter.MaxValue)))
		}
		if most, ok := s.number(parameter.MaxLength); ok {
			longest = max(longest, int(most))
		} else if parameter.AllowedValues == nil && parameter.MaxValue == nil {
			longest = longestDescription // nothing bounds it
		}
		n += longest
	}
	return n
}
