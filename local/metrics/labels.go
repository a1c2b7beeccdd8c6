package metrics

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/otlptranslator"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
)

// pair is an attribute or a label.
type pair struct{ name, value string }

// The attributes of a resource that become labels: what the collector's exporter gives each series.
const (
	serviceName      = "service.name"
	serviceNamespace = "service.namespace"
	serviceInstance  = "service.instance.id"
	faasInstance     = "faas.instance"
	faasName         = "faas.name"
	environmentName  = "deployment.environment.name"
	// jobLabel is Prometheus' name of a service.
	jobLabel = "job"
)

// identify returns a resource's labels, without its instance, and a name of the process. A resource without an
// instance is a process of its own by all its attributes.
func identify(attributes []*commonpb.KeyValue) (shown []pair, id string) {
	given := map[string]string{}
	for _, a := range attributes {
		given[a.GetKey()] = text(a.GetValue())
	}
	job := given[serviceName]
	if namespace := given[serviceNamespace]; namespace != "" {
		job = namespace + "/" + job
	}
	for _, p := range []pair{
		{jobLabel, job}, {"deployment_environment_name", given[environmentName]}, {"faas_name", given[faasName]},
	} {
		if p.value != "" {
			shown = append(shown, p)
		}
	}
	for _, name := range []string{serviceInstance, faasInstance} {
		if instance := given[name]; instance != "" {
			return shown, job + "\x00" + instance
		}
	}
	return shown, rawKey(attributes)
}

// labelsOf returns the sorted labels of a point. Two attributes that get the same name are joined, as in
// OpenTelemetry's rules for Prometheus; those of the resource come first.
func labelsOf(namer *otlptranslator.LabelNamer, resource []pair, attributes []*commonpb.KeyValue) ([]pair, error) {
	values := map[string][]string{}
	for _, a := range attributes {
		name, err := namer.Build(a.GetKey())
		if err != nil {
			return nil, err
		}
		values[name] = append(values[name], text(a.GetValue()))
	}
	for _, p := range resource {
		values[p.name] = []string{p.value}
	}
	found := make([]pair, 0, len(values))
	for name, list := range values {
		slices.Sort(list)
		found = append(found, pair{name, strings.ToValidUTF8(strings.Join(list, ";"), "\uFFFD")})
	}
	sortPairs(found)
	return found, nil
}

func sortPairs(list []pair) {
	slices.SortFunc(list, func(a, b pair) int { return strings.Compare(a.name, b.name) })
}

// rawKey returns a text that is the same for the same attributes in any order.
func rawKey(attributes []*commonpb.KeyValue) string {
	list := make([]pair, 0, len(attributes))
	for _, a := range attributes {
		list = append(list, pair{a.GetKey(), text(a.GetValue())})
	}
	sortPairs(list)
	return key(list)
}

// key joins sorted pairs so that different pairs give different texts.
func key(list []pair) string {
	var b strings.Builder
	for _, p := range list {
		b.WriteString(strconv.Quote(p.name))
		b.WriteString(strconv.Quote(p.value))
	}
	return b.String()
}

// text returns the value of an attribute. A list is JSON.
func text(v *commonpb.AnyValue) string {
	switch value := plain(v).(type) {
	case string:
		return value
	case bool:
		return strconv.FormatBool(value)
	case int64:
		return strconv.FormatInt(value, 10)
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64)
	case nil:
		return ""
	default:
		var b strings.Builder
		encoder := json.NewEncoder(&b)
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil { // a number that JSON does not have
			return fmt.Sprint(value)
		}
		return strings.TrimSuffix(b.String(), "\n")
	}
}

// plain returns the value of an attribute without its protobuf message.
func plain(v *commonpb.AnyValue) any {
	switch value := v.GetValue().(type) {
	case *commonpb.AnyValue_StringValue:
		return value.StringValue
	case *commonpb.AnyValue_BoolValue:
		return value.BoolValue
	case *commonpb.AnyValue_IntValue:
		return value.IntValue
	case *commonpb.AnyValue_DoubleValue:
		return value.DoubleValue
	case *commonpb.AnyValue_BytesValue:
		return base64.StdEncoding.EncodeToString(value.BytesValue)
	case *commonpb.AnyValue_ArrayValue:
		list := []any{}
		for _, item := range value.ArrayValue.GetValues() {
			list = append(list, plain(item))
		}
		return list
	case *commonpb.AnyValue_KvlistValue:
		list := map[string]any{}
		for _, item := range value.KvlistValue.GetValues() {
			list[item.GetKey()] = plain(item.GetValue())
		}
		return list
	default:
		return nil
	}
}
