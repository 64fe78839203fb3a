package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// Sizes in Grafana's grid, which is 24 wide.
const (
	numberWidth, numberHeight = 3, 4
	graphWidth, graphHeight   = 8, 8
)

// source is the Prometheus that is chosen at the top of the dashboard.
var source = common.DataSourceRef{Type: new("prometheus"), Uid: new("${datasource}")}

func build(rows []row) (dashboard.Dashboard, error) {
	board := dashboard.NewDashboardBuilder("secretreview").
		Uid("secretreview").
		Description("Changes to secrets: proposed, reviewed, live. https://github.com/secretreview/secretreview").
		Tags([]string{"secretreview"}).
		Time("now-6h", "now").
		Refresh("1m").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		WithVariable(dashboard.NewDatasourceVariableBuilder("datasource").Label("Prometheus").Type("prometheus")).
		WithVariable(choice("namespace", `label_values(secretreview_changes, namespace)`)).
		WithVariable(choice("project", `label_values(secretreview_changes{namespace=~"$namespace"}, project)`))
	var id uint32 // Grafana wants each row and panel to have one of its own
	for _, r := range rows {
		id++
		board.WithRow(dashboard.NewRowBuilder(r.title).Id(id))
		for _, p := range r.panels {
			id++
			board.WithPanel(p.build(id))
		}
	}
	return board.Build()
}

// choice is a variable of which one, several or all values are chosen.
func choice(name, values string) *dashboard.QueryVariableBuilder {
	return dashboard.NewQueryVariableBuilder(name).Label(name).Datasource(source).
		Query(dashboard.StringOrMap{String: &values}).
		Refresh(dashboard.VariableRefreshOnTimeRangeChanged).Sort(dashboard.VariableSortAlphabeticalAsc).
		Multi(true).IncludeAll(true).AllValue(".*")
}

func (p panel) build(id uint32) cog.Builder[dashboard.Panel] {
	if p.kind == number {
		return p.number().Id(id)
	}
	return p.graph().Id(id)
}

func (p panel) number() *stat.PanelBuilder {
	b := stat.NewPanelBuilder().Title(p.title).Description(p.about).Datasource(source).Unit(p.unit).
		Span(numberWidth).Height(numberHeight).
		Orientation(common.VizOrientationAuto).ReduceOptions(common.NewReduceDataOptionsBuilder().Calcs([]string{"lastNotNull"})).
		GraphMode(common.BigValueGraphModeNone).ColorMode(common.BigValueColorModeValue).
		Thresholds(dashboard.NewThresholdsConfigBuilder().Mode(dashboard.ThresholdsModeAbsolute).Steps(p.good.steps()))
	for i, q := range p.queries {
		b.WithTarget(q.build(i).Instant())
	}
	return b
}

// steps say from which value on which colour holds; the first holds below all others.
func (g good) steps() []dashboard.Threshold {
	step := func(from float64, color string) dashboard.Threshold {
		return dashboard.Threshold{Value: &from, Color: color}
	}
	below := func(color string) dashboard.Threshold { return dashboard.Threshold{Color: color} }
	switch g {
	case zero:
		return []dashboard.Threshold{below("green"), step(1, "red")}
	case one:
		return []dashboard.Threshold{below("red"), step(1, "green"), step(2, "red")}
	case under15m:
		return []dashboard.Threshold{below("green"), step(900, "red")}
	default:
		return []dashboard.Threshold{below("text")}
	}
}

func (p panel) graph() *timeseries.PanelBuilder {
	b := timeseries.NewPanelBuilder().Title(p.title).Description(p.about).Datasource(source).Unit(p.unit).Min(0).
		Span(graphWidth).Height(graphHeight).
		ShowPoints(common.VisibilityModeNever).FillOpacity(10).
		Legend(common.NewVizLegendOptionsBuilder().ShowLegend(true).DisplayMode(common.LegendDisplayModeList).Placement(common.LegendPlacementBottom)).
		Tooltip(common.NewVizTooltipOptionsBuilder().Mode(common.TooltipDisplayModeMulti).Sort(common.SortOrderDescending))
	if p.kind == bars {
		b.DrawStyle(common.GraphDrawStyleBars).FillOpacity(70).
			Stacking(common.NewStackingConfigBuilder().Mode(common.StackingModeNormal))
	}
	for i, q := range p.queries {
		b.WithTarget(q.build(i).LegendFormat(q.legend).Range())
	}
	return b
}

func (q query) build(i int) *prometheus.DataqueryBuilder {
	return prometheus.NewDataqueryBuilder().Datasource(source).Expr(q.expr).RefId(string(rune('A' + i)))
}
