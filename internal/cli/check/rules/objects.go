package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/check/finding"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/policy"
	"github.com/secretreview/secretreview/internal/secretstore"
)

// maxMarks is how many labels, and how many annotations, the policy
// secretreview-identity lets through.
const maxMarks = 64

// metadata finds what the policy secretreview-identity refuses of everybody but
// the manager, and a name that is there twice.
func (p place) metadata(object client.Object) {
	for field, marks := range map[string]map[string]string{"metadata.labels": object.GetLabels(), "metadata.annotations": object.GetAnnotations()} {
		for _, key := range slices.Sorted(maps.Keys(marks)) {
			if strings.HasPrefix(key, v1alpha1.GroupName+"/") {
				p.errorf(finding.Admission, field+"."+key, "only the manager writes what begins with %s/", v1alpha1.GroupName)
			}
		}
		if len(marks) > maxMarks {
			p.errorf(finding.Admission, field, "there are %d, and at most %d are let in", len(marks), maxMarks)
		}
	}
	if len(object.GetFinalizers()) > 0 {
		p.errorf(finding.Admission, "metadata.finalizers", "only the manager writes finalizers")
	}
	if len(object.GetOwnerReferences()) > 0 {
		p.errorf(finding.Admission, "metadata.ownerReferences", "nobody may add ownerReferences: history would be deleted with its owner")
	}
	if want := p.set.expected.Namespace; want != "" && object.GetNamespace() != want {
		p.errorf(finding.Schema, "metadata.namespace", "it is not the namespace %q that -n says", want)
	}
	p.once(object)
}

func (p place) once(object client.Object) {
	kind := p.object.Kind()
	key := kind + " " + object.GetNamespace() + "/" + object.GetName()
	here := fmt.Sprintf("%s:%d", p.file, p.object.Line("metadata.name"))
	first, again := p.set.first[key]
	switch {
	case !again:
		p.set.first[key] = here
	case kind == kindProject:
		p.warnf(finding.Duplicate, "metadata.name", "it is in %s already: unless that is for another cluster, one is written over the other", first)
	default:
		p.errorf(finding.Duplicate, "metadata.name", "it is in %s already: a change is proposed once, and anew under another name", first)
	}
}

// namesakes finds projects of one namespace that claim one name in AWS, of
// which the manager serves neither.
func (s *Set) namesakes() {
	first := map[string]*project{}
	for _, p := range s.projects {
		key := p.Namespace + "/" + p.EffectiveProjectName()
		if other := first[key]; other != nil && other.Name != p.Name {
			place{set: s, file: p.file, object: &p.object}.errorf(finding.Project, "spec.projectName",
				"project %q in %s:%d claims the same name in AWS, so neither is served", other.Name, other.file, other.object.Line("metadata.name"))
			continue
		}
		first[key] = p
	}
}

// projectOf returns the project of a change, where it is among the manifests
// once.
func (s *Set) projectOf(c *Change) *v1alpha1.SecretProject {
	var found *v1alpha1.SecretProject
	for _, p := range s.projects {
		if p.Namespace == c.Namespace && p.Name == c.Spec.Project {
			if found != nil {
				return nil
			}
			found = &p.SecretProject
		}
	}
	return found
}

func (s *Set) change(c *Change) {
	at := place{set: s, file: c.File, object: &c.object}
	project := s.projectOf(c)
	if project != nil {
		if _, has := policy.For(project, c.Spec.Environment); !has {
			at.errorf(finding.Project, "spec.environment", "project %q has no such environment", project.Name)
			project = nil
		}
	}
	if c.Spec.Staged != nil {
		problem := s.stagedProblem(c, project)
		if problem != "" {
			at.errorf(finding.Staged, "spec.staged.secretARN", "%s: take what \"propose -o yaml\" printed as it is", problem)
		}
		c.Own = problem == ""
	}
	at.people(c, project)
}

// Location is where a change's staged secret says that things are.
type Location struct{ Region, Account, Prefix, Project string }

// Locate reads the ARN of a change's staged secret, whose name ends with
// pending/, the project's name in AWS and the change's own. Otherwise it says
// what is wrong with it.
func Locate(c *v1alpha1.SecretChange) (at Location, problem string) {
	arn, ok := secretstore.ParseARN(c.Spec.Staged.SecretARN)
	if !ok {
		return Location{}, "it is not the full ARN of a secret"
	}
	parent, ok := strings.CutSuffix(arn.Name, "/"+c.Name)
	if !ok {
		return Location{}, "it is not the secret of a change of this name"
	}
	cut := strings.LastIndexByte(parent, '/') + 1
	prefix, ok := strings.CutSuffix(parent[:cut], naming.StagingPrefix(""))
	at = Location{Region: arn.Region, Account: arn.Account, Prefix: prefix, Project: parent[cut:]}
	if !ok || !naming.ValidPrefix(prefix) || !naming.ValidProject(at.Project) {
		return Location{}, fmt.Sprintf("it is not the secret of a change: its name is not like %s", naming.StagedSecret(naming.DefaultPrefix, "PROJECT", c.Name))
	}
	return at, ""
}

// stagedProblem says why the controller would not read what a change pins.
func (s *Set) stagedProblem(c *Change, project *v1alpha1.SecretProject) string {
	at, problem := Locate(&c.SecretChange)
	if problem != "" {
		return problem
	}
	want := s.expected
	switch {
	case want.Region != "" && at.Region != want.Region:
		return fmt.Sprintf("it is in region %s, not %s", at.Region, want.Region)
	case want.Account != "" && at.Account != want.Account:
		return fmt.Sprintf("it is in account %s, not %s", at.Account, want.Account)
	case want.Prefix != "" && at.Prefix != want.Prefix:
		return fmt.Sprintf("its name begins with %s, not %s", at.Prefix, want.Prefix)
	case project != nil && at.Project != project.EffectiveProjectName():
		return fmt.Sprintf("it is of project %s in AWS, not %s", at.Project, project.EffectiveProjectName())
	default:
		return ""
	}
}

// people looks at who proposes and who reviews. project may be nil.
func (p place) people(c *Change, project *v1alpha1.SecretProject) {
	names := policy.NewIdentities(policy.Listed{})
	if !names.CanPropose(c.Spec.ProposedBy) {
		p.warnf(finding.Admission, "spec.proposedBy", "a name that begins with system: proposes only where the installation lists it")
	}
	seen := map[string]bool{}
	for i, review := range c.Spec.Reviews {
		field := fmt.Sprintf("spec.reviews[%d].reviewer", i)
		person := names.Person(review.Reviewer)
		switch {
		case !names.CanReview(review.Reviewer):
			p.warnf(finding.Review, field, "the review of a name that begins with system: counts only where the installation lists it")
		case seen[person]:
			p.warnf(finding.Review, field, "it is somebody who has reviewed above already, and counts once")
		case review.Verdict == v1alpha1.VerdictRejected:
			p.warnf(finding.Review, fmt.Sprintf("spec.reviews[%d].verdict", i), "it ends the change as Rejected once it is applied")
		case c.Spec.Staged != nil && person == names.Person(c.Spec.ProposedBy):
			p.ownApproval(field, c, project)
		}
		seen[person] = true
	}
}

func (p place) ownApproval(field string, c *Change, project *v1alpha1.SecretProject) {
	const message = "it is who proposed the change"
	if project == nil {
		p.warnf(finding.Review, field, message+", whose approval counts only where the project says so")
		return
	}
	if effective, _ := policy.For(project, c.Spec.Environment); effective.PreventSelfApproval {
		p.errorf(finding.Review, field, message+", and project %q lets nobody approve their own", project.Name)
	}
}
