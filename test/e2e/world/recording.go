package world

import (
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"

	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/emulator"
)

const (
	// recordEnv names the file that a run of all specs writes its Recording to.
	recordEnv = "SECRETREVIEW_RECORD_AWS"
	// recordingFile is the one that infra/cdk holds its policies to, from the folder of a suite.
	recordingFile = "../../infra/cdk/testdata/asked.json"
)

// Recorded is a right in AWS that somebody needed and had, with names that are the same in each run.
type Recorded struct {
	// Roles are what the caller is in the team: proposer, approver, rollbacker, or manager.
	Roles []string `json:"roles"`
	emulator.Asked
}

// kind is what a Recorded is about, apart from the state that the secret was in.
func (r Recorded) kind() string {
	path := "live"
	if strings.Contains(r.Resource+r.SecretARN, ":secret:"+naming.StagingPrefix(naming.DefaultPrefix)) {
		path = "staged"
	}
	return strings.Join(r.Roles, "+") + " " + r.Action + " " + path
}

// CheckRecording writes what was asked of IAM to the file that SECRETREVIEW_RECORD_AWS names or, without it, fails where
// something was asked that the committed recording knows nothing of.
func (w *World) CheckRecording() {
	ginkgo.GinkgoHelper()
	recorded := w.recorded()
	if file := os.Getenv(recordEnv); file != "" {
		content, err := json.MarshalIndent(recorded, "", "  ")
		gomega.Expect(err).NotTo(gomega.HaveOccurred())
		gomega.Expect(os.WriteFile(file, append(content, '\n'), 0o600)).To(gomega.Succeed())
		return
	}
	content, err := os.ReadFile(filepath.FromSlash(recordingFile))
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	var committed []Recorded
	gomega.Expect(json.Unmarshal(content, &committed)).To(gomega.Succeed())
	known := map[string]bool{}
	for _, one := range committed {
		known[one.kind()] = true
	}
	for _, one := range recorded {
		gomega.Expect(known).To(gomega.HaveKey(one.kind()),
			"this is a new call to AWS: \"make record-aws\" records it, and the tests of infra/cdk say whether its policies allow it")
	}
}

func (w *World) recorded() []Recorded {
	ginkgo.GinkgoHelper()
	var asked []emulator.Asked
	w.AWS.admin(http.MethodGet, "asked", nil, &asked)
	var all []Recorded
	for _, one := range asked {
		if one.AccessKeyID == Admin {
			continue
		}
		roles := []string{ManagerAccount}
		team := w.teamOf(one)
		if one.AccessKeyID != ManagerAccount {
			gomega.Expect(team).NotTo(gomega.BeNil(), "%s asked for something of no team: %+v", one.AccessKeyID, one)
			roles = team.rolesOf(one.AccessKeyID)
		}
		all = append(all, Recorded{Roles: roles, Asked: general(one, team)})
	}
	order := func(a, b Recorded) int { return cmp.Compare(a.text(), b.text()) }
	slices.SortFunc(all, order)
	return slices.CompactFunc(all, func(a, b Recorded) bool { return order(a, b) == 0 })
}

func (r Recorded) text() string {
	text, err := json.Marshal(r)
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return string(text)
}

func (w *World) teamOf(asked emulator.Asked) *Team {
	for _, team := range w.teams {
		if strings.Contains(asked.Resource+asked.SecretARN, team.Project) {
			return team
		}
	}
	return nil
}

func (t *Team) rolesOf(key string) []string {
	var roles []string
	for _, role := range []struct {
		name   string
		people []string
	}{{"approver", t.approvers}, {"proposer", t.proposers}, {"rollbacker", t.rollbackers}, {"auditor", t.auditors}} {
		if slices.ContainsFunc(role.people, func(name string) bool { return keyOf(name) == key }) {
			roles = append(roles, role.name)
		}
	}
	return roles
}

var (
	changeName = regexp.MustCompile(`(:secret:` + naming.StagingPrefix(naming.DefaultPrefix) + `[^/]+/).+?(-[0-9A-Za-z]{6})?$`)
	liveName   = regexp.MustCompile(`(:secret:` + naming.DefaultPrefix + `[^/]+/)[^/]+?(-[0-9A-Za-z]{6})?$`)
)

// general replaces what is another in each run. The ARN of a secret that exists ends with six random characters.
func general(asked emulator.Asked, team *Team) emulator.Asked {
	ending := "-AbCdEf"
	if asked.Operation == "CreateSecret" {
		ending = ""
	}
	same := func(s string) string {
		if team != nil {
			s = strings.NewReplacer(team.Project, "backend", team.Namespace, "team").Replace(s)
		}
		return s
	}
	arn := func(s string) string {
		s = same(s)
		if changeName.MatchString(s) {
			return changeName.ReplaceAllString(s, "${1}change"+ending)
		}
		return liveName.ReplaceAllString(s, "${1}production"+ending)
	}
	tags := func(of map[string]string) map[string]string {
		if len(of) == 0 {
			return nil
		}
		all := map[string]string{}
		for key, value := range of {
			switch key {
			case naming.TagChange:
				value = "change"
			case naming.TagKeepUntil:
				value = "2026-01-01T00:00:00Z"
			case naming.TagEnvironment:
				value = Production
			}
			all[key] = same(value)
		}
		return all
	}
	asked.AccessKeyID = ""
	asked.Resource, asked.SecretARN = arn(asked.Resource), arn(asked.SecretARN)
	asked.KMSKeyID = same(asked.KMSKeyID)
	asked.RequestTags, asked.ResourceTags = tags(asked.RequestTags), tags(asked.ResourceTags)
	return asked
}
