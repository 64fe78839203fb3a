package admission

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

const (
	project     = "backend-api"
	production  = "production"
	development = "dev"

	somebody     = "somebody-else"
	versionID    = "00000000-0000-0000-0000-000000000001"
	ourLabel     = "secretreview.dev/mark"
	foreignLabel = "example.com/mark"
)

var counter atomic.Int64

// unique returns a name that no other spec uses.
func unique(prefix string) string {
	return fmt.Sprintf("%s-%d-%d", prefix, GinkgoParallelProcess(), counter.Add(1))
}

// edit is a proposed edit of an environment.
func edit(proposer, environment string) *v1alpha1.SecretChange {
	return &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{Name: unique("edit"), Namespace: team},
		Spec: v1alpha1.SecretChangeSpec{
			Project: project, Environment: environment, Reason: "rotate the key", ProposedBy: proposer,
			Staged: &v1alpha1.StagedSource{
				SecretARN: "arn:aws:secretsmanager:eu-central-1:123456789012:secret:secret-review/pending/backend-api/x-AbCdEf",
				VersionID: versionID,
				Digest:    "sha256:" + strings.Repeat("a", 64),
			},
		},
	}
}

// rollback undoes a change of an environment.
func rollback(proposer, environment string) *v1alpha1.SecretChange {
	change := edit(proposer, environment)
	change.Spec.Staged = nil
	change.Spec.Rollback = &v1alpha1.RollbackSource{Change: "edit-0"}
	change.Spec.BaseVersionID = versionID
	return change
}

// restore puts an environment back to a version.
func restore(proposer, environment string) *v1alpha1.SecretChange {
	change := rollback(proposer, environment)
	change.Spec.Rollback = nil
	change.Spec.Restore = &v1alpha1.RestoreSource{VersionID: versionID}
	return change
}

func approved(reviewer string) v1alpha1.Review {
	return v1alpha1.Review{Reviewer: reviewer, Verdict: v1alpha1.VerdictApproved}
}

func rejected(reviewer string) v1alpha1.Review {
	return v1alpha1.Review{Reviewer: reviewer, Verdict: v1alpha1.VerdictRejected, Comment: "not now"}
}

func reviewed(change *v1alpha1.SecretChange, reviews ...v1alpha1.Review) *v1alpha1.SecretChange {
	change.Spec.Reviews = append(change.Spec.Reviews, reviews...)
	return change
}

// proposed returns a stored edit of alice's.
func proposed(ctx context.Context, environment string) *v1alpha1.SecretChange {
	return stored(ctx, edit(alice, environment))
}

// stored creates a change as its proposer.
func stored(ctx context.Context, change *v1alpha1.SecretChange) *v1alpha1.SecretChange {
	GinkgoHelper()
	Expect(as(change.Spec.ProposedBy).Create(ctx, change)).To(Succeed())
	return change
}

// in gives a change a phase, as the manager does.
func in(ctx context.Context, phase v1alpha1.Phase, change *v1alpha1.SecretChange) *v1alpha1.SecretChange {
	GinkgoHelper()
	change.Status.Phase = phase
	Expect(as(manager).Status().Update(ctx, change)).To(Succeed())
	return change
}

// newProject is a valid project that is not stored.
func newProject() *v1alpha1.SecretProject {
	return &v1alpha1.SecretProject{
		ObjectMeta: metav1.ObjectMeta{Name: unique("project"), Namespace: team},
		Spec:       v1alpha1.SecretProjectSpec{Environments: []v1alpha1.Environment{{Name: development}, {Name: production}}},
	}
}

func storedProject(ctx context.Context) *v1alpha1.SecretProject {
	GinkgoHelper()
	p := newProject()
	Expect(as(adam).Create(ctx, p)).To(Succeed())
	return p
}

// review adds a review as sr does it: by a JSON patch.
func review(ctx context.Context, user string, change client.Object, review v1alpha1.Review) error {
	patch := fmt.Sprintf(`[{"op":"test","path":"/metadata/uid","value":%q},
		{"op":"add","path":"/spec/reviews/-","value":{"reviewer":%q,"verdict":%q,"comment":%q}}]`,
		change.GetUID(), review.Reviewer, review.Verdict, review.Comment)
	return as(user).Patch(ctx, change, jsonPatch(patch), client.FieldOwner(v1alpha1.FieldManager))
}

func keyOf(object client.Object) client.ObjectKey { return client.ObjectKeyFromObject(object) }
