package rules_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/secretreview/secretreview/internal/cli/check/finding"
	"github.com/secretreview/secretreview/internal/cli/check/rules"
	"github.com/secretreview/secretreview/internal/cli/check/source"
)

const change = `apiVersion: secretreview.dev/v1alpha1
kind: SecretChange
metadata:
  name: api-x7k2p
  namespace: demo
spec:
  project: api
  environment: production
  reason: because
  proposedBy: alice
  staged:
    secretARN: arn:aws:secretsmanager:eu-central-1:123456789012:secret:secret-review/pending/api/api-x7k2p-AbCdEf
    versionID: 7f07b8e6-b368-4559-8d5a-3bf3bf625b46
    digest: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
`

const project = `apiVersion: secretreview.dev/v1alpha1
kind: SecretProject
metadata:
  name: api
  namespace: demo
spec:
  environments:
  - name: production
`

const rollback = `apiVersion: secretreview.dev/v1alpha1
kind: SecretChange
metadata: {name: back, namespace: demo}
spec:
  project: api
  environment: production
  reason: because
  proposedBy: alice
  baseVersionID: 7f07b8e6-b368-4559-8d5a-3bf3bf625b46
  rollback: {change: api-1}
  reviews: [{reviewer: alice, verdict: Approved}]
`

// awsKey is put together here, so that no scanner takes it for one.
var awsKey = "AKIA" + "IOSFODNN7EXAMPLE"

// edit replaces the first of each pair by the second.
func edit(manifest string, pairs ...string) string {
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(manifest, pairs[i]) {
			panic("there is no " + pairs[i])
		}
		manifest = strings.Replace(manifest, pairs[i], pairs[i+1], 1)
	}
	return manifest
}

// find returns "file:line severity kind field" of each finding, and the
// messages.
func find(t *testing.T, expected rules.Expected, files ...string) (found []string, messages string, set *rules.Set) {
	t.Helper()
	set, err := rules.NewSet(expected)
	if err != nil {
		t.Fatal(err)
	}
	for i, content := range files {
		name := fmt.Sprintf("%d.yaml", i)
		objects, err := source.Parse([]byte(content))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range objects {
			set.Add(t.Context(), name, o)
		}
		set.Comments(name, []byte(content))
	}
	set.Finish()
	for _, f := range finding.Sort(set.Findings) {
		found = append(found, strings.TrimSpace(fmt.Sprintf("%s:%d %s %s %s", f.File, f.Line, f.Severity, f.Kind, f.Field)))
		messages += f.Message + "\n"
	}
	return found, messages, set
}

func TestManifestsAreJudgedByThemselves(t *testing.T) {
	for name, tc := range map[string]struct {
		content  string
		expected rules.Expected
		want     []string
		says     string
	}{
		"a change":   {content: change},
		"a project":  {content: project},
		"a rollback": {content: rollback},
		"another kind": {
			content: "apiVersion: v1\nkind: ConfigMap\ndata: {A: " + "b}\n",
		},
		"a kind that is not there": {
			content: edit(change, "kind: SecretChange", "kind: SecretChanges"), want: []string{"0.yaml:2 error schema kind"}, says: "no such kind",
		},
		"a version that is not there": {
			content: edit(change, "v1alpha1", "v2"), want: []string{"0.yaml:2 error schema kind"},
		},
		"a value in a field that is not there": {
			content: edit(change, "  reason:", "  data:\n    PASSWORD: hunter2\n  reason:"), want: []string{"0.yaml:9 error unknown-field spec.data"}, says: "no such field",
		},
		"a value as a field that is not there": {
			content: edit(change, "  reason:", "  "+awsKey+": x\n  reason:"),
			want:    []string{"0.yaml:9 error unknown-field spec", "0.yaml:9 error value"},
		},
		"a sentence as a field that is not there": {
			content: edit(change, "  reason:", "  the password is hunter2: x\n  reason:"), want: []string{"0.yaml:9 error unknown-field spec"},
		},
		"a field twice": {
			content: edit(change, "  reason:", "  reason: before\n  reason:"), want: []string{"0.yaml:10 error malformed spec.reason"}, says: "line 9",
		},
		"a credential in the reason": {
			content: edit(change, "because", "because "+awsKey), want: []string{"0.yaml:9 error value spec.reason"}, says: "an AWS access key",
		},
		"a credential in the reason, over several lines": {
			content: edit(change, "reason: because", "reason: |\n    why\n    "+awsKey), want: []string{"0.yaml:11 error value", "0.yaml:9 error value spec.reason"},
		},
		"what may be one in the reason": {
			content: edit(change, "because", "set DB_PASSWORD=hunter2"), want: []string{"0.yaml:9 warning value spec.reason"}, says: "if it is one",
		},
		"a credential in a review's comment": {
			content: edit(change, "  staged:", "  reviews:\n  - reviewer: bob\n    verdict: Approved\n    comment: "+awsKey+"\n  staged:"),
			want:    []string{"0.yaml:14 error value spec.reviews[0].comment"},
		},
		"a credential in an annotation": {
			content: edit(change, "  namespace:", "  annotations: {note: "+awsKey+"}\n  namespace:"), want: []string{"0.yaml:5 error value metadata.annotations.note"},
		},
		"a credential in a comment of YAML": {
			content: edit(change, "  reason:", "  # it was "+awsKey+"\n  reason:"), want: []string{"0.yaml:9 error value"},
		},
		"no namespace": {
			content: edit(change, "  namespace: demo\n", ""), want: []string{"0.yaml:3 error schema metadata.namespace"}, says: "-n",
		},
		"no namespace, where one is expected": {
			content: edit(change, "  namespace: demo\n", ""), expected: rules.Expected{Namespace: "demo"},
		},
		"another namespace than is expected": {
			content: change, expected: rules.Expected{Namespace: "other"}, want: []string{"0.yaml:5 error schema metadata.namespace"},
		},
		"a name to be made": {
			content: edit(change, "  name: api-x7k2p", "  generateName: api-"), want: []string{"0.yaml:3 error schema metadata.name"}, says: "generateName does not do",
		},
		"what a cluster writes": {
			content: edit(change, "  namespace:", "  uid: 8a\n  resourceVersion: '5'\n  namespace:") + "status: {phase: Pending}\n",
			want:    []string{"0.yaml:17 warning schema status", "0.yaml:5 warning schema metadata.uid", "0.yaml:6 warning schema metadata.resourceVersion"},
		},
		"marks of the manager": {
			content: edit(change, "  namespace:", "  labels: {secretreview.dev/x: a}\n  annotations: {secretreview.dev/y: a}\n  namespace:"),
			want:    []string{"0.yaml:5 error admission metadata.labels.secretreview.dev/x", "0.yaml:6 error admission metadata.annotations.secretreview.dev/y"},
		},
		"a finalizer and an owner": {
			content: edit(change, "  namespace:", "  finalizers: [a.b/c]\n  ownerReferences: [{apiVersion: v1, kind: Pod, name: a, uid: b}]\n  namespace:"),
			want:    []string{"0.yaml:5 error admission metadata.finalizers", "0.yaml:6 error admission metadata.ownerReferences"},
		},
		"too many annotations": {
			content: edit(change, "  namespace:", "  annotations: {"+annotations(65)+"}\n  namespace:"), want: []string{"0.yaml:5 error admission metadata.annotations"},
		},
		"as many annotations as there may be": {
			content: edit(change, "  namespace:", "  annotations: {"+annotations(64)+"}\n  namespace:"),
		},
		"a ServiceAccount that proposes": {
			content: edit(change, "alice", "system:serviceaccount:a:b"), want: []string{"0.yaml:10 warning admission spec.proposedBy"},
		},
		"a secret of another change": {
			content: edit(change, "api-x7k2p-", "api-other-"), want: []string{"0.yaml:12 error staged spec.staged.secretARN"}, says: "a change of this name",
		},
		"a live secret": {
			content: edit(change, "pending/api/api-x7k2p", "api/api-x7k2p"), want: []string{"0.yaml:12 error staged spec.staged.secretARN"},
		},
		"a partial ARN": {
			content: edit(change, "-AbCdEf", ""), want: []string{"0.yaml:12 error staged spec.staged.secretARN"},
		},
		"the staging prefix of a project called pending": {
			content: edit(change, "pending/api", "pending/pending"), want: []string{"0.yaml:12 error staged spec.staged.secretARN"},
		},
		"another prefix": {content: edit(change, "secret-review/", "acme/secrets/")},
		"another prefix than is expected": {
			content: change, expected: rules.Expected{Prefix: "acme/"}, want: []string{"0.yaml:12 error staged spec.staged.secretARN"}, says: "not acme/",
		},
		"another region than is expected": {
			content: change, expected: rules.Expected{Region: "us-east-1"}, want: []string{"0.yaml:12 error staged spec.staged.secretARN"},
		},
		"another account than is expected": {
			content: change, expected: rules.Expected{Account: "210987654321"}, want: []string{"0.yaml:12 error staged spec.staged.secretARN"},
		},
		"all that is expected": {
			content: change, expected: rules.Expected{Namespace: "demo", Region: "eu-central-1", Account: "123456789012", Prefix: "secret-review/"},
		},
		"reviews of two people": {content: edit(change, "  staged:", "  reviews: [{reviewer: bob, verdict: Approved}, {reviewer: carol, verdict: Approved}]\n  staged:")},
		"an approval of the proposer": {
			content: edit(change, "  staged:", "  reviews: [{reviewer: alice, verdict: Approved}]\n  staged:"), want: []string{"0.yaml:11 warning review spec.reviews[0].reviewer"},
		},
		"a rejection": {
			content: edit(change, "  staged:", "  reviews: [{reviewer: bob, verdict: Rejected}]\n  staged:"), want: []string{"0.yaml:11 warning review spec.reviews[0].verdict"},
		},
		"an approval of a ServiceAccount": {
			content: edit(change, "  staged:", "  reviews: [{reviewer: 'system:serviceaccount:a:b', verdict: Approved}]\n  staged:"),
			want:    []string{"0.yaml:11 warning review spec.reviews[0].reviewer"},
		},
		"two sessions of one role": {
			content: edit(change, "  staged:", "  reviews:\n  - {reviewer: 'arn:aws:sts::1:assumed-role/r/a', verdict: Approved}\n  - {reviewer: 'arn:aws:sts::1:assumed-role/r/b', verdict: Approved}\n  staged:"),
			want:    []string{"0.yaml:13 warning review spec.reviews[1].reviewer"}, says: "counts once",
		},
		"a Secret with data": {
			content: "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata: {A: aHVudGVyMg==}\n", want: []string{"0.yaml:4 error kubernetes-secret data"},
		},
		"a Secret with texts, in a list": {
			content: "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Secret\n  stringData:\n    A: hunter2\n", want: []string{"0.yaml:6 error kubernetes-secret stringData"},
		},
		"a Secret without data":         {content: "apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ntype: Opaque\ndata: {}\n"},
		"a Secret that SOPS has sealed": {content: "apiVersion: v1\nkind: Secret\ndata: {A: 'ENC[AES256_GCM,data:x]'}\nsops: {mac: x}\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, messages, _ := find(t, tc.expected, tc.content)
			slices.Sort(got)
			if !slices.Equal(got, tc.want) {
				t.Errorf("%q instead of %q", got, tc.want)
			}
			if !strings.Contains(messages, tc.says) || strings.Contains(strings.Join(got, " ")+messages, "hunter2") || strings.Contains(strings.Join(got, " ")+messages, awsKey) {
				t.Error(messages)
			}
		})
	}
}

func annotations(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("a%d: x", i))
	}
	return strings.Join(all, ", ")
}

func TestManifestsAreJudgedTogether(t *testing.T) {
	for name, tc := range map[string]struct {
		files, want []string
		says        string
	}{
		"a change and its project":      {files: []string{change, project}},
		"one change twice":              {files: []string{change, "---\n" + change}, want: []string{"1.yaml:5 error duplicate metadata.name"}, says: "in 0.yaml:4 already"},
		"one change twice in a file":    {files: []string{change + "---\n" + change}, want: []string{"0.yaml:19 error duplicate metadata.name"}},
		"one name in two namespaces":    {files: []string{change, edit(change, "namespace: demo", "namespace: other")}},
		"a change and a project's name": {files: []string{edit(project, "name: api", "name: api-x7k2p"), change}},
		"one project for two clusters":  {files: []string{project, project}, want: []string{"1.yaml:4 warning duplicate metadata.name"}},
		"two projects that claim one name": {
			files: []string{project, edit(project, "name: api", "name: other", "spec:", "spec:\n  projectName: api")}, want: []string{"1.yaml:7 error project spec.projectName"}, says: `project "api" in 0.yaml:4`,
		},
		"two projects of two names":                {files: []string{project, edit(project, "name: api", "name: other")}},
		"an environment that the project lacks":    {files: []string{edit(change, "production", "prod"), project}, want: []string{"0.yaml:8 error project spec.environment"}},
		"an environment of another namespace":      {files: []string{edit(change, "production", "prod"), edit(project, "namespace: demo", "namespace: other")}},
		"a project of another name in AWS":         {files: []string{change, edit(project, "spec:", "spec:\n  projectName: API")}, want: []string{"0.yaml:12 error staged spec.staged.secretARN"}, says: "not API"},
		"a project of its name in AWS":             {files: []string{edit(change, "pending/api/", "pending/API/"), edit(project, "spec:", "spec:\n  projectName: API")}},
		"an own approval that the project refuses": {files: []string{ownApproval, project}, want: []string{"0.yaml:11 error review spec.reviews[0].reviewer"}},
		"an own approval that the project lets in": {files: []string{ownApproval, edit(project, "spec:", "spec:\n  preventSelfApproval: false")}},
		"an own approval that the environment lets in": {
			files: []string{ownApproval, edit(project, "  - name: production", "  - name: production\n    preventSelfApproval: false")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, messages, _ := find(t, rules.Expected{}, tc.files...)
			if !slices.Equal(got, tc.want) {
				t.Errorf("%q instead of %q", got, tc.want)
			}
			if !strings.Contains(messages, tc.says) {
				t.Error(messages)
			}
		})
	}
}

var ownApproval = edit(change, "  staged:", "  reviews: [{reviewer: alice, verdict: Approved}]\n  staged:")

func TestOnlyWhatCanBeItsOwnIsRead(t *testing.T) {
	for name, tc := range map[string]struct {
		content string
		own     bool
	}{
		"its own secret":          {change, true},
		"another change's secret": {edit(change, "api-x7k2p-", "api-other-"), false},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, set := find(t, rules.Expected{}, tc.content)
			if changes := set.Changes(); len(changes) != 1 || changes[0].Own != tc.own {
				t.Errorf("%+v", changes)
			}
		})
	}
}
