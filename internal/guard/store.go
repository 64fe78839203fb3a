package guard

import (
	"context"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

const (
	// ConfigMapName is the ConfigMap in the manager's namespace that keeps the epoch.
	ConfigMapName = "secretreview-admission"

	recordKey = "record.json"
	pageSize  = 500
)

// store keeps the record in a ConfigMap. Two managers cannot both write: each write names the version it has read.
type store struct {
	reader    client.Reader
	writer    client.Client
	namespace string
}

// load returns the record, or nil if there is none, and what save needs to replace it.
func (s store) load(ctx context.Context) (*record, *corev1.ConfigMap, error) {
	stored := &corev1.ConfigMap{}
	key := client.ObjectKey{Namespace: s.namespace, Name: ConfigMapName}
	if err := s.reader.Get(ctx, key, stored); err != nil {
		if apierrors.IsNotFound(err) {
			return nil, nil, nil
		}
		return nil, nil, fmt.Errorf("cannot read ConfigMap %s: %w", key, err)
	}
	known := &record{}
	if err := json.Unmarshal([]byte(stored.Data[recordKey]), known); err != nil {
		return nil, nil, fmt.Errorf("%s in ConfigMap %s is malformed, delete the ConfigMap to begin a new epoch: %w", recordKey, key, err)
	}
	return known, stored, nil
}

// save replaces what load returned, and fails if somebody else has done so meanwhile.
func (s store) save(ctx context.Context, stored *corev1.ConfigMap, r record) error {
	content, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("cannot encode the record of the admission policies: %w", err)
	}
	if stored == nil {
		created := &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: ConfigMapName},
			Data:       map[string]string{recordKey: string(content)},
		}
		if err := s.writer.Create(ctx, created); err != nil {
			return fmt.Errorf("cannot create ConfigMap %s/%s: %w", s.namespace, ConfigMapName, err)
		}
		return nil
	}
	stored = stored.DeepCopy()
	stored.Data = map[string]string{recordKey: string(content)}
	if err := s.writer.Update(ctx, stored); err != nil {
		return fmt.Errorf("cannot update ConfigMap %s/%s: %w", s.namespace, ConfigMapName, err)
	}
	return nil
}

// epochInUse reports whether any change in the cluster bears an epoch.
func (s store) epochInUse(ctx context.Context) (bool, error) {
	page := client.ListOptions{Limit: pageSize}
	for {
		changes := &v1alpha1.SecretChangeList{}
		if err := s.reader.List(ctx, changes, &page); err != nil {
			return false, fmt.Errorf("cannot list changes to learn whether they bear epochs: %w", err)
		}
		for i := range changes.Items {
			if changes.Items[i].Status.Admission != nil {
				return true, nil
			}
		}
		if changes.Continue == "" {
			return false, nil
		}
		page.Continue = changes.Continue
	}
}
