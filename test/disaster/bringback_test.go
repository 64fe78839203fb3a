package disaster_test

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// What Velero does to objects is told from its source: restoreItem in pkg/restore/restore.go of github.com/vmware-tanzu/velero
// v1.18.3, with its resetMetadata, resetStatus and addRestoreLabels.
const (
	backupLabel  = "velero.io/backup-name"
	restoreLabel = "velero.io/restore-name"
)

// reset is what resetMetadata takes out of an object's metadata. Finalizers, labels, annotations and managedFields stay.
var reset = []string{
	"generateName", "selfLink", "uid", "resourceVersion", "generation", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds",
	"ownerReferences",
}

// backup returns the namespace's objects as they are, in the order in which Velero restores them: by the names of their
// resources, so that changes come before their project.
func (s *site) backup() []unstructured.Unstructured {
	GinkgoHelper()
	var all []unstructured.Unstructured
	for _, kind := range []string{"SecretChange", "SecretProject"} {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind(kind + "List"))
		Expect(s.admin.List(context.Background(), list, client.InNamespace(namespace))).To(Succeed())
		Expect(list.Items).NotTo(BeEmpty())
		all = append(all, list.Items...)
	}
	return all
}

// bringBack restores a backup as Velero does, by its account.
func (s *site) bringBack(backup []unstructured.Unstructured, withStatus bool) {
	GinkgoHelper()
	for i := range backup {
		s.bringBackOne(backup[i].DeepCopy(), withStatus)
	}
}

func (s *site) bringBackOne(object *unstructured.Unstructured, withStatus bool) {
	GinkgoHelper()
	ctx := context.Background()
	status, hasStatus, err := unstructured.NestedFieldCopy(object.Object, "status")
	Expect(err).NotTo(HaveOccurred())
	metadata := object.Object["metadata"].(map[string]any)
	maps.DeleteFunc(metadata, func(field string, _ any) bool { return slices.Contains(reset, field) })
	unstructured.RemoveNestedField(object.Object, "status")
	labels := object.GetLabels()
	if labels == nil {
		labels = map[string]string{}
	}
	labels[backupLabel], labels[restoreLabel] = "disaster", "disaster"
	object.SetLabels(labels)

	created := object.DeepCopy()
	Expect(s.velero.Create(ctx, created)).To(Succeed(), object.GetName())
	if hasStatus && withStatus {
		object.Object["status"] = status
		version := created.GetResourceVersion()
		Expect(retry.RetryOnConflict(retry.DefaultRetry, func() error {
			object.SetResourceVersion(version)
			updated := object.DeepCopy()
			err := s.velero.Status().Update(ctx, updated)
			if apierrors.IsConflict(err) {
				now := object.DeepCopy()
				if s.velero.Get(ctx, client.ObjectKeyFromObject(object), now) == nil {
					version = now.GetResourceVersion()
				}
			}
			return err
		})).To(Succeed(), object.GetName())
	}
	managed, err := json.Marshal(map[string]any{"metadata": map[string]any{"managedFields": object.GetManagedFields()}})
	Expect(err).NotTo(HaveOccurred())
	Expect(s.velero.Patch(ctx, created, client.RawPatch(types.MergePatchType, managed))).To(Succeed(), object.GetName())
}
