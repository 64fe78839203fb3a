package main

import (
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.uber.org/zap/zapcore"

	"github.com/secretreview/secretreview/internal/controller/inventory"
	"github.com/secretreview/secretreview/internal/naming"
	"github.com/secretreview/secretreview/internal/secretstore/aws"
	"github.com/secretreview/secretreview/internal/sweep"
)

const (
	// namespaceFile is where a pod finds the name of its own namespace.
	namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
	// minInterval keeps a mistyped interval from flooding AWS.
	minInterval = time.Second
	// longestWait is how long writing calls to AWS may wait for each other: one that makes a change live has some seconds.
	longestWait = 10 * time.Second
)

// options are the flags.
type options struct {
	clusterName, prefix, namespace string

	sessionEnforcedRoles, gitopsAppliers, backupAccounts []string
	reviewingServiceAccounts, proposingServiceAccounts   []string
	requireOwnerTag                                      bool

	sweepInterval, sweepGrace      time.Duration
	consistencyGrace, projectGrace time.Duration
	concurrency                    int

	leaderElect                  bool
	leaseDuration, renewDeadline time.Duration

	metricsAddress, metricsCertDir, healthAddress, pprofAddress string

	awsAccount         string
	awsWritesPerSecond float64
	awsMaxAttempts     int
	awsRequestTimeout  time.Duration

	logFormat, logLevel string
}

// defaults takes the namespace from where a pod is told it.
func defaults(environment func(string) (string, bool)) *options {
	o := &options{
		prefix:             naming.DefaultPrefix,
		requireOwnerTag:    true,
		sweepInterval:      inventory.DefaultInterval,
		sweepGrace:         sweep.DefaultGrace,
		consistencyGrace:   time.Minute,
		projectGrace:       5 * time.Minute,
		concurrency:        16,
		leaderElect:        true,
		leaseDuration:      15 * time.Second,
		renewDeadline:      10 * time.Second,
		metricsAddress:     ":8443",
		healthAddress:      ":8081",
		awsWritesPerSecond: aws.DefaultWritesPerSecond,
		awsMaxAttempts:     aws.DefaultMaxAttempts,
		awsRequestTimeout:  aws.DefaultRequestTimeout,
		logFormat:          "json",
		logLevel:           "info",
	}
	if namespace, ok := environment("POD_NAMESPACE"); ok {
		o.namespace = namespace
	} else if content, err := os.ReadFile(namespaceFile); err == nil {
		o.namespace = strings.TrimSpace(string(content))
	}
	return o
}

func (o *options) bind(f *pflag.FlagSet) {
	f.StringVar(&o.clusterName, "cluster-name", o.clusterName,
		"this cluster's name, required; it tells this cluster's secrets from those of others in the same AWS account, and must never change")
	f.StringVar(&o.prefix, "prefix", o.prefix, "what the names of all secrets in AWS begin with; ends with /")
	f.StringVar(&o.namespace, "namespace", o.namespace, "the manager's own namespace; in a pod it is known")

	f.StringSliceVar(&o.sessionEnforcedRoles, "session-enforced-roles", nil,
		"IAM roles whose session names the identity provider sets: there a session is a person, otherwise the role is")
	f.StringSliceVar(&o.reviewingServiceAccounts, "reviewing-service-accounts", nil, "user names of ServiceAccounts whose reviews count")
	f.StringSliceVar(&o.proposingServiceAccounts, "proposing-service-accounts", nil, "user names of ServiceAccounts that may propose, as written into the admission policy")
	f.StringSliceVar(&o.gitopsAppliers, "gitops-appliers", nil, "user names that may vouch for others, as written into the admission policy")
	f.StringSliceVar(&o.backupAccounts, "backup-accounts", nil, "user names that may restore backups, as written into the admission policy")
	f.BoolVar(&o.requireOwnerTag, "require-owner-tag", o.requireOwnerTag,
		"serve a live secret only where its tag "+naming.TagOwner+" names this cluster and namespace; false suits an account with one cluster")

	f.DurationVar(&o.sweepInterval, "sweep-interval", o.sweepInterval, "how often all secrets under the prefix are listed")
	f.DurationVar(&o.sweepGrace, "sweep-grace", o.sweepGrace, "how long a staged secret that no change names is kept beyond its time")
	f.DurationVar(&o.consistencyGrace, "consistency-grace", o.consistencyGrace, "how old an answer of AWS may be, which is eventually consistent: until then what it does not show does not count")
	f.DurationVar(&o.projectGrace, "project-grace", o.projectGrace, "how long a new change waits for a project that is not there")
	f.IntVar(&o.concurrency, "concurrency", o.concurrency, "how many changes, and how many projects, are worked on at once")

	f.BoolVar(&o.leaderElect, "leader-elect", o.leaderElect, "work only while holding the lease, so that several managers may run")
	f.DurationVar(&o.leaseDuration, "lease-duration", o.leaseDuration, "how long others wait for a leader that no longer renews its lease")
	f.DurationVar(&o.renewDeadline, "renew-deadline", o.renewDeadline, "how long the leader tries to renew its lease before it gives up")

	f.StringVar(&o.metricsAddress, "metrics-bind-address", o.metricsAddress, "where metrics are served, over TLS to those who may read them; 0 switches them off")
	f.StringVar(&o.metricsCertDir, "metrics-cert-dir", o.metricsCertDir, "folder with tls.crt and tls.key for metrics; without them they are made at each start")
	f.StringVar(&o.healthAddress, "health-probe-bind-address", o.healthAddress, "where /healthz and /readyz are served; 0 switches them off")

	f.StringVar(&o.pprofAddress, "pprof-bind-address", o.pprofAddress, "where profiles of processor time and memory are served, by this machine to itself alone; they hold no values; empty switches them off")

	f.StringVar(&o.awsAccount, "aws-account", o.awsAccount, "the AWS account's 12 digits; asked from STS where it is empty")
	f.Float64Var(&o.awsWritesPerSecond, "aws-writes-per-second", o.awsWritesPerSecond, "limit on writing calls to AWS")
	f.IntVar(&o.awsMaxAttempts, "aws-max-attempts", o.awsMaxAttempts, "how often one call to AWS is tried before the work is put off")
	f.DurationVar(&o.awsRequestTimeout, "aws-request-timeout", o.awsRequestTimeout, "how long one attempt of a call to AWS may take")

	f.StringVar(&o.logFormat, "log-format", o.logFormat, "json or console")
	f.StringVar(&o.logLevel, "log-level", o.logLevel, "debug, info, warn or error")
	if kubeconfig := flag.CommandLine.Lookup("kubeconfig"); kubeconfig != nil {
		f.AddGoFlag(kubeconfig)
	}
}

// loopback reports whether only programs on this machine reach the address; an empty one nobody does.
func loopback(address string) bool {
	if address == "" {
		return true
	}
	host, _, err := net.SplitHostPort(address)
	return err == nil && net.ParseIP(host).IsLoopback()
}

var account = regexp.MustCompile(`^([0-9]{12})?$`)

// validate returns the first mistake in one sentence.
func (o *options) validate() error {
	rules := []struct {
		broken  bool
		message string
	}{
		{o.clusterName == "", "--cluster-name is required: it tells this cluster's secrets from those of others in the same AWS account"},
		{len(o.clusterName) > naming.MaxClusterLength, fmt.Sprintf("--cluster-name has over %d characters", naming.MaxClusterLength)},
		{!naming.ValidCluster(o.clusterName), "--cluster-name may hold letters, digits and _.:/=+@-, and begins and ends with a letter or digit"},
		{len(o.prefix) > naming.MaxPrefixLength, fmt.Sprintf("--prefix has over %d characters", naming.MaxPrefixLength)},
		{!naming.ValidPrefix(o.prefix), "--prefix may hold letters, digits and /_+=.@-, and ends with /"},
		{o.namespace == "", "--namespace is required outside a pod: name the manager's own namespace, or set POD_NAMESPACE"},
		{o.sweepInterval < minInterval, fmt.Sprintf("--sweep-interval is less than %s", minInterval)},
		{o.sweepGrace < 0, "--sweep-grace is negative"},
		{o.consistencyGrace < 0, "--consistency-grace is negative"},
		{o.projectGrace < 0, "--project-grace is negative"},
		{o.concurrency < 1, "--concurrency is less than 1"},
		{o.renewDeadline <= 0 || o.leaseDuration <= o.renewDeadline, "--lease-duration must be longer than --renew-deadline, and that longer than 0"},
		{!loopback(o.pprofAddress), "--pprof-bind-address is not an address of this machine alone, such as 127.0.0.1:6060: profiles are served without asking who reads them"},
		{!account.MatchString(o.awsAccount), "--aws-account is not an account's 12 digits"},
		{o.awsWritesPerSecond <= 0, "--aws-writes-per-second is not above 0"},
		{float64(o.concurrency) > longestWait.Seconds()*o.awsWritesPerSecond, fmt.Sprintf(
			"--aws-writes-per-second is too low for --concurrency: calls to AWS would wait for each other for more than %s", longestWait)},
		{o.awsMaxAttempts < 1, "--aws-max-attempts is less than 1"},
		{o.awsRequestTimeout <= 0, "--aws-request-timeout is not above 0"},
		{o.logFormat != "json" && o.logFormat != "console", "--log-format is neither json nor console"},
	}
	for _, rule := range rules {
		if rule.broken {
			return errors.New(rule.message)
		}
	}
	if _, err := zapcore.ParseLevel(o.logLevel); err != nil {
		return errors.New("--log-level is none of debug, info, warn and error")
	}
	return nil
}
