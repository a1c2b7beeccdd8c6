package page_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

// numbers reads a list of the numbers from 0 to n-1. A position is the next number.
func numbers(n int) func(limit int, after []byte) ([]int, []byte, error) {
	return func(limit int, after []byte) ([]int, []byte, error) {
		first := 0
		if after != nil {
			var err error
			if first, err = strconv.Atoi(string(after)); err != nil {
				return nil, nil, err
			}
		}
		var items []int
		for i := first; i < min(first+limit, n); i++ {
			items = append(items, i)
		}
		if first+limit >= n {
			return items, nil, nil
		}
		return items, []byte(strconv.Itoa(first + limit)), nil
	}
}

func query(t *testing.T, raw string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(raw)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func TestReadPageByPage(t *testing.T) {
	t.Parallel()
	s := sealer(t, start)
	var got [][]int
	for raw := "limit=2"; raw != ""; {
		p, err := page.Read(query(t, raw), s, binding, numbers(5))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, p.Data)
		raw = ""
		if p.HasMore {
			raw = "limit=2&cursor=" + p.NextCursor
		}
	}
	if diff := cmp.Diff([][]int{{0, 1}, {2, 3}, {4}}, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func TestReadLimit(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]int{ // 0: refused
		"": 20, "other=5": 20, "limit=1": 1, "limit=20": 20, "limit=100": 100,
		"limit=": 0, "limit=0": 0, "limit=-1": 0, "limit=101": 0, "limit=%2B5": 0, "limit=05": 0, "limit=5.0": 0,
		"limit=5e1": 0, "limit=+5": 0, "limit=ten": 0, "limit=99999999999999999999": 0,
	} {
		t.Run(raw, func(t *testing.T) {
			t.Parallel()
			got, err := page.Read(query(t, raw), sealer(t, start), binding, numbers(1000))
			if want > 0 {
				if err != nil || len(got.Data) != want {
					t.Errorf("got %d items, %v; want %d", len(got.Data), err, want)
				}
				return
			}
			wantBadRequest(t, err, "invalid_parameter", "limit")
		})
	}
}

func TestReadRefusesCursors(t *testing.T) {
	t.Parallel()
	s := sealer(t, start)
	p, err := page.Read(query(t, "limit=1"), s, binding, numbers(5))
	if err != nil {
		t.Fatal(err)
	}
	other := binding
	other.Filter = "category=cups"
	_, err = page.Read(query(t, "cursor="+p.NextCursor), s, other, numbers(5))
	wantBadRequest(t, err, "invalid_cursor", "cursor")
	for _, cursor := range []string{"", "x"} {
		_, err = page.Read(query(t, "cursor="+cursor), s, binding, numbers(5))
		wantBadRequest(t, err, "invalid_cursor", "cursor")
	}
}

func TestReadReturnsTheErrorOfTheList(t *testing.T) {
	t.Parallel()
	want := errors.New("no connection")
	_, err := page.Read(nil, sealer(t, start), binding, func(int, []byte) ([]int, []byte, error) { return nil, nil, want })
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}

func TestReadHalvesAPageThatIsTooLarge(t *testing.T) {
	t.Parallel()
	large := strings.Repeat("x", 100_000)
	texts := func(size string) func(int, []byte) ([]string, []byte, error) {
		return func(limit int, after []byte) ([]string, []byte, error) {
			_, next, err := numbers(1000)(limit, after)
			items := make([]string, limit)
			for i := range items {
				items[i] = size
			}
			return items, next, err
		}
	}
	for name, tc := range map[string]struct {
		item string
		want int
	}{
		"Fits": {"x", 100}, "TooLarge": {large, 13}, "MarkupIsNotEscaped": {strings.Repeat("<", 20_000), 100},
		"OneItemIsAlwaysSent": {strings.Repeat(large, 30), 1},
	} {
		p, err := page.Read(query(t, "limit=100"), sealer(t, start), binding, texts(tc.item))
		if err != nil || len(p.Data) != tc.want || !p.HasMore {
			t.Errorf("%s: got %d items, %v; want %d and more", name, len(p.Data), err, tc.want)
		}
	}
}

func TestParseQuery(t *testing.T) {
	t.Parallel()
	parse := func(raw string) (url.Values, error) {
		return page.ParseQuery(httptest.NewRequest(http.MethodGet, "/v1/things?"+raw, nil), "a", "b")
	}
	got, err := parse("a=1;b=2&b=%20&unknown=%zz&unknown=&limit=5")
	if diff := cmp.Diff(url.Values{"a": {"1;b=2"}, "b": {" "}, "limit": {"5"}}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, raw := range []string{"limit=5&limit=6", "limit=5&limit=5", "limit=5&x=1&limit="} {
		_, err = parse(raw)
		wantBadRequest(t, err, "invalid_parameter", "limit")
	}
	_, err = parse("a=%ff")
	wantBadRequest(t, err, "invalid_parameter", "a")
	for raw, parameter := range map[string]string{"a=%zz": "a", "cursor=%": "cursor"} {
		_, err = parse(raw)
		wantBadRequest(t, err, "malformed_query", parameter)
	}
}

// wantBadRequest reports an error that is not a 400 with the code, at the parameter.
func wantBadRequest(t *testing.T, err error, code, parameter string) {
	t.Helper()
	e, ok := problem.As(err)
	if !ok || e.Kind != problem.BadRequest || e.Code != code {
		t.Errorf("got %v, want 400 %s", err, code)
		return
	}
	if parameter != "" && (len(e.Errors) != 1 || e.Errors[0].Pointer != parameter) {
		t.Errorf("got errors %v, want one at %s", e.Errors, parameter)
	}
}
