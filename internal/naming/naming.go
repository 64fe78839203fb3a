// Package naming is the one place that knows how things are called in AWS:
// secret names, tags and version labels. Both binaries use it, so what the CLI
// stages is what the controller looks for.
package naming

import (
	"fmt"
	"regexp"
	"strings"
	"time"
)

const (
	// DefaultPrefix precedes the name of every secret that the system manages.
	DefaultPrefix = "secret-review/"
	// StagingProject is the path segment under the prefix that holds staged
	// secrets; no project may have this name.
	StagingProject = "pending"
	// MaxNameLength limits projects' and environments' names, in bytes.
	MaxNameLength = 63
	// MaxSecretNameLength is AWS's limit on a secret's name, in characters
	// (CreateSecret, Name).
	MaxSecretNameLength = 512
	// MaxClusterLength leaves room for a namespace in the value of TagOwner, of
	// 256 characters (CreateSecret, Tags).
	MaxClusterLength = 192
	// MaxPrefixLength leaves room for a project and a change name below the
	// staging prefix, in a secret's name.
	MaxPrefixLength = MaxSecretNameLength - MaxNameLength - 253 - 2 - len(StagingProject)
	// LabelPrefix starts the version label that marks what a change wrote.
	LabelPrefix = "sr-"
	// KeptPrefix starts the version label that keeps what a change replaced and
	// no change wrote: without a label AWS would delete it.
	KeptPrefix = "sr.kept-"
)

// Tag keys on live and staged secrets.
const (
	TagOwner       = "secretreview:owner"
	TagStaging     = "secretReviewStaging"
	TagCluster     = "secretreview:cluster"
	TagNamespace   = "secretreview:namespace"
	TagProject     = "secretreview:project"
	TagEnvironment = "secretreview:environment"
	TagChange      = "secretreview:change"
	TagKeepUntil   = "secretreview:keep-until"
)

// StagingTrue is the value of TagStaging on every staged secret.
const StagingTrue = "true"

var (
	name    = regexp.MustCompile(`^[a-zA-Z0-9_-]+$`)
	cluster = regexp.MustCompile(`^[a-zA-Z0-9]([a-zA-Z0-9_.:/=+@-]*[a-zA-Z0-9])?$`)
	prefix  = regexp.MustCompile(`^(/?[a-zA-Z0-9_+=.@-]+)+/$`)
)

// reservedEnvironments are real subresources of secretprojects; a role for one
// of them would mean something else than reviewing.
var reservedEnvironments = map[string]bool{"status": true, "scale": true, "finalizers": true}

// ValidProject reports whether s may name a project in AWS: letters, digits,
// '_' and '-', at most MaxNameLength, and not StagingProject.
func ValidProject(s string) bool {
	return len(s) <= MaxNameLength && name.MatchString(s) && s != StagingProject
}

// ValidEnvironment reports whether s may name an environment.
func ValidEnvironment(s string) bool {
	return len(s) <= MaxNameLength && name.MatchString(s) && !reservedEnvironments[s]
}

// ValidCluster reports whether s may name a cluster in tags: letters, digits and
// _.:/=+@-, beginning and ending with a letter or digit, at most
// MaxClusterLength.
func ValidCluster(s string) bool { return len(s) <= MaxClusterLength && cluster.MatchString(s) }

// ValidPrefix reports whether the names of all secrets may begin with s:
// letters, digits and /_+=.@-, ending with "/", at most MaxPrefixLength.
func ValidPrefix(s string) bool { return len(s) <= MaxPrefixLength && prefix.MatchString(s) }

// LiveSecret returns the name in AWS of the secret that holds an environment.
func LiveSecret(prefix, project, environment string) string {
	return prefix + project + "/" + environment
}

// StagedSecret returns the name in AWS of the secret that holds what a change
// proposes. IAM scopes proposers to a project by this path.
func StagedSecret(prefix, project, change string) string {
	return StagingPrefix(prefix) + project + "/" + change
}

// StagingPrefix returns what the names of all staged secrets begin with.
func StagingPrefix(prefix string) string { return prefix + StagingProject + "/" }

// Owner returns the value of TagOwner for a cluster's namespace.
func Owner(cluster, namespace string) string { return cluster + "/" + namespace }

// VersionLabel returns the label that the version written for a change bears.
// A UID is never used again, while a purged change's name can be.
func VersionLabel(changeUID string) string { return LabelPrefix + changeUID }

// ChangeUID returns the UID in a label made by VersionLabel, and whether label
// is such a one.
func ChangeUID(label string) (string, bool) { return strings.CutPrefix(label, LabelPrefix) }

// KeptLabel returns the label of the version that a change replaced, where no
// change wrote it.
func KeptLabel(changeUID string) string { return KeptPrefix + changeUID }

// ParseLabel returns the UID in a label made by VersionLabel or KeptLabel, which
// of them it is, and whether it is one of them.
func ParseLabel(label string) (changeUID string, kept, ours bool) {
	if uid, ours := strings.CutPrefix(label, KeptPrefix); ours {
		return uid, true, true
	}
	uid, ours := ChangeUID(label)
	return uid, false, ours
}

// KeepUntil formats the value of TagKeepUntil: RFC 3339 in UTC, whole seconds.
func KeepUntil(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// StagedTags are the tags of a staged secret, set in the CreateSecret call.
type StagedTags struct {
	Cluster, Namespace, Project, Environment, Change string
	// KeepUntil is when the sweep may take a staged secret that no change names.
	KeepUntil time.Time
}

// Map returns the tags as AWS holds them.
func (t StagedTags) Map() map[string]string {
	return map[string]string{
		TagStaging: StagingTrue, TagCluster: t.Cluster, TagNamespace: t.Namespace, TagProject: t.Project,
		TagEnvironment: t.Environment, TagChange: t.Change, TagKeepUntil: KeepUntil(t.KeepUntil),
	}
}

// ParseStagedTags reads tags made by Map. The error names the tag that is
// missing or wrong.
func ParseStagedTags(tags map[string]string) (StagedTags, error) {
	if tags[TagStaging] != StagingTrue {
		return StagedTags{}, fmt.Errorf("tag %s is not %q", TagStaging, StagingTrue)
	}
	for _, key := range []string{TagCluster, TagNamespace, TagProject, TagEnvironment, TagChange, TagKeepUntil} {
		if tags[key] == "" {
			return StagedTags{}, fmt.Errorf("tag %s is missing", key)
		}
	}
	keep, err := time.Parse(time.RFC3339, tags[TagKeepUntil])
	if err != nil {
		return StagedTags{}, fmt.Errorf("tag %s is not an RFC 3339 time", TagKeepUntil)
	}
	return StagedTags{
		Cluster: tags[TagCluster], Namespace: tags[TagNamespace], Project: tags[TagProject],
		Environment: tags[TagEnvironment], Change: tags[TagChange], KeepUntil: keep,
	}, nil
}
