// Command statedocs draws the state machines of the code in the docs, as Mermaid diagrams. `make generate` runs it.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tienda-dev/tienda/functions/orders"
	"github.com/tienda-dev/tienda/functions/payments"
	"github.com/tienda-dev/tienda/functions/shipments"
)

//go:generate go run .

func main() {
	if err := run(filepath.FromSlash("../..")); err != nil {
		fmt.Fprintln(os.Stderr, "statedocs:", err)
		os.Exit(1)
	}
}

// edge is a row of a state machine. From is empty for the beginning, and on for a way that has no name but its end's.
type edge struct{ from, on, to string }

// machine is a state machine and the page that has its diagram.
type machine struct {
	page  string
	name  string
	edges []edge
}

func machines() []machine {
	order := machine{page: "docs/orders.md", name: "order"}
	for _, row := range orders.States() {
		order.edges = append(order.edges, edge{string(row.From), string(row.On), string(row.To)})
	}
	shipment := machine{page: "docs/orders.md", name: "shipment", edges: []edge{{"", "", string(shipments.Created)}}}
	for _, row := range shipments.Transitions() {
		shipment.edges = append(shipment.edges, edge{string(row.From), "", string(row.To)})
	}
	payment := machine{page: "docs/payments.md", name: "payment", edges: []edge{{"", "", string(payments.Authorizing)}}}
	for _, row := range payments.Transitions() {
		payment.edges = append(payment.edges, edge{string(row.From), "", string(row.To)})
	}
	return []machine{order, shipment, payment}
}

func run(root string) error {
	for _, m := range machines() {
		path := filepath.Join(root, filepath.FromSlash(m.page))
		page, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if page, err = m.in(page); err != nil {
			return err
		}
		if err := os.WriteFile(path, page, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// in returns the page with the current diagram.
func (m machine) in(page []byte) ([]byte, error) {
	begin := []byte("<!-- states of " + m.name + ": make generate -->\n")
	end := []byte("<!-- end of states -->\n")
	before, rest, found := bytes.Cut(page, begin)
	_, after, closed := bytes.Cut(rest, end)
	if !found || !closed {
		return nil, errors.New(m.page + " has no place for the states of " + m.name)
	}
	return bytes.Join([][]byte{before, begin, []byte(m.diagram()), end, after}, nil), nil
}

// diagram returns the machine in Mermaid's notation. A state that nothing leads out of is an end.
func (m machine) diagram() string {
	var b strings.Builder
	b.WriteString("```mermaid\nstateDiagram-v2\n")
	leaves := map[string]bool{}
	for _, e := range m.edges {
		from := e.from
		if from == "" {
			from = "[*]"
		}
		leaves[e.from] = true
		fmt.Fprintf(&b, "    %s --> %s", from, e.to)
		if e.on != "" {
			b.WriteString(": " + e.on)
		}
		b.WriteByte('\n')
	}
	ended := map[string]bool{}
	for _, e := range m.edges {
		if !leaves[e.to] && !ended[e.to] {
			ended[e.to] = true
			fmt.Fprintf(&b, "    %s --> [*]\n", e.to)
		}
	}
	b.WriteString("```\n")
	return b.String()
}
