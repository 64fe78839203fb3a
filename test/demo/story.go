package main

// step is a headline, or a command of somebody with the answer that is expected.
type step struct {
	headline string

	who, command string
	// code is the exit code, says a part of the answer.
	code int
	says string
	// keep is what later commands call the change that the answer proposes.
	keep string
}

// story is what is played, in order. {run} is different in each run, so that it can be played again on the same
// cluster; {name} is a change that was kept under that name.
//
// In backend-api, production takes two approvals and dev takes one. Alice may propose, bob and carol may approve.
var story = []step{
	{headline: "Alice pulls what is live in production, rotates a token, and proposes that."},
	{who: "alice", command: `sr pull`, says: "backend-api/production to .env"},
	{who: "alice", command: `sed -i.old "s/^PAYMENT_TOKEN=.*/PAYMENT_TOKEN=token-{run}/" .env`},
	{who: "alice", command: `sr propose -r "Rotate the payment token"`, says: "~ PAYMENT_TOKEN", keep: "rotation"},

	{headline: "Bob sees it, with the values that he may read in AWS."},
	{who: "bob", command: `sr status`, says: "{rotation}"},
	{who: "bob", command: `sr review --latest --reveal`, says: "token-{run}"},

	{headline: "Alice cannot approve what she proposed. Bob and carol can; it is live once both have."},
	{who: "alice", command: `sr approve {rotation} -y`, code: 3, says: "wants somebody else's approval"},
	{who: "bob", command: `sr approve {rotation} -y -c "As agreed with the payment team"`, says: "1 more needed"},
	{who: "carol", command: `sr approve {rotation} -y`, says: "{rotation} is applied"},
	{who: "alice", command: `sr pull && grep PAYMENT_TOKEN .env`, says: "PAYMENT_TOKEN=token-{run}"},

	{headline: "Two changes of dev are pending. When one is live, the other is about what is no longer there, and is made anew."},
	{who: "alice", command: `sr propose -e dev -r "Try the new checkout" --set CHECKOUT=new-{run}`, says: "CHECKOUT", keep: "checkout"},
	{who: "alice", command: `sr propose -e dev -r "Log less" --set LOG_LEVEL=warn-{run}`, says: "~ LOG_LEVEL", keep: "logs"},
	{who: "bob", command: `sr approve {checkout} -y`, says: "{checkout} is applied"},
	{who: "bob", command: `sr approve {logs} -y`, code: 4, says: "rebase it onto what is live now"},
	{who: "alice", command: `sr rebase {logs}`, says: "~ LOG_LEVEL", keep: "logs-anew"},
	{who: "bob", command: `sr approve {logs-anew} -y`, says: "{logs-anew} is applied"},

	{headline: "Carol rejects a change, and says why."},
	{who: "alice", command: `sr propose -e dev -r "Fix the migration" --set DATABASE_URL=postgres://root:{run}@db.dev.internal/backend`, says: "~ DATABASE_URL", keep: "root"},
	{who: "carol", command: `sr reject {root} -y -c "Not as root, please"`, says: "Rejected"},
	{who: "alice", command: `sr status {root}`, says: "Not as root, please"},

	{headline: "The new checkout was a mistake. Undoing it is a change like any other, and keeps what came after it."},
	{who: "alice", command: `sr versions -e dev`, says: "{checkout}"},
	{who: "alice", command: `sr rollback {checkout} -r "It loses carts" -y`, says: "- CHECKOUT", keep: "undo"},
	{who: "bob", command: `sr approve {undo} -y`, says: "{undo} is applied"},

	{headline: "Eve has no rights: not in the cluster, and not in AWS."},
	{who: "eve", command: `sr status`, code: 6, says: "forbidden"},
	{who: "eve", command: `sr pull --region us-east-1 --prefix secret-review/`, code: 6, says: "AccessDenied"},

	{headline: "What happened is on record. Values are not: the cluster has never seen them."},
	{who: "bob", command: `sr history`, says: "{rotation}"},
	{who: "bob", command: `sr history -e dev --limit 3`, says: "{root}"},
	{who: "carol", command: `kubectl get secretchange {rotation}`, says: "Applied"},
	{who: "carol", command: `kubectl get secretchanges -o yaml | grep -c token-{run}`, code: 1, says: "0"},
}
