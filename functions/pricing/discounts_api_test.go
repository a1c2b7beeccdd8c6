package pricing_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/pricing"
	"github.com/tienda-dev/tienda/functions/pricing/pricingtest"
	"github.com/tienda-dev/tienda/internal/apitest"
	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/page"
	"github.com/tienda-dev/tienda/shared/problem"
)

func TestNormalCode(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]string{"az_09-AZ": "AZ_09-AZ", "`{": "`{", "ſı": "ſı"} {
		if got := pricing.NormalCode(code); got != want {
			t.Errorf("%q becomes %q, want %q", code, got, want)
		}
	}
}

func TestLifeOfADiscount(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	const body = `{"code":"spring_26","amount":{"amount_minor":500,"currency":"EUR"},"minimum":{"amount_minor":0,"currency":"EUR"},` +
		`"starts_at":"2026-03-01T01:00:00+01:00","ends_at":"2026-04-01T00:00:00Z","max_uses":1000000000,"max_uses_per_customer":1}`
	created := s.create(body).Want(http.StatusCreated)
	if got := created.Header.Get("Location"); got != "discounts/SPRING_26" || created.Header.Get("ETag") != `"1"` {
		t.Errorf("Location %q, ETag %s", got, created.Header.Get("ETag"))
	}
	if read := s.do("catalog", http.MethodGet, "/v1/discounts/Spring_26", "").Want(http.StatusOK); read.Body != created.Body {
		t.Errorf("got %s, want %s", read.Body, created.Body)
	}
	s.create(body).WantProblem(http.StatusConflict, "code_exists", "/code")

	got := apitest.Decode[pricing.Discount](s.patch("SPRING_26", `"1"`,
		`{"amount":null,"percent":"12.50","minimum":{"amount_minor":2000},"starts_at":null,"max_uses":null}`).Want(http.StatusOK))
	minimum, ends := pricingtest.EUR(2000), api.NewTime(time.Date(2026, time.April, 1, 0, 0, 0, 0, time.UTC))
	want := pricing.Discount{
		Code: "SPRING_26", Percent: "12.50", Minimum: &minimum, EndsAt: &ends, MaxUsesPerCustomer: 1, Version: 2,
		CreatedAt: api.NewTime(now()), UpdatedAt: api.NewTime(now()),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("patched (-want +got):\n%s", diff)
	}
	if same := s.patch("spring_26", `"2"`, `{"percent":"12.50"}`).Want(http.StatusOK); same.Header.Get("ETag") != `"2"` {
		t.Errorf("a patch without a change makes version %s", same.Header.Get("ETag"))
	}
	s.patch("SPRING_26", `"1"`, `{"percent":"1"}`).WantProblem(http.StatusPreconditionFailed, "precondition_failed")

	remove := func(code string, header ...string) apitest.Answer {
		t.Helper()
		return s.do("catalog", http.MethodDelete, "/v1/discounts/"+code, "", header...)
	}
	remove("SPRING_26").WantProblem(http.StatusPreconditionRequired, "precondition_required")
	remove("SPRING_26", "If-Match", `"1"`).WantProblem(http.StatusPreconditionFailed, "precondition_failed")
	remove("spring_26", "If-Match", `"2"`).Want(http.StatusNoContent)
	for _, code := range []string{"SPRING_26", "NEVER", "x"} {
		remove(code, "If-Match", "*").WantProblem(http.StatusNotFound, "discount_not_found")
		s.patch(code, "*", `{}`).WantProblem(http.StatusNotFound, "discount_not_found")
		s.do("catalog", http.MethodGet, "/v1/discounts/"+code, "").WantProblem(http.StatusNotFound, "discount_not_found")
	}
	s.create(body).WantProblem(http.StatusConflict, "code_exists", "/code")
}

func TestRefusedDiscounts(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for body, pointers := range map[string][]string{
		`{}`:                           {"/code", "/percent"},
		`{"code":"AB","percent":"1"}`:  {"/code"},
		`{"code":"-AB","percent":"1"}`: {"/code"},
		`{"code":"A#B","percent":"1"}`: {"/code"},
		`{"code":"` + strings.Repeat("A", 33) + `","percent":"1"}`:                                                  {"/code"},
		`{"code":"ſab","percent":"1"}`:                                                                              {"/code"}, // its upper case is SAB
		`{"code":"abı","percent":"1"}`:                                                                              {"/code"},
		`{"code":"ABC","percent":""}`:                                                                               {"/percent"},
		`{"code":"ABC","percent":"","amount":{"amount_minor":1,"currency":"EUR"}}`:                                  {"/percent"},
		`{"code":"ABC","percent":10,"amount":{"amount_minor":1,"currency":"EUR"}}`:                                  {"/percent"},
		`{"code":"ABC","amount":{"amount_minor":9007199254740992,"currency":"EUR"}}`:                                {"/amount/amount_minor"},
		`{"code":"ABC","amount":{"amount_minor":"1","currency":"EUR"}}`:                                             {"/amount/amount_minor"},
		`{"code":"ABC","amount":5}`:                                                                                 {"/amount"},
		`{"code":"ABC","percent":"0.0"}`:                                                                            {"/percent"},
		`{"code":"ABC","percent":"1e1"}`:                                                                            {"/percent"},
		`{"code":"ABC","percent":"100.0001"}`:                                                                       {"/percent"},
		`{"code":"ABC","percent":10}`:                                                                               {"/percent"},
		`{"code":"ABC","amount":{"amount_minor":-1,"currency":"EUR"}}`:                                              {"/amount/amount_minor"},
		`{"code":"ABC","amount":{"amount_minor":1,"currency":"eur"}}`:                                               {"/amount/currency"},
		`{"code":"ABC","percent":"1","minimum":{"amount_minor":-1,"currency":"EUR"}}`:                               {"/minimum/amount_minor"},
		`{"code":"ABC","amount":{"amount_minor":1,"currency":"EUR"},"minimum":{"amount_minor":1,"currency":"JPY"}}`: {"/minimum/currency"},
		`{"code":"ABC","percent":"1","starts_at":"2026-01-01T00:00:00Z","ends_at":"2026-01-01T00:00:00Z"}`:          {"/ends_at"},
		`{"code":"ABC","percent":"1","ends_at":"tomorrow"}`:                                                         {"/ends_at"},
		`{"code":"ABC","percent":"1","ends_at":"9999-12-31T23:59:59-12:00"}`:                                        {"/ends_at"}, // the year 10000 in UTC
		`{"code":"ABC","percent":"1","max_uses":0}`:                                                                 {"/max_uses"},
		`{"code":"ABC","percent":"1","max_uses":1000000001,"max_uses_per_customer":-1}`:                             {"/max_uses", "/max_uses_per_customer"},
		`{"code":"ABC","percent":"1","uses":5}`:                                                                     {"/uses"},
	} {
		s.create(body).WantProblem(http.StatusUnprocessableEntity, "validation_failed", pointers...)
	}
	s.create(`{"code":"ABC","percent":"10"}`).Want(http.StatusCreated)
	for body, pointers := range map[string][]string{
		`{"percent":null}`: {"/percent"}, `{"percent":""}`: {"/percent"}, `{"percent":"0"}`: {"/percent"}, `{"code":"OTHER"}`: {"/code"},
		`{"amount":{"amount_minor":1,"currency":"EUR"}}`:                        {"/amount"},
		`{"percent":null,"amount":{"amount_minor":1}}`:                          {"/amount/currency"},
		`{"minimum":{"amount_minor":null,"currency":null}}`:                     {"/minimum/amount_minor", "/minimum/currency"},
		`{"max_uses":0,"max_uses_per_customer":-5}`:                             {"/max_uses", "/max_uses_per_customer"},
		`{"starts_at":"2026-02-01T00:00:00Z","ends_at":"2026-01-01T00:00:00Z"}`: {"/ends_at"},
		`{"starts_at":"0000-01-01T00:00:00+14:00"}`:                             {"/starts_at"}, // the year -1 in UTC
	} {
		s.patch("ABC", `"1"`, body).WantProblem(http.StatusUnprocessableEntity, "validation_failed", pointers...)
	}
}

// One rule has one text, whichever way it is broken.
func TestTextsOfPercentages(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	s.create(`{"code":"ABC","percent":"10"}`).Want(http.StatusCreated)
	texts := map[string]bool{}
	for _, percent := range []string{"101", "0", "-1", "1e1", "0.00", ""} {
		for _, refused := range []apitest.Answer{
			s.create(`{"code":"NEW","percent":"` + percent + `"}`), s.patch("ABC", `"1"`, `{"percent":"`+percent+`"}`),
		} {
			refused.WantProblem(http.StatusUnprocessableEntity, "validation_failed", "/percent")
			texts[detailOf(t, refused)] = true
		}
	}
	if len(texts) != 1 {
		t.Errorf("the rule has the texts %q", slices.Sorted(maps.Keys(texts)))
	}
}

// detailOf returns the text of the first field that is refused.
func detailOf(t *testing.T, refused apitest.Answer) string {
	t.Helper()
	var answer struct {
		Errors []problem.FieldError `json:"errors"`
	}
	if err := json.Unmarshal([]byte(refused.Body), &answer); err != nil || len(answer.Errors) == 0 {
		t.Fatalf("%s: %v", refused.Body, err)
	}
	return answer.Errors[0].Detail
}

func TestDiscountsArePaged(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	for _, code := range []string{"AAA", "BBB", "CCC"} {
		s.create(`{"code":"` + code + `","percent":"10"}`).Want(http.StatusCreated)
		*s.clock = s.clock.Add(time.Second)
	}
	read := func(query string) page.Page[pricing.Discount] {
		t.Helper()
		return apitest.Decode[page.Page[pricing.Discount]](s.do("catalog", http.MethodGet, "/v1/discounts"+query, "").Want(http.StatusOK))
	}
	first := read("?limit=2")
	second := read("?limit=2&cursor=" + first.NextCursor)
	var got []string
	for _, d := range append(first.Data, second.Data...) {
		got = append(got, d.Code)
	}
	if diff := cmp.Diff([]string{"CCC", "BBB", "AAA"}, got); diff != "" || second.HasMore {
		t.Errorf("codes (-want +got):\n%s more: %t", diff, second.HasMore)
	}
	s.do("catalog", http.MethodGet, "/v1/discounts?cursor=x", "").WantProblem(http.StatusBadRequest, "invalid_cursor", "cursor")
	s.do("catalog", http.MethodGet, "/v1/discounts?limit=0", "").WantProblem(http.StatusBadRequest, "invalid_parameter", "limit")
}
