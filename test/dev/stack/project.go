package stack

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/test/cluster/process"
)

// acceptTimeout is how long the manager may take to accept the project, which it does within seconds on an idle
// machine.
const acceptTimeout = 3 * time.Minute

// createProject returns when the manager says that the project is ready.
func (s *Stack) createProject(ctx context.Context) error {
	two := int32(2)
	project := &v1alpha1.SecretProject{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: Project},
		Spec: v1alpha1.SecretProjectSpec{
			Environments: []v1alpha1.Environment{{Name: "dev"}, {Name: "production", RequiredApprovals: &two}},
		},
	}
	if err := s.admin.Create(ctx, project); err != nil {
		return fmt.Errorf("cannot create SecretProject %s: %w", Project, err)
	}
	err := wait.PollUntilContextTimeout(ctx, pollInterval, acceptTimeout, true, func(ctx context.Context) (bool, error) {
		if err := s.manager.failed(); err != nil {
			return false, err
		}
		if err := s.admin.Get(ctx, client.ObjectKeyFromObject(project), project); err != nil {
			return false, fmt.Errorf("cannot read SecretProject %s: %w", Project, err)
		}
		return project.Status.ObservedGeneration == project.Generation &&
			meta.IsStatusConditionTrue(project.Status.Conditions, v1alpha1.ConditionReady), nil
	})
	if !wait.Interrupted(err) {
		return err
	}
	message := "nothing"
	if ready := meta.FindStatusCondition(project.Status.Conditions, v1alpha1.ConditionReady); ready != nil {
		message = ready.Message
	}
	log := s.logFile(managerName)
	return fmt.Errorf("SecretProject %s did not become ready; the manager says of it: %s; the end of %s:\n%s", Project, message, log, process.Tail(log))
}
