package propose

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/cli/factory"
)

const (
	// keepSlack is how long after a change must have ended its staged secret is
	// kept, for clocks that differ and for a controller that was down.
	keepSlack = 24 * time.Hour
	// keepForGit is how long a staged secret waits for its change to be merged.
	keepForGit = 90 * 24 * time.Hour
)

// gitAnnotations keep GitOps controllers from overwriting reviews, from deleting
// history, and from calling history drift once its file is deleted.
var gitAnnotations = map[string]string{
	"argocd.argoproj.io/compare-options": "IgnoreExtraneous",
	"argocd.argoproj.io/sync-options":    "ServerSideApply=true,Prune=false,Delete=false",
	"kustomize.toolkit.fluxcd.io/prune":  "disabled",
}

// newChange returns the object to create.
func newChange(t *factory.Target, name, reason, user, base string, staged v1alpha1.StagedSource) *v1alpha1.SecretChange {
	return &v1alpha1.SecretChange{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "SecretChange"},
		ObjectMeta: metav1.ObjectMeta{Namespace: t.Namespace, Name: name},
		Spec: v1alpha1.SecretChangeSpec{
			Project:       t.Project.Name,
			Environment:   t.Environment.Name,
			Reason:        reason,
			ProposedBy:    user,
			Staged:        &staged,
			BaseVersionID: v1alpha1.VersionID(base),
		},
	}
}

// gitManifest returns what belongs into a Git repository: no status, and no
// reviews, or the repository's list would be written over the cluster's.
func gitManifest(change *v1alpha1.SecretChange) (map[string]any, error) {
	copied := change.DeepCopy()
	copied.Annotations = gitAnnotations
	manifest, err := runtime.DefaultUnstructuredConverter.ToUnstructured(copied)
	if err != nil {
		return nil, fmt.Errorf("write the manifest: %w", err)
	}
	delete(manifest, "status")
	if metadata, ok := manifest["metadata"].(map[string]any); ok {
		delete(metadata, "creationTimestamp")
	}
	if spec, ok := manifest["spec"].(map[string]any); ok {
		delete(spec, "reviews")
	}
	return manifest, nil
}
