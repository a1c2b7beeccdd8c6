package auth_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tienda-dev/tienda/functions/auth"
	"github.com/tienda-dev/tienda/functions/auth/authtest"
	"github.com/tienda-dev/tienda/shared/ratelimit"
)

func TestRegister(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	a := h.post("/v1/auth/register", registration("Maria.Lopez@Shop.example")).want(http.StatusCreated)
	got := decode[user](a)
	want := user{ID: got.ID, Email: "Maria.Lopez@Shop.example", Name: "María", Roles: []string{"customer"}, CreatedAt: authtest.Time(0)}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("user (-want +got):\n%s", diff)
	}
	for _, base := range []string{"", "/prod", "/shop/eu"} { // a stage, a mapping key
		requested := url.URL{Path: base + "/v1/auth/register"}
		if u, err := requested.Parse(a.Header.Get("Location")); err != nil || u.Path != base+"/v1/customers/me" {
			t.Errorf("below %q the Location %q is %v, %v", base, a.Header.Get("Location"), u, err)
		}
	}
	if address, name := h.users.Profile(got.ID); address != want.Email || name != want.Name {
		t.Errorf("the profile has %q and %q", address, name)
	}
	c, err := h.users.Credentials(t.Context(), got.ID)
	must(t, err)
	if !strings.HasPrefix(c.PasswordHash, "$argon2id$") || strings.Contains(c.PasswordHash, rightPW) {
		t.Errorf("the password is stored as %s", c.PasswordHash)
	}
}

func TestRegisterTakenAddress(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	h.register(email)
	for _, taken := range []string{email, strings.ToUpper(email)} {
		h.hashes.counts()
		h.post("/v1/auth/register", registration(taken)).wantProblem(http.StatusConflict, "email_exists", "/email")
		if hashed, _ := h.hashes.counts(); hashed != 1 {
			t.Errorf("%d hashes were made, want as many as for a new address: 1", hashed)
		}
	}
	h.register("other@shop.example")
}

func TestRegisterRefuses(t *testing.T) {
	t.Parallel()
	body := func(member, value string) string {
		m := map[string]string{"email": email, "password": rightPW, "name": "María"}
		m[member] = value
		return text(m)
	}
	for name, tc := range map[string]struct {
		body     string
		pointers []string
	}{
		"Empty":                 {`{}`, []string{"/email", "/name", "/password"}},
		"NoAt":                  {body("email", "maria"), []string{"/email"}},
		"NoName":                {body("email", "@shop.example"), []string{"/email"}},
		"NoDomain":              {body("email", "maria@"), []string{"/email"}},
		"OneLabel":              {body("email", "maria@shop"), []string{"/email"}},
		"TwoAts":                {body("email", "maria@a@shop.example"), []string{"/email"}},
		"Spaces":                {body("email", " maria@shop.example"), []string{"/email"}},
		"Address":               {body("email", "María <maria@shop.example>"), []string{"/email"}},
		"LineBreak":             {body("email", "maria@shop.example\nbcc:x@y.example"), []string{"/email"}},
		"DoubleDot":             {body("email", "maria..lopez@shop.example"), []string{"/email"}},
		"LeadingHyphen":         {body("email", "maria@-shop.example"), []string{"/email"}},
		"OnlyAddressOfHost":     {body("email", "maria@192.0.2.10"), []string{"/email"}},
		"NumericTopLevelDomain": {body("email", "maria@shop.12"), []string{"/email"}},
		"InvisibleName":         {body("name", "\u200b"), []string{"/name"}},
		"NameThatReorders":      {body("name", "\u202enimda"), []string{"/name"}},
		"LookAlike":             {body("email", "mаria@shop.example"), []string{"/email"}}, // a Cyrillic а
		"LongName":              {body("email", strings.Repeat("m", 65)+"@shop.example"), []string{"/email"}},
		"LongAddress":           {body("email", "m@"+strings.Repeat("shop.", 50)+"example"), []string{"/email"}},
		"BlankName":             {body("name", " \t"), []string{"/name"}},
		"NameTooLong":           {body("name", strings.Repeat("ñ", 201)), []string{"/name"}},
		"NameWithLineBreak":     {body("name", "a\nb"), []string{"/name"}},
		"ShortPassword":         {body("password", "1234567"), []string{"/password"}},
		"LongPassword":          {body("password", strings.Repeat("p", 129)), []string{"/password"}},
		"CommonPassword":        {body("password", "Password123"), []string{"/password"}},
		"PasswordIsAddress":     {body("password", strings.ToUpper(email)), []string{"/password"}},
		"Roles":                 {`{"email":"a@shop.example","password":"` + rightPW + `","name":"A","roles":["admin"]}`, []string{"/roles"}},
		"AllTogether":           {`{"email":"","roles":[],"name":7,"password":"x"}`, []string{"/roles", "/name", "/email", "/password"}},
		"WrongTypes":            {`{"email":1,"password":[],"name":{}}`, []string{"/email", "/password", "/name"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newServer(t, nil)
			h.post("/v1/auth/register", tc.body).wantProblem(http.StatusUnprocessableEntity, "validation_failed", tc.pointers...)
			if hashed, _ := h.hashes.counts(); hashed != 0 {
				t.Error("a refused password was hashed")
			}
		})
	}
	h := newServer(t, nil)
	h.post("/v1/auth/register", registration(email)+strings.Repeat(" ", int(auth.RegisterUserRoute.MaxBody))).wantProblem(http.StatusRequestEntityTooLarge, "body_too_large")
}

func TestRegisterTakesLongPasswordsAndPlainAddresses(t *testing.T) {
	t.Parallel()
	h := newServer(t, nil)
	long := strings.Repeat("𝄞", 128)
	for _, address := range []string{
		"a@b.co", "maria+shop@sub.shop.example", "o'brien@xn--mnchen-3ya.example", strings.Repeat("m", 64) + "@shop.example", "123@456.example",
		"a!#$%&'*+-/=?^_`{|}~z@shop.example",
	} {
		h.post("/v1/auth/register", text(map[string]string{"email": address, "password": long, "name": "M"})).want(http.StatusCreated)
		h.post("/v1/auth/login", credentials(address, long)).want(http.StatusOK)
		h.post("/v1/auth/login", credentials(address, long[:len(long)-4])).want(http.StatusUnauthorized)
	}
}

func TestIdentifierDoesNotRevealTheAddress(t *testing.T) {
	t.Parallel()
	other := []byte(strings.Repeat("o", auth.MinIdentifierKey))
	id := auth.Identifier(key(t.Context()), email)
	if len(id) != 64 || strings.Contains(id, "maria") {
		t.Errorf("identifier %s", id)
	}
	for _, same := range []string{strings.ToUpper(email), " " + email + "\n"} {
		if auth.Identifier(key(t.Context()), same) != id {
			t.Errorf("%q has another identifier", same)
		}
	}
	if auth.Identifier(key(t.Context()), "\u212Aarl@shop.example") == auth.Identifier(key(t.Context()), "karl@shop.example") {
		t.Error("the Kelvin sign is folded into k")
	}
	if auth.Identifier(other, email) == id || auth.Identifier(key(t.Context()), "x"+email) == id {
		t.Error("another key or another address gives the same identifier")
	}
}

func TestParseIdentifierKey(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", auth.MinIdentifierKey)
	for name, secret := range map[string]string{
		"Generated": `{"kid":"k1","status":"active","key":"` + long + `"}`, "List": `[{"key":"` + long + `"}]`,
	} {
		if got, err := auth.ParseIdentifierKey([]byte(secret)); err != nil || string(got) != long {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	for name, secret := range map[string]string{
		"Empty": ``, "Short": `{"key":"` + long[1:] + `"}`, "NoKey": `{"kid":"` + long + `"}`, "Text": long, "Number": `{"key":1}`,
		"Two": `[{"key":"` + long + `"},{"key":"` + long + `"}]`,
	} {
		if _, err := auth.ParseIdentifierKey([]byte(secret)); err == nil || strings.Contains(err.Error(), "kkk") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConstructorsRefuseWhatIsMissing(t *testing.T) {
	t.Parallel()
	store := authtest.NewMemory()
	h := newServer(t, nil)
	off := ratelimit.Disabled()
	for name, build := range map[string]func(){
		"RegistrarStore":        func() { auth.NewRegistrar(nil, h.hashes, off, key, h.clock) },
		"RegistrarHasher":       func() { auth.NewRegistrar(store, nil, off, key, h.clock) },
		"RegistrarClock":        func() { auth.NewRegistrar(store, h.hashes, off, key, nil) },
		"PasswordLoginStore":    func() { auth.NewPasswordLogin(nil, h.hashes, h.manager, h.limits, key, h.clock) },
		"PasswordLoginHasher":   func() { auth.NewPasswordLogin(store, nil, h.manager, h.limits, key, h.clock) },
		"PasswordLoginSessions": func() { auth.NewPasswordLogin(store, h.hashes, nil, h.limits, key, h.clock) },
		"PasswordLoginClock":    func() { auth.NewPasswordLogin(store, h.hashes, h.manager, h.limits, key, nil) },
		"RegistrarLimiter":      func() { auth.NewRegistrar(store, h.hashes, nil, key, h.clock) },
		"PasswordLoginLimits":   func() { auth.NewPasswordLogin(store, h.hashes, h.manager, auth.LoginLimits{}, key, h.clock) },
		"UnlockerLimiter":       func() { auth.NewUnlocker(store, nil, off) },
		"UnlockerPairs":         func() { auth.NewUnlocker(store, off, nil) },
		"AdministratorStore":    func() { auth.NewAdministrator(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			defer func() {
				if recover() == nil {
					t.Error("it does not panic")
				}
			}()
			build()
		})
	}
}

func TestErrorsAreDistinct(t *testing.T) {
	t.Parallel()
	all := []error{auth.ErrUserNotFound, auth.ErrEmailExists, auth.ErrChanged, auth.ErrInvalidCredentials, auth.ErrWrongPassword}
	for i, a := range all {
		for j, b := range all {
			if errors.Is(a, b) != (i == j) {
				t.Errorf("%v matches %v", a, b)
			}
		}
	}
}
