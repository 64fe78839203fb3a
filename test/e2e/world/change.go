package world

import (
	"encoding/json"
	"strings"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"github.com/onsi/gomega/gstruct"

	"github.com/secretreview/secretreview/api/v1alpha1"
)

// Propose runs sr propose with these arguments beside -r and -o, and returns the change's name.
func (s *Shell) Propose(args ...string) string {
	ginkgo.GinkgoHelper()
	return s.ProposeFrom("", args...)
}

// ProposeFrom is Propose with something on standard input.
func (s *Shell) ProposeFrom(input string, args ...string) string {
	ginkgo.GinkgoHelper()
	result := s.Feed(input, "sr", append([]string{"propose", "-r", "because", "-o", "name"}, args...)...)
	gomega.Expect(result.Code).To(gomega.BeZero(), result.Err)
	name, ok := strings.CutPrefix(strings.TrimSpace(result.Out), "secretchange."+v1alpha1.GroupName+"/")
	gomega.Expect(ok).To(gomega.BeTrue(), result.Out)
	return name
}

// Manifest stages a change for Git, by sr propose -o json, and returns what is printed.
func (s *Shell) Manifest(args ...string) *v1alpha1.SecretChange {
	ginkgo.GinkgoHelper()
	result := s.SR(append([]string{"propose", "-r", "because", "-o", "json"}, args...)...)
	gomega.Expect(result.Code).To(gomega.BeZero(), result.Err)
	change := &v1alpha1.SecretChange{}
	gomega.Expect(json.Unmarshal([]byte(result.Out), change)).To(gomega.Succeed())
	return change
}

// Create has kubectl create a change, of which only name, namespace and spec count.
func (s *Shell) Create(change *v1alpha1.SecretChange) Result {
	ginkgo.GinkgoHelper()
	manifest, err := json.Marshal(map[string]any{
		"apiVersion": v1alpha1.GroupVersion.String(), "kind": "SecretChange",
		"metadata": map[string]any{"name": change.Name, "namespace": change.Namespace},
		"spec":     change.Spec,
	})
	gomega.Expect(err).NotTo(gomega.HaveOccurred())
	return s.Feed(string(manifest), "kubectl", "create", "-f", "-")
}

// Change reads a change as the administrator.
func (t *Team) Change(name string) v1alpha1.SecretChange {
	ginkgo.GinkgoHelper()
	var change v1alpha1.SecretChange
	gomega.Expect(json.Unmarshal([]byte(t.Admin("get", "schg", name, "-o", "json")), &change)).To(gomega.Succeed())
	return change
}

// Changes are all changes of the namespace.
func (t *Team) Changes() []v1alpha1.SecretChange {
	ginkgo.GinkgoHelper()
	var list v1alpha1.SecretChangeList
	gomega.Expect(json.Unmarshal([]byte(t.Admin("get", "schg", "-o", "json")), &list)).To(gomega.Succeed())
	return list.Items
}

// ProjectStatus reads the project's status.
func (t *Team) ProjectStatus() v1alpha1.SecretProjectStatus {
	ginkgo.GinkgoHelper()
	var project v1alpha1.SecretProject
	gomega.Expect(json.Unmarshal([]byte(t.Admin("get", "sproj", t.Project, "-o", "json")), &project)).To(gomega.Succeed())
	return project.Status
}

// Await waits until a change is in a phase, and returns it.
func (t *Team) Await(name string, phase v1alpha1.Phase) v1alpha1.SecretChange {
	ginkgo.GinkgoHelper()
	admin := t.Person(Admin).Shell()
	result := admin.Kubectl("-n", t.Namespace, "wait", "schg/"+name, "--for=jsonpath={.status.phase}="+string(phase), "--timeout="+(Patience*2/3).String())
	change := t.Change(name)
	gomega.Expect(result.Code).To(gomega.BeZero(), "%s is %s instead of %s: %s", name, change.Status.Phase, phase, change.Status.Message)
	return change
}

// AwaitReason waits until a condition of a change has a reason, and returns the change.
func (t *Team) AwaitReason(name, condition, reason string) v1alpha1.SecretChange {
	ginkgo.GinkgoHelper()
	var change v1alpha1.SecretChange
	gomega.Eventually(func() []map[string]string {
		change = t.Change(name)
		var found []map[string]string
		for _, c := range change.Status.Conditions {
			found = append(found, map[string]string{"type": c.Type, "reason": c.Reason, "message": c.Message})
		}
		return found
	}).WithTimeout(Patience).Should(gomega.ContainElement(gstruct.MatchKeys(gstruct.IgnoreExtras, gstruct.Keys{
		"type": gomega.Equal(condition), "reason": gomega.Equal(reason),
	})))
	return change
}

// AwaitUnstaged waits until nothing is staged for a change any more.
func (t *Team) AwaitUnstaged(name string) {
	ginkgo.GinkgoHelper()
	gomega.Eventually(t.Staged).WithTimeout(Patience).ShouldNot(gomega.ContainElement(t.StagedName(name)))
}
