package contract

import (
	"strconv"

	"go.yaml.in/yaml/v4"

	"github.com/tienda-dev/tienda/local/template"
)

// catalogLogs is the log group of the functions that sell: a flood of their routes is what the stage's throttle is
// for.
const catalogLogs = "CatalogLogGroup"

// Throttles checks that every route that anybody may call has a limit of its own below the stage's, except the
// catalogue's: otherwise one client that floods it takes the stage's limit from all the others. template.Read refuses a
// limit of a route that does not exist.
func Throttles(t *template.Template, api Resource) []string {
	var f faults
	settings := find(api.Properties, "RouteSettings")
	for _, fn := range t.Functions {
		for _, route := range fn.Routes {
			own := find(settings, route.Key())
			switch {
			case own == nil && route.Authorizer == "" && fn.LogGroup != catalogLogs:
				f.add("template.yaml: anybody may call %s: give it a limit in RouteSettings of Api", route.Key())
			case own == nil:
			case outOfBounds(own, "ThrottlingRateLimit", t.API.Throttle.Rate), outOfBounds(own, "ThrottlingBurstLimit", float64(t.API.Throttle.Burst)):
				f.add("template.yaml:%d: the rate and burst of %s in RouteSettings must be numbers below the stage's %g and %d",
					own.Line, route.Key(), t.API.Throttle.Rate, t.API.Throttle.Burst)
			}
		}
	}
	return f
}

// outOfBounds reports whether a member of a route's settings is not a number from 1 to below the stage's. A !Ref is not
// one: CloudFormation passes parameters on as text there.
func outOfBounds(own *yaml.Node, member string, stage float64) bool {
	n := find(own, member)
	if n == nil || n.Tag != "!!int" {
		return true
	}
	value, err := strconv.ParseFloat(n.Value, 64)
	return err != nil || value < 1 || value >= stage
}
