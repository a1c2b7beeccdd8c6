package contract_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tests/contract"
)

func TestAnonymousRoutesHaveTheirOwnThrottle(t *testing.T) {
	t.Parallel()
	report(t, throttles(t, read(t, "template.yaml")))
}

func TestThrottlesNamesWrongLimits(t *testing.T) {
	t.Parallel()
	text := read(t, "template.yaml")
	const live = "        GET /health/live: *QuietRoute\n"
	for name, test := range map[string]struct{ old, new, want string }{
		"NoLimit":      {live, "", "anybody may call GET /health/live"},
		"RateOfStage":  {live, "        GET /health/live: {ThrottlingRateLimit: 200, ThrottlingBurstLimit: 40}\n", "of GET /health/live in RouteSettings must be numbers below the stage's 200 and 400"},
		"BurstOfStage": {live, "        GET /health/live: {ThrottlingRateLimit: 20, ThrottlingBurstLimit: 400}\n", "of GET /health/live in"},
		"Parameter":    {live, "        GET /health/live: {ThrottlingRateLimit: !Ref ThrottleRate, ThrottlingBurstLimit: 40}\n", "of GET /health/live in"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(text, test.old) {
				t.Fatalf("template.yaml has no %q", test.old)
			}
			contract.Expect(t, throttles(t, strings.Replace(text, test.old, test.new, 1)), test.want)
		})
	}
}

func throttles(t *testing.T, text string) []string {
	t.Helper()
	model, err := template.Read("template.yaml", []byte(text), template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	resources, err := contract.ReadResources([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return contract.Throttles(model, resources["Api"])
}

func TestOnlyDevelopmentAllowsPagesOnThisMachine(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"local", "dev", "staging", "prod"} {
		model, err := template.ReadFile(filepath.Join(root, "template.yaml"), template.Options{Parameters: map[string]string{"Stage": stage}})
		if err != nil {
			t.Fatal(err)
		}
		report(t, contract.Origins(model, stage))
	}
	accepts := parameterPattern(t, "ShopOrigin")
	for origin, want := range map[string]bool{
		"https://shop.tienda.example": true, "https://a.b-c.example:8443": true, "http://shop.example": false, "https://localhost": false,
		"https://localhost:5173": false, "http://127.0.0.1": false, "https://127.0.0.1": false, "https://[::1]": false, "*": false,
		"https://*.shop.example": false, "https://shop.example/": false, "https://a.example,http://localhost:5173": false, "null": false,
	} {
		if accepts(origin) != want {
			t.Errorf("template.yaml: ShopOrigin accepts %s: %v, want %v", origin, !want, want)
		}
	}
}

func TestOriginsNamesWrongOnes(t *testing.T) {
	t.Parallel()
	for stage, want := range map[string]string{"dev": "in dev must be", "prod": "", "local": "in local must be"} {
		model := &template.Template{
			Parameters: map[string]string{"ShopOrigin": "https://a.example"},
			API:        &template.API{CORS: &template.CORS{AllowOrigins: []string{"https://a.example"}}},
		}
		if want == "" {
			contract.Expect(t, contract.Origins(model, stage))
			model.API.CORS.AllowOrigins = append(model.API.CORS.AllowOrigins, "http://localhost:5173")
			want = "in prod must be"
		}
		contract.Expect(t, contract.Origins(model, stage), want)
	}
}
