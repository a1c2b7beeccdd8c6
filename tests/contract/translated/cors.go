package translated

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// corsMembers are those of x-amazon-apigateway-cors that the API sets
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html).
func corsMembers() []string {
	return []string{"allowCredentials", "allowHeaders", "allowMethods", "allowOrigins", "exposeHeaders", "maxAge"}
}

// CORS checks that the API answers preflights with the same members in every stage, and that only the
// stages of AllowsLocalPages allow pages on a customer's own machine.
func CORS(s Stack) []string {
	var f faults
	for _, api := range s.of(typeAPI) {
		choice := list(at(s.Resources[api].Properties, "Body", "x-amazon-apigateway-cors", "Fn::If"))
		if len(choice) != 3 || choice[0] != "AllowsLocalPages" {
			f.add("%s: want CorsConfiguration: !If [AllowsLocalPages, …, …] in template.yaml", api)
			continue
		}
		local, public := choice[1], choice[2]
		for _, member := range corsMembers() {
			a, b := at(local, member), at(public, member)
			switch {
			case a == nil || b == nil:
				f.add("%s: CORS has no %s", api, member)
			case member != "allowOrigins" && fmt.Sprint(a) != fmt.Sprint(b):
				f.add("%s: CORS has %s %v in dev and %v in prod", api, member, a, b)
			}
		}
		for _, side := range choice[1:] {
			if m, ok := side.(map[string]any); ok {
				for _, member := range slices.Sorted(maps.Keys(m)) {
					if !slices.Contains(corsMembers(), member) {
						f.add("%s: CORS has %s, which API Gateway does not know", api, member)
					}
				}
			}
		}
		for _, origin := range list(at(public, "allowOrigins")) {
			if text := fmt.Sprint(origin); strings.Contains(text, "localhost") || strings.Contains(text, "127.0.0.1") {
				f.add("%s: CORS allows %s in prod", api, text)
			}
		}
	}
	return f
}
