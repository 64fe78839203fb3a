package main

// kind is how a panel shows what it asks for.
type kind int

const (
	// number shows the last value, in the colour of the first or the second state.
	number kind = iota
	// lines show values over time.
	lines
	// bars show counts over time.
	bars
)

// row is a headline and the panels below it.
type row struct {
	title  string
	panels []panel
}

// panel asks Prometheus one or more questions.
type panel struct {
	title, about string
	kind         kind
	// unit is one of Grafana's names; empty means a plain number.
	unit string
	// good tells, of a number, which values are fine; the others are red.
	good    good
	queries []query
}

// good says which numbers are fine.
type good int

const (
	anyNumber good = iota
	zero
	one
	// under15m is for an age in seconds.
	under15m
)

// query is PromQL, and what its series are called.
type query struct{ expr, legend string }

// chosen limits to the variables at the top of the dashboard.
const chosen = `namespace=~"$namespace",project=~"$project"`

// manager limits what every program serves to managers, by what only they serve.
const manager = ` and on (job, instance) secretreview_inventory_interval_seconds`

var rows = []row{
	{"Now", []panel{
		{"Policies in force", "Nothing is applied while the admission policies are missing or weakened.", number, "bool_yes_no", one,
			[]query{{`max(secretreview_admission_policies_in_force)`, ""}}},
		{"Leader", "Of several managers one leads and works.", number, "", one,
			[]query{{`sum(leader_election_master_status{name="secretreview-manager"})`, ""}}},
		{"Approved, not live", "A few seconds are normal, and so is a freeze.", number, "", zero,
			[]query{{`sum(secretreview_changes{phase="Approved",` + chosen + `})`, ""}}},
		{"Waiting for review", "", number, "", anyNumber,
			[]query{{`sum(secretreview_changes{phase="Pending",` + chosen + `})`, ""}}},
		{"Drifted", "Environments in which something is live that was not reviewed.", number, "", zero,
			[]query{{`sum(secretreview_environment_drifted{` + chosen + `})`, ""}}},
		{"Unserved", "Environments whose live secret the manager cannot work with.", number, "", zero,
			[]query{{`sum(secretreview_environment_unserved{` + chosen + `})`, ""}}},
		{"Frozen", "Environments under spec.suspend.", number, "", anyNumber,
			[]query{{`sum(secretreview_environment_suspended{` + chosen + `})`, ""}}},
		{"Inventory age", "Since the last complete listing of all secrets in AWS.", number, "s", under15m,
			[]query{{`time() - max(secretreview_inventory_last_success_timestamp_seconds)`, ""}}},
	}},
	{"Changes", []panel{
		{"Waiting for review, by project", "", lines, "", anyNumber,
			[]query{{`sum by (namespace, project) (secretreview_changes{phase="Pending",` + chosen + `})`, "{{namespace}}/{{project}}"}}},
		{"Approved and not live, by environment", "", lines, "", anyNumber,
			[]query{{`sum by (project, environment) (secretreview_changes{phase="Approved",` + chosen + `}) > 0`, "{{project}}/{{environment}}"}}},
		{"Age of the oldest unfinished change", "Since it was proposed or, if it is approved, since then.", lines, "s", anyNumber,
			[]query{{`time() - min by (phase) (secretreview_oldest_unfinished_change_timestamp_seconds{` + chosen + `})`, "{{phase}}"}}},
		{"Time from proposal to decision", "Of the decisions of the last hour.", lines, "s", anyNumber, []query{
			{`histogram_quantile(0.5, sum by (le) (increase(secretreview_change_proposal_to_decision_seconds_bucket[1h])))`, "p50"},
			{`histogram_quantile(0.95, sum by (le) (increase(secretreview_change_proposal_to_decision_seconds_bucket[1h])))`, "p95"},
		}},
		{"Time from approval to live", "Of the changes that became live in the last hour.", lines, "s", anyNumber, []query{
			{`histogram_quantile(0.5, sum by (le) (increase(secretreview_change_approval_to_live_seconds_bucket[1h])))`, "p50"},
			{`histogram_quantile(0.99, sum by (le) (increase(secretreview_change_approval_to_live_seconds_bucket[1h])))`, "p99"},
		}},
		{"Ended, by phase", "", bars, "", anyNumber,
			[]query{{`sum by (to) (increase(secretreview_change_transitions_total{to=~"Applied|Rejected|Conflicted|Expired|Invalid"}[$__rate_interval]))`, "{{to}}"}}},
		{"Conflicts", "OutcomeUnknown: somebody moved the live secret just while a change was being made live.", bars, "", anyNumber,
			[]query{{`sum by (reason) (increase(secretreview_change_conflicts_total[$__rate_interval]))`, "{{reason}}"}}},
		{"On record, by phase", "What the cluster has, history included.", lines, "", anyNumber,
			[]query{{`sum by (phase) (secretreview_changes{` + chosen + `})`, "{{phase}}"}}},
		{"Environments", "", lines, "", anyNumber, []query{
			{`sum(secretreview_environment_drifted{` + chosen + `})`, "drifted"},
			{`sum(secretreview_environment_unserved{` + chosen + `})`, "unserved"},
			{`sum(secretreview_environment_suspended{` + chosen + `})`, "frozen"},
		}},
	}},
	{"AWS", []panel{
		{"Calls, by operation", "", lines, "reqps", anyNumber,
			[]query{{`sum by (operation) (rate(secretreview_aws_calls_total[$__rate_interval]))`, "{{operation}}"}}},
		{"Calls that failed, by result", "After their last attempt.", lines, "reqps", anyNumber,
			[]query{{`sum by (operation, result) (rate(secretreview_aws_calls_total{result!="ok"}[$__rate_interval]))`, "{{operation}} {{result}}"}}},
		{"Latency", "All attempts of a call included.", lines, "s", anyNumber, []query{
			{`histogram_quantile(0.5, sum by (le) (rate(secretreview_aws_call_duration_seconds_bucket[$__rate_interval])))`, "p50"},
			{`histogram_quantile(0.99, sum by (le) (rate(secretreview_aws_call_duration_seconds_bucket[$__rate_interval])))`, "p99"},
		}},
		{"Slowest calls, by operation", "The 99th percentile, all attempts included.", lines, "s", anyNumber,
			[]query{{`histogram_quantile(0.99, sum by (le, operation) (rate(secretreview_aws_call_duration_seconds_bucket[$__rate_interval])))`, "{{operation}}"}}},
		{"Throttled requests", "Each attempt counts, also where the next one succeeded.", lines, "reqps", anyNumber,
			[]query{{`sum by (operation) (rate(secretreview_aws_requests_total{code=~".*Throttl.*|TooManyRequestsException|RequestLimitExceeded|SlowDown"}[$__rate_interval]))`, "{{operation}}"}}},
		{"Requests that failed, by code", "Each attempt counts.", lines, "reqps", anyNumber,
			[]query{{`sum by (code) (rate(secretreview_aws_requests_total{code!="ok"}[$__rate_interval]))`, "{{code}}"}}},
	}},
	{"Inventory and sweep", []panel{
		{"Secrets under the prefix", "As last listed, those of other clusters included.", lines, "", anyNumber, []query{
			{`max by (kind) (secretreview_inventory_secrets)`, "{{kind}}"},
			{`max(secretreview_sweep_orphans)`, "orphans"},
		}},
		{"Sweep", "What was done to staged secrets, and finished changes that were trimmed.", bars, "", anyNumber, []query{
			{`sum by (action, reason, result) (increase(secretreview_sweep_actions_total[$__rate_interval]))`, "{{action}} {{reason}} {{result}}"},
			{`sum(increase(secretreview_trimmed_changes_total[$__rate_interval]))`, "trimmed"},
		}},
		{"Listings", "", bars, "", anyNumber,
			[]query{{`sum by (result) (increase(secretreview_inventory_rounds_total[$__rate_interval]))`, "{{result}}"}}},
	}},
	{"Manager", []panel{
		{"Who leads", "", lines, "", anyNumber,
			[]query{{`leader_election_master_status{name="secretreview-manager"}`, "{{instance}}"}}},
		{"Reconciles that failed", "They are tried again with backoff.", lines, "ops", anyNumber,
			[]query{{`sum by (controller) (rate(controller_runtime_reconcile_errors_total{controller=~"secretchange|secretproject"}[$__rate_interval]))`, "{{controller}}"}}},
		{"Reconcile time", "", lines, "s", anyNumber,
			[]query{{`histogram_quantile(0.99, sum by (le, controller) (rate(controller_runtime_reconcile_time_seconds_bucket{controller=~"secretchange|secretproject"}[$__rate_interval])))`, "{{controller}} p99"}}},
		{"Queue depth", "", lines, "", anyNumber,
			[]query{{`sum by (name) (workqueue_depth{name=~"secretchange|secretproject"})`, "{{name}}"}}},
		{"Memory", "", lines, "bytes", anyNumber,
			[]query{{`process_resident_memory_bytes` + manager, "{{instance}}"}}},
		{"CPU", "Cores in use.", lines, "", anyNumber,
			[]query{{`rate(process_cpu_seconds_total[$__rate_interval])` + manager, "{{instance}}"}}},
	}},
}
