//go:build integration

package localddb_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/tienda-dev/tienda/local/localddb"
	"github.com/tienda-dev/tienda/local/template"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const cacheDir = "../../.cache"

func client(endpoint string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: "us-east-1", BaseEndpoint: &endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "local", SecretAccessKey: "local"}, nil
		}),
	})
}

func start(t *testing.T, dataDir string) *localddb.Server {
	t.Helper()
	s, err := localddb.Start(t.Context(), localddb.Config{CacheDir: cacheDir, DataDir: dataDir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func tables(t *testing.T) []template.Table {
	t.Helper()
	m, err := template.ReadFile("../../template.yaml", template.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return m.Tables
}

func TestTablesOfTheTemplate(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := start(t, "")
	list := tables(t)
	for range 2 { // the second time they are there
		if err := localddb.CreateTables(ctx, s.Endpoint, "us-east-1", list); err != nil {
			t.Fatal(err)
		}
	}

	db := client(s.Endpoint)
	out, err := db.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String("CommerceTable")})
	if err != nil {
		t.Fatal(err)
	}
	var indexes []string
	for _, i := range out.Table.GlobalSecondaryIndexes {
		indexes = append(indexes, *i.IndexName)
	}
	if diff := cmp.Diff(map[string]bool{"GSI1": true, "GSI2": true}, set(indexes)); diff != "" {
		t.Error(diff)
	}
	if v := out.Table.StreamSpecification.StreamViewType; v != types.StreamViewTypeNewAndOldImages {
		t.Errorf("got the stream %q", v)
	}
	ttl, err := db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String("CommerceTable")})
	if err != nil {
		t.Fatal(err)
	}
	if d := ttl.TimeToLiveDescription; d.TimeToLiveStatus != types.TimeToLiveStatusEnabled || *d.AttributeName != "ttl" {
		t.Errorf("got %+v", d)
	}

	list[0].Indexes = list[0].Indexes[:1]
	delete(list[0].Attributes, "GSI2PK")
	delete(list[0].Attributes, "GSI2SK")
	err = localddb.CreateTables(ctx, s.Endpoint, "us-east-1", list)
	if err == nil || !strings.Contains(err.Error(), "it exists with the keys and indexes") {
		t.Errorf("another shape: got %v", err)
	}
}

func set(list []string) map[string]bool {
	m := map[string]bool{}
	for _, s := range list {
		m[s] = true
	}
	return m
}

func TestDataFolderKeepsItems(t *testing.T) {
	t.Parallel()
	ctx, dir := t.Context(), t.TempDir()
	item := map[string]types.AttributeValue{
		"PK": &types.AttributeValueMemberS{Value: "P#1"}, "SK": &types.AttributeValueMemberS{Value: "META"},
	}

	first := start(t, dir)
	if err := localddb.CreateTables(ctx, first.Endpoint, "us-east-1", tables(t)); err != nil {
		t.Fatal(err)
	}
	put := &dynamodb.PutItemInput{TableName: aws.String("CommerceTable"), Item: item}
	if _, err := client(first.Endpoint).PutItem(ctx, put); err != nil {
		t.Fatal(err)
	}
	first.Stop()

	second := start(t, dir)
	if err := localddb.CreateTables(ctx, second.Endpoint, "us-east-1", tables(t)); err != nil {
		t.Fatal(err)
	}
	got, err := client(second.Endpoint).GetItem(ctx, &dynamodb.GetItemInput{TableName: aws.String("CommerceTable"), Key: item})
	if err != nil || len(got.Item) != 2 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestDatabaseThatIsBroken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	rubbish := bytes.Repeat([]byte("this is not a database\n"), 1000)
	if err := os.WriteFile(filepath.Join(dir, "shared-local-instance.db"), rubbish, 0o600); err != nil {
		t.Fatal(err)
	}
	s := start(t, dir)
	if err := localddb.CreateTables(t.Context(), s.Endpoint, "us-east-1", tables(t)); !errors.Is(err, localddb.ErrBroken) {
		t.Errorf("got %v", err)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	s.Stop()
	s.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.Endpoint, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := http.DefaultClient.Do(req); err == nil {
		_ = res.Body.Close()
		t.Error("it still answers")
	}
}

func TestRunningEndpointIsUsed(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	again, err := localddb.Start(t.Context(), localddb.Config{CacheDir: cacheDir, Endpoint: s.Endpoint + "/"})
	if err != nil || again.Endpoint != s.Endpoint {
		t.Fatalf("got %+v, %v", again, err)
	}
	again.Stop() // not ours to end
	if err := localddb.CreateTables(t.Context(), s.Endpoint, "us-east-1", tables(t)); err != nil {
		t.Error(err)
	}
}

// TestListensOnLoopbackOnly asks for the engine at every other address of this machine.
func TestListensOnLoopbackOnly(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	_, port, err := net.SplitHostPort(strings.TrimPrefix(s.Endpoint, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		ip := a.(*net.IPNet).IP
		if ip.Equal(net.IPv4(127, 0, 0, 1)) || ip.IsLinkLocalUnicast() {
			continue
		}
		if conn, err := net.Dial("tcp", net.JoinHostPort(ip.String(), port)); err == nil {
			_ = conn.Close()
			t.Errorf("it listens on %s", ip)
		}
	}
}
