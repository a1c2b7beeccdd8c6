package contract_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/local/record"
	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tests/contract"
)

// plantedRole is a role with one statement of each form that the template has.
const plantedRole = `
Resources:
  GetThingRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: [logs:PutLogEvents], Resource: !GetAtt GetThingLogGroup.Arn}
              - {Effect: Allow, Action: [dynamodb:GetItem, dynamodb:PutItem], Resource: !GetAtt ThingTable.Arn}
              - Effect: Allow
                Action: dynamodb:Query
                Resource: [!Sub '${ThingTable.Arn}/index/GSI1', !GetAtt OtherTable.Arn]
      ManagedPolicyArns: [!Ref Everyone]
  Everyone:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Statement:
          - {Effect: Allow, Action: [dynamodb:UpdateItem], Resource: !GetAtt LimitTable.Arn}
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
		{Function: "get-thing", Name: "dynamodb:GetItem", Table: "ThingTable"},
		{Function: "get-thing", Name: "dynamodb:PutItem", Table: "ThingTable"},
		{Function: "get-thing", Name: "dynamodb:Query", Table: "ThingTable", Index: "GSI1"},
		{Function: "get-thing", Name: "dynamodb:Query", Table: "OtherTable"},
		{Function: "get-thing", Name: "dynamodb:UpdateItem", Table: "LimitTable"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("grants (-want +got):\n%s", diff)
	}

	for _, resource := range []string{"'*'", "!Ref ThingTable", "!Sub '${ThingTable.Arn}/index/*'", "!Sub 'arn:aws:${X}'"} {
		t.Run("Refuses "+resource, func(t *testing.T) {
			t.Parallel()
			resources, err := contract.ReadResources([]byte(strings.ReplaceAll(plantedRole, "!GetAtt ThingTable.Arn", resource)))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := contract.Grants(model, resources); err == nil {
				t.Errorf("got %v, want an error", got)
			}
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
