package contract_test

import (
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tests/contract"
	"github.com/tienda-dev/tienda/tools/dist"
)

const plantedBlock = `
Resources:
  GetThingFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: dist/get-thing
      Runtime: provided.al2023
      Role: !GetAtt GetThingRole.Arn
      LoggingConfig: {LogGroup: !Ref ThingsLogGroup}
  # more
  GetThingRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - {PolicyName: p,
           PolicyDocument: {Statement: []}}
`

func TestBlocksNamesTheLongOne(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		old, new string
		want     []string
	}{
		"Nothing":      {},
		"JustFits":     {old: "  # more\n", new: strings.Repeat("  # more\n", 22)},
		"Long":         {old: "  # more\n", new: strings.Repeat("  # more\n", 26), want: []string{"have 39 lines, want at most 38"}},
		"NoRole":       {old: "Role: !GetAtt GetThingRole.Arn", new: "Role: !GetAtt OtherRole.Arn", want: []string{"does not follow it: define GetThingRole"}},
		"OwnLogs":      {old: "ThingsLogGroup", new: "GetThingLogGroup", want: []string{`logs to "GetThingLogGroup": set LoggingConfig: {LogGroup: !Ref ThingsLogGroup}`}},
		"LastLineLong": {old: "Statement: []}}", new: "Statement: [" + strings.Repeat("\n", 26) + "             {Effect: Allow}]}}", want: []string{"lines, want at most 38"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := []byte(strings.Replace(plantedBlock, test.old, test.new, 1))
			model, err := template.Read("template.yaml", text, template.Options{})
			if err != nil {
				t.Fatal(err)
			}
			resources, err := contract.ReadResources(text)
			if err != nil {
				t.Fatal(err)
			}
			functions := []dist.Function{{Name: "get-thing", Folder: "functions/things/get-thing"}}
			contract.Expect(t, contract.Blocks(functions, model, resources), test.want...)
		})
	}
}
