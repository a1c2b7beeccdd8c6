package sessions

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/internal/process"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/logging"
	"github.com/tienda-dev/tienda/shared/session"
)

func TestSecurityEventsHaveALineOfTheirOwn(t *testing.T) {
	t.Parallel()
	for kind, security := range map[session.EventKind]bool{
		session.Started: false, session.Refreshed: false, session.Revoked: false, session.Late: false, session.Reused: true, session.Forged: true,
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			logger, err := logging.New(logging.Config{}, &out)
			if err != nil {
				t.Fatal(err)
			}
			entry := &logging.Entry{}
			ctx := logging.WithEntry(logging.With(t.Context(), logger), entry)
			logEvent(ctx, session.Event{Kind: kind, SessionID: "s1", Subject: "u1", Reason: session.Reuse, Presented: 1, Current: 3})

			fields, _ := entry.Snapshot()
			if hasLine := out.Len() > 0; hasLine != security || len(fields) > 0 == security {
				t.Errorf("a line of its own: %t, on the request's line: %d fields; want the one or the other", hasLine, len(fields))
			}
			if security {
				for _, part := range []string{`"level":"WARN"`, string(kind), `"session_id":"s1"`, `"subject":"u1"`, `"reason":"reuse"`, `"presented":1`, `"current":3`} {
					if !strings.Contains(out.String(), part) {
						t.Errorf("%s lacks %s", out.String(), part)
					}
				}
			}
		})
	}
}

func TestOpenRefusesDurationsOutOfRange(t *testing.T) {
	t.Parallel()
	client, err := ddb.Open(ddb.Config{Config: awsclient.Config{Region: "eu-central-1", AccessKeyID: "a", SecretAccessKey: "s"}})
	if err != nil {
		t.Fatal(err)
	}
	table := ddb.NewTable(client, "auth")
	route := api.Route{Name: "test", Method: http.MethodGet, Path: "/test", Auth: api.Public, Rate: api.Unlimited}
	for name, tc := range map[string]struct {
		environ map[string]string
		want    string
	}{
		"Defaults":     {nil, ""},
		"Own":          {map[string]string{"SESSION_IDLE": "1h", "SESSION_ABSOLUTE": "2h", "REFRESH_RETRY_WINDOW": "0s"}, ""},
		"NoDuration":   {map[string]string{"SESSION_IDLE": "soon"}, "SESSION_IDLE"},
		"ShortIdle":    {map[string]string{"SESSION_IDLE": "1s"}, "SESSION_IDLE"},
		"ShorterEnd":   {map[string]string{"SESSION_IDLE": "2h", "SESSION_ABSOLUTE": "1h"}, "SESSION_ABSOLUTE"},
		"LongestRetry": {map[string]string{"REFRESH_RETRY_WINDOW": "1h"}, "REFRESH_RETRY_WINDOW"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			environ := map[string]string{
				"AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "s",
				"TOKEN_KEYS_SECRET":   `{"kid":"k1","alg":"HS256","status":"active","key":"` + strings.Repeat("a", 32) + `"}`,
				"REFRESH_KEYS_SECRET": `{"kid":"r1","alg":"HS256","status":"active","key":"` + strings.Repeat("r", 32) + `"}`,
				"TOKEN_ISSUER":        "https://auth.shop.example", "TOKEN_AUDIENCE": "api", "REFRESH_AUDIENCE": "refresh",
			}
			maps.Copy(environ, tc.environ)
			_, err := process.Handler(t.Context(), route, func(ctx context.Context, s *app.Setup) (api.Handler, error) {
				_, err := Open(ctx, s, table)
				return func(http.ResponseWriter, *http.Request) error { return nil }, err
			}, environ)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}
