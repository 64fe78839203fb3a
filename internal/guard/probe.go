package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

const (
	// ProbeProject is the project, which need not exist, that the manager's trials propose to in its own namespace. Its
	// Role lets it propose there.
	ProbeProject = "secretreview-probe"
	// forgedUser is nobody, and nobody's name is refused for what it looks like: names of system: would be.
	forgedUser = "secretreview.dev/forged"
)

// refusal is how the API server words a refusal by the identity policy. There is no field that names the policy.
const refusal = "ValidatingAdmissionPolicy '" + IdentityPolicy + "' with binding '" + IdentityPolicy + "' denied request"

// Refused reports whether err is the API server's refusal of a request by the identity policy.
func Refused(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && apierrors.IsForbidden(err) && strings.Contains(status.Status().Message, refusal)
}

// Trial creates changes that are never stored, to see whether the API server enforces the identity policy.
type Trial struct {
	// Client acts as User, and does not cache.
	Client client.Client
	// User is the name that the API server knows the client by.
	User string
	// Namespace is where User may create changes and propose to ProbeProject.
	Namespace string
}

// Outcome is what a trial has shown.
type Outcome struct {
	// Accepted names the forgery that was let in, which proves that the policy is not enforced; empty if none was.
	Accepted string
	// ServerTime is the API server's clock when it let the honest change in, in whole seconds.
	ServerTime time.Time
}

// Run lets an honest change and two forged ones be judged. An error means that nothing is proven either way: the honest
// one was refused too, or somebody else refused the forged ones, or the API server could not be asked.
func (t Trial) Run(ctx context.Context) (Outcome, error) {
	honest := t.change(t.User)
	if err := t.Client.Create(ctx, honest, client.DryRunAll); err != nil {
		return Outcome{}, fmt.Errorf("an honest change in %s was not let in on trial, so that refusing a forged one would prove nothing: %w", t.Namespace, err)
	}
	outcome := Outcome{ServerTime: honest.CreationTimestamp.Time}
	reviewed := t.change(t.User)
	reviewed.Spec.Reviews = []v1alpha1.Review{{Reviewer: forgedUser, Verdict: v1alpha1.VerdictApproved}}
	forgeries := []struct {
		name   string
		change *v1alpha1.SecretChange
	}{
		{"a forged proposer", t.change(forgedUser)},
		{"a forged review", reviewed},
	}
	for _, forged := range forgeries {
		switch err := t.Client.Create(ctx, forged.change, client.DryRunAll); {
		case err == nil:
			outcome.Accepted = forged.name
			return outcome, nil
		case !Refused(err):
			return Outcome{}, fmt.Errorf("a change in %s with %s was refused on trial, but not by %s: %w", t.Namespace, forged.name, IdentityPolicy, err)
		}
	}
	return outcome, nil
}

// Forge tries to create a change in another user's name and returns what the API server says: see Refused. Only Client
// and Namespace need to be set.
func (t Trial) Forge(ctx context.Context) error {
	return t.Client.Create(ctx, t.change(forgedUser), client.DryRunAll)
}

// change is one that nothing but its proposer can be held against.
func (t Trial) change(proposer string) *v1alpha1.SecretChange {
	const nowhere = "arn:aws:secretsmanager:us-east-1:000000000000:secret:" + ProbeProject
	return &v1alpha1.SecretChange{
		ObjectMeta: metav1.ObjectMeta{GenerateName: ProbeProject + "-", Namespace: t.Namespace},
		Spec: v1alpha1.SecretChangeSpec{
			Project:     ProbeProject,
			Environment: "probe",
			Reason:      "a trial of the admission policies, never stored",
			ProposedBy:  proposer,
			Staged: &v1alpha1.StagedSource{
				SecretARN: nowhere,
				VersionID: "00000000-0000-0000-0000-000000000000",
				Digest:    "sha256:" + strings.Repeat("0", 64),
			},
		},
	}
}
