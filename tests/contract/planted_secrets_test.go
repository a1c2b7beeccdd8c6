package contract_test

import (
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/template"
	"github.com/tienda-dev/tienda/tests/contract"
)

// plantedReader is a role that may read one secret.
const plantedReader = `
Resources:
  GetThingRole:
    Type: AWS::IAM::Role
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument:
            Statement:
              - {Effect: Allow, Action: [logs:PutLogEvents], Resource: !GetAtt GetThingLogGroup.Arn}
              - {Effect: Allow, Action: [secretsmanager:GetSecretValue], Resource: !Ref ThingSecret}
`

func TestSecretsNamesBothDirections(t *testing.T) {
	t.Parallel()
	const granted = "{Effect: Allow, Action: [secretsmanager:GetSecretValue], Resource: !Ref ThingSecret}"
	tests := map[string]struct {
		statement   string // in place of granted
		environment map[string]string
		want        []string
	}{
		"Equal":      {statement: granted, environment: map[string]string{"THING_SECRET": "ThingSecret", "TABLE": "things"}},
		"NotAllowed": {statement: granted, environment: map[string]string{"THING_SECRET": "ThingSecret", "OTHER_SECRET": "OtherSecret"}, want: []string{"names OtherSecret: let GetThingRole read it"}},
		"NotNamed":   {statement: granted, want: []string{"GetThingRole may read ThingSecret, but the environment of get-thing does not name it"}},
		"InAList": {
			statement:   "{Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: [!Ref ThingSecret, !Ref OtherSecret]}",
			environment: map[string]string{"THING_SECRET": "ThingSecret"},
			want:        []string{"may read OtherSecret"},
		},
		"Condition": {
			statement:   "!If [Open, {Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: !Ref OtherSecret}, !Ref AWS::NoValue]",
			environment: map[string]string{"THING_SECRET": "ThingSecret"},
			want:        []string{"names ThingSecret: let", "may read OtherSecret"},
		},
		"EverySecret":   {statement: "{Effect: Allow, Action: secretsmanager:GetSecretValue, Resource: '*'}", want: []string{"want !Ref of a secret"}},
		"AnotherAction": {statement: "{Effect: Allow, Action: secretsmanager:PutSecretValue, Resource: !Ref ThingSecret}", environment: map[string]string{"THING_SECRET": "ThingSecret"}, want: []string{"allows secretsmanager:PutSecretValue"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resources, err := contract.ReadResources([]byte(strings.Replace(plantedReader, granted, test.statement, 1)))
			if err != nil {
				t.Fatal(err)
			}
			model := &template.Template{
				Functions: []template.Function{{Name: "get-thing", Role: "GetThingRole", Environment: test.environment}, {Name: "no-role"}},
				Secrets:   []template.Secret{{LogicalID: "ThingSecret"}, {LogicalID: "OtherSecret"}},
			}
			contract.Expect(t, contract.Secrets(model, resources), test.want...)
		})
	}
}
