// Package schedule reads the schedule expressions of EventBridge, rate(...) and cron(...), and computes when they
// are due. (EventBridge user guide, "Schedule types"; cron expressions have six fields there.)
package schedule

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Schedule computes when something is due.
type Schedule struct {
	every    time.Duration // rate; 0 for cron
	cron     fields
	location *time.Location
}

var rate = regexp.MustCompile(`^rate\(([1-9][0-9]{0,5}) (minute|minutes|hour|hours|day|days)\)$`)

// Parse reads an expression; zone is the time zone of cron, and empty is UTC.
func Parse(expression, zone string) (Schedule, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return Schedule{}, fmt.Errorf("schedule %s: %w", expression, err)
	}
	s := Schedule{location: location}
	if m := rate.FindStringSubmatch(expression); m != nil {
		n, _ := strconv.Atoi(m[1]) // digits, by the expression above
		if (n == 1) == strings.HasSuffix(m[2], "s") {
			return s, fmt.Errorf("schedule %s: a rate of 1 takes the singular, others the plural", expression)
		}
		unit := map[string]time.Duration{"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}[strings.TrimSuffix(m[2], "s")]
		s.every = time.Duration(n) * unit
		return s, nil
	}
	inner, ok := strings.CutPrefix(expression, "cron(")
	inner, closed := strings.CutSuffix(inner, ")")
	if !ok || !closed {
		return s, fmt.Errorf("schedule %q: want rate(1 minute) or cron(0 3 * * ? *)", expression)
	}
	if s.cron, err = parseCron(inner); err != nil {
		return s, fmt.Errorf("schedule %s: %w", expression, err)
	}
	if s.Next(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return s, fmt.Errorf("schedule %s: it is never due", expression)
	}
	return s, nil
}

// horizon is enough for every date that repeats: a leap day may be eight years away.
const horizon = 9 * 366 * 24 * time.Hour

// Next returns the first time after last at which the schedule is due, in UTC. A rate counts from last. The zero
// time is never.
func (s Schedule) Next(last time.Time) time.Time {
	if s.every > 0 {
		return last.Add(s.every).UTC()
	}
	t := last.In(s.location).Truncate(time.Minute).Add(time.Minute)
	for end := t.Add(horizon); t.Before(end); {
		switch {
		case !s.cron.day(t):
			next := time.Date(t.Year(), t.Month(), t.Day()+1, 0, 0, 0, 0, s.location)
			if !next.After(t) { // that midnight is skipped in the zone
				next = t.Add(time.Minute)
			}
			t = next
		case !s.cron.hour[t.Hour()]:
			t = t.Truncate(time.Minute).Add(time.Duration(60-t.Minute()) * time.Minute)
		case !s.cron.minute[t.Minute()]:
			t = t.Add(time.Minute)
		default:
			return t.UTC()
		}
	}
	return time.Time{}
}

// fields are the accepted values of the six fields. A nil set accepts all.
type fields struct {
	minute, hour, month       map[int]bool
	dayOfMonth, weekday, year map[int]bool // nil is any
}

func (f fields) day(t time.Time) bool {
	return f.month[int(t.Month())] && (f.year == nil || f.year[t.Year()]) &&
		(f.dayOfMonth == nil || f.dayOfMonth[t.Day()]) && (f.weekday == nil || f.weekday[int(t.Weekday())+1])
}

func parseCron(text string) (fields, error) {
	parts := strings.Fields(text)
	if len(parts) != 6 {
		return fields{}, fmt.Errorf("cron has %d fields, want 6", len(parts))
	}
	if (parts[2] == "?") == (parts[4] == "?") {
		return fields{}, errors.New("exactly one of day of month and day of week must be ?")
	}
	var f fields
	months := strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
	days := strings.Fields("SUN MON TUE WED THU FRI SAT")
	for i, field := range []struct {
		name     string
		low, top int
		names    []string
		into     *map[int]bool
	}{
		{"minutes", 0, 59, nil, &f.minute},
		{"hours", 0, 23, nil, &f.hour},
		{"day of month", 1, 31, nil, &f.dayOfMonth},
		{"month", 1, 12, months, &f.month},
		{"day of week", 1, 7, days, &f.weekday},
		{"year", 1970, 2199, nil, &f.year},
	} {
		if parts[i] == "?" && (i == 2 || i == 4) {
			continue
		}
		set, err := parseField(parts[i], field.low, field.top, field.names)
		if err != nil {
			return f, fmt.Errorf("%s %q: %w", field.name, parts[i], err)
		}
		*field.into = set
	}
	return f, nil
}

// parseField reads "*", "5", "MON-FRI", "0/15" and lists of them. L, W and # are refused.
func parseField(text string, low, top int, names []string) (map[int]bool, error) {
	set := map[int]bool{}
	for item := range strings.SplitSeq(text, ",") {
		spread, stepText, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			var err error
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 {
				return nil, errors.New("want a step above 0")
			}
		}
		from, to := low, top
		if spread != "*" {
			first, last, isRange := strings.Cut(spread, "-")
			var err error
			if from, err = parseValue(first, low, top, names); err != nil {
				return nil, err
			}
			switch {
			case isRange:
				if to, err = parseValue(last, low, top, names); err != nil {
					return nil, err
				}
			case !stepped:
				to = from
			}
		}
		if to < from {
			return nil, errors.New("the range ends before it begins")
		}
		for v := from; v <= to; v += step {
			set[v] = true
		}
	}
	return set, nil
}

func parseValue(text string, low, top int, names []string) (int, error) {
	for i, name := range names {
		if strings.EqualFold(name, text) {
			return low + i, nil
		}
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < low || n > top {
		return 0, fmt.Errorf("want a value from %d to %d", low, top)
	}
	return n, nil
}
