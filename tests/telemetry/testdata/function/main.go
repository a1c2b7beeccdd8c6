// Command function is a function under telemetry; the path says what it does.
package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/tienda-dev/tienda/shared/api"
	"github.com/tienda-dev/tienda/shared/app"
	"github.com/tienda-dev/tienda/shared/metrics"
	"github.com/tienda-dev/tienda/shared/telemetry"
)

func main() {
	route := api.Route{Name: "do", Method: http.MethodGet, Path: "/do/{what}", Auth: api.Public, Rate: api.Unlimited}
	app.Main(route, func(ctx context.Context, s *app.Setup) (api.Handler, error) {
		_, err := telemetry.Start(ctx, s)
		return handle, err
	})
}

func handle(w http.ResponseWriter, r *http.Request) error {
	metrics.From(r.Context()).OrderPlaced(r.Context(), "EUR", 10)
	switch r.PathValue("what") {
	case "panic":
		panic("on purpose")
	case "sleep":
		time.Sleep(time.Minute) // ignores its context, as bad code does
	case "wait":
		<-r.Context().Done() // as good code does
		return r.Context().Err()
	case "fail":
		return errors.New("on purpose")
	}
	_, err := w.Write([]byte(strconv.Itoa(os.Getpid())))
	return err
}
