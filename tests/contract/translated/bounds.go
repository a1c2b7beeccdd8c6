package translated

import "slices"

// Bound is for how long a queue's failing message may hold the later ones of its group.
type Bound struct {
	// Deliveries is the most times for which the message is delivered, and Seconds the longest time between two of them.
	Deliveries, Seconds float64
}

// Bounds returns the bound of every queue that docs/events.md promises, by the queue's logical id.
func Bounds() map[string]Bound {
	return map[string]Bound{
		"OrderEventsQueue":   {Deliveries: 5, Seconds: 90},
		"PaymentEventsQueue": {Deliveries: 20, Seconds: 150},
	}
}

const (
	// StreamRetries is the most times for which a record of a stream is tried again.
	StreamRetries = 100
	// StreamAge is for how long a record of a stream is tried, in seconds.
	StreamAge = 6 * 60 * 60
	// LongestDelay is how long an event may wait before an alarm, in seconds.
	LongestDelay = 10 * 60
)

// held checks that a failing message holds its group no longer than promised.
func (s Stack) held(queue string, f *faults) {
	bound, ok := Bounds()[queue]
	if !ok {
		f.add("%s: state in docs/events.md and in Bounds how long a failing message holds its group", queue)
		return
	}
	props := s.Resources[queue].Properties
	deliveries, _ := s.number(at(props, "RedrivePolicy", "maxReceiveCount"))
	hidden, _ := s.number(props["VisibilityTimeout"])
	if deliveries*hidden > bound.Deliveries*bound.Seconds {
		f.add("%s: a failing message holds its group for %v s, want at most the %v s that docs/events.md promises", queue, deliveries*hidden, bound.Deliveries*bound.Seconds)
	}
}

// atOne reports whether an alarm fires as soon as the metric, or the sum that it computes, is 1 in one period.
func (s Stack) atOne(alarm string) bool {
	props := s.Resources[alarm].Properties
	threshold, ok := s.number(props["Threshold"])
	switch text(props, "ComparisonOperator") {
	case "GreaterThanThreshold":
		ok = ok && threshold >= 0 && threshold < 1
	case "GreaterThanOrEqualToThreshold":
		ok = ok && threshold > 0 && threshold <= 1
	default:
		return false
	}
	return ok && s.datapoints(alarm) == 1 && s.counted(props)
}

// inTime reports whether an alarm fires when an event has waited for LongestDelay, a few minutes later.
func (s Stack) inTime(alarm string) bool {
	props := s.Resources[alarm].Properties
	threshold, ok := s.number(props["Threshold"])
	above := slices.Contains([]string{"GreaterThanThreshold", "GreaterThanOrEqualToThreshold"}, text(props, "ComparisonOperator"))
	return ok && above && threshold > 0 && threshold <= LongestDelay && s.datapoints(alarm) <= 5 && s.counted(props)
}

// datapoints is in how many periods the value must be beyond the threshold.
func (s Stack) datapoints(alarm string) float64 {
	props := s.Resources[alarm].Properties
	if n, ok := s.number(props["DatapointsToAlarm"]); ok {
		return n
	}
	n, _ := s.number(props["EvaluationPeriods"])
	return n
}

// counted reports whether an alarm adds up or takes the largest value of each metric, in periods of at most 5 minutes: an
// average or a minimum hides one message among zeros.
func (s Stack) counted(props map[string]any) bool {
	const longest = 300
	fits := func(statistic string, period any) bool {
		seconds, ok := s.number(period)
		return ok && seconds <= longest && slices.Contains([]string{"Maximum", "Sum"}, statistic)
	}
	if len(list(props["Metrics"])) == 0 {
		return fits(text(props, "Statistic"), props["Period"])
	}
	return !slices.ContainsFunc(list(props["Metrics"]), func(query any) bool {
		stat := at(query, "MetricStat")
		return stat != nil && !fits(text(stat, "Stat"), at(stat, "Period"))
	})
}
