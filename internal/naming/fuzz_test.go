package naming_test

import (
	"strings"
	"testing"
	"time"

	"github.com/secretreview/secretreview/internal/naming"
)

func FuzzNamesOfSecretsAreToldApart(f *testing.F) {
	f.Add("secret-review/", "api", "production", "api", "change-1")
	f.Add("a/pending/", "a-b", "c", "a", "b-c")
	f.Add("/x/", "pending", "x", "pending", "x")
	f.Fuzz(func(t *testing.T, prefix, project, environment, other, change string) {
		if !naming.ValidPrefix(prefix) || !naming.ValidProject(project) || !naming.ValidEnvironment(environment) || !naming.ValidProject(other) {
			return
		}
		live, staged := naming.LiveSecret(prefix, project, environment), naming.StagedSecret(prefix, other, change)
		switch {
		case strings.HasPrefix(live, naming.StagingPrefix(prefix)):
			t.Fatalf("the live secret %s is among the staged ones", live)
		case live == staged:
			t.Fatalf("a live and a staged secret are both named %s", live)
		case len(live) > naming.MaxSecretNameLength:
			t.Fatalf("AWS takes no name of %d characters", len(live))
		case project != other && live == naming.LiveSecret(prefix, other, environment):
			t.Fatalf("two projects share %s", live)
		case !strings.Contains(change, "/") && project != other && staged == naming.StagedSecret(prefix, project, change):
			t.Fatalf("two projects share %s", staged)
		}
	})
}

func FuzzLabelsTellWhoseTheyAre(f *testing.F) {
	f.Add("1b4e28ba-2fa1-11d2-883f-0016d3cca427")
	f.Add("kept-1")
	f.Add(".kept-1")
	f.Add("")
	f.Fuzz(func(t *testing.T, uid string) {
		if got, kept, ours := naming.ParseLabel(naming.VersionLabel(uid)); got != uid || kept || !ours {
			t.Fatalf("the label of what %q wrote reads as %q, kept %t, ours %t", uid, got, kept, ours)
		}
		if got, kept, ours := naming.ParseLabel(naming.KeptLabel(uid)); got != uid || !kept || !ours {
			t.Fatalf("the label of what %q replaced reads as %q, kept %t, ours %t", uid, got, kept, ours)
		}
		if got, ours := naming.ChangeUID(naming.KeptLabel(uid)); ours {
			t.Fatalf("the label of what %q replaced reads as written by %q", uid, got)
		}
		if got, _, ours := naming.ParseLabel(uid); ours && naming.VersionLabel(got) != uid && naming.KeptLabel(got) != uid {
			t.Fatalf("%q is read as ours, and we never write it", uid)
		}
	})
}

func FuzzStagedTagsParseToThemselves(f *testing.F) {
	f.Add("blue", "demo", "api", "production", "change-1", int64(1767323045))
	f.Add("", "a", "b", "c", "d", int64(0))
	f.Add("a", "b", "c", "d", "e", int64(-62135596801))
	f.Fuzz(func(t *testing.T, cluster, namespace, project, environment, change string, until int64) {
		tags := naming.StagedTags{
			Cluster: cluster, Namespace: namespace, Project: project, Environment: environment, Change: change,
			KeepUntil: time.Unix(until, 0).UTC(),
		}
		back, err := naming.ParseStagedTags(tags.Map())
		empty := cluster == "" || namespace == "" || project == "" || environment == "" || change == ""
		year := tags.KeepUntil.Year()
		if writable := !empty && year >= 0 && year <= 9999; (err == nil) != writable {
			t.Fatalf("%+v: %v", tags, err)
		}
		if err == nil && back != tags {
			t.Fatalf("%+v is read as %+v", tags, back)
		}
	})
}
