package emulator

import (
	"encoding/xml"
	"net/url"
)

type callerIdentity struct {
	XMLName xml.Name `xml:"GetCallerIdentityResult"`
	Arn     string
	UserId  string
	Account string
}

func getCallerIdentity(r *request, _ url.Values) (any, error) {
	return &callerIdentity{Arn: r.principal.ARN, UserId: r.principal.AccessKeyID, Account: r.e.account}, nil
}
