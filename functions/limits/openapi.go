//go:build openapi

package limits

import (
	"net/http"

	"github.com/tienda-dev/tienda/internal/openapi"
	"github.com/tienda-dev/tienda/internal/policy"
	"github.com/tienda-dev/tienda/shared/problem"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

// errNobody is what the store of users answers for an account that does not exist.
var errNobody = problem.New(problem.NotFound, "user_not_found", "There is no such user.")

// OpenAPI describes the limits for the API's document.
func OpenAPI() openapi.Resource {
	return openapi.Resource{
		Name:        "limits",
		Description: "What is left of the rate limits of one address, user, session or account.",
		Schemas:     schemas(),
		Operations: []openapi.Operation{
			{
				Route: GetLimitsRoute, Summary: "Read what is left of the rate limits of a class",
				Description: oneSubject + " Limits that the operator has switched off are left out.",
				Parameters:  parameters(),
				Responses: []openapi.Response{{
					Status: http.StatusOK, Description: "The limits.", Body: limitsResponse{}, Example: true,
				}},
				Problems: []*problem.Error{ErrClassNotFound, errNobody},
			},
			{
				Route: ResetLimitsRoute, Summary: "Give the full rate limits of a class back",
				Description: oneSubject + " Functions that remember a denial see the reset within 30 s.",
				Parameters:  parameters(),
				Responses:   []openapi.Response{{Status: http.StatusNoContent, Description: "The limits are full again."}},
				Problems:    []*problem.Error{ErrClassNotFound, errNobody},
			},
		},
	}
}

const oneSubject = "The query names exactly one subject that the class counts: its address, user, session or account."

func parameters() []openapi.Parameter {
	all := []openapi.Parameter{{
		In: openapi.Path, Name: "class", Description: "The class of rate limits.", Rules: classRules(), Example: string(policy.RateUserRead),
	}}
	for _, p := range []struct {
		kind        policy.Kind
		description string
	}{
		{policy.ByIP, "An IPv4 or IPv6 address. IPv6 addresses are counted by their /64."},
		{policy.ByUser, "The subject of access tokens."},
		{policy.BySession, "The id of a session."},
		{policy.ByAccount, "The id of a user, whose account anonymous callers name."},
	} {
		all = append(all, openapi.Parameter{
			In: openapi.Query, Name: string(p.kind), Description: p.description,
			Rules: openapi.Rules{MinLength: 1, MaxLength: maxValue, Pattern: `^[!-~]+$`}, // as printable
		})
	}
	return all
}

// classRules are the classes whose limits a table has.
func classRules() openapi.Rules {
	var rules openapi.Rules
	for _, class := range policy.Classes() {
		if class.Rate != policy.RateMeta {
			rules.Enum = append(rules.Enum, string(class.Rate))
		}
	}
	return rules
}

func schemas() []openapi.Schema {
	return []openapi.Schema{
		{Name: "Limits", Value: limitsResponse{}, Members: map[string]openapi.Rules{
			"class": classRules(), "by": openapi.OneOf(policy.ByAccount, policy.ByIP, policy.BySession, policy.ByUser),
		}},
		{Name: "Limit", Value: limitResponse{}, Members: map[string]openapi.Rules{
			"algorithm": {Enum: []any{ratelimit.GCRA.String(), ratelimit.FixedWindow.String(), ratelimit.SlidingLog.String()}},
			"limit":     openapi.AtLeast(1), "window_seconds": openapi.AtLeast(1), "burst": openapi.AtLeast(1),
			"remaining": openapi.AtLeast(0), "retry_after_seconds": openapi.AtLeast(0),
		}},
	}
}
