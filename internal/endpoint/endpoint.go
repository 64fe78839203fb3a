// Package endpoint decides where credentials and values may be sent.
package endpoint

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
)

// InsecureError says that an address is neither HTTPS nor on this machine.
type InsecureError struct {
	// Origin is the address's scheme and host, without a user or a path.
	Origin string
}

func (e *InsecureError) Error() string {
	return fmt.Sprintf("%s is neither HTTPS nor on this machine, so no credentials are sent there: give an https:// address", e.Origin)
}

// Check returns an *InsecureError unless a credential may be sent to address:
// by HTTPS to any host, by HTTP to this machine alone. That is the name
// localhost itself and loopback addresses as RFC 6890 has them, 127.0.0.0/8
// and ::1, in their usual notation; a name that merely begins or ends with
// localhost is somebody else's.
func Check(address *url.URL) error {
	switch {
	case address.Host == "":
	case address.Scheme == "https", address.Scheme == "http" && local(address.Hostname()):
		return nil
	}
	return &InsecureError{Origin: address.Scheme + "://" + address.Host}
}

func local(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}
