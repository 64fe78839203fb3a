// Package rules finds what the cluster would refuse in manifests of
// SecretChanges and SecretProjects, and what looks like a value in them. It asks
// neither a cluster nor AWS.
package rules

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/check/finding"
	"github.com/secretreview/secretreview/internal/cli/check/leak"
	"github.com/secretreview/secretreview/internal/cli/check/schema"
	"github.com/secretreview/secretreview/internal/cli/check/source"
)

// Expected is what the caller knows of the cluster that the manifests are for.
// What is empty is not known.
type Expected struct {
	// Namespace is where manifests go that name none.
	Namespace               string
	Region, Account, Prefix string
}

// Kinds.
const (
	kindChange  = "SecretChange"
	kindProject = "SecretProject"
)

// Set is all manifests of a check.
type Set struct {
	schemas  *schema.Schemas
	expected Expected
	// first tells where each object stands.
	first    map[string]string
	changes  []*Change
	projects []*project

	Findings []finding.Finding
}

// Change is a SecretChange that the API server would take.
type Change struct {
	v1alpha1.SecretChange

	File string
	// Suspicious says that something in it looks like a value.
	Suspicious bool
	// Own says that what it pins can be its own.
	Own    bool
	object source.Object
}

type project struct {
	v1alpha1.SecretProject

	file   string
	object source.Object
}

// NewSet returns an empty Set.
func NewSet(expected Expected) (*Set, error) {
	schemas, err := schema.Load()
	if err != nil {
		return nil, fmt.Errorf("load the API's schemas: %w", err)
	}
	return &Set{schemas: schemas, expected: expected, first: map[string]string{}}, nil
}

// Changes returns the changes that the API server would take, in the order in
// which they were added, once Finish has been called.
func (s *Set) Changes() []*Change { return s.changes }

// Projects returns how many projects the API server would take.
func (s *Set) Projects() int { return len(s.projects) }

// Add looks at an object, and reports whether it is of this API.
func (s *Set) Add(ctx context.Context, file string, o source.Object) bool {
	if !strings.HasPrefix(o.APIVersion(), v1alpha1.GroupName+"/") {
		s.kubernetesSecret(file, &o)
		return false
	}
	at := place{set: s, file: file, object: &o}
	if !s.schemas.Knows(o.APIVersion(), o.Kind()) {
		at.errorf(finding.Schema, "kind", "there is no such kind in this release: it has SecretChange and SecretProject in %s", v1alpha1.GroupVersion)
		return true
	}
	for _, d := range o.Duplicates() {
		at.errorOnLinef(d.Line, finding.Malformed, d.Path, "it stands in line %d already", d.First)
	}
	suspicious := at.values()
	at.cluster()
	if metadata, ok := o.Value["metadata"].(map[string]any); ok && metadata["namespace"] == nil && s.expected.Namespace != "" {
		metadata["namespace"] = s.expected.Namespace
	}
	if at.refused(ctx) {
		return true
	}
	switch o.Kind() {
	case kindChange:
		c := &Change{File: file, Suspicious: suspicious, object: o}
		if at.decode(&c.SecretChange) {
			s.changes = append(s.changes, c)
			at.metadata(&c.SecretChange)
		}
	case kindProject:
		p := &project{file: file, object: o}
		if at.decode(&p.SecretProject) {
			s.projects = append(s.projects, p)
			at.metadata(&p.SecretProject)
		}
	}
	return true
}

// Finish looks at what can be told only of all objects together.
func (s *Set) Finish() {
	s.namesakes()
	for _, c := range s.changes {
		s.change(c)
	}
}

// Reportf adds a finding about a field of a change.
func (s *Set) Reportf(c *Change, severity finding.Severity, kind finding.Kind, field, format string, args ...any) {
	place{set: s, file: c.File, object: &c.object}.reportf(severity, c.object.Line(field), kind, field, format, args...)
}

// Line returns where a change begins.
func (c *Change) Line() int { return c.object.Line("") }

// place is an object in a file, which findings are about.
type place struct {
	set    *Set
	file   string
	object *source.Object
}

func (p place) reportf(severity finding.Severity, line int, kind finding.Kind, field, format string, args ...any) {
	p.set.Findings = append(p.set.Findings, finding.Finding{
		File: p.file, Line: line, Severity: severity, Kind: kind, Field: shown(field), Message: fmt.Sprintf(format, args...),
	})
}

func (p place) errorf(kind finding.Kind, field, format string, args ...any) {
	p.reportf(finding.Error, p.object.Line(field), kind, field, format, args...)
}

func (p place) errorOnLinef(line int, kind finding.Kind, field, format string, args ...any) {
	p.reportf(finding.Error, line, kind, field, format, args...)
}

func (p place) warnf(kind finding.Kind, field, format string, args ...any) {
	p.reportf(finding.Warning, p.object.Line(field), kind, field, format, args...)
}

// fieldName is what a field may be called that is shown, maxField how long.
var fieldName = regexp.MustCompile(`^[\w.\[\]/-]*$`)

const maxField = 253

// shown is a field, or as much of it as cannot be a value itself.
func shown(field string) string {
	for len(field) > 0 && (len(field) > maxField || !fieldName.MatchString(field) || len(leak.Guess(field)) > 0) {
		field = field[:max(strings.LastIndexAny(field, ".["), 0)]
	}
	return field
}

// refused asks the API server's code.
func (p place) refused(ctx context.Context) bool {
	problems := p.set.schemas.Create(ctx, runtime.DeepCopyJSON(p.object.Value))
	for _, problem := range problems {
		switch {
		case problem.Unknown:
			p.errorf(finding.UnknownField, problem.Path,
				"there is no such field: values belong into AWS alone; if this is one, take it out and replace the value, which Git keeps")
		case problem.Path == "metadata.name" && p.object.Kind() == kindChange && p.named("generateName"):
			p.errorf(finding.Schema, problem.Path, "is required: what is staged is called after it, so generateName does not do")
		case problem.Path == "metadata.namespace" && !p.named("namespace"):
			p.errorf(finding.Schema, problem.Path, "is required: name it here, or by -n where whatever applies it adds it")
		default:
			p.errorf(finding.Schema, problem.Path, "%s", problem.Message)
		}
	}
	return len(problems) > 0
}

func (p place) named(key string) bool {
	metadata, ok := p.object.Value["metadata"].(map[string]any)
	return ok && metadata[key] != nil
}

func (p place) decode(into any) bool {
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(p.object.Value, into); err != nil {
		p.errorf(finding.Schema, "", "it cannot be read as a %s", p.object.Kind())
		return false
	}
	return true
}

// free are the fields that people write freely.
var free = regexp.MustCompile(`^spec\.(?:reason|reviews\[\d+\]\.comment)$`)

// values looks for values, and reports whether it found anything.
func (p place) values() bool {
	before := len(p.set.Findings)
	for scalar := range p.object.Scalars() {
		find := leak.Find
		if free.MatchString(scalar.Path) {
			find = leak.Guess
		}
		for _, match := range find(scalar.Text) {
			p.match(scalar.Line, scalar.Path, match)
		}
	}
	return len(p.set.Findings) > before
}

func (p place) match(line int, field string, match leak.Match) {
	severity, advice := finding.Error, "take it out, and replace it where it is used, because Git keeps it"
	if match.Guess {
		severity, advice = finding.Warning, "if it is one, take it out and replace it where it is used, because Git keeps it"
	}
	p.reportf(severity, line, finding.Value, field, "it looks like %s: %s", match.What, advice)
}

// Comments looks for credentials in all lines of a file that have none yet:
// comments are no part of an object.
func (s *Set) Comments(file string, content []byte) {
	known := map[int]bool{}
	for _, f := range s.Findings {
		if f.File == file && f.Kind == finding.Value {
			known[f.Line] = true
		}
	}
	number := 0
	for line := range strings.Lines(string(content)) {
		number++
		if known[number] {
			continue
		}
		for _, match := range leak.Find(line) {
			place{set: s, file: file}.match(number, "", match)
		}
	}
}

// ofCluster are fields that the API server writes.
var ofCluster = []string{"uid", "resourceVersion", "generation", "managedFields", "creationTimestamp", "selfLink"}

// cluster warns of what comes from a cluster.
func (p place) cluster() {
	const format = "the cluster writes it: leave it out of Git"
	if p.object.Value["status"] != nil {
		p.warnf(finding.Schema, "status", format)
	}
	for _, key := range ofCluster {
		if p.named(key) {
			p.warnf(finding.Schema, "metadata."+key, format)
		}
	}
}

// kubernetesSecret finds a Secret with data, unless SOPS has encrypted it.
func (s *Set) kubernetesSecret(file string, o *source.Object) {
	if o.Kind() != "Secret" || o.APIVersion() != "v1" || o.Value["sops"] != nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(o.Value)) {
		data, ok := o.Value[key].(map[string]any)
		if ok && len(data) > 0 && (key == "data" || key == "stringData") {
			place{set: s, file: file, object: o}.errorf(finding.KubernetesSecret, key,
				"a Secret with values does not belong into Git: take it out, and replace the values, which Git keeps")
		}
	}
}
