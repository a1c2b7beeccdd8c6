package contract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/record"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/tests/contract"
)

// plantedRole is a role with one statement of each form that the template has.
const plantedRole = `
Metadata:
  Things: &Things {ForAllValues:StringLike: {dynamodb:LeadingKeys: [WARM, THING#*]}}
Resources:
  GetThingRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: [logs:PutLogEvents], Resource: !GetAtt GetThingLogGroup.Arn}
              - {Effect: Allow, Action: [dynamodb:GetItem, dynamodb:PutItem], Resource: !GetAtt ThingTable.Arn, Condition: *Things}
              - Effect: Allow
                Action: dynamodb:Query
                Resource: [!Sub '${ThingTable.Arn}/index/GSI1', !Sub '${OtherTable.Arn}/index/GSI1']
      ManagedPolicyArns: [!Ref Everyone]
  Everyone:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - Effect: Allow
            Action: [dynamodb:UpdateItem]
            Resource: !GetAtt LimitTable.Arn
            Condition: {ForAllValues:StringLike: {dynamodb:LeadingKeys: IP#*}}
`

func TestGrantsReadsTheRolesStatements(t *testing.T) {
	t.Parallel()
	resources, err := contract.ReadResources([]byte(plantedRole))
	if err != nil {
		t.Fatal(err)
	}
	model := &template.Template{Functions: []template.Function{{Name: "get-thing", Role: "GetThingRole"}, {Name: "no-role"}}}
	got, err := contract.Grants(model, resources)
	if err != nil {
		t.Fatal(err)
	}
	want := []record.Action{
		{Function: "get-thing", Name: "dynamodb:GetItem", Table: "ThingTable", Key: "WARM"},
		{Function: "get-thing", Name: "dynamodb:GetItem", Table: "ThingTable", Key: "THING#*"},
		{Function: "get-thing", Name: "dynamodb:PutItem", Table: "ThingTable", Key: "WARM"},
		{Function: "get-thing", Name: "dynamodb:PutItem", Table: "ThingTable", Key: "THING#*"},
		{Function: "get-thing", Name: "dynamodb:Query", Table: "ThingTable", Index: "GSI1"},
		{Function: "get-thing", Name: "dynamodb:Query", Table: "OtherTable", Index: "GSI1"},
		{Function: "get-thing", Name: "dynamodb:UpdateItem", Table: "LimitTable", Key: "IP#*"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}

	for name, change := range map[string]struct{ old, planted string }{
		"EveryResource":      {"!GetAtt ThingTable.Arn", "'*'"},
		"NotAnARN":           {"!GetAtt ThingTable.Arn", "!Ref ThingTable"},
		"EveryIndex":         {"/index/GSI1", "/index/*"},
		"OtherARN":           {"!GetAtt ThingTable.Arn", "!Sub 'arn:aws:${X}'"},
		"NoCondition":        {", Condition: *Things", ""},
		"OtherCondition":     {"ForAllValues:StringLike: {dynamodb:LeadingKeys: IP#*}", "StringLike: {dynamodb:LeadingKeys: IP#*}"},
		"EveryKey":           {"[WARM, THING#*]", "['*']"},
		"PartOfAKind":        {"[WARM, THING#*]", "[THING*]"},
		"NoKey":              {"[WARM, THING#*]", "[]"},
		"SecondStatement":    {"dynamodb:Query\n", "[dynamodb:Query, dynamodb:GetItem]\n"},
		"ConditionOnAnIndex": {"OtherTable.Arn}/index/GSI1']\n", "OtherTable.Arn}/index/GSI1']\n                Condition: *Things\n"},
	} {
		t.Run("Refuses"+name, func(t *testing.T) {
			t.Parallel()
			text := strings.ReplaceAll(plantedRole, change.old, change.planted)
			if name == "SecondStatement" {
				text = strings.ReplaceAll(text, "[!Sub '${ThingTable.Arn}/index/GSI1', !Sub '${OtherTable.Arn}/index/GSI1']", "!GetAtt ThingTable.Arn\n                Condition: *Things")
			}
			resources, err := contract.ReadResources([]byte(text))
			if err != nil || text == plantedRole {
				t.Fatal("nothing is planted", err)
			}
			if got, err := contract.Grants(model, resources); err == nil {
				t.Errorf("got %v, want an error", got)
			}
		})
	}
}

func TestKeyedComparesRoutesAndRoles(t *testing.T) {
	t.Parallel()
	grant := func(name string) record.Action {
		return record.Action{Function: "create-thing", Name: "dynamodb:" + name, Table: "CommerceTable", Key: "ID#*"}
	}
	for name, tc := range map[string]struct {
		keys    api.Idempotency
		granted []record.Action
		want    []string
	}{
		"OK":           {api.KeyRequired, []record.Action{grant("GetItem"), grant("PutItem"), grant("UpdateItem")}, nil},
		"OKWithout":    {api.KeyIgnored, nil, nil},
		"CannotRead":   {api.KeyOptional, []record.Action{grant("PutItem")}, []string{"GetItem"}},
		"CannotWrite":  {api.KeyRequired, []record.Action{grant("GetItem")}, []string{"PutItem"}},
		"NeedsNeither": {api.KeyIgnored, []record.Action{grant("GetItem"), grant("PutItem")}, []string{"GetItem", "PutItem"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			routes := []api.Route{{Name: "create-thing", Idempotency: tc.keys}}
			contract.Expect(t, contract.Keyed(routes, tc.granted), tc.want...)
		})
	}
}

func TestGuardedNamesRolesThatReachTooMuch(t *testing.T) {
	t.Parallel()
	grant := func(function, name, table, key string) record.Action {
		return record.Action{Function: function, Name: "dynamodb:" + name, Table: table, Key: key}
	}
	for name, tc := range map[string]struct {
		granted record.Action
		want    []string
	}{
		"Login":              {grant("login", "BatchGetItem", "AuthTable", "PW#*"), nil},
		"Registration":       {grant("register-user", "PutItem", "AuthTable", "PW#*"), nil},
		"LogoutReadsHash":    {grant("logout", "GetItem", "AuthTable", "PW#*"), []string{"read password hashes"}},
		"RegistrationReads":  {grant("register-user", "GetItem", "AuthTable", "PW#*"), []string{"read password hashes"}},
		"RefreshSetsRoles":   {grant("refresh-token", "PutItem", "AuthTable", "USER#*"), []string{"write roles"}},
		"LogoutUpdatesRoles": {grant("logout-all", "UpdateItem", "AuthTable", "USER#*"), []string{"read roles", "write roles"}},
		"RefreshReadsRoles":  {grant("refresh-token", "GetItem", "AuthTable", "USER#*"), nil},
		"ProductsReadPeople": {grant("get-product", "GetItem", "CommerceTable", "CUST#*"), []string{"read e-mail addresses"}},
		"HealthReads":        {grant("get-health", "GetItem", "AuthTable", "U#*"), []string{"let it read WARM alone"}},
		"HealthWarms":        {grant("get-health", "GetItem", "AuthTable", "WARM"), nil},
		"HealthWrites":       {grant("get-readiness", "PutItem", "AuthTable", "WARM"), []string{"let it read WARM alone"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract.Expect(t, contract.Guarded([]record.Action{tc.granted}), tc.want...)
		})
	}
}

func TestLeastPrivilegeNamesBothDirections(t *testing.T) {
	t.Parallel()
	get := record.Action{Function: "get-thing", Name: "dynamodb:GetItem", Table: "ThingTable"}
	query := record.Action{Function: "get-thing", Name: "dynamodb:Query", Table: "ThingTable", Index: "GSI1"}
	tests := map[string]struct {
		allowed, seen []record.Action
		want          []string
	}{
		"Equal":         {allowed: []record.Action{get, query}, seen: []record.Action{query, get, get}},
		"NotAllowed":    {allowed: []record.Action{get}, seen: []record.Action{get, query}, want: []string{"get-thing dynamodb:Query ThingTable/index/GSI1: the function does it"}},
		"NotSeen":       {allowed: []record.Action{get, query}, seen: []record.Action{get}, want: []string{"GSI1: the role allows it"}},
		"OtherIndex":    {allowed: []record.Action{query}, seen: []record.Action{{Function: "get-thing", Name: query.Name, Table: query.Table, Index: "GSI2"}}, want: []string{"GSI2: the function does it", "GSI1: the role allows it"}},
		"OtherKind":     {allowed: []record.Action{get}, seen: []record.Action{{Function: "get-thing", Name: get.Name, Table: get.Table, Key: "PW#*"}}, want: []string{"ThingTable PW#*: the function does it", "GetItem ThingTable: the role"}},
		"OtherTable":    {allowed: []record.Action{get}, seen: []record.Action{{Function: "get-thing", Name: get.Name, Table: "OtherTable"}}, want: []string{"OtherTable: the function does it", "ThingTable: the role allows it"}},
		"OtherFunction": {allowed: []record.Action{get}, seen: []record.Action{{Function: "put-thing", Name: get.Name, Table: get.Table}}, want: []string{"put-thing dynamodb:GetItem ThingTable: the function does it", "get-thing dynamodb:GetItem ThingTable: the role"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			contract.Expect(t, contract.LeastPrivilege(test.allowed, test.seen), test.want...)
		})
	}
}
