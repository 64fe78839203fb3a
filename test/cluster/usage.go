package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"

	"github.com/secretreview/secretreview/test/cluster/process"
)

// PIDs are the process ids of the cluster's running programs, by name, for those who measure them.
func (c *Cluster) PIDs() map[string]int {
	pids := map[string]int{}
	for name, p := range map[string]*process.Process{etcdName: c.etcd, apiServerName: c.apiServer, controllerManagerName: c.controllerManager} {
		if p != nil && p.Running() {
			pids[name] = p.PID()
		}
	}
	return pids
}

// Etcd is where etcd answers and how it is reached, for those who write more objects than the API server takes in
// reasonable time.
func (c *Cluster) Etcd() (url string, config *tls.Config, err error) {
	pair, err := tls.LoadX509KeyPair(c.file("etcd.crt"), c.file("etcd.key"))
	if err != nil {
		return "", nil, fmt.Errorf("cannot read etcd's certificate: %w", err)
	}
	pem, err := os.ReadFile(c.file("etcd-ca.crt"))
	if err != nil {
		return "", nil, fmt.Errorf("cannot read etcd's authority: %w", err)
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(pem)
	return c.etcdPort.url(), &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: authorities, MinVersion: tls.VersionTLS12}, nil
}
