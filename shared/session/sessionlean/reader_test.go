package sessionlean_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/awsclient"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionlean"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

type doer func(*http.Request) (*http.Response, error)

func (d doer) RoundTrip(r *http.Request) (*http.Response, error) { return d(r) }

func newReader(t testing.TB, send doer) *sessionlean.Reader {
	t.Helper()
	reader, err := sessionlean.New(sessionlean.Config{
		Table:  "auth",
		Config: awsclient.Config{Region: "eu-central-1", AccessKeyID: "id", SecretAccessKey: "key", HTTP: &http.Client{Transport: send}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return reader
}

func answer(status int, body string) doer {
	return func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}, nil
	}
}

const (
	sessionItem = `{"PK":{"S":"S#s1"},"SK":{"S":"S"},"sub":{"S":"alice"},"created_at":{"N":"1795521600000"},` +
		`"idle_exp":{"N":"1796126400000"},"abs_exp":{"N":"1798113600000"}}`
	accountItem = `{"PK":{"S":"U#alice"},"SK":{"S":"A"},"nbf_epoch":{"N":"1795521500000"},"authz_ver":{"N":"3"}}`
	tokenItem   = `{"PK":{"S":"R#t1"},"SK":{"S":"R"},"reason":{"S":"client"}}`
	globalItem  = `{"PK":{"S":"G"},"SK":{"S":"A"},"nbf_epoch":{"N":"1795521400000"}}`
)

func query() session.Query {
	return session.Query{SessionID: "s1", Subject: "alice", TokenID: "t1", Everybody: true}
}

func millis(n int64) time.Time { return time.UnixMilli(n).UTC() }

func full() session.State {
	return session.State{
		HasSession: true,
		Session: session.Session{
			ID: "s1", Subject: "alice", CreatedAt: millis(1795521600000), IdleUntil: millis(1796126400000), EndsAt: millis(1798113600000),
		},
		Account:      session.Account{NotBefore: millis(1795521500000), AuthzVersion: 3},
		TokenRevoked: true,
		NotBefore:    millis(1795521400000),
	}
}

func responses(items ...string) string {
	return `{"Responses":{"auth":[` + strings.Join(items, ",") + `]},"UnprocessedKeys":{}}`
}

func TestRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		query session.Query
		keys  string
	}{
		"Everything": {query(), `[{"PK":{"S":"S#s1"},"SK":{"S":"S"}},{"PK":{"S":"U#alice"},"SK":{"S":"A"}},` +
			`{"PK":{"S":"R#t1"},"SK":{"S":"R"}},{"PK":{"S":"G"},"SK":{"S":"A"}}]`},
		"Machine": {session.Query{Subject: "cron", TokenID: "t1", Strong: true}, `[{"PK":{"S":"U#cron"},"SK":{"S":"A"}},{"PK":{"S":"R#t1"},"SK":{"S":"R"}}]`},
		"Quotes":  {session.Query{Subject: `a"b\`}, `[{"PK":{"S":"U#a\"b\\"},"SK":{"S":"A"}}]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			reader := newReader(t, func(r *http.Request) (*http.Response, error) {
				calls++
				if got := r.Header.Get("X-Amz-Target"); got != "DynamoDB_20120810.BatchGetItem" {
					t.Errorf("target %q", got)
				}
				var in struct {
					RequestItems map[string]struct {
						Keys                     json.RawMessage
						ConsistentRead           bool
						ProjectionExpression     string
						ExpressionAttributeNames map[string]string
					}
				}
				if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
					t.Fatal(err)
				}
				got := in.RequestItems["auth"]
				if len(in.RequestItems) != 1 || got.ConsistentRead != c.query.Strong {
					t.Errorf("requested %+v", in)
				}
				if diff := cmp.Diff(c.keys, string(got.Keys)); diff != "" {
					t.Errorf("keys (-want +got):\n%s", diff)
				}
				want := map[string]string{
					"#a": "sub", "#b": "created_at", "#c": "idle_exp", "#d": "abs_exp",
					"#e": "revoked_at", "#f": "reason", "#g": "nbf_epoch", "#h": "authz_ver",
				}
				if diff := cmp.Diff(want, got.ExpressionAttributeNames); diff != "" || got.ProjectionExpression != "PK,SK,#a,#b,#c,#d,#e,#f,#g,#h" {
					t.Errorf("attributes %s (-want +got):\n%s", got.ProjectionExpression, diff)
				}
				return answer(200, responses())(r)
			})
			if state, err := reader.State(t.Context(), c.query); err != nil || cmp.Diff(session.State{}, state) != "" || calls != 1 {
				t.Errorf("got %+v, %v after %d calls", state, err, calls)
			}
		})
	}
	nothing := newReader(t, func(*http.Request) (*http.Response, error) { return nil, errors.New("asked for nothing") })
	if _, err := nothing.State(t.Context(), session.Query{}); err != nil {
		t.Errorf("a query for nothing: %v", err)
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	reordered := responses(globalItem, tokenItem, accountItem, sessionItem)
	unprocessed := `"UnprocessedKeys":{"auth":{"ConsistentRead":false,"Keys":[{"PK":{"S":"S#s1"},"SK":{"S":"S"}},{"PK":{"S":"G"},"SK":{"S":"A"}}],"ProjectionExpression":"PK"}}}`
	partial := `{"Responses":{"auth":[` + accountItem + `,` + tokenItem + `]},` + unprocessed
	revoked := strings.Replace(sessionItem, `"sub"`, `"revoked_at":{"N":"1795521700001"},"reason":{"S":"logout"},"sub"`, 1)
	isRevoked := full()
	isRevoked.Session.RevokedAt, isRevoked.Session.Reason = millis(1795521700001), session.Logout
	throttled := answer(400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"alice"}`)
	denied := answer(400, `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"alice"}`)
	good := answer(200, reordered)

	for name, c := range map[string]struct {
		answers     []doer
		want        session.State
		unavailable bool
		fault       bool
	}{
		"Everything":          {answers: []doer{good}, want: full()},
		"Revoked":             {answers: []doer{answer(200, responses(revoked, accountItem, tokenItem, globalItem))}, want: isRevoked},
		"Nothing":             {answers: []doer{answer(200, responses())}},
		"OtherAttributes":     {answers: []doer{answer(200, strings.ReplaceAll(reordered, `"SK":`, `"x":{"M":{"y":{"L":[{"BOOL":true}]}}},"z":{"NULL":true},"SK":`))}, want: full()},
		"AskedAgain":          {answers: []doer{answer(200, partial), answer(200, responses(sessionItem, globalItem))}, want: full()},
		"AskedTwiceAgain":     {answers: []doer{answer(200, partial), answer(200, `{"Responses":{},`+unprocessed), answer(200, responses(sessionItem, globalItem))}, want: full()},
		"ThrottledOnce":       {answers: []doer{throttled, good}, want: full()},
		"NeverProcessed":      {answers: []doer{answer(200, `{"Responses":{"auth":[]},`+unprocessed)}, unavailable: true},
		"Throttled":           {answers: []doer{throttled}, unavailable: true},
		"Unreachable":         {answers: []doer{func(*http.Request) (*http.Response, error) { return nil, errors.New("no route to host") }}, unavailable: true},
		"ServerError":         {answers: []doer{answer(500, "")}, unavailable: true},
		"Denied":              {answers: []doer{denied}, fault: true},
		"NoJSON":              {answers: []doer{answer(200, "<html>")}, unavailable: true},
		"ProxyPage":           {answers: []doer{answer(403, "<html>")}, unavailable: true},
		"Empty":               {answers: []doer{answer(200, "")}, unavailable: true},
		"Truncated":           {answers: []doer{answer(200, reordered[:200])}, unavailable: true},
		"EmptyObject":         {answers: []doer{answer(200, `{}`)}, fault: true},
		"ItemNotAskedFor":     {answers: []doer{answer(200, responses(strings.Replace(sessionItem, "S#s1", "S#s2", 1)))}, fault: true},
		"ItemWithoutAKey":     {answers: []doer{answer(200, responses(strings.Replace(sessionItem, `"PK"`, `"pk"`, 1)))}, fault: true},
		"KeyNotAskedFor":      {answers: []doer{answer(200, strings.Replace(partial, "S#s1", "S#s2", 1))}, fault: true},
		"NoEnd":               {answers: []doer{answer(200, responses(strings.Replace(sessionItem, "abs_exp", "other", 1)))}, fault: true},
		"EndIsText":           {answers: []doer{answer(200, responses(strings.Replace(sessionItem, `"N":"1798113600000"`, `"S":"never"`, 1)))}, fault: true},
		"EndIsAFraction":      {answers: []doer{answer(200, responses(strings.Replace(sessionItem, `1798113600000`, `1.5`, 1)))}, fault: true},
		"EpochOfAnotherType":  {answers: []doer{answer(200, responses(strings.Replace(accountItem, `{"N":"1795521500000"}`, `{"NULL":true}`, 1)))}, fault: true},
		"VersionIsText":       {answers: []doer{answer(200, responses(strings.Replace(accountItem, `{"N":"3"}`, `{"S":"3"}`, 1)))}, fault: true},
		"GlobalEpochIsText":   {answers: []doer{answer(200, responses(strings.Replace(globalItem, `"N"`, `"S"`, 1)))}, fault: true},
		"OtherTable":          {answers: []doer{answer(200, strings.Replace(reordered, `"auth"`, `"other"`, 1))}, fault: true},
		"NoTable":             {answers: []doer{answer(200, `{"Responses":{},"UnprocessedKeys":{}}`)}, fault: true},
		"TableIsNull":         {answers: []doer{answer(200, `{"Responses":{"auth":null},"UnprocessedKeys":{}}`)}, fault: true},
		"NumberIsNotAString":  {answers: []doer{answer(200, responses(strings.Replace(accountItem, `"N":"3"`, `"N":3`, 1)))}, fault: true},
		"RevokedAtIsNotADate": {answers: []doer{answer(200, responses(strings.Replace(revoked, `"1795521700001"`, `""`, 1)))}, fault: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				calls := 0
				reader := newReader(t, func(r *http.Request) (*http.Response, error) {
					calls++
					return c.answers[min(calls, len(c.answers))-1](r)
				})
				got, err := reader.State(t.Context(), query())
				if errors.Is(err, session.ErrUnavailable) != c.unavailable || (err != nil) != (c.unavailable || c.fault) {
					t.Fatalf("got %+v, %v", got, err)
				}
				if err != nil && strings.Contains(err.Error(), "alice") {
					t.Errorf("the error contains a value: %v", err)
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("state (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// DynamoDB leaves keys unprocessed when the table is busy, and an immediate retry makes it worse. The pauses
// are random: over many calls the longest is above zero and within its bound, 25 ms or 50 ms.
func TestPausesBeforeRetries(t *testing.T) {
	t.Parallel()
	unprocessed := answer(200, `{"Responses":{},"UnprocessedKeys":{"auth":{"Keys":[{"PK":{"S":"S#s1"},"SK":{"S":"S"}}]}}}`)
	synctest.Test(t, func(t *testing.T) {
		var asked []time.Time
		reader := newReader(t, func(r *http.Request) (*http.Response, error) {
			asked = append(asked, time.Now())
			return unprocessed(r)
		})
		var pauses [2]time.Duration
		const calls = 50
		for range calls {
			asked = nil
			if _, err := reader.State(t.Context(), session.Query{SessionID: "s1"}); !errors.Is(err, session.ErrUnavailable) || len(asked) != 3 {
				t.Fatalf("got %v after %d attempts", err, len(asked))
			}
			for i := range pauses {
				pauses[i] = max(pauses[i], asked[i+1].Sub(asked[i]))
			}
		}
		for i, bound := range []time.Duration{25 * time.Millisecond, 50 * time.Millisecond} {
			if pauses[i] < bound/2 || pauses[i] >= bound {
				t.Errorf("the longest pause %d of %d was %v, want almost %v", i+1, calls, pauses[i], bound)
			}
		}
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond) // shorter than any pause except zero
		defer cancel()
		start := time.Now()
		_, err := newReader(t, unprocessed).State(ctx, session.Query{SessionID: "s1"})
		if took := time.Since(start); err == nil || took > time.Nanosecond {
			t.Errorf("got %v after %v", err, took)
		}
	})
}

// The error shows that the caller's own deadline has passed.
func TestDeadline(t *testing.T) {
	t.Parallel()
	hang := doer(func(r *http.Request) (*http.Response, error) {
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 900*time.Millisecond) // before an attempt ends
		defer cancel()
		_, err := newReader(t, hang).State(ctx, query())
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, session.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		// The same holds when the deadline passes after a response with unprocessed keys.
		late := doer(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return answer(200, `{"Responses":{},"UnprocessedKeys":{"auth":{"Keys":[{"PK":{"S":"S#s1"},"SK":{"S":"S"}}]}}}`)(r)
		})
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := newReader(t, late).State(short, session.Query{SessionID: "s1"}); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, session.ErrUnavailable) {
			t.Errorf("unprocessed keys: %v", err)
		}
		checker, err := session.NewChecker(session.CheckConfig{}, newReader(t, hang), func() time.Time { return sessiontest.Time(0) })
		if err != nil {
			t.Fatal(err)
		}
		if err := checker.Warm(ctx); err == nil {
			t.Error("warmed without a response")
		}
	})
}

func TestNewNeedsEverything(t *testing.T) {
	t.Parallel()
	good := sessionlean.Config{Table: "auth", Config: awsclient.Config{Region: "eu-central-1", AccessKeyID: "id", SecretAccessKey: "key"}}
	if _, err := sessionlean.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*sessionlean.Config){
		"Table":           func(c *sessionlean.Config) { c.Table = "" },
		"Region":          func(c *sessionlean.Config) { c.Region = "" },
		"AccessKeyID":     func(c *sessionlean.Config) { c.AccessKeyID = "" },
		"SecretAccessKey": func(c *sessionlean.Config) { c.SecretAccessKey = "" },
		"Endpoint":        func(c *sessionlean.Config) { c.Endpoint = "{{resolve:ssm:x}}" },
	} {
		cfg := good
		change(&cfg)
		if _, err := sessionlean.New(cfg); err == nil {
			t.Errorf("New without a good %s was accepted", name)
		}
	}
}

// FuzzAnswer decodes any response: it may fail, but must not panic or invent a session.
func FuzzAnswer(f *testing.F) {
	f.Add([]byte(responses(sessionItem, accountItem, tokenItem, globalItem)))
	f.Add([]byte(`{"Responses":{"auth":null},"UnprocessedKeys":{"auth":{"Keys":[{}]}}}`))
	f.Add([]byte(`{"Responses":{"auth":[{"PK":{"S":"S#s1"},"SK":{"S":"S"}}]}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		// Too short for a second attempt: an answer that is not JSON is asked for again.
		ctx, cancel := context.WithTimeout(t.Context(), 45*time.Millisecond)
		defer cancel()
		state, err := newReader(t, answer(200, string(body))).State(ctx, query())
		if err == nil && state.HasSession && (state.Session.Subject == "" || state.Session.EndsAt.IsZero()) {
			t.Errorf("read %+v of %q", state, body)
		}
	})
}

func BenchmarkState(b *testing.B) {
	reader := newReader(b, answer(200, responses(sessionItem, accountItem)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reader.State(b.Context(), query()); err != nil {
			b.Fatal(err)
		}
	}
}
