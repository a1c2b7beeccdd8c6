package filter_test

import (
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/local/filter"
)

const event = `{"eventName":"INSERT","count":3,"none":null,"tags":["a","b"],"dynamodb":{"Keys":{"SK":{"S":"EV#1"}}}}`

func TestMatch(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		pattern string
		want    bool
	}{
		"ExactValue":             {`{"eventName":["INSERT"]}`, true},
		"OneOfTheList":           {`{"eventName":["MODIFY","INSERT"]}`, true},
		"NoneOfTheList":          {`{"eventName":["MODIFY","REMOVE"]}`, false},
		"NestedPrefix":           {`{"eventName":["INSERT"],"dynamodb":{"Keys":{"SK":{"S":[{"prefix":"EV#"}]}}}}`, true},
		"EveryMemberMustMatch":   {`{"eventName":["INSERT"],"dynamodb":{"Keys":{"SK":{"S":[{"prefix":"META"}]}}}}`, false},
		"Suffix":                 {`{"eventName":[{"suffix":"ERT"}]}`, true},
		"IgnoreCase":             {`{"eventName":[{"equals-ignore-case":"insert"}]}`, true},
		"AbsentMember":           {`{"other":["x"]}`, false},
		"AbsentObject":           {`{"other":{"x":["y"]}}`, false},
		"ExistsFalse":            {`{"other":{"x":[{"exists":false}]}}`, true},
		"ExistsTrue":             {`{"count":[{"exists":true}]}`, true},
		"ExistsReadsLeavesOnly":  {`{"dynamodb":[{"exists":true}]}`, false},
		"Null":                   {`{"none":[null]}`, true},
		"NullIsNotAbsent":        {`{"other":[null]}`, false},
		"AnythingBut":            {`{"eventName":[{"anything-but":["MODIFY","REMOVE"]}]}`, true},
		"AnythingButOne":         {`{"eventName":[{"anything-but":"INSERT"}]}`, false},
		"AnythingButPrefix":      {`{"eventName":[{"anything-but":{"prefix":"IN"}}]}`, false},
		"AnythingButNeedsAValue": {`{"other":[{"anything-but":"x"}]}`, false},
		"Number":                 {`{"count":[3.0]}`, true},
		"NumericRange":           {`{"count":[{"numeric":[">",2,"<=",3]}]}`, true},
		"NumericOutside":         {`{"count":[{"numeric":["<",3]}]}`, false},
		"NumericOfAText":         {`{"eventName":[{"numeric":["<",3]}]}`, false},
		"ItemOfAList":            {`{"tags":["b"]}`, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := filter.Parse(tt.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match([]byte(event)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
			if p.Match([]byte("not JSON")) {
				t.Error("text that is not JSON matched")
			}
		})
	}
}

func TestMatchAny(t *testing.T) {
	t.Parallel()
	if !filter.MatchAny(nil, []byte(event)) {
		t.Error("no patterns refuse an event")
	}
	a, _ := filter.Parse(`{"eventName":["MODIFY"]}`)
	b, _ := filter.Parse(`{"count":[3]}`)
	if filter.MatchAny([]filter.Pattern{a}, []byte(event)) || !filter.MatchAny([]filter.Pattern{a, b}, []byte(event)) {
		t.Error("the second pattern does not count")
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ pattern, want string }{
		"NotJSON":          {`x`, "not a JSON object"},
		"TwoObjects":       {`{"a":["b"]} {}`, "text after"},
		"Empty":            {`{}`, "empty object"},
		"EmptyList":        {`{"a":[]}`, "a has an empty list"},
		"PlainValue":       {`{"a":"b"}`, "a must be a list or an object"},
		"NestedList":       {`{"a":[["b"]]}`, "a list in its list"},
		"Or":               {`{"$or":[{"a":["b"]}]}`, "$or, which is not supported"},
		"UnknownOperator":  {`{"a":[{"wildcard":"x*"}]}`, "wildcard, which is not supported"},
		"TwoOperators":     {`{"a":[{"prefix":"x","suffix":"y"}]}`, "not one operator"},
		"PrefixOfANumber":  {`{"a":[{"prefix":1}]}`, "not a text"},
		"ExistsOfAText":    {`{"a":[{"exists":"yes"}]}`, "without true or false"},
		"NumericOfTexts":   {`{"a":[{"numeric":["<","3"]}]}`, "numeric with"},
		"NumericUnpaired":  {`{"a":[{"numeric":["<"]}]}`, "pairs"},
		"AnythingButMixed": {`{"a":[{"anything-but":[{"cidr":"x"}]}]}`, "cidr, which is not supported"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := filter.Parse(tt.pattern); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
}
