package api

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// Time is a moment in an answer or a request. Its JSON is RFC 3339 in UTC with three digits of milliseconds,
// always, because some clients compare times as texts or parse one form only: "2026-11-24T20:00:00.350Z". It
// reads every time of RFC 3339.
type Time struct{ time.Time }

// NewTime returns the moment in UTC, to the millisecond.
func NewTime(t time.Time) Time { return Time{t.UTC().Truncate(time.Millisecond)} }

// Add returns the moment that is d later, to the millisecond.
func (t Time) Add(d time.Duration) Time { return NewTime(t.Time.Add(d)) }

const (
	timeLayout = "2006-01-02T15:04:05.000Z"
	maxYear    = 9999
)

var errYear = errors.New("api: the year of a time does not have four digits in UTC")

func writable(utc time.Time) bool { return utc.Year() >= 0 && utc.Year() <= maxYear }

// MarshalJSON implements json.Marshaler. A year that does not have four digits is an error.
func (t Time) MarshalJSON() ([]byte, error) {
	utc := t.UTC()
	if !writable(utc) {
		return nil, errYear
	}
	return utc.AppendFormat(make([]byte, 0, len(timeLayout)+2), `"`+timeLayout+`"`), nil
}

// UnmarshalJSON implements json.Unmarshaler. It refuses null and what MarshalJSON could not write, such as the last hours
// of the year 9999 at an offset behind UTC, and drops what is below a millisecond.
func (t *Time) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	var moment time.Time
	// RFC 3339 section 5.6 allows t and z.
	if err := moment.UnmarshalText([]byte(strings.ToUpper(text))); err != nil {
		return err
	}
	if !writable(moment.UTC()) {
		return errYear
	}
	*t = NewTime(moment)
	return nil
}
