package chart_test

import (
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// refused says what helm complains of when it renders the chart with these arguments.
func refused(args ...string) string {
	GinkgoHelper()
	_, err := current.Run(ctx, append([]string{"template", "secretreview", chart}, args...)...)
	Expect(err).To(HaveOccurred(), "it was accepted")
	return err.Error()
}

var _ = DescribeTable("a value that cannot be right is refused",
	func(message string, args []string) { Expect(refused(args...)).To(ContainSubstring(message)) },
	Entry("no cluster name", "clusterName is required", []string{"--set=aws.region=eu-central-1"}),
	Entry("no region", "aws.region is required", []string{"--set=clusterName=production"}),
	Entry("a region that is none", "at '/aws/region'", with("--set=aws.region=Frankfurt")),
	Entry("a cluster name that AWS would not take as a tag", "at '/clusterName'", with("--set=clusterName=prod cluster")),
	Entry("a prefix without its slash", "at '/prefix'", with("--set=prefix=secret-review")),
	Entry("an empty prefix", "at '/prefix'", with("--set=prefix=")),
	Entry("a misspelt value", "additional properties 'replica' not allowed", with("--set=replica=3")),
	Entry("a misspelt value below another", "additional properties 'regionn' not allowed", with("--set=aws.regionn=x")),
	Entry("a name where a list belongs", "at '/identities/gitopsAppliers'", with("--set=identities.gitopsAppliers=argocd")),
	Entry("a name with a comma, which a flag would split", "at '/identities/gitopsAppliers/0'", with(`--set=identities.gitopsAppliers[0]=a\,b`)),
	Entry("a number as text", "at '/concurrency'", with("--set-string=concurrency=4")),
	Entry("no workers", "at '/concurrency'", with("--set=concurrency=0")),
	Entry("an interval without a unit", "at '/sweep/interval'", with("--set-string=sweep.interval=300")),
	Entry("an account that is none", "at '/aws/account'", with("--set-string=aws.account=12345")),
	Entry("a log level that is none", "at '/log/level'", with("--set=log.level=trace")),
	Entry("a digest that is none", "at '/image/digest'", with("--set=image.digest=latest")),
	Entry("a cluster older than 1.33", "incompatible with Kubernetes v1.32", with("--kube-version=1.32")),
)

var _ = Describe("helm lint", func() {
	It("has nothing to say", func() {
		out := run(append([]string{"lint", "--strict", chart}, required...)...)
		Expect(out).To(ContainSubstring("1 chart(s) linted, 0 chart(s) failed"))
		Expect(strings.ToUpper(out)).NotTo(Or(ContainSubstring("WARNING"), ContainSubstring("ERROR")))
	})
})
