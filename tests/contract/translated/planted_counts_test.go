package translated_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/tests/contract/translated"
)

// counts is a page about a stack of two functions with a route, the authorizer and one secret.
const counts = `
| Lambda functions, each with a role and a log group | 3 | 2 with a route, and the authorizer |
| Versions, each with an alias | 2 |
| Permissions for the gateway | 4 |
| DynamoDB tables | 1 |
| Secrets | 1 |
| Alarms | 1 |
| CodeDeploy application with a role, and deployment groups | 2 |

That is 14 resources, and 16 where CodeDeploy shifts.

**Idle, per month**: 0.60 USD

| 1 secrets | 0.40 each | 0.40 |

0.60 USD when all 3 functions of the stack run (2 × 3 × 0.10).
`

func TestCountedNamesTheNumberThatIsNotDeployed(t *testing.T) {
	t.Parallel()
	page := strings.Replace(counts, "with an alias", "with an alias `live`", 1)
	stack := func(kinds map[string]int) translated.Stack {
		s := translated.Stack{Resources: map[string]translated.Resource{}}
		for kind, n := range kinds {
			for i := range n {
				s.Resources[kind+string(rune('A'+i))] = translated.Resource{Type: kind}
			}
		}
		return s
	}
	kinds := map[string]int{
		"AWS::Lambda::Function": 3, "AWS::Lambda::Alias": 2, "AWS::Lambda::Version": 2, "AWS::Lambda::Permission": 4,
		"AWS::DynamoDB::Table": 1, "AWS::SecretsManager::Secret": 1, "AWS::CloudWatch::Alarm": 1,
	}
	for name, tc := range map[string]struct {
		page string
		add  map[string]int
		want []string
	}{
		"Nothing": {page: page},
		"OneFunctionMore": {page: page, add: map[string]int{"AWS::Lambda::Function": 4}, want: []string{
			`| 4 | 2 with a route`, "That is 15 resources", "0.80 USD when all 4 functions", "(2 × 4 × 0.10)",
		}},
		"OneRouteMore": {page: page, add: map[string]int{"AWS::Lambda::Alias": 3}, want: []string{
			`| 3 | 3 with a route`, "| 3 |", "That is 15 resources",
		}},
		"OneSecretMore": {page: page, add: map[string]int{"AWS::SecretsManager::Secret": 2}, want: []string{
			"| Secrets | 2 |", "That is 15 resources", "| 2 secrets | 0.40 each | 0.80 |", "1.00 USD",
		}},
		"TableUnsaid": {page: strings.Replace(page, "| DynamoDB tables | 1 |", "| DynamoDB tables | 2 |", 1), want: []string{"| DynamoDB tables | 1 |"}},
		"Groups":      {page: strings.Replace(page, "groups | 2 |", "groups | 1 |", 1), want: []string{"deployment groups | 2 |"}},
		"Alarms":      {page: strings.Replace(page, "| Alarms | 1 |", "| Alarms | 4 |", 1), want: []string{"| Alarms | 1 |"}},
		"Permissions": {page: strings.Replace(page, "gateway | 4 |", "gateway | 3 |", 1), want: []string{"gateway | 4 |"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plain := maps.Clone(kinds)
			maps.Copy(plain, tc.add)
			gradual := maps.Clone(plain)
			gradual["AWS::CodeDeploy::DeploymentGroup"] = 2
			expect(t, translated.Counted(tc.page, stack(plain), stack(gradual)), tc.want...)
		})
	}
}
