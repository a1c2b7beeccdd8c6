package password_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/tienda-dev/tienda/shared/password"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		password string
		want     error
	}{
		"Empty":                    {"", password.ErrTooShort},
		"Seven":                    {"tv8#kLq", password.ErrTooShort},
		"SevenCharactersMoreBytes": {"ñandúes", password.ErrTooShort},
		"Eight":                    {"tv8#kLq2", nil},
		"EightCharacters":          {"ñandúesñ", nil},
		"SixtyFour":                {strings.Repeat("aé☕𝄞", 16), nil},
		"Longest":                  {strings.Repeat("𝄞", password.MaxLength), nil},
		"OneTooLong":               {strings.Repeat("x", password.MaxLength) + "y", password.ErrTooLong},
		"OnlyDigits":               {"8230967154", nil}, // no composition rules
		"OnlySpaces":               {"          ", nil},
		"Words":                    {"correct horse battery staple", nil},
		"ControlCharacters":        {"tv8\x00\n#kLq2", nil},
		"Common":                   {"password", password.ErrCommon},
		"CommonInCapitals":         {"PassWord", password.ErrCommon},
		"CommonDigits":             {"123456789", password.ErrCommon},
		"CommonKeys":               {"1qaz2wsx", password.ErrCommon},
		"CommonAndMore":            {"password and more", nil},
		"TwoCommonOnes":            {"password\npassword1", nil},
		"Address":                  {"maria.lopez@shop.example", password.ErrGuessable},
		"AddressInCapitals":        {"Maria.Lopez@Shop.Example", password.ErrGuessable},
		"AddressInSpaces":          {" maria.lopez@shop.example ", password.ErrGuessable},
		"Spaces":                   {"        ", nil},
		"LocalPart":                {"maria.lopez", password.ErrGuessable},
		"NameBeforeAnAt":           {"maria lopez", password.ErrGuessable},
		"Name":                     {"MARÍA LÓPEZ", password.ErrGuessable},
		"NameAndMore":              {"MARÍA LÓPEZ 7", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := password.Check(tc.password, "maria.lopez@shop.example", "María López", "", "maria lopez @home"); !errors.Is(got, tc.want) {
				t.Errorf("Check(%q): %v, want %v", tc.password, got, tc.want)
			}
		})
	}
}

func TestListHoldsTheMostCommonPasswords(t *testing.T) {
	t.Parallel()
	list := commonPasswords(t)
	if len(list) < 3000 { // OWASP ASVS 5.0, 6.2.4: the top 3000 that match the policy
		t.Errorf("%d passwords, want 3000", len(list))
	}
	if !slices.IsSorted(list) || len(slices.Compact(slices.Clone(list))) != len(list) {
		t.Error("the list is not sorted, or says something twice: the search would miss entries")
	}
	for _, p := range list {
		if p != strings.ToLower(p) || len(p) < password.MinLength {
			t.Errorf("%q is not lower case, or too short to be chosen", p)
		}
		if got := password.Check(p); !errors.Is(got, password.ErrCommon) {
			t.Errorf("Check(%q): %v, want %v", p, got, password.ErrCommon)
		}
		for _, near := range []string{p + "\x00\x01", p[:len(p)-1] + "\x7f~"} {
			if got := password.Check(near); got != nil {
				t.Errorf("Check(%q): %v", near, got)
			}
		}
	}
}

func commonPasswords(t testing.TB) []string {
	t.Helper()
	text, err := os.ReadFile("common.txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func BenchmarkCheck(b *testing.B) {
	for b.Loop() {
		if err := password.Check("correct horse battery staple"); err != nil {
			b.Fatal(err)
		}
	}
}
