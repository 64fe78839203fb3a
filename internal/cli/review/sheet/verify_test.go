package sheet

import (
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/factory"
	"github.com/secretreview/secretreview/internal/cli/live"
	"github.com/secretreview/secretreview/internal/document"
	"github.com/secretreview/secretreview/internal/secretstore"
	"github.com/secretreview/secretreview/internal/sensitive"
)

const (
	stagedARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:secret-review/pending/backend/x-AbCdEf"
	liveARN   = "arn:aws:secretsmanager:us-east-1:123456789012:secret:secret-review/backend/production-AbCdEf"
	versionID = "0b4f8a52-1c35-4a56-9d3a-3f6a1e2b7c90"
	liveID    = "11111111-1111-1111-1111-111111111111"
	marker    = "VALUE-THAT-NO-ERROR-MAY-QUOTE"
)

func doc(values map[string]string) document.Document {
	d := document.Document{}
	for key, value := range values {
		d[key] = sensitive.New(value)
	}
	return d
}

// target is project backend-api, called backend in AWS.
func target() *factory.Target {
	project := &v1alpha1.SecretProject{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "backend-api"},
		Spec:       v1alpha1.SecretProjectSpec{ProjectName: "backend", Environments: []v1alpha1.Environment{{Name: "production"}}},
		Status: v1alpha1.SecretProjectStatus{
			Region: "us-east-1", Prefix: "secret-review/", ClusterName: "c",
			Environments: []v1alpha1.EnvironmentStatus{{Name: "production", SecretName: "secret-review/backend/production", SecretARN: liveARN, LiveVersionID: liveID}},
		},
	}
	return &factory.Target{Namespace: "demo", Project: project, Environment: project.Spec.Environments[0], Status: &project.Status.Environments[0]}
}

func identity() document.Identity {
	return document.Identity{Cluster: "c", Namespace: "demo", Project: "backend", Environment: "production", Change: "x"}
}

func staged(t *testing.T, of document.Identity, patch document.Patch) sensitive.Value {
	t.Helper()
	nonce, err := document.NewNonce(strings.NewReader(strings.Repeat("n", document.NonceBytes)))
	if err != nil {
		t.Fatal(err)
	}
	value, err := document.Staged{Version: document.StagedVersion, Identity: of, Nonce: nonce, Patch: patch}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return value
}

var edit = document.NewPatch(doc(map[string]string{"A": "1", "B": marker}), doc(map[string]string{"A": "2", "C": marker}))

func change(value sensitive.Value) *v1alpha1.SecretChange {
	return &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Namespace: "demo", Name: "x", Generation: 1},
		Spec: v1alpha1.SecretChangeSpec{
			Project: "backend-api", Environment: "production", ProposedBy: "alice", Reason: "because", BaseVersionID: liveID,
			Staged: &v1alpha1.StagedSource{SecretARN: stagedARN, VersionID: versionID, Digest: document.Digest(value)},
		},
		Status: v1alpha1.SecretChangeStatus{
			Phase: v1alpha1.PhasePending, BaseVersionID: liveID, DiffCounts: &v1alpha1.DiffCounts{Added: 1, Modified: 1, Removed: 1},
			Diff: []v1alpha1.KeyChange{{Key: "A", Type: v1alpha1.KeyModified}, {Key: "B", Type: v1alpha1.KeyRemoved}, {Key: "C", Type: v1alpha1.KeyAdded}},
		},
	}
}

// expect fails unless err is a mismatch that says this, or nil for "".
func expect(t *testing.T, err error, saying string) {
	t.Helper()
	var wrong *MismatchError
	if saying == "" {
		if err != nil {
			t.Errorf("got %v", err)
		}
		return
	}
	if !errors.As(err, &wrong) || !strings.Contains(err.Error(), saying) || strings.Contains(err.Error(), marker) {
		t.Errorf("got %v, want a mismatch that says %q", err, saying)
	}
}

func TestOnlyItsOwnStagedSecretIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		arn    string
		alter  func(*factory.Target)
		saying string
	}{
		"its own":                      {arn: stagedARN},
		"another change's":             {arn: strings.Replace(stagedARN, "/x-", "/y-", 1), saying: `"secret-review/pending/backend/y"`},
		"another project's":            {arn: strings.Replace(stagedARN, "/backend/", "/payments/", 1), saying: "pending/payments/x"},
		"a live one":                   {arn: liveARN, saying: "secret-review/backend/production"},
		"one in another region":        {arn: strings.Replace(stagedARN, "us-east-1", "eu-west-1", 1), saying: "region eu-west-1"},
		"one in another account":       {arn: strings.Replace(stagedARN, "123456789012", "999999999999", 1), saying: "account 999999999999"},
		"not an ARN":                   {arn: "secret-review/pending/backend/x", saying: "full ARN"},
		"an account that is not known": {arn: stagedARN, alter: func(t *factory.Target) { t.Status.SecretARN = "" }},
	} {
		t.Run(name, func(t *testing.T) {
			at := target()
			if c.alter != nil {
				c.alter(at)
			}
			changed := change(sensitive.New(""))
			changed.Spec.Staged.SecretARN = c.arn
			expect(t, checkARN(changed, at), c.saying)
		})
	}
}

func TestOnlyWhatTheChangePinsIsOpened(t *testing.T) {
	good := staged(t, identity(), edit)
	for name, c := range map[string]struct {
		value sensitive.Value
		// pinned says that the digest is of value itself.
		pinned bool
		alter  func(*secretstore.Version)
		saying string
	}{
		"what it pins":               {value: good},
		"other values":               {value: staged(t, identity(), document.NewPatch(nil, doc(map[string]string{"A": "evil"}))), saying: "swapped"},
		"the same with a space":      {value: sensitive.New(good.Reveal() + " "), saying: "swapped"},
		"another version":            {value: good, alter: func(v *secretstore.Version) { v.VersionID = liveID }, saying: "another secret or version"},
		"another secret":             {value: good, alter: func(v *secretstore.Version) { v.ARN = liveARN }, saying: "another secret or version"},
		"binary data":                {value: good, alter: func(v *secretstore.Version) { v.Binary = true }, saying: "binary"},
		"what is no staged document": {value: sensitive.New(`{"A": "` + marker + `"}`), pinned: true, saying: "cannot be read"},
		"another cluster's":          {value: staged(t, document.Identity{Cluster: "other", Namespace: "demo", Project: "backend", Environment: "production", Change: "x"}, edit), pinned: true, saying: "another cluster"},
		"another namespace's":        {value: staged(t, document.Identity{Cluster: "c", Namespace: "other", Project: "backend", Environment: "production", Change: "x"}, edit), pinned: true, saying: "another namespace"},
		"another project's":          {value: staged(t, document.Identity{Cluster: "c", Namespace: "demo", Project: "backend-api", Environment: "production", Change: "x"}, edit), pinned: true, saying: "another project"},
		"another environment's":      {value: staged(t, document.Identity{Cluster: "c", Namespace: "demo", Project: "backend", Environment: "dev", Change: "x"}, edit), pinned: true, saying: "another environment"},
		"another change's":           {value: staged(t, document.Identity{Cluster: "c", Namespace: "demo", Project: "backend", Environment: "production", Change: "y"}, edit), pinned: true, saying: "another change"},
	} {
		t.Run(name, func(t *testing.T) {
			pinning := good
			if c.pinned {
				pinning = c.value
			}
			got := secretstore.Version{ARN: stagedARN, VersionID: versionID, Value: c.value}
			if c.alter != nil {
				c.alter(&got)
			}
			patch, err := openStaged(change(pinning), target(), got)
			expect(t, err, c.saying)
			if err == nil && len(patch.Diff()) != 3 {
				t.Errorf("got %d keys", len(patch.Diff()))
			}
		})
	}
}

func TestKeysMustBeThoseThatTheControllerRecorded(t *testing.T) {
	base := doc(map[string]string{"A": "1", "B": marker})
	for name, c := range map[string]struct {
		alter  func(*v1alpha1.SecretChange)
		live   live.Version
		saying string
	}{
		"they are":                          {live: live.Version{ID: liveID, Values: base}},
		"one more":                          {live: live.Version{ID: liveID, Values: base}, alter: func(c *v1alpha1.SecretChange) { c.Status.Diff = c.Status.Diff[:2] }, saying: "other keys"},
		"another type":                      {live: live.Version{ID: liveID, Values: base}, alter: func(c *v1alpha1.SecretChange) { c.Status.Diff[0].Type = v1alpha1.KeyAdded }, saying: "other keys"},
		"what is live has moved on":         {live: live.Version{ID: versionID, Values: doc(map[string]string{"A": "2"})}},
		"the controller has not looked yet": {live: live.Version{ID: liveID, Values: base}, alter: func(c *v1alpha1.SecretChange) { c.Status = v1alpha1.SecretChangeStatus{} }},
	} {
		t.Run(name, func(t *testing.T) {
			changed := change(sensitive.New(""))
			if c.alter != nil {
				c.alter(changed)
			}
			expect(t, checkRecorded(changed, c.live, edit.Apply(c.live.Values)), c.saying)
		})
	}
}
