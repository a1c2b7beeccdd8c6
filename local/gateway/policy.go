package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// invokeAction is the action that API Gateway asks a policy about.
const invokeAction = "execute-api:invoke"

// policyDocument is the IAM policy of an authorizer's answer.
type policyDocument struct {
	Statement oneOrMany[statement] `json:"Statement"`
}

// statement is one statement of a policy.
type statement struct {
	Effect    string            `json:"Effect"`
	Action    oneOrMany[string] `json:"Action"`
	Resource  oneOrMany[string] `json:"Resource"`
	Condition json.RawMessage   `json:"Condition"`
}

// oneOrMany is a JSON value, or a list of them.
type oneOrMany[T any] []T

// UnmarshalJSON accepts both forms.
func (m *oneOrMany[T]) UnmarshalJSON(data []byte) error {
	var many []T
	if strings.HasPrefix(strings.TrimSpace(string(data)), "[") {
		if err := json.Unmarshal(data, &many); err != nil {
			return err
		}
		*m = many
		return nil
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*m = []T{one}
	return nil
}

// check refuses a policy that cannot be judged here: one without statements, with another effect,
// or with a condition.
func (p policyDocument) check() error {
	if len(p.Statement) == 0 {
		return errors.New("the policy has no statement")
	}
	for _, s := range p.Statement {
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return fmt.Errorf("the policy's effect %q is neither Allow nor Deny", s.Effect)
		}
		if len(s.Condition) > 0 {
			return errors.New("the policy has a condition, which is judged only on AWS")
		}
		if len(s.Action) == 0 || len(s.Resource) == 0 {
			return errors.New("the policy has a statement without action or resource")
		}
	}
	return nil
}

// allows tells whether the policy lets a request to arn through: a statement allows it and none
// denies it.
func (p policyDocument) allows(arn string) bool {
	allowed := false
	for _, s := range p.Statement {
		action := slices.ContainsFunc(s.Action, func(pattern string) bool {
			return wildcard(strings.ToLower(pattern), invokeAction)
		})
		resource := slices.ContainsFunc(s.Resource, func(pattern string) bool { return wildcard(pattern, arn) })
		if !action || !resource {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = true
	}
	return allowed
}

// wildcard tells whether s matches an IAM pattern: * is any text, slashes too, ? any character.
func wildcard(pattern, s string) bool {
	// path.Match gives brackets, backslashes and slashes a meaning that IAM does not.
	hide := strings.NewReplacer("[", "\x01", "]", "\x02", `\`, "\x03", "/", "\x04")
	matched, err := path.Match(hide.Replace(pattern), hide.Replace(s))
	return err == nil && matched
}
