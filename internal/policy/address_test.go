package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/internal/policy"
)

func TestAddress(t *testing.T) {
	t.Parallel()
	full := policy.Address{
		Name: "María López", Line1: "Calle Mayor 1", Line2: "3º B", City: "Madrid", Region: "Madrid", PostalCode: "28013", Country: "ES",
	}
	change := func(f func(*policy.Address)) policy.Address {
		a := full
		f(&a)
		return a
	}
	for name, tc := range map[string]struct {
		address policy.Address
		broken  []string
	}{
		"Full":         {full, nil},
		"OnlyRequired": {policy.Address{Name: "A", Line1: "B", City: "C", Country: "HK"}, nil},
		"Nothing":      {policy.Address{}, []string{"/to/name", "/to/line1", "/to/city", "/to/country"}},
		"Blank": {change(func(a *policy.Address) { a.Name, a.Line2, a.Region, a.PostalCode = " ", "\u200b", "\u2028", "\t" }), []string{
			"/to/name", "/to/line2", "/to/region", "/to/postal_code",
		}},
		"TooLong": {change(func(a *policy.Address) {
			a.Name, a.Line1, a.Line2 = strings.Repeat("ñ", 201), strings.Repeat("ñ", 101), strings.Repeat("ñ", 101)
			a.City, a.Region, a.PostalCode = strings.Repeat("ñ", 101), strings.Repeat("ñ", 101), strings.Repeat("1", 21)
		}), []string{"/to/name", "/to/line1", "/to/line2", "/to/city", "/to/region", "/to/postal_code"}},
		"Longest": {change(func(a *policy.Address) {
			a.Name, a.Line1, a.Line2 = strings.Repeat("ñ", 200), strings.Repeat("ñ", 100), strings.Repeat("ñ", 100)
			a.City, a.Region, a.PostalCode = strings.Repeat("ñ", 100), strings.Repeat("ñ", 100), strings.Repeat("1", 20)
		}), nil},
		"TwoLines":         {change(func(a *policy.Address) { a.Line1 = "Calle\nMayor" }), []string{"/to/line1"}},
		"LowerCaseCountry": {change(func(a *policy.Address) { a.Country = "es" }), []string{"/to/country"}},
		"ThreeLetters":     {change(func(a *policy.Address) { a.Country = "ESP" }), []string{"/to/country"}},
		"NotAssigned":      {change(func(a *policy.Address) { a.Country = "UK" }), []string{"/to/country"}},
		"AcrossTwoCodes":   {change(func(a *policy.Address) { a.Country = "D " }), []string{"/to/country"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, fault := range tc.address.Validate("/to") {
				got = append(got, fault.Pointer)
			}
			if diff := cmp.Diff(tc.broken, got); diff != "" {
				t.Errorf("broken (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCountriesAreSorted(t *testing.T) {
	t.Parallel()
	codes := policy.Countries()
	if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) || len(codes) != 249 {
		t.Errorf("%d codes, want 249, each once and in order", len(codes))
	}
	for _, code := range codes {
		if fault := policy.CountryFault(code); fault != "" {
			t.Errorf("%s %s", code, fault)
		}
	}
}
