package flux_test

import (
	"context"
	"os"
	"path/filepath"

	"github.com/fluxcd/pkg/apis/meta"
	sourcev1 "github.com/fluxcd/source-controller/api/v1"
	"github.com/google/uuid"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// repository stands for a Git repository and source-controller: a folder, packed and served as source-controller does,
// and the object that says where.
type repository struct {
	local  *local
	id     string
	dir    string
	object *sourcev1.GitRepository
}

// repository makes one from the example's.
func (l *local) repository(ctx context.Context) *repository {
	GinkgoHelper()
	r := &repository{local: l, id: uuid.NewString()[:8], dir: GinkgoT().TempDir(), object: &sourcev1.GitRepository{}}
	decode(only(example("changes.yaml"), sourcev1.GitRepositoryKind), r.object)
	r.object.Name += "-" + r.id
	Expect(l.admin.Create(ctx, r.object)).To(Succeed())
	for _, folder := range []string{"changes", "deploy"} {
		Expect(os.Mkdir(filepath.Join(r.dir, folder), 0o700)).To(Succeed())
	}
	// Git keeps no folder that is empty, and Flux builds none that is not there.
	r.write("changes/README.md", "Manifests of sr propose -o yaml.")
	r.write("deploy/settings.yaml", "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: demo, name: settings-"+r.id+"}}")
	return r
}

func (r *repository) write(file, content string) {
	GinkgoHelper()
	Expect(os.WriteFile(filepath.Join(r.dir, file), []byte(content), 0o600)).To(Succeed())
}

func (r *repository) read(file string) string {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(r.dir, file))
	Expect(err).NotTo(HaveOccurred())
	return string(content)
}

// remove removes a file and returns what was in it.
func (r *repository) remove(file string) string {
	GinkgoHelper()
	content := r.read(file)
	Expect(os.Remove(filepath.Join(r.dir, file))).To(Succeed())
	return content
}

// push lets Flux see what the folder holds, and returns the revision.
func (r *repository) push(ctx context.Context) string {
	GinkgoHelper()
	commit := uuid.NewString()
	file := r.id + "-" + commit + ".tar.gz"
	sum, err := r.local.artifacts.ArtifactFromDir(r.dir, file)
	Expect(err).NotTo(HaveOccurred())
	url, err := r.local.artifacts.URLForFile(file)
	Expect(err).NotTo(HaveOccurred())
	before := client.MergeFrom(r.object.DeepCopy())
	revision := "main@sha1:" + commit
	r.object.Status = sourcev1.GitRepositoryStatus{
		ObservedGeneration: r.object.Generation,
		Artifact:           &meta.Artifact{URL: url, Path: file, Revision: revision, Digest: "sha256:" + sum, LastUpdateTime: metav1.Now()},
		Conditions: []metav1.Condition{{
			Type: meta.ReadyCondition, Status: metav1.ConditionTrue, Reason: meta.SucceededReason, LastTransitionTime: metav1.Now(),
		}},
	}
	Expect(r.local.admin.Status().Patch(ctx, r.object, before)).To(Succeed())
	return revision
}
