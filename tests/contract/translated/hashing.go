package translated

// Lambda keeps unreserved executions for all functions together; ordinary accounts have accountConcurrency in all
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html).
const accountConcurrency, unreserved = 1000, 100

// Hashing checks the concurrency that the functions reserve that hash passwords: it fits into an ordinary account,
// and it is enough for a burst at the routes that anybody may call, so that the gateway answers 429 before Lambda
// is short of executions, which would be a 503.
func Hashing(s Stack, routes ...string) []string {
	var f faults
	each, _ := s.number(map[string]any{"Ref": "HashingConcurrency"})
	reserving := 0.0
	for _, id := range s.of(typeFunction) {
		if s.Resources[id].Properties["ReservedConcurrentExecutions"] != nil {
			reserving++
		}
	}
	if each == 0 || each*reserving > accountConcurrency-unreserved {
		f.add("samconfig.toml: HashingConcurrency is %g for %g functions, want from 1 to %d in all", each, reserving, accountConcurrency-unreserved)
	}
	for _, id := range s.of(typeStage) {
		for _, route := range routes {
			if burst, ok := s.number(at(s.Resources[id].Properties, "RouteSettings", route, "ThrottlingBurstLimit")); !ok || burst > each {
				f.add("%s: %s has a burst of %g in RouteSettings, want at most HashingConcurrency: %g", id, route, burst, each)
			}
		}
	}
	return f
}
