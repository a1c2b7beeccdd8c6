package catalogddb

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/catalog"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/ddb"
	"github.com/tienda-dev/tienda/shared/page"
)

// Stored items are found by these keys only.
func TestKeysStayAsTheyAre(t *testing.T) {
	t.Parallel()
	at := api.NewTime(time.Date(2026, time.March, 1, 12, 0, 0, 7_000_000, time.UTC))
	p := catalog.Product{ID: "01J", SKU: "A-1", Name: "Green Tea", Category: "tea", Status: catalog.Active, Version: 3, CreatedAt: at}
	record := newProductRecord(p)
	got := map[string]string{
		"product": record.PK + " " + record.SK,
		"GSI1":    record.GSI1PK + " " + record.GSI1SK,
		"GSI2":    record.GSI2PK + " " + record.GSI2SK,
		"stock":   newStockRecord(p).PK + " " + newStockRecord(p).SK,
		"word":    fmt.Sprint(wordKey("coffee", p.ID)),
		"pair":    fmt.Sprint(wordKey("東京", p.ID)),
		"change":  newChange("tea", p, 1).PK + " " + newChange("tea", p, 1).SK,
		"phrases": fmt.Sprint(phraseKeys(p)),
	}
	want := map[string]string{
		"product": "P#01J META",
		"GSI1":    "CAT#tea#active 001772366400007#01J",
		"GSI2":    "PST#active 001772366400007#01J",
		"stock":   "STK#01J S",
		"word":    "{WORD#co coffee#01J}",
		"pair":    "{WORD#東 東京#01J}",
		"change":  "CATEGORIES tea#01J#3",
		"phrases": "[{PHRASE#a 1 1#01J} {PHRASE#green tea 2#01J}]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
}

// Every change would lose a field that is missing in the conversion.
func TestRecordCarriesEveryField(t *testing.T) {
	t.Parallel()
	fields := reflect.TypeFor[catalog.Product]()
	epoch := api.NewTime(ddb.FromMillis(0))
	for i := range fields.NumField() {
		p := newProductRecord(catalog.Product{CreatedAt: epoch, UpdatedAt: epoch}).product()
		field := reflect.ValueOf(&p).Elem().Field(i)
		switch v := field.Addr().Interface().(type) {
		case *api.Time:
			*v = epoch.Add(1234 * time.Millisecond)
		case *[]string:
			*v = []string{"x"}
		case *map[string]string:
			*v = map[string]string{"x": "y"}
		default:
			setAll(field)
		}
		if diff := cmp.Diff(p, newProductRecord(p).product()); diff != "" {
			t.Errorf("field %s (-want +got):\n%s", fields.Field(i).Name, diff)
		}
	}
}

func setAll(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("x")
	case reflect.Int64:
		v.SetInt(7)
	case reflect.Struct:
		for _, field := range v.Fields() {
			setAll(field)
		}
	default:
		panic("a field of a new kind: " + v.Kind().String())
	}
}

// A product with all its words, and a change that replaces all of them, must fit.
func TestLargestTransactionFits(t *testing.T) {
	t.Parallel()
	words := func(letter string) string {
		var b strings.Builder
		for i := range 2 * catalog.MaxWords {
			fmt.Fprintf(&b, "%s%02d ", letter, i)
		}
		return b.String()
	}
	s := &Store{}
	before := catalog.Product{ID: "1", SKU: "1", Name: words("a"), Category: "a", Status: catalog.Active}
	after := catalog.Product{ID: "1", SKU: "1", Name: words("b"), Category: "b", Status: catalog.Active}
	archived := before
	archived.Status = catalog.Archived
	for name, tt := range map[string]struct {
		before, after catalog.Product
		more          int
	}{
		"Create":  {catalog.Product{}, before, 3}, // the SKU, the product and its stock
		"Update":  {before, after, 1},
		"Archive": {before, archived, 1},
	} {
		n := tt.more + len(s.countWrites(tt.before, tt.after)) + len(s.indexWrites(tt.before, tt.after))
		if n > ddb.MaxWrites {
			t.Errorf("%s: %d writes, a transaction takes %d", name, n, ddb.MaxWrites)
		}
	}
	record := newProductRecord(after)
	record.StaleWords = before.Words()
	if n := len(s.settleWrites(record)); n > ddb.MaxWrites {
		t.Errorf("settle: %d writes, a transaction takes %d", n, ddb.MaxWrites)
	}
}

// Every search would read and pay for the rows of other products.
func TestOnlyActiveProductsHaveRows(t *testing.T) {
	t.Parallel()
	s := &Store{table: ddb.NewTable(&ddb.Client{}, "t")}
	with := func(status catalog.Status, name string) catalog.Product {
		return catalog.Product{ID: "1", SKU: "S1", Name: name, Status: status}
	}
	tests := []struct {
		name          string
		before, after catalog.Product
		want          int
	}{
		{"NewDraft", catalog.Product{}, with(catalog.Draft, "one two"), 0},
		{"NewActive", catalog.Product{}, with(catalog.Active, "one two"), 2 + 3},
		{"Activated", with(catalog.Draft, "one two"), with(catalog.Active, "one two"), 2 + 3},
		{"Renamed", with(catalog.Active, "one two"), with(catalog.Active, "one three"), 2 + 3 + 1},
		{"SameWords", with(catalog.Active, "one two"), with(catalog.Active, "One, two!"), 0},
		{"SameWordsInOtherOrder", with(catalog.Active, "one two"), with(catalog.Active, "two one"), 2 + 3},
		{"Archived", with(catalog.Active, "one two"), with(catalog.Archived, "three"), 2 + 3},
		{"DraftRenamed", with(catalog.Draft, "one two"), with(catalog.Draft, "three"), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := len(s.indexWrites(tt.before, tt.after)); got != tt.want {
				t.Errorf("%d writes, want %d", got, tt.want)
			}
		})
	}
}

func TestNeededWords(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		words, want []string
	}{
		{"Nothing", nil, nil},
		{"One", []string{"tea"}, []string{"tea"}},
		{"LongestInCharacters", []string{"éé", "tea"}, []string{"tea", "éé"}},
		{"FirstOfEqualLength", []string{"tea", "cup", "xy"}, []string{"tea", "cup", "xy"}},
		{"Repeated", []string{"tea", "tea"}, []string{"tea"}},
		{"BeginningOfAnother", []string{"te", "tea", "cu", "cups"}, []string{"cups", "tea"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, needed(tt.words)); diff != "" {
				t.Errorf("words (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzPositions(f *testing.F) {
	f.Add([]byte(`{"before":"001772366400007#01J"}`))
	f.Add([]byte(`{"after":"01J"}`))
	f.Add([]byte(`{"word":"tea","after":"tea#01J"}`))
	f.Add([]byte(`{"word":"tea"}`))
	f.Add([]byte(`{"before":"#","after":"te#"}`))
	f.Fuzz(func(t *testing.T, position []byte) {
		before, err := parseListPosition(position)
		if err != nil && !errors.Is(err, page.ErrInvalidCursor) {
			t.Errorf("list: %v", err)
		}
		if err == nil && len(position) > 0 && (len(before) < 17 || len(before) > maxSortKey || before[15] != '#') {
			t.Errorf("list: %q is no sort key", before)
		}
		at, err := parseSearchPosition(position, catalog.NewQuery("tea"))
		if err != nil && !errors.Is(err, page.ErrInvalidCursor) {
			t.Errorf("search: %v", err)
		}
		ofWord := at.Word == "tea" && (at.After == "" || strings.HasPrefix(at.After, "tea"))
		ofPhrase := at.Word == "" && at.After != ""
		if err == nil && len(position) > 0 && (!ofWord && !ofPhrase || len(at.After) > maxSortKey) {
			t.Errorf("search: %+v is not a row of the query", at)
		}
	})
}
