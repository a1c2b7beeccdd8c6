// Command goclient uses the API by a client that oapi-codegen has made from openapi.yaml (api.gen.go): it registers,
// logs in, lists, creates, and meets a conflict. Its arguments are the API's URL, a token of the role catalog, and a
// word that is new to the API.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/oapi-codegen/runtime/types"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: goclient URL TOKEN WORD")
		os.Exit(2)
	}
	if err := run(context.Background(), os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("registered, logged in, listed, created, and met the conflict")
}

// bearer adds a token to requests.
func bearer(token string) RequestEditorFn {
	return func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+token)
		return nil
	}
}

func run(ctx context.Context, url, token, word string) error {
	api, err := NewClientWithResponses(url)
	if err != nil {
		return err
	}
	if err := people(ctx, api, word); err != nil {
		return err
	}
	limit := 1
	listed, err := api.ListProductsWithResponse(ctx, &ListProductsParams{Limit: &limit})
	if err != nil {
		return fmt.Errorf("list: %w", err)
	}
	if listed.JSON200 == nil || len(listed.JSON200.Data) > limit {
		return fmt.Errorf("list: %s %s", listed.Status(), listed.Body)
	}

	product := CreateProduct{
		Sku: strings.ToUpper(word), Name: "Espresso cup", Category: "kitchen", Price: Money{AmountMinor: 1250, Currency: "EUR"},
	}
	created, err := api.CreateProductWithResponse(ctx, product, bearer(token))
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	if created.JSON201 == nil || created.JSON201.Price != product.Price {
		return fmt.Errorf("create: %s %s", created.Status(), created.Body)
	}
	again, err := api.CreateProductWithResponse(ctx, product, bearer(token))
	if err != nil {
		return fmt.Errorf("create again: %w", err)
	}
	if again.ApplicationproblemJSON409 == nil || again.ApplicationproblemJSON409.Code != "sku_exists" {
		return fmt.Errorf("create again: %s %s", again.Status(), again.Body)
	}
	return nil
}

// people registers a user, logs in and reads the user's profile.
func people(ctx context.Context, api *ClientWithResponses, word string) error {
	user := RegisterUser{Email: types.Email(word + "@shop.example"), Password: "battery staple " + word, Name: "Maria"}
	registered, err := api.RegisterUserWithResponse(ctx, user)
	if err != nil {
		return fmt.Errorf("register: %w", err)
	}
	if registered.JSON201 == nil {
		return fmt.Errorf("register: %s %s", registered.Status(), registered.Body)
	}
	login, err := api.LoginWithResponse(ctx, Login{Email: string(user.Email), Password: user.Password})
	if err != nil {
		return fmt.Errorf("log in: %w", err)
	}
	if login.JSON200 == nil {
		return fmt.Errorf("log in: %s %s", login.Status(), login.Body)
	}
	profile, err := api.GetMyProfileWithResponse(ctx, bearer(login.JSON200.AccessToken))
	if err != nil {
		return fmt.Errorf("read the profile: %w", err)
	}
	if profile.JSON200 == nil || profile.JSON200.Id != registered.JSON201.Id {
		return fmt.Errorf("read the profile: %s %s", profile.Status(), profile.Body)
	}
	return nil
}
