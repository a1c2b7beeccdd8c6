package translated

import (
	"fmt"
	"strings"
)

// Prices per month in US dollars that the page of costs counts with: of a secret, of a metric that an
// alarm watches, and how many metrics of each function the alarms read that query all functions.
const (
	secretPrice       = 0.40
	alarmMetricPrice  = 0.10
	metricsOfFunction = 2
	alarmsOfAPI       = 2
)

// Counted checks that a page says how many resources of each kind the environments get, and what the
// idle ones cost. plain is one where traffic changes at once, gradual one where CodeDeploy shifts it.
func Counted(page string, plain, gradual Stack) []string {
	var (
		f         faults
		count     = func(s Stack, kind string) int { return len(s.of(kind)) }
		functions = count(plain, typeFunction)
		routes    = count(plain, typeAlias)
		secrets   = count(plain, typeSecret)
		idle      = float64(secrets)*secretPrice + alarmsOfAPI*alarmMetricPrice
	)
	for _, want := range []string{
		fmt.Sprintf("| Lambda functions, each with a role and a log group | %d | %d with a route, and the authorizer", functions, routes),
		fmt.Sprintf("| Versions, each with an alias `live` | %d |", routes),
		fmt.Sprintf("| Permissions for the gateway | %d |", count(plain, typePermission)),
		fmt.Sprintf("| DynamoDB tables | %d |", count(plain, typeTable)),
		fmt.Sprintf("| Secrets | %d |", secrets),
		fmt.Sprintf("| Alarms | %d |", count(plain, typeAlarm)),
		fmt.Sprintf("| CodeDeploy application with a role, and deployment groups | %d |", count(gradual, typeDeployment)),
		fmt.Sprintf("That is %d resources, and %d where", len(plain.Resources), len(gradual.Resources)),
		fmt.Sprintf("| %d secrets | %.2f each | %.2f |", secrets, secretPrice, float64(secrets)*secretPrice),
		fmt.Sprintf("**Idle, per month**: %.2f USD", idle),
		fmt.Sprintf("%.2f USD when all %d functions of the stack", float64(metricsOfFunction*functions)*alarmMetricPrice, functions),
		fmt.Sprintf("(%d × %d × %.2f)", metricsOfFunction, functions, alarmMetricPrice),
	} {
		if !strings.Contains(page, want) {
			f.add("the page does not say %q", want)
		}
	}
	return f
}
