package session_test

import (
	"strings"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"

	"github.com/tienda-dev/tienda/shared/session"
	"github.com/tienda-dev/tienda/shared/session/sessiontest"
)

func TestDeviceIsReduced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, session.Config{})
	for _, c := range []struct{ ip, want string }{
		{"192.0.2.77", "192.0.2.0/24"},
		{"::ffff:192.0.2.77", "192.0.2.0/24"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"},
		{"fe80::1%eth0", "fe80::/48"},
		{"not an address", ""},
		{"", ""},
	} {
		device := session.Device{Name: strings.Repeat("é", 60) + "\xff" + strings.Repeat("𝄞", 60), UserAgent: "Mozilla/5.0", IP: c.ip}
		if _, err := w.Start(t.Context(), session.User{Subject: c.ip + "-"}, device); err != nil {
			t.Fatal(err)
		}
		list, _, err := w.List(t.Context(), c.ip+"-")
		if err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		got := list[0].Device
		if got.IP != c.want || got.Name != strings.Repeat("é", 60)+strings.Repeat("𝄞", 40) || len(got.UserAgent) != 22 || strings.Contains(got.UserAgent, "Mozilla") {
			t.Errorf("%s: kept %+v", c.ip, got)
		}
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environ map[string]string
		want    string // part of the error
	}{
		"Nothing":          {nil, ""},
		"OK":               {map[string]string{"SESSION_IDLE": "24h", "SESSION_ABSOLUTE": "2160h", "REFRESH_RETRY_WINDOW": "0s"}, ""},
		"LongIdle":         {map[string]string{"SESSION_IDLE": "1440h"}, ""}, // the absolute end moves with it
		"ShortIdle":        {map[string]string{"SESSION_IDLE": "59s"}, "SESSION_IDLE"},
		"NegativeIdle":     {map[string]string{"SESSION_IDLE": "-1h"}, "SESSION_IDLE"},
		"FractionalIdle":   {map[string]string{"SESSION_IDLE": "1h0.5s"}, "SESSION_IDLE"},
		"EndBeforeIdle":    {map[string]string{"SESSION_ABSOLUTE": "1h"}, "SESSION_ABSOLUTE"},
		"EndIsTooFar":      {map[string]string{"SESSION_ABSOLUTE": "8761h"}, "SESSION_ABSOLUTE"},
		"WindowIsTooLong":  {map[string]string{"REFRESH_RETRY_WINDOW": "301s"}, "REFRESH_RETRY_WINDOW"},
		"ShortestWindow":   {map[string]string{"REFRESH_RETRY_WINDOW": "2s"}, ""},
		"WindowIsTooShort": {map[string]string{"REFRESH_RETRY_WINDOW": "1999ms"}, "REFRESH_RETRY_WINDOW"},
		"TwoNanoseconds":   {map[string]string{"REFRESH_RETRY_WINDOW": "2ns"}, "REFRESH_RETRY_WINDOW"},
		"NegativeWindow":   {map[string]string{"REFRESH_RETRY_WINDOW": "-1s"}, "REFRESH_RETRY_WINDOW"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cfg session.Config
			if err := env.ParseWithOptions(&cfg, env.Options{Environment: c.environ}); err != nil {
				t.Fatal(err)
			}
			if (cfg.RetryWindow != nil) != (c.environ["REFRESH_RETRY_WINDOW"] != "") {
				t.Errorf("retry window %v", cfg.RetryWindow)
			}
			keys := sessiontest.NewTokens(t, time.Now).Keys
			_, err := session.New(cfg, sessiontest.NewMemory(), keys, time.Now)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error = %v, want %q", err, c.want)
			}
		})
	}

	keys := sessiontest.NewTokens(t, time.Now).Keys
	half := keys
	half.Verify = nil
	for name, err := range map[string]error{
		"store": second(session.New(session.Config{}, nil, keys, time.Now)),
		"keys":  second(session.New(session.Config{}, sessiontest.NewMemory(), half, time.Now)),
		"clock": second(session.New(session.Config{}, sessiontest.NewMemory(), keys, nil)),
	} {
		if err == nil {
			t.Errorf("New without %s was accepted", name)
		}
	}
}
