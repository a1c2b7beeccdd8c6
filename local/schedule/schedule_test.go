package schedule_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tienda-dev/tienda/local/schedule"
)

func TestNext(t *testing.T) {
	t.Parallel()
	const layout = "2006-01-02 15:04:05 Mon"
	tests := map[string]struct{ expression, zone, last, want string }{
		"RateOfAMinute":       {"rate(1 minute)", "", "2026-02-27 10:00:20 Fri", "2026-02-27 10:01:20 Fri"},
		"RateOfHours":         {"rate(12 hours)", "", "2026-02-27 13:00:00 Fri", "2026-02-28 01:00:00 Sat"},
		"Nightly":             {"cron(15 3 * * ? *)", "", "2026-02-28 03:15:00 Sat", "2026-03-01 03:15:00 Sun"},
		"LaterToday":          {"cron(15 3 * * ? *)", "", "2026-02-28 03:14:59 Sat", "2026-02-28 03:15:00 Sat"},
		"EveryQuarter":        {"cron(0/15 * * * ? *)", "", "2026-02-28 23:46:00 Sat", "2026-03-01 00:00:00 Sun"},
		"WorkingDays":         {"cron(0 9 ? * MON-FRI *)", "", "2026-02-27 10:00:00 Fri", "2026-03-02 09:00:00 Mon"},
		"SundayIsOne":         {"cron(0 9 ? * 1 *)", "", "2026-02-27 10:00:00 Fri", "2026-03-01 09:00:00 Sun"},
		"FirstOfTheMonth":     {"cron(0 0 1 * ? *)", "", "2026-02-27 10:00:00 Fri", "2026-03-01 00:00:00 Sun"},
		"LeapDay":             {"cron(0 0 29 2 ? *)", "", "2026-02-27 10:00:00 Fri", "2028-02-29 00:00:00 Tue"},
		"ListOfHours":         {"cron(30 6,18 * * ? *)", "", "2026-02-27 10:00:00 Fri", "2026-02-27 18:30:00 Fri"},
		"ZoneBehindAndAhead":  {"cron(0 3 * * ? *)", "Europe/Berlin", "2026-02-27 10:00:00 Fri", "2026-02-28 02:00:00 Sat"},
		"ZoneWithHalfAnHour":  {"cron(0 * * * ? *)", "Asia/Kolkata", "2026-02-27 10:00:00 Fri", "2026-02-27 10:30:00 Fri"},
		"HourSkippedBySummer": {"cron(30 2 * * ? *)", "Europe/Berlin", "2026-03-28 02:00:00 Sat", "2026-03-30 00:30:00 Mon"},
		// On 6 September 2026 the day begins at 01:00 in Chile, which is 04:00 in UTC.
		"MidnightSkipped":        {"cron(15 1 6 9 ? *)", "America/Santiago", "2026-02-27 10:00:00 Fri", "2026-09-06 04:15:00 Sun"},
		"MidnightSkippedAtNight": {"cron(15 1 6 9 ? *)", "America/Santiago", "2026-09-06 03:29:00 Sun", "2026-09-06 04:15:00 Sun"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := schedule.Parse(tt.expression, tt.zone)
			if err != nil {
				t.Fatal(err)
			}
			last, err := time.Parse(layout, tt.last)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Next(last).Format(layout); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ expression, zone, want string }{
		"Neither":          {"every minute", "", "want rate(1 minute) or cron"},
		"At":               {"at(2026-01-01T00:00:00)", "", "want rate(1 minute) or cron"},
		"Seconds":          {"rate(5 seconds)", "", "want rate(1 minute) or cron"},
		"Singular":         {"rate(5 minute)", "", "plural"},
		"Plural":           {"rate(1 minutes)", "", "singular"},
		"FiveFields":       {"cron(0 3 * * *)", "", "5 fields, want 6"},
		"TwoDays":          {"cron(0 3 * * * *)", "", "exactly one"},
		"NoDay":            {"cron(0 3 ? * ? *)", "", "exactly one"},
		"HourTooLarge":     {"cron(0 24 * * ? *)", "", `hours "24": want a value from 0 to 23`},
		"LastDay":          {"cron(0 3 L * ? *)", "", `day of month "L"`},
		"RangeBackwards":   {"cron(0 5-3 * * ? *)", "", "ends before it begins"},
		"StepOfZero":       {"cron(0/0 3 * * ? *)", "", "step above 0"},
		"Never":            {"cron(0 3 30 2 ? *)", "", "never due"},
		"UnknownZone":      {"cron(0 3 * * ? *)", "Mars/Base", "unknown time zone"},
		"NotClosed":        {"cron(0 3 * * ? *", "", "want rate(1 minute) or cron"},
		"QuestionInMonths": {"cron(0 3 * ? ? *)", "", `month "?"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := schedule.Parse(tt.expression, tt.zone); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
}
