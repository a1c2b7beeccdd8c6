// Package board describes Grafana's dashboards and writes them in Grafana's JSON.
package board

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Panel is one panel of a dashboard.
type Panel struct {
	// Title and Help are what a reader sees: what it shows, and what is bad.
	Title, Help string
	// Unit is Grafana's: reqps, s, percentunit, bytes, short.
	Unit string
	// Kind is timeseries if it is empty, or stat, or table.
	Kind string
	// Queries are PromQL. $S in them is the choice of service and environment.
	Queries []Query
}

// Query is one line of a panel, or one group of lines.
type Query struct {
	// Expr is PromQL, Legend names each line by its labels: "{{http_route}}".
	Expr, Legend string
}

// Row is a titled group of panels.
type Row struct {
	Title  string
	Panels []Panel
}

// Dashboard is one page.
type Dashboard struct {
	// Name is the file's name and the identifier in Grafana's links, without "tienda-".
	Name, Title string
	// Choices are more variables: the name of a variable and the query of its values.
	Choices [][2]string
	Rows    []Row
}

// chosen are the matchers that $S means.
const chosen = `job=~"$service",deployment_environment_name=~"$environment"`

// Expressions returns the PromQL of all panels and variables, with $S resolved.
func (d Dashboard) Expressions() []string {
	var all []string
	for _, row := range d.Rows {
		for _, panel := range row.Panels {
			for _, query := range panel.Queries {
				all = append(all, resolve(query.Expr))
			}
		}
	}
	return all
}

func resolve(expr string) string { return strings.ReplaceAll(expr, "$S", chosen) }

// Files returns the dashboards as Grafana's JSON by the names of their files.
func Files() (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, d := range All() {
		var text bytes.Buffer
		encoder := json.NewEncoder(&text)
		encoder.SetEscapeHTML(false) // queries are read by people
		encoder.SetIndent("", "  ")
		if err := encoder.Encode(d.grafana()); err != nil {
			return nil, fmt.Errorf("write dashboard %s: %w", d.Name, err)
		}
		files[d.Name+".json"] = text.Bytes()
	}
	return files, nil
}

type object = map[string]any

// source is the choice of a data source.
func source() object { return object{"type": "prometheus", "uid": "${datasource}"} }

const (
	width  = 24
	height = 8
)

func (d Dashboard) grafana() object {
	panels := []any{}
	id, y := 0, 0
	next := func() int { id++; return id }
	for _, row := range d.Rows {
		panels = append(panels, object{
			"id": next(), "type": "row", "title": row.Title, "collapsed": false, "panels": []any{},
			"gridPos": object{"h": 1, "w": width, "x": 0, "y": y},
		})
		y++
		columns := min(len(row.Panels), 3)
		if len(row.Panels) == 4 {
			columns = 4
		}
		w, h := width/columns, height
		if row.Panels[0].Kind == "stat" {
			h = height / 2
		}
		for i, panel := range row.Panels {
			if i > 0 && i%columns == 0 {
				y += h
			}
			panels = append(panels, panel.grafana(next(), object{"h": h, "w": w, "x": w * (i % columns), "y": y}))
		}
		y += h
	}
	variables := []any{object{
		"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1,
	}}
	for _, choice := range append([][2]string{
		{"service", "label_values(http_server_request_duration_seconds_count, job)"},
		{"environment", "label_values(http_server_request_duration_seconds_count, deployment_environment_name)"},
	}, d.Choices...) {
		variables = append(variables, object{
			"name": choice[0], "type": "query", "datasource": source(), "query": choice[1], "refresh": 2, "sort": 1,
			"multi": true, "includeAll": true, "allValue": ".*", "current": object{"text": "All", "value": "$__all"},
		})
	}
	return object{
		"uid": "tienda-" + d.Name, "title": "Tienda: " + d.Title, "tags": []string{"tienda"}, "schemaVersion": 39, "version": 1,
		"editable": false, "graphTooltip": 1, "refresh": "30s", "time": object{"from": "now-3h", "to": "now"},
		"timezone": "browser", "templating": object{"list": variables}, "panels": panels,
		"annotations": object{"list": []any{object{
			"name": "Alerts", "datasource": source(), "enable": true, "iconColor": "red",
			"expr": `ALERTS{alertstate="firing",severity="page"}`, "titleFormat": "{{alertname}}",
		}}},
		"links": []any{object{
			"title": "Tienda", "type": "dashboards", "tags": []string{"tienda"}, "asDropdown": true, "keepTime": true, "includeVars": true,
		}},
	}
}

func (p Panel) grafana(id int, place object) object {
	kind := p.Kind
	if kind == "" {
		kind = "timeseries"
	}
	targets := make([]any, 0, len(p.Queries))
	for i, query := range p.Queries {
		target := object{
			"refId": string(rune('A' + i)), "datasource": source(), "expr": resolve(query.Expr), "legendFormat": query.Legend,
			// Grafana shows the traces behind a histogram as dots.
			"exemplar": strings.Contains(query.Expr, "_exemplars_"), "instant": kind == "table", "range": kind != "table",
		}
		if kind == "table" {
			target["format"] = "table"
		}
		targets = append(targets, target)
	}
	defaults := object{"unit": p.Unit, "min": 0}
	if kind == "timeseries" {
		defaults["custom"] = object{"fillOpacity": 10, "showPoints": "never", "spanNulls": true}
	}
	options := object{}
	if kind == "timeseries" {
		options = object{"legend": object{"displayMode": "table", "placement": "bottom", "calcs": []string{"lastNotNull", "max"}}, "tooltip": object{"mode": "multi", "sort": "desc"}}
	}
	if kind == "stat" {
		options = object{"reduceOptions": object{"calcs": []string{"lastNotNull"}}, "graphMode": "area"}
	}
	return object{
		"id": id, "type": kind, "title": p.Title, "description": p.Help, "gridPos": place, "datasource": source(),
		"fieldConfig": object{"defaults": defaults, "overrides": []any{}}, "options": options, "targets": targets,
	}
}
