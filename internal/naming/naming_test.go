package naming_test

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/secretreview/secretreview/internal/naming"
)

func TestNames(t *testing.T) {
	for name, tc := range map[string]struct {
		name                 string
		project, environment bool
	}{
		"an ordinary name":                    {"backend-api_2", true, true},
		"the staging path":                    {"pending", false, true},
		"a subresource":                       {"status", true, false},
		"the longest name":                    {strings.Repeat("a", 63), true, true},
		"a name too long":                     {strings.Repeat("a", 64), false, false},
		"a path":                              {"a/b", false, false},
		"nothing":                             {"", false, false},
		"a name with a line break at its end": {"a\n", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := naming.ValidProject(tc.name); got != tc.project {
				t.Errorf("as a project: %t", got)
			}
			if got := naming.ValidEnvironment(tc.name); got != tc.environment {
				t.Errorf("as an environment: %t", got)
			}
		})
	}
}

func TestPrefixesAndClusters(t *testing.T) {
	for name, tc := range map[string]struct {
		valid func(string) bool
		name  string
		want  bool
	}{
		"the default prefix":                 {naming.ValidPrefix, naming.DefaultPrefix, true},
		"a prefix of two parts":              {naming.ValidPrefix, "/team/secrets/", true},
		"a prefix without its slash":         {naming.ValidPrefix, "secrets", false},
		"a prefix with a wildcard":           {naming.ValidPrefix, "*/", false},
		"nothing as a prefix":                {naming.ValidPrefix, "", false},
		"a prefix too long":                  {naming.ValidPrefix, strings.Repeat("a", naming.MaxPrefixLength) + "/", false},
		"a cluster":                          {naming.ValidCluster, "production.eu-1", true},
		"an EKS cluster's ARN":               {naming.ValidCluster, "arn:aws:eks:eu-central-1:111122223333:cluster/production", true},
		"a cluster that begins with a slash": {naming.ValidCluster, "/production", false},
		"a cluster with a wildcard":          {naming.ValidCluster, "prod*", false},
		"no cluster":                         {naming.ValidCluster, "", false},
		"a cluster's name too long":          {naming.ValidCluster, strings.Repeat("a", naming.MaxClusterLength+1), false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := tc.valid(tc.name); got != tc.want {
				t.Errorf("%q is valid: %t", tc.name, got)
			}
		})
	}
}

func TestStagedTagsAreReadAsTheyWereWritten(t *testing.T) {
	tags := naming.StagedTags{Cluster: "blue", Namespace: "demo", Project: "api", Environment: "production",
		Change: "change-1", KeepUntil: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	got, err := naming.ParseStagedTags(tags.Map())
	if err != nil || got != tags {
		t.Errorf("%+v, %v", got, err)
	}
	for key := range tags.Map() {
		without := maps.Clone(tags.Map())
		delete(without, key)
		if _, err := naming.ParseStagedTags(without); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("without %s: %v", key, err)
		}
	}
}

func TestSecretsAndLabels(t *testing.T) {
	if got := naming.StagedSecret("secret-review/", "api", "change-1"); got != "secret-review/pending/api/change-1" {
		t.Error(got)
	}
	if got := naming.LiveSecret("secret-review/", "api", "dev"); got != "secret-review/api/dev" {
		t.Error(got)
	}
	if uid, ours := naming.ChangeUID(naming.VersionLabel("u")); uid != "u" || !ours {
		t.Error(uid)
	}
	if _, ours := naming.ChangeUID("AWSCURRENT"); ours {
		t.Error("AWSCURRENT is not ours")
	}
}
