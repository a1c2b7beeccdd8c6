// Command route writes everything that a new route needs: handler, test, route, main, template block, event, expected
// answer, description for openapi.yaml and a request in the suite. Run it with `make route`:
//
//	make route NAME=count-products RESOURCE=catalog METHOD=GET ROUTE=/v1/products/count AUTH=public
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "make route:", err)
		os.Exit(1)
	}
}

func run() error {
	var o operation
	flag.StringVar(&o.Name, "name", "", "the operation in kebab-case: count-products")
	flag.StringVar(&o.Resource, "resource", "", "the folder below functions/: catalog")
	flag.StringVar(&o.Method, "method", "", "the HTTP method: GET")
	flag.StringVar(&o.Path, "route", "", "the path, with parameters: /v1/products/{id}/reviews")
	flag.StringVar(&o.Auth, "auth", "required", "required or public")
	flag.StringVar(&o.Rate, "rate", "", "the class of rate limits, as internal/policy names it; empty follows from method and auth")
	root := flag.String("root", ".", "the repository's folder")
	flag.Parse()

	o.Rate = o.rate()
	done, err := write(*root, o)
	if err != nil {
		return err
	}
	for _, file := range done {
		fmt.Println(file)
	}
	fmt.Printf("\n%s answers after the next `make run`. Now write what it does:\n"+
		"  functions/%s/%s.go  the handler; its test and events/ hold what it answers\n"+
		"  template.yaml  %sRole: what it may do with a table\n"+
		"  make unit contract integration  check it\n", o.key(), o.Resource, o.file(), o.Title())
	return nil
}
