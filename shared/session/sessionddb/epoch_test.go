//go:build integration

package sessionddb_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/ddb/ddbtest"
	"github.com/tienda-dev/tienda/shared/identity"
	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessionddb"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

// command is the `aws dynamodb update-item` of the guide with which an operator ends every session.
type command struct {
	key               map[string]map[string]string
	update, condition string
}

// guide reads the command from the guide, so that the test runs the command that an operator types.
func guide(t *testing.T) command {
	t.Helper()
	page, err := os.ReadFile("../../../docs/auth.md")
	if err != nil {
		t.Fatal(err)
	}
	argument := func(name string) string {
		m := regexp.MustCompile(`(?m)^ +--` + name + ` '([^']+)' \\$`).FindSubmatch(page)
		if m == nil {
			t.Fatalf("docs/auth.md has no command with --%s", name)
		}
		return string(m[1])
	}
	c := command{update: argument("update-expression"), condition: argument("condition-expression")}
	if err := json.Unmarshal([]byte(argument("key")), &c.key); err != nil {
		t.Fatal(err)
	}
	values := regexp.MustCompile(`(?m)^ +--expression-attribute-values (".+")$`).FindSubmatch(page)
	if values == nil {
		t.Fatal("docs/auth.md has no command with --expression-attribute-values")
	}
	typed, err := exec.CommandContext(t.Context(), "sh", "-c", "printf %s "+string(values[1])).Output()
	if err != nil {
		t.Fatal(err)
	}
	var attributes map[string]map[string]string
	if err := json.Unmarshal(typed, &attributes); err != nil {
		t.Fatalf("%s: %v", typed, err)
	}
	at, err := strconv.ParseInt(attributes[":now"]["N"], 10, 64)
	if early := time.Until(time.UnixMilli(at)); err != nil || early < -time.Minute || early > time.Second {
		t.Errorf("the command writes %s, %v; want the end of this second in milliseconds", typed, err)
	}
	return c
}

// run runs the command for a time in milliseconds.
func (c command) run(t *testing.T, table *ddb.Table, now int64) error {
	t.Helper()
	key := map[string]types.AttributeValue{}
	for name, value := range c.key {
		key[name] = &types.AttributeValueMemberS{Value: value["S"]}
	}
	_, err := table.Client().UpdateItem(t.Context(), &dynamodb.UpdateItemInput{
		TableName: aws.String(table.Name()), Key: key,
		UpdateExpression: aws.String(c.update), ConditionExpression: aws.String(c.condition),
		ExpressionAttributeValues: map[string]types.AttributeValue{":now": &types.AttributeValueMemberN{Value: strconv.FormatInt(now, 10)}},
	})
	return err
}

func TestCommandOfTheGuideEndsEverySession(t *testing.T) {
	t.Parallel()
	table := ddbtest.Table(t)
	store := sessionddb.New(table)
	old, young := sessiontest.NewSession(), sessiontest.NewSession(func(s *session.Session) { s.CreatedAt = s.CreatedAt.Add(2 * time.Second) })
	for _, s := range []session.Session{old, young} {
		if err := store.Create(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	epoch := old.CreatedAt.Add(time.Second)
	check := func(id identity.Identity) error {
		c, err := session.NewChecker(session.CheckConfig{}, store, func() time.Time { return young.CreatedAt.Add(time.Second) })
		if err != nil {
			t.Fatal(err)
		}
		return c.Check(t.Context(), id, identity.Default)
	}
	of := func(s session.Session) identity.Identity {
		return identity.Identity{Subject: s.Subject, SessionID: s.ID, TokenID: "jti-" + s.ID, IssuedAt: s.CreatedAt}
	}
	if err := check(of(old)); err != nil {
		t.Fatalf("before the command: %v", err)
	}

	c := guide(t)
	if err := c.run(t, table, epoch.UnixMilli()); err != nil {
		t.Fatal(err)
	}
	machine := func(minted time.Time) identity.Identity {
		return identity.Identity{Subject: "machine", TokenID: "jti", IssuedAt: minted}
	}
	for name, tc := range map[string]struct {
		caller identity.Identity
		over   bool
	}{
		"SessionFromBefore": {of(old), true},
		"SessionFromAfter":  {of(young), false},
		"TokenFromBefore":   {machine(old.CreatedAt), true},
		"TokenFromThen":     {machine(epoch), true},
		"TokenFromAfter":    {machine(young.CreatedAt), false},
	} {
		if err := check(tc.caller); errors.Is(err, session.ErrRevoked) != tc.over || (err != nil) != tc.over {
			t.Errorf("%s: %v, want it over: %t", name, err, tc.over)
		}
	}

	// An earlier time is refused, by the command and by the library.
	err := c.run(t, table, epoch.Add(-time.Minute).UnixMilli())
	if _, ok := errors.AsType[*types.ConditionalCheckFailedException](err); !ok {
		t.Errorf("an earlier time: %v, want the condition to fail", err)
	}
	if err := store.RevokeEverybody(t.Context(), epoch.Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	state, err := store.State(t.Context(), session.Query{Everybody: true, Strong: true})
	if err != nil || !state.NotBefore.Equal(epoch) {
		t.Errorf("the epoch is %v, %v; want %v", state.NotBefore, err, epoch)
	}
}
