package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/secretreview/secretreview/api/v1alpha1"
	"github.com/secretreview/secretreview/internal/controller/index"
	"github.com/secretreview/secretreview/internal/controller/paging"
	"github.com/secretreview/secretreview/internal/controller/slim"
)

const (
	// leaseName is the lease that the manager's Role lets it hold.
	leaseName = "secretreview-manager"
	// shutdownTimeout stays below the Deployment's terminationGracePeriodSeconds.
	shutdownTimeout = 25 * time.Second
)

// run works until ctx ends.
func run(ctx context.Context, o *options, logs io.Writer) error {
	logger, err := newLogger(o, logs)
	if err != nil {
		return err
	}
	ctrl.SetLogger(logger)
	klog.SetLogger(logger)
	slog.SetDefault(slog.New(logr.ToSlogHandler(logger))) // and with it the standard library's log, which HTTP servers use
	ctx = logr.NewContext(ctx, logger)
	config, err := ctrlconfig.GetConfig()
	if err != nil {
		return fmt.Errorf("no cluster is known: run in a pod, or set --kubeconfig or KUBECONFIG: %w", err)
	}
	config.UserAgent = "secretreview-manager/" + release()
	mgr, err := newManager(config, o, logger)
	if err != nil {
		return err
	}
	if err := index.Register(ctx, mgr.GetFieldIndexer()); err != nil {
		return notInstalled(err)
	}
	if err := assemble(ctx, mgr, o); err != nil {
		return err
	}
	logger.Info("starting", "version", release(), "cluster", o.clusterName, "prefix", o.prefix)
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("the manager ended: %w", err)
	}
	return nil
}

func newLogger(o *options, logs io.Writer) (logr.Logger, error) {
	level, err := zapcore.ParseLevel(o.logLevel)
	if err != nil {
		return logr.Logger{}, fmt.Errorf("read --log-level: %w", err)
	}
	encoder := zap.JSONEncoder
	if o.logFormat == "console" {
		encoder = zap.ConsoleEncoder
	}
	readable := func(c *zapcore.EncoderConfig) { c.EncodeTime = zapcore.RFC3339NanoTimeEncoder }
	return zap.New(zap.WriteTo(logs), zap.Level(level), zap.StacktraceLevel(zapcore.PanicLevel), encoder(readable)), nil
}

func newManager(config *rest.Config, o *options, logger logr.Logger) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("register the API's types: %w", err)
	}
	shutdown, retry := shutdownTimeout, o.renewDeadline/5
	mgr, err := ctrl.NewManager(config, manager.Options{
		Scheme: scheme,
		Logger: logger,
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			NewInformer:      paging.NewInformer,
			ByObject:         map[client.Object]cache.ByObject{&v1alpha1.SecretChange{}: {Transform: slim.Change}},
		},
		LeaderElection:                o.leaderElect,
		LeaderElectionID:              leaseName,
		LeaderElectionNamespace:       o.namespace,
		LeaderElectionReleaseOnCancel: true, // the process ends right after
		LeaseDuration:                 &o.leaseDuration,
		RenewDeadline:                 &o.renewDeadline,
		RetryPeriod:                   &retry,
		GracefulShutdownTimeout:       &shutdown,
		HealthProbeBindAddress:        o.healthAddress,
		PprofBindAddress:              o.pprofAddress,
		Metrics:                       metricsOptions(o),
	})
	if err != nil {
		return nil, notInstalled(err)
	}
	return mgr, nil
}

// metricsOptions serve metrics only to those whom the API server knows and lets
// read them.
func metricsOptions(o *options) metricsserver.Options {
	return metricsserver.Options{
		BindAddress:    o.metricsAddress,
		SecureServing:  true,
		CertDir:        o.metricsCertDir,
		FilterProvider: filters.WithAuthenticationAndAuthorization,
		TLSOpts: []func(*tls.Config){func(c *tls.Config) {
			c.MinVersion = tls.VersionTLS12
			c.NextProtos = []string{"http/1.1"} // a scrape needs no HTTP/2, whose streams can be abused
		}},
		HandlerOpts: []func(*promhttp.HandlerOpts){func(h *promhttp.HandlerOpts) { h.ErrorHandling = promhttp.ContinueOnError }},
	}
}

// notInstalled says what to do where the API server does not know our kinds.
func notInstalled(err error) error {
	var noKind *meta.NoKindMatchError
	var noResource *meta.NoResourceMatchError
	if errors.As(err, &noKind) || errors.As(err, &noResource) {
		return fmt.Errorf("the cluster does not know %s: install this release's manifests first", v1alpha1.GroupVersion)
	}
	return fmt.Errorf("cannot watch projects and changes: %w", err)
}
