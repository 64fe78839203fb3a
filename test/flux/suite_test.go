// Package flux_test runs Flux's own kustomize-controller beside a local cluster, and asks its health library.
package flux_test

import (
	"fmt"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/secretreview/secretreview/test/cluster/process"
	"github.com/secretreview/secretreview/test/suite"
)

// patience is far above what anything takes on an idle machine.
const patience = 3 * time.Minute

// here is what all specs share. Each has an environment and a repository of its own in it.
var here *local

func TestFlux(t *testing.T) {
	log.SetLogger(GinkgoLogr)
	suite.Run(t, "Flux beside secretreview")
}

var _ = BeforeSuite(func(ctx SpecContext) {
	SetDefaultEventuallyTimeout(patience)
	SetDefaultEventuallyPollingInterval(100 * time.Millisecond)
	here = start(ctx)
	proposeExpiring(ctx)
})

// One container keeps its parts in order: what takes a minute to expire is asked for last.
var _ = Describe("Flux", func() {
	Describe("takes every example", examples)
	Describe("has kustomize-controller, which", applying)
	Describe("finds that the health of a project", healthOfProjects)
	Describe("finds that the health of a change", healthOfChanges)
})

var _ = AfterEach(func() {
	if CurrentSpecReport().Failed() {
		for _, file := range here.logs() {
			fmt.Fprintf(GinkgoWriter, "the end of %s:\n%s\n", file, process.Tail(file))
		}
	}
})
